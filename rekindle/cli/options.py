"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def journal_option(function: F) -> F:
    """``--journal FILE``, or REKINDLE_JOURNAL."""
    return click.option(
        "--journal",
        "journal",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="The journal file; default: REKINDLE_JOURNAL, else the command's own choice.",
    )(function)


def json_option(function: F) -> F:
    """``--json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="End with one JSON document on stdout."
    )(function)


def approve_option(function: F) -> F:
    """``--approve ID``, for runs without a terminal."""
    return click.option(
        "--approve",
        "approve",
        metavar="ID",
        multiple=True,
        help="Approve this question as soon as it is asked; the id is bound to its evidence.",
    )(function)
