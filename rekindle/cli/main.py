"""
Where the program begins: signals and streams first, then everything else.

The short texts of the commands stand here as well as in the commands; a test holds them equal.
"""

from __future__ import annotations

import sys

from rekindle import signals, streams

COMMANDS: dict[str, str] = {
    "approve": "Answer a question that a run waits for.",
    "cancel": "Ask a run to stop for good at the next safe point.",
    "diff": "Say where two runs parted: states, attempts, findings, and the first decision with its facts.",
    "diagnose": "Say why things are not there and whether waiting can help; changes nothing.",
    "history": "List the runs of a journal.",
    "inventory": "Write down what should exist, from the Git tree or from a healthy cluster.",
    "log": "Show a run entry by entry or as it stood at a moment, or verify the chain.",
    "metrics": "Write a run as Prometheus metrics.",
    "note": "Add a remark or a correction to a run, also to a closed one.",
    "plan": "Look at the cluster and say what a run would do; changes nothing.",
    "rehearse": "Recover a simulated cluster from a disaster.",
    "report": "Write the postmortem of a run: what broke, what was done, what is not proven.",
    "replay": "Walk a run through today's code and say which decisions differ and why; or show it as it was.",
    "resume": "Go on with the newest run of a journal.",
    "run": "Recover the cluster of a plan; goes on with an open run.",
    "serve": "Show runs in a browser: live, at any moment, and the report; read only.",
    "status": "Say where a run stands, in three sentences.",
    "trace": "Write a run as an OpenTelemetry trace (OTLP/JSON).",
    "watch": "Look on, say what it would do and what is done by hand; changes nothing.",
}


def main() -> None:
    """Run, and answer with the exit code of the table."""
    streams.mend()
    signals.install()
    try:
        from rekindle.cli.failing import guarded
        from rekindle.cli.table import cli

        code = guarded(cli)
    except KeyboardInterrupt:  # while the program itself was still being read
        sys.stderr.write(f"\n{signals.NOTHING_BEGUN}\n")
        code = signals.INTERRUPTED
    signals.ending_with(code)
    sys.exit(code)
