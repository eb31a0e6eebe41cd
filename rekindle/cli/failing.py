"""Every way in which a command may fail, turned into words and an exit code; never a traceback."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from journal.errors import ChainBroken, Diagnosed
from rekindle import output, signals
from rekindle.doing import Doing
from rekindle.output import tell
from rekindle.typed import with_journal

USAGE = 64
OUR_BUG = 70


def guarded(command: click.Command) -> int:
    """Call a command and return the process's answer."""
    doing = Doing()
    try:
        code = _called(command, doing)
        output.last_flush()
    except Diagnosed as error:
        show(error, doing)
        return int(error.exit_code)
    return code


def _called(command: click.Command, doing: Doing) -> int:
    try:
        result = command.main(standalone_mode=False, obj=doing, prog_name=_called_as())
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _interrupted(doing)
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return USAGE
    except Diagnosed:
        raise
    except SystemExit:  # click's own answer to a reader that has left
        return 0
    except ImportError as error:
        from rekindle.foreign import refuse

        refuse(error)
        return _our_bug(doing)
    except Exception:  # noqa: BLE001  the last line of defence
        return _our_bug(doing)
    return int(result) if isinstance(result, int) else 0


def _called_as() -> str:
    """Name the program as it was typed: kubectl calls its plugins by the name of their file."""
    return "kubectl rekindle" if Path(sys.argv[0]).stem == "kubectl-rekindle" else "rekindle"


def show(error: Diagnosed, doing: Doing) -> None:
    """Say what, where, and what to do next."""
    hint = with_journal(error.hint, doing.journal)
    broken = isinstance(error, ChainBroken) and doing.journal is not None
    where = f"{doing.journal}: " if broken and str(doing.journal) not in error.message else ""
    tell(f"error ({error.reference}): {where}{error.message}\n\nhint: {hint}")


def _interrupted(doing: Doing) -> int:
    """Say how to go on, if there is something to go on with; what is in the journal decides."""
    from rekindle import folding, typed

    found = None
    if doing.journal is not None:
        with suppress(Diagnosed):
            found = folding.newest(doing.journal)
    if found is None or found.memory.outcome or found.alive:
        tell(f"\n{signals.NOTHING_BEGUN}")
        return signals.INTERRUPTED
    if doing.owes_document:
        from rekindle.document import of_run

        outcome, journal = "interrupted", str(doing.journal)
        output.print_json(of_run(found.memory, outcome=outcome, counted={}, journal=journal))
    tell(f"\ninterrupted; to go on: {typed.command('resume', journal=doing.journal)}")
    return signals.INTERRUPTED


def _our_bug(doing: Doing) -> int:
    import tempfile
    import traceback

    from journal.redactor import redact_text

    text = redact_text(traceback.format_exc())
    try:
        descriptor, name = tempfile.mkstemp(prefix="rekindle-report-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        report = f"the report to send is {name}"
    except OSError as error:  # a full disk has room for no report either
        report = f"its report could not be written ({error.strerror or error})"
    last = text.strip().splitlines()[-1]
    going_on = with_journal("`rekindle resume` goes on", doing.journal)
    tell(
        f"error (our-bug): {last}\n\nhint: this is a mistake of rekindle's; {report}\n"
        f"hint: nothing in the journal is lost; {going_on}"
    )
    return OUR_BUG
