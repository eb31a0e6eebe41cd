"""
`make demo`: the first thing that a newcomer runs, as the Makefile has it.

Not how long it takes: that depends on the machine, and is measured by `benchmarks/newcomer.sh`. Mutants: a demo that
ends in 1, or does not get through; a target that runs something else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.program, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
# The virtual environment is the one in use, and not one that make makes.
HERE = ["--old-file", ".venv/.installed", f"BIN={Path(sys.executable).parent}"]


def test_the_demo_kills_a_rehearsal_resumes_it_and_ends_well(tmp_path: Path) -> None:
    ours = ("REKINDLE", "PYTHONPATH", "MAKE", "MFLAGS")  # we may have been begun by make ourselves
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    environment |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "NO_COLOR": "1"}
    environment |= {"XDG_STATE_HOME": str(tmp_path / "state")}

    ended = subprocess.run(
        ["make", "demo", *HERE],  # noqa: S607  as it is typed
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    shown = ended.stdout + ended.stderr
    assert ended.returncode == 0, shown
    assert "Traceback" not in shown
    asked = [line for line in ended.stdout.splitlines() if line.startswith("$ rekindle ")]
    assert [line.split()[2] for line in asked] == ["plan", "status", "resume", "log", "log"]
    after = shown.index("--- killed.")
    assert shown.index("it will be killed (-9)") < after < shown.index("$ rekindle resume")
    assert "approval.asked" in shown
    assert "104" in shown[after:]
