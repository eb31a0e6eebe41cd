"""Options that several commands share, and the journal that they come to."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import Any, TypeVar

import click

from rekindle import kubeconfigs, paths
from rekindle.completing import complete_runs
from rekindle.doing import Doing
from rekindle.output import tell
from rekindle.there import home

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = "$XDG_STATE_HOME/rekindle or the platform's own state folder"
NEWEST = f"the one that was written last in {FOLDER}"


def journal_option(default: str = NEWEST) -> Callable[[F], F]:
    """``--journal FILE``, or REKINDLE_JOURNAL; *default* says what is taken without either."""
    return click.option(
        "--journal",
        "journal",
        metavar="FILE",
        envvar=paths.ENVIRONMENT,
        type=click.Path(dir_okay=False),
        help=f"The journal file; default: ${paths.ENVIRONMENT}, else {default}.",
    )


def json_option(said: str = "End with one JSON document on stdout.") -> Callable[[F], F]:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=said)


def verbose_option(said: str) -> Callable[[F], F]:
    """``-v``."""
    return click.option("-v", "--verbose", is_flag=True, help=said)


def causes_option(function: F) -> F:
    """``-v``, for commands that pursue a run."""
    return verbose_option("Also say each new cause in full, as `rekindle status -v` does.")(
        function
    )


def run_option(function: F) -> F:
    """``--run ID``, for commands about one run of a journal."""
    return click.option(
        "--run",
        "run_id",
        metavar="ID",
        shell_complete=complete_runs,
        help="Another run than the newest; a prefix is enough.",
    )(function)


def run_argument(function: F) -> F:
    """``[RUN]``, for commands that write one run in another form."""
    return click.argument("run_id", metavar="[RUN]", required=False, shell_complete=complete_runs)(
        function
    )


def kubeconfig_option(function: F) -> F:
    """``--kubeconfig FILE``, for commands that need no plan."""
    return click.option(
        "--kubeconfig",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Default: KUBECONFIG's first file that is there, else ~/.kube/config.",
    )(function)


def default_kubeconfig() -> Path:
    """Return what ``--kubeconfig`` is without the option."""
    return kubeconfigs.first_named() or home() / ".kube" / "config"


def approve_option(function: F) -> F:
    """``--approve ID``, for runs without a terminal."""
    return click.option(
        "--approve",
        "approve",
        metavar="ID",
        multiple=True,
        help="Approve this question as soon as it is asked; the id is bound to its evidence.",
    )(function)


class Speed(click.FloatRange):
    """Seconds of a cluster in a second of ours. NaN is in every range, for it is neither below nor above anything."""

    def __init__(self, *, above_zero: bool = True) -> None:
        """Take 0, as fast as possible, unless it must be *above_zero*."""
        super().__init__(min=0.0, max=100_000.0, min_open=above_zero)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  click's own signature
        """Refuse what is no number of seconds."""
        speed = super().convert(value, param, ctx)
        if isnan(speed):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return speed


def record_option(function: F) -> F:
    """``--record``, for commands that pursue a run."""
    return click.option(
        "--record",
        is_flag=True,
        help="Keep what is seen beside the journal, for `rekindle replay`; 64 MiB a run at most.",
    )(function)


def existing_journal(
    given: str | None, *, tells: bool | None = None, owes_document: bool = False
) -> Path:
    """
    Return the journal that a command is about: the named one, else the newest.

    *tells*: say which on stderr; None: unless the option named it. Raises ``UsageWrong`` without a journal.
    """
    path = about(paths.newest_journal(given), owes_document=owes_document)
    if not named() if tells is None else tells:
        tell(f"journal {path}")
    return path


def named() -> bool:
    """Say whether the journal was named by the option itself: an environment is easily forgotten."""
    source = click.get_current_context().get_parameter_source("journal")
    return source is click.core.ParameterSource.COMMANDLINE


def about(path: Path, *, owes_document: bool = False) -> Path:
    """Remember the journal: errors and interruptions name it in what they tell to type."""
    doing = click.get_current_context().find_object(Doing)
    if doing is not None:
        doing.journal, doing.owes_document = path, owes_document
    return path
