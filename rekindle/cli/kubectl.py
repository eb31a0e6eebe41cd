"""
``kubectl_complete-rekindle``: what kubectl asks when it completes ``kubectl rekindle ...``.

It is given the words so far, of which the last may be empty, and wants a candidate a line, then a line that says what
the shell itself may add (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/, kubectl v1.26).
"""

from __future__ import annotations

import sys

from rekindle import streams

NO_FILES, FILES = 4, 0
_OF_THE_DISK = {"file", "dir"}


def candidates(words: list[str]) -> tuple[list[tuple[str, str]], int]:
    """Return what may stand in the place of the last word, each with what it means, and kubectl's directive."""
    from click.shell_completion import ShellComplete

    from rekindle.cli.table import cli

    *before, last = words or [""]
    found = ShellComplete(cli, {}, "rekindle", "").get_completions(before, last)
    listed = [(item.value, item.help or "") for item in found if item.type == "plain"]
    return listed, FILES if any(item.type in _OF_THE_DISK for item in found) else NO_FILES


def complete() -> None:
    """Answer kubectl."""
    streams.mend()
    listed, directive = candidates(sys.argv[1:])
    for word, said in listed:
        sys.stdout.write(f"{word}\t{said}\n" if said else f"{word}\n")
    sys.stdout.write(f":{directive}\n")
