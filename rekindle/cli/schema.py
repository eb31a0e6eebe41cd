"""``rekindle schema``: what an editor needs to know of the files that people write."""

from __future__ import annotations

import click

from rekindle.output import print_line


@click.command("schema")
@click.argument(
    "kind", type=click.Choice(["recovery", "inventory", "scenario"]), default="recovery"
)
def command(kind: str) -> int:
    """
    Print the JSON Schema of a plan, an inventory or a scenario, for your editor.

    KIND is recovery unless it is given. An editor with a YAML language server takes it by the first line of a file:
    "# yaml-language-server: $schema=recovery.schema.json".
    """
    from rekindle.schemas import text_of

    for line in text_of(kind).splitlines():
        print_line(line)
    return 0
