"""
The main job in under a minute: rehearse the disaster, kill the program half-way, resume it, read the journal.

Run by ``make demo``. The cluster is simulated and lives in a process of its own; the journal, the kill and the
resume are real.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEED = "30"  # seconds of the cluster in one of ours
KILLED_ON = "approval.asked"
LIMIT_SECONDS = 120.0


def say(text: str) -> None:
    """Write what happens next."""
    sys.stdout.write(f"\n--- {text}\n")
    sys.stdout.flush()


def rekindle(*arguments: str) -> int:
    """Run the program as an operator would."""
    sys.stdout.write(f"$ rekindle {' '.join(arguments)}\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", "rekindle", *arguments], check=False).returncode


def kill_on_entry(process: subprocess.Popen[bytes], journal: Path) -> None:
    """Kill the program as soon as the journal has the entry."""
    from journal.errors import Diagnosed
    from journal.reader import Reader

    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with Reader(journal) as reader:
                if any(row.kind == KILLED_ON for row in reader.rows()):
                    break
        except Diagnosed:
            pass  # not there yet
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


def main() -> int:
    """Tell the story; 0 when the cluster is back and the chain holds."""
    folder = Path(tempfile.mkdtemp(prefix="rekindle-demo-"))
    journal = folder / "june-12.db"
    named = ("--journal", str(journal))
    say(
        "june-12: the root was deleted; 23 of 104 pods are left, storage has been Terminating for two hours"
    )
    rekindle("plan", "--scenario", "june-12")
    say(f"the recovery begins; it will be killed (-9) on the first entry of kind {KILLED_ON}")
    arguments = ["rehearse", "june-12", "--speed", SPEED, *named]
    process = subprocess.Popen([sys.executable, "-m", "rekindle", *arguments])
    kill_on_entry(process, journal)
    say("killed. Any laptop with the journal can say where it stands:")
    rekindle("status", *named)
    say(
        "and go on; a yes to the open questions comes from the scenario's operator after 45 s of thought"
    )
    code = rekindle("resume", *named)
    say("the journal: who did what, when, and with whose approval")
    rekindle("log", *named)
    verified = rekindle("log", "--verify", *named)
    say(f"the journal stays in {journal}")
    return code or verified


if __name__ == "__main__":
    sys.exit(main())
