"""
A node is reset through talosctl: exactly this machine, exactly these labels, and nothing that a client says counts.

Mutants, killed here: no label is sent; ``--graceful`` is left to talosctl, which takes true; the node is reached
through another endpoint; a machine of another UUID or boot is wiped; what was accepted settles as done.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from journal.entries import Json, Outcome
from rekindle.adapters.commands import Commands
from rekindle.adapters.doers import Doers
from rekindle.adapters.talos import Talosctl
from rekindle.adapters.talos_actions import TalosActions
from rekindle.adapters.talos_etcd import EtcdActions
from tests.adapters.conftest import make_intent, until_true
from tests.adapters.talos_nodes import BOOT_ID, UUID, FakeTalosctl, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from engine.world import Settlement

BOTH = ("--system-labels-to-wipe", "STATE", "--system-labels-to-wipe", "EPHEMERAL")
MEANT: dict[str, Json] = {
    "address": "10.5.0.2",
    "machine_uuid": UUID,
    "boot_id": BOOT_ID,
    "scope": ["STATE", "EPHEMERAL"],
    "graceful": False,
}


class Bench:
    """A node that runs, and the doer for it."""

    def __init__(self, folder: Path) -> None:
        (folder / "bin").mkdir()
        self.fake = FakeTalosctl(folder / "bin")
        self.fake.running()
        self.talosconfig = folder / "talosconfig"
        self.talosctl = Talosctl(str(self.fake.program), self.talosconfig)
        self.actions = TalosActions(self.talosctl, self.talosconfig, folder / "c.db")

    def accepts(self, graceful: str = "false", labels: tuple[str, ...] = BOTH) -> str:
        words = ("reset", f"--graceful={graceful}", "--reboot", "--wait=false", *labels)
        self.fake.says("_".join(words), "")
        return " ".join(words)

    def reset(self, deadline: float = 10.0, **more: Json) -> Settlement:
        arguments = {**MEANT, **more}
        return self.actions.reset(make_intent("node.reset", deadline=deadline, **arguments))

    @property
    def resets(self) -> list[str]:
        return [call for call in self.fake.calls if " reset " in call]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("graceful", [False, True])
def test_the_whole_command_line(bench: Bench, graceful: bool) -> None:  # noqa: FBT001
    words = bench.accepts("true" if graceful else "false")

    bench.reset(graceful=graceful)

    own = f"--talosconfig {bench.talosconfig} -e 10.5.0.2 -n 10.5.0.2"
    assert bench.resets == [f"{own} {words}"]
    assert "--force" not in bench.resets[0]


def test_no_reset_goes_through_a_machine_that_was_reset_before(bench: Bench) -> None:
    """Mutant: the talosconfig's endpoints, or those of the call before, count: the first refuses the second."""
    bench.accepts()
    bench.talosconfig.write_text(
        "context: c\ncontexts: {c: {endpoints: [10.5.0.2], nodes: [10.5.0.2]}}\n"
    )
    addresses = ["10.5.0.2", "10.5.0.3", "10.5.0.4"]

    for address in addresses:
        bench.reset(address=address)

    assert [_ways(call) for call in bench.resets] == [(a, a) for a in addresses]
    assert all(way == node for way, node in map(_ways, bench.fake.calls))


def _ways(call: str) -> tuple[str, str]:
    """Through whom, and about whom."""
    words = call.split()
    assert words.count("-e") == words.count("-n") == 1
    return words[words.index("-e") + 1], words[words.index("-n") + 1]


def test_only_what_was_agreed_to_is_wiped(bench: Bench) -> None:
    words = bench.accepts(labels=("--system-labels-to-wipe", "EPHEMERAL"))

    bench.reset(scope=["EPHEMERAL"])

    assert bench.resets[0].endswith(words)
    assert "STATE" not in bench.resets[0]


def test_that_it_was_accepted_says_nothing_of_what_came_of_it(bench: Bench) -> None:
    bench.accepts()

    settled = bench.reset()

    assert (settled.outcome, settled.code) == (Outcome.UNSETTLED, "accepted")


@pytest.mark.parametrize(
    "more",
    [
        {"scope": []},
        {"scope": None},
        {"scope": ["BOOT"]},
        {"scope": ["STATE", "META"]},
        {"machine_uuid": ""},
        {"boot_id": ""},
    ],
)
def test_without_a_label_or_a_machine_nothing_is_asked(bench: Bench, more: dict[str, Json]) -> None:
    """Without a label the whole disk goes, with its boot loader: the node would come back from boot media only."""
    settled = bench.reset(**more)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "invalid")
    assert bench.fake.calls == []


@pytest.mark.parametrize("meant", [{"machine_uuid": "another"}, {"boot_id": "another"}])
def test_another_machine_or_another_boot_is_not_wiped(bench: Bench, meant: dict[str, Json]) -> None:
    bench.accepts()

    settled = bench.reset(**meant)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert bench.resets == []


def test_a_machine_that_does_not_say_who_it_is_is_not_wiped(bench: Bench) -> None:
    bench.accepts()
    bench.fake.refuses("get_systeminformation_-o_json", refusal("Unavailable"))

    assert bench.reset().code == "transient"
    assert bench.resets == []


@pytest.mark.parametrize(
    ("text", "outcome", "code"),
    [
        (refusal("PermissionDenied", "not authorized"), Outcome.FAILED, "denied"),
        (refusal("Unimplemented"), Outcome.FAILED, "invalid"),
        (
            refusal("Unavailable", "dial tcp 10.5.0.2:50000: connect: connection refused"),
            Outcome.FAILED,
            "transient",
        ),
        (refusal("Unavailable", "error reading from server: EOF"), Outcome.UNSETTLED, "no-answer"),
        (
            refusal("Unknown", "failed to reset: volume is not located"),
            Outcome.UNSETTLED,
            "no-answer",
        ),
    ],
)
def test_only_a_certain_refusal_is_one(
    bench: Bench, text: str, outcome: Outcome, code: str
) -> None:
    """A text alone proves nothing: what it wiped before it said so, only the node shows."""
    words = bench.accepts()
    bench.fake.refuses(words.replace(" ", "_"), text)

    settled = bench.reset()

    assert (settled.outcome, settled.code) == (outcome, code)


def test_one_that_does_not_answer_is_in_doubt(bench: Bench) -> None:
    words = bench.accepts()
    bench.fake.hangs(words.replace(" ", "_"))

    assert bench.reset(deadline=1.0).outcome is Outcome.UNSETTLED


def test_the_verb_is_wired(bench: Bench, tmp_path: Path) -> None:
    """Mutant: take the verb out of the table of doers."""
    bench.accepts()
    settled: list[Settlement] = []
    doers = Doers(
        bench.actions,
        EtcdActions(bench.actions, bench.talosctl, tmp_path / "c.db"),
        Commands({}, tmp_path / "c.db", stopping=threading.Event()),
        lambda: None,
        str,
        settled.append,
    )
    doers.start(make_intent("node.reset", **MEANT))

    until_true(lambda: bool(settled))
    assert settled[0].code == "accepted"
