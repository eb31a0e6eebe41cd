"""`rekindle metrics` and `rekindle trace`: what they are asked for, of a run that waits and of one that is over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.projections.test_metrics import counters_never_fall, parsed
from tests.projections.test_trace import spans

pytestmark = pytest.mark.program

COMMON = {"cluster": "anton", "purpose": "rehearse"}
HEAVY = ("kubernetes", "sqlalchemy", "pydantic", "structlog", "transitions", "rich", "yaml")
BOTH = ("metrics", "trace")


def test_a_run_that_waits_is_measured(rekindle: Program, waiting: Path) -> None:
    answer = rekindle("metrics", "--journal", str(waiting))
    found = {
        (name.removeprefix("rekindle_"), *sorted(v for k, v in labels if k not in COMMON)): value
        for (name, labels), value in parsed(answer.out).items()
    }

    assert (answer.code, answer.err) == (0, "")
    assert found["questions_open",] == 3
    assert found["run_outcome", "open"] == 1
    assert found["run_held",] == 0
    assert found["state", "flux-synced"] == 1
    assert found["pods_expected",] == 104
    assert found["actions_settled_total", "command.run", "done"] == 1
    assert found["root_causes", "no"] >= 1
    assert ("run_seconds",) not in found


def test_no_counter_of_a_real_run_falls(waiting: Path) -> None:
    from journal.reader import Reader

    with Reader(waiting) as reader:
        counters_never_fall(list(reader.rows()), step=10)


def test_a_run_that_waits_is_traced(rekindle: Program, waiting: Path) -> None:
    answer = rekindle("trace", "--journal", str(waiting))
    run, *rest = spans(answer.out)

    assert (answer.code, answer.err) == (0, "")
    assert run.name == "rehearse anton"
    names = [span.name for span in rest if span.parent_span_id == run.span_id]
    assert names == ["node-maintenance", "talos-ready", "cni-up", "flux-synced"]
    asked = [event.name for span in rest for event in span.events].count("approval asked")
    assert asked == 3
    assert {span.name for span in rest} >= {"command.run", "crd.preapply"}


@pytest.mark.parametrize("command", BOTH)
def test_a_file_is_replaced_as_a_whole(rekindle: Program, waiting: Path, command: str) -> None:
    """Mutant: write into the file that is there. Who has it open would then see it grow."""
    target = rekindle.folder / "rekindle.prom"
    target.write_text("what was there before\n")
    with target.open() as scraped:
        answer = rekindle(command, "--journal", str(waiting), "--output", str(target))

        assert scraped.read() == "what was there before\n"
    assert (answer.code, answer.out) == (0, "")
    assert target.read_text() == rekindle(command, "--journal", str(waiting)).out
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in rekindle.folder.glob(".rekindle.prom*")] == []


@pytest.mark.parametrize("command", BOTH)
def test_a_file_that_cannot_be_written_is_said(
    rekindle: Program, waiting: Path, command: str
) -> None:
    answer = rekindle(command, "--journal", str(waiting), "-o", "no/such/folder/x.prom")

    assert (answer.code, "output-unwritable" in answer.err) == (74, True)


@pytest.mark.parametrize("command", BOTH)
def test_a_run_is_chosen_by_the_beginning_of_its_id(
    rekindle: Program, waiting: Path, command: str
) -> None:
    (run,) = rekindle("history", "--journal", str(waiting), "--json").document["runs"]
    chosen = rekindle(command, run["run_id"][:15], "--journal", str(waiting))
    other = rekindle(command, "19990101", "--journal", str(waiting))

    assert (chosen.code, run["run_id"] in chosen.out) == (0, True)
    assert (other.code, "no-run" in other.err) == (64, True)


@pytest.mark.parametrize("command", BOTH)
def test_they_read_without_what_writes(waiting: Path, command: str) -> None:
    """A timer calls them every quarter of a minute, and a laptop that only reads has no cluster to speak to."""
    program = f"import sys; sys.argv = ['rekindle', {command!r}, '--journal', {str(waiting)!r}]\n"
    program += (
        "from rekindle.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    )
    program += "import json\n"
    program += "print(json.dumps(sorted(set(name.partition('.')[0] for name in sys.modules))))"

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert set(json.loads(ended.stdout.splitlines()[-1])).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", BOTH)
def test_a_pipe_is_written_into_and_not_replaced(
    rekindle: Program, waiting: Path, tmp_path: Path, command: str
) -> None:
    """
    Whoever may write to its folder had a file in the place of the pipe, or of /dev/null.

    Mutant: replace whatever is there.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    process = rekindle.start(command, "--journal", str(waiting), "--output", str(pipe))
    said = b""
    while process.poll() is None:
        with suppress(BlockingIOError):
            said += os.read(reader, 65536)
        time.sleep(0.01)
    said += os.read(reader, 1 << 20)
    os.close(reader)

    assert process.communicate() == ("", "")
    assert process.returncode == 0
    assert pipe.is_fifo()
    assert said.decode() == rekindle(command, "--journal", str(waiting)).out
