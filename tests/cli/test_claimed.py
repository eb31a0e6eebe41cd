"""
A session claims its cluster for user, host, journal and boot; one that watches, or rehearses, claims nothing.

Mutants: claim for a watch; leave the boot or the journal out of the name; put the process into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from journal.lease import Holder
from rekindle.rehearsal import in_process
from rekindle.session import claimed


@dataclass
class Real:
    """A world in which others may act."""

    told: list[str] = field(default_factory=list)

    def claim(self, operator: str) -> None:
        self.told.append(operator)


@dataclass
class Run:
    watches: bool = False


def told(run: Any, here: Holder, monkeypatch: pytest.MonkeyPatch) -> list[str]:  # noqa: ANN401
    monkeypatch.setattr(Holder, "here", lambda: here)
    world: Any = Real()
    claimed(world, run, Path("/state/home.db"))
    said: list[str] = world.told
    return said


def test_it_is_for_a_journal_on_a_machine_and_not_for_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = told(Run(), Holder("me", "here", 1, "0123456789"), monkeypatch)
    again = told(Run(), Holder("me", "here", 2, "0123456789"), monkeypatch)
    booted = told(Run(), Holder("me", "here", 1, "9876543210"), monkeypatch)

    assert first == again == ["me@here (/state/home.db, boot 01234567)"]
    assert booted != first


def test_a_watch_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(Run(watches=True), Holder("me", "here", 1), monkeypatch) == []


def test_a_rehearsal_has_no_others() -> None:
    _, world = in_process("healthy")

    run: Any = Run()
    claimed(world, run, Path("/state/home.db"))

    assert world.look().operator is None
