"""
Promise: whatever goes wrong around it in a night, the program says what, where and what to do next, answers with the
exit code of the table, shows no traceback, loses nothing that was acknowledged, and goes on when the trouble is gone.

Each night of the table is played by the real program against a small cluster of its own (``nights/stage.py``); none
needs the testbed. What it said is on the page docs/explanation/bad-night.md, and the page must have exactly that:
``REKINDLE_BAD_NIGHT=write`` with this file writes it anew.

What the nights made us mend has unit tests of its own, each with its mutants: ``tests/journal/test_lease.py``,
``tests/engine/test_memory.py``, ``tests/adapters/test_api.py`` and ``tests/adapters/test_cluster.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters.talos_nodes import configured
from tests.system.nights import around, commands, disks, half_dead, operators, page
from tests.system.nights.page import Shown
from tests.system.nights.stage import Stage, staged

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Night:
    """*codes* and *references*: what its commands answer with, in their order."""

    name: str
    play: Callable[[Stage], Iterator[Shown]]
    codes: tuple[int, ...]
    references: tuple[str, ...] = ()


NIGHTS = (
    Night(
        "unreadable-plan",
        around.unreadable_plan,
        (64, 64, 64),
        ("plan-invalid", "plan-unreadable", "plan-unreadable"),
    ),
    Night("missing-tool", around.missing_tool, (78, 2), ("talosctl-missing", "preflight-failed")),
    Night(
        "wrong-kubeconfig",
        around.wrong_kubeconfig,
        (78, 78, 64, 75),
        ("kubeconfig-unusable", "kubeconfig-unusable", "plan-invalid"),
    ),
    Night(
        "foreign-cluster",
        around.foreign_cluster,
        (2, 2, 78),
        ("node-foreign", "api-foreign", "foreign-cluster"),
    ),
    Night("node-without-tls", around.node_without_tls, (0, 75)),
    Night("api-slow", half_dead.slow, (0,)),
    Night("api-410", half_dead.gone, (0,)),
    Night("api-cut", half_dead.cut, (0,)),
    Night("api-500", half_dead.errors, (0,)),
    Night("api-wrong-kind", half_dead.wrong_kind, (0,)),
    Night("full-disk", disks.full_disk, (74, 1, 0, 74), ("journal-disk-full",) * 2),
    Night("network-disk", disks.network_file_system, (74,), ("journal-network-filesystem",)),
    Night("newer-journal", disks.newer_version, (78, 78), ("journal-too-new",) * 2),
    Night("damaged-journal", disks.damaged, (77, 77, 77), ("journal-chain-broken",) * 3),
    Night("second-operator", operators.second_operator, (76,), ("lease-held",)),
    Night("other-machine", operators.other_machine, (76,), ("lease-held",)),
    Night("another-journal", operators.another_journal, (0, 75)),
    Night("clock-set-back", operators.clock_set_back, (0, 75)),
    Night("asleep", operators.asleep, (0, 75)),
    Night("terminal-closed", operators.terminal_closed, (75, 1, 75)),
    Night("command-hangs", commands.hangs, (2,), ("attempts-exhausted",)),
    Night("command-floods", commands.floods, (75,)),
    Night("secrets", commands.tells_secrets, (2,), ("action-refused",)),
)


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.name)
def test_a_bad_night_is_told_and_nothing_is_lost(night: Night, tmp_path: Path) -> None:
    talos = around.mute if night.name == "node-without-tls" else configured
    with staged(tmp_path / "home", talos) as stage:
        shown = list(night.play(stage))
        for journal in (stage.journal, stage.tmp / "new.db"):
            if journal.exists():
                assert stage("log", "--verify", "--journal", journal.name).code == 0
        seen = page.normal(stage, "".join(map(str, shown)))

    assert tuple(one.said.code for one in shown) == night.codes
    assert tuple(page.references(seen)) == night.references
    page.hold(night.name, seen)


def test_the_page_has_every_night_and_no_other() -> None:
    assert list(page.parts()) == [night.name for night in NIGHTS]


def test_enough_kinds_of_secrets_are_planted() -> None:
    assert len(commands.SECRETS) >= 20
