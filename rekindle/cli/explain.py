"""``rekindle explain``: what a reference of an error means, and what to do."""

from __future__ import annotations

import click

from rekindle.cli.options import json_option
from rekindle.completing import complete_references
from rekindle.output import print_json, print_line


@click.command("explain")
@click.argument("reference", required=False, shell_complete=complete_references)
@json_option("Answer with one JSON document on stdout.")
def command(reference: str | None, *, as_json: bool) -> int:
    """
    Say what an error's reference means, why, what to do, and what was not done.

    REFERENCE is what stands in the brackets of `error (REFERENCE)` and `stuck (REFERENCE)`, or the name of a rule of
    `rekindle diagnose -v` and `rekindle status -v`. Without it all references are listed with their exit codes.
    """
    from rekindle import explaining

    if reference is None:
        if as_json:
            listed = [
                {"reference": name, "exit_code": code, "said": said}
                for name, code, said in explaining.references()
            ]
            print_json({"schema": "rekindle.explain/1", "references": listed})
            return 0
        for line in explaining.summary():
            print_line(line)
        return 0
    name, text = explaining.explained(reference)
    if as_json:
        print_json({"schema": "rekindle.explain/1", "reference": name, "text": text})
    else:
        print_line(text)
    return 0
