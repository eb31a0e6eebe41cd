"""Every way in which a command may fail, turned into words and an exit code; never a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

from journal.errors import Diagnosed

USAGE = 64
OUR_BUG = 70
INTERRUPTED = 75


def guarded(command: click.Command) -> int:
    """Call a command and return the process's answer."""
    try:
        result = command.main(standalone_mode=False)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except Diagnosed as error:
        show(error)
        return int(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left: nothing to say and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001  the last line of defence
        return _our_bug()
    return int(result) if isinstance(result, int) else 0


def show(error: Diagnosed) -> None:
    """Say what, where, and what to do next."""
    sys.stderr.write(f"error ({error.reference}): {error.message}\n\nhint: {error.hint}\n")


def _our_bug() -> int:
    from journal.redactor import redact_text

    text = redact_text(traceback.format_exc())
    descriptor, name = tempfile.mkstemp(prefix="rekindle-report-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    last = text.strip().splitlines()[-1]
    sys.stderr.write(
        f"error (our-bug): {last}\n\nhint: this is a mistake of rekindle's; the report to send is {name}\n"
        "hint: nothing in the journal is lost; `rekindle resume` goes on\n"
    )
    return OUR_BUG
