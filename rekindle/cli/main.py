"""
Where the program begins: signals and streams first, then everything else.

The short texts of the commands stand here as well as in the commands; a test holds them equal.
"""

from __future__ import annotations

import sys

from rekindle import signals, streams

ENVIRONMENT = 78
# When a command is wanted: in the order in which one comes to it.
MOMENTS: dict[str, dict[str, str]] = {
    "Before the night": {
        "rehearse": "Recover a simulated cluster from a disaster.",
        "init": "Write a first plan from a cluster's Git repository, and say what nobody could know.",
        "inventory": "Write down what should exist, from the Git tree or from a healthy cluster.",
        "doctor": "Say what a recovery would lack: tools, credentials, machine configurations, keys, disk; read only.",
        "plan": "Look at the cluster and say what a run would do; changes nothing.",
        "graph": "Draw a plan's machine as a Mermaid state diagram.",
        "schema": "Print the JSON Schema of a plan, an inventory or a scenario, for your editor.",
        "diagnose": "Say why things are not there and whether waiting can help; changes nothing.",
        "completion": "Print the completion of a shell: options, runs, open questions, references.",
    },
    "During the night": {
        "run": "Recover the cluster of a plan; goes on with an open run.",
        "resume": "Go on with the newest run of a journal.",
        "status": "Say where a run stands, in three sentences.",
        "approve": "Answer a question that a run waits for.",
        "cancel": "Ask a run to stop for good at the next safe point.",
        "watch": "Look on, say what it would do and what is done by hand; changes nothing.",
        "explain": "Say what an error's reference means, why, what to do, and what was not done.",
    },
    "After the night": {
        "report": "Write the postmortem of a run: what broke, what was done, what is not proven.",
        "log": "Show a run entry by entry or as it stood at a moment, or verify the chain.",
        "history": "List the runs of a journal.",
        "note": "Add a remark or a correction to a run, also to a closed one.",
        "replay": "Walk a run through today's code and say which decisions differ and why; or show it as it was.",
        "diff": "Say where two runs parted: states, attempts, findings, and the first decision with its facts.",
        "serve": "Show runs in a browser: live, at any moment, and the report; read only.",
        "metrics": "Write a run as Prometheus metrics.",
        "trace": "Write a run as an OpenTelemetry trace (OTLP/JSON).",
    },
}
COMMANDS: dict[str, str] = {
    name: said for listed in MOMENTS.values() for name, said in listed.items()
}


def main() -> None:
    """Run, and answer with the exit code of the table."""
    streams.mend()
    signals.install()
    try:
        from rekindle.cli.failing import guarded
        from rekindle.cli.table import cli

        code = guarded(cli)
    except ImportError:
        code = _without_rooms()
    except KeyboardInterrupt:  # while the program itself was still being read
        sys.stderr.write(f"\n{signals.NOTHING_BEGUN}\n")
        code = signals.INTERRUPTED
    signals.ending_with(code)
    sys.exit(code)


def _without_rooms() -> int:
    """Say whose packages stand in the place of ours; if none do, the missing import is for its reader to see."""
    from rekindle.doctor import packages
    from rekindle.doctor.check import lines

    if not packages.broken():
        raise  # noqa: PLE0704  called where an ImportError is handled
    sys.stderr.write("\n".join(lines(packages.rows())) + "\n")
    return ENVIRONMENT
