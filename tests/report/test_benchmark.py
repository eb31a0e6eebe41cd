"""
The benchmark of the report says so when a goal is missed, by its exit code.

Mutants: forget a format's miss after the next one; compare with the peer's goal; answer 0 whatever was measured.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "report.py"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with journals that are not written and passes that are not run."""
    spec = importlib.util.spec_from_file_location("benchmark_of_reports", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def made(path: Path, *_: int, left_open: bool) -> int:
        path.write_bytes(b"x" * (1 + left_open))
        return 1

    monkeypatch.setattr(script, "made", made)
    monkeypatch.setattr(sys, "argv", ["report.py", "--rounds", "1"])
    return script


@pytest.mark.parametrize(
    ("seconds", "size", "code"),
    [(4.9, 199.0, 0), (5.1, 10.0, 1), (1.0, 201.0, 1)],
)
def test_a_goal_that_is_missed_by_one_format_is_an_exit_code(
    benchmark: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seconds: float,
    size: float,
    code: int,
) -> None:
    def measured(words: tuple[str, ...]) -> object:
        if "markdown" in words:
            return benchmark.Pass(seconds, seconds + 2, size)
        return benchmark.Pass(9.0, 9.0, 900.0) if "-c" in words else benchmark.Pass(1.0, 1.5, 50.0)

    monkeypatch.setattr(benchmark, "measured", measured)

    assert benchmark.main() == code
    told = capsys.readouterr().out
    assert told.count("  missed") == 2 * code
    assert f"{seconds:5.2f} s  wall {seconds + 2:5.2f} s" in told
