"""
Probes are run, paced and ended; what they say is their exit code, and nothing that they print.

Mutants, each tried: no deadline; the group is not ended; a signal is an exit code; ``hurry`` does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from phases.probing import Wanted
from phases.snapshot import Seen, Unseen
from rekindle.adapters.probes import ProbePoller, ProbeReport
from tests.adapters.conftest import dead, until_true


class Asked:
    """A poller of some probes, and what it reported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: list[ProbeReport] = []
        self.poller: ProbePoller | None = None

    def begin(self, *scripts: str, every: float = 60.0, deadline: float = 20.0) -> None:
        probes = [
            Wanted(
                f"p{n}", ("sh", "-c", script), str(self.folder), {"MINE": "1"}, every, deadline, 3
            )
            for n, script in enumerate(scripts)
        ]
        self.poller = ProbePoller(probes, self.reports.append, environment={"OURS": "2"})
        self.poller.start()

    def looks(self, count: int = 1) -> list[Seen[int] | Unseen]:
        until_true(lambda: len(self.reports) >= count)
        return [report.look for report in self.reports]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    if made.poller is not None:
        made.poller.stop()
        made.poller.join(5.0)


@pytest.mark.parametrize("code", [0, 1, 3, 42])
def test_what_a_probe_says_is_its_exit_code(asked: Asked, code: int) -> None:
    asked.begin(f"echo loud; exit {code}")

    [look] = asked.looks()

    assert isinstance(look, Seen)
    assert look.value == code


def test_a_probe_has_the_plan_s_environment_above_ours(asked: Asked) -> None:
    asked.begin('test "$MINE$OURS" = 12')

    [look] = asked.looks()

    assert isinstance(look, Seen)
    assert look.value == 0


def test_one_that_does_not_end_is_unseen_and_ended_with_all_that_it_began(asked: Asked) -> None:
    asked.begin("sleep 300 & echo $! >child; wait", deadline=1.0)

    [look] = asked.looks()

    assert isinstance(look, Unseen)
    assert (look.code, look.why) == ("silent", "no answer within 1 s")
    child = int((asked.folder / "child").read_text())
    until_true(lambda: dead(child))


@pytest.mark.parametrize(("argv", "why"), [("kill -9 $$", "ended by signal 9")])
def test_one_that_was_killed_said_nothing(asked: Asked, argv: str, why: str) -> None:
    asked.begin(argv)

    [look] = asked.looks()

    assert isinstance(look, Unseen)
    assert look.why == why


def test_one_that_cannot_be_started_is_unseen_by_name_only(tmp_path: Path) -> None:
    reports: list[ProbeReport] = []
    absent = Wanted("p", ("no-such-program", "secret"), str(tmp_path), {}, 60.0, 5.0, 3)
    poller = ProbePoller([absent], reports.append)
    poller.start()
    until_true(lambda: bool(reports))
    poller.stop()
    poller.join(5.0)

    look = reports[0].look
    assert isinstance(look, Unseen)
    assert look.why == "no-such-program cannot be started: No such file or directory"


def test_they_are_asked_again_in_their_time_and_at_once_when_something_was_done(
    asked: Asked,
) -> None:
    asked.begin("exit 0", "exit 3", every=600.0)
    asked.looks(2)
    assert asked.poller is not None

    asked.poller.hurry()

    until_true(lambda: len(asked.reports) >= 4)
    assert {report.key for report in asked.reports} == {"p0", "p1"}


def test_a_probe_s_pace_is_kept(asked: Asked) -> None:
    asked.begin("exit 0", every=0.05)

    assert len(asked.looks(3)) >= 3


def test_an_end_does_not_wait_for_a_probe(asked: Asked) -> None:
    asked.begin("echo $$ >me; exec sleep 300", deadline=300.0)
    until_true(lambda: (asked.folder / "me").exists() and bool((asked.folder / "me").read_text()))
    assert asked.poller is not None

    asked.poller.stop()
    asked.poller.join(10.0)

    assert not [t for t in threading.enumerate() if t.name.startswith("probes-") and t.is_alive()]
    until_true(lambda: dead(int((asked.folder / "me").read_text())))
    assert not asked.reports
