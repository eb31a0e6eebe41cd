"""Etcd through talosctl: what a member says of itself, snapshots, recoveries, and members that go."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from journal.entries import Outcome
from phases.snapshot import NodeLook, Seen
from rekindle.adapters import talos_text
from rekindle.adapters.talos import MEMBER_SECONDS, NodeEye, Talosctl, TalosNodeAddress
from rekindle.adapters.talos_actions import TalosActions
from rekindle.adapters.talos_etcd import EtcdActions
from rekindle.adapters.tls_probe import CONFIGURED, Probed
from tests.adapters.conftest import make_intent, write_program
from tests.adapters.talos_nodes import (
    ALARMS,
    BOOT_ID,
    LEADER,
    NOBODY,
    SERVICE,
    STATUS,
    UUID,
    FakeTalosctl,
    refusal,
)
from tests.testbed import build

if TYPE_CHECKING:
    from engine.world import Settlement

NO_LEADER = refusal("Unavailable", "etcdserver: no leader")
# Met: the node answers, and says of its etcd what a dialler says of a node that is off.
NO_ETCD = refusal("Unavailable", "dial tcp 127.0.0.1:2379: connect: connection refused")
REFUSED = refusal("Unavailable", "dial tcp 10.5.0.3:50000: connect: connection refused")
SNAPSHOT = b"x" * 1024 + hashlib.sha256(b"x" * 1024).digest()


class Clock:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake(tmp_path: Path) -> FakeTalosctl:
    folder = tmp_path / "bin"
    folder.mkdir()
    found = FakeTalosctl(folder)
    found.running()
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def eye(fake: FakeTalosctl, clock: Clock, tmp_path: Path) -> NodeEye:
    talosctl = Talosctl(str(fake.program), tmp_path / "talosconfig")
    return NodeEye(talosctl, TalosNodeAddress("cp-1", "10.5.0.2"), clock)


def look(eye: NodeEye) -> NodeLook:
    seen = eye.look(Probed(CONFIGURED))
    assert isinstance(seen, Seen), seen
    return seen.value


def asked(fake: FakeTalosctl, *words: str) -> int:
    return sum(call.endswith(" ".join(words)) for call in fake.calls)


# --- a look --------------------------------------------------------------------------------------


def test_alarms_are_asked_for(fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.says("etcd_alarm_list", ALARMS)

    assert look(eye).alarms == ("NOSPACE",)


def test_a_healthy_member_is_asked_about_itself_once_a_minute(
    fake: FakeTalosctl, eye: NodeEye, clock: Clock
) -> None:
    """Mutants: ask on each look, and each look is a proposal to raft; never ask again, and no alarm is ever heard."""
    for _ in range(5):
        assert look(eye).leader == LEADER
        clock.now += MEMBER_SECONDS / 5 - 0.1
    assert (asked(fake, "etcd", "status"), asked(fake, "etcd", "alarm", "list")) == (1, 1)

    clock.now += 1
    fake.says("etcd_alarm_list", ALARMS)

    assert look(eye).alarms == ("NOSPACE",)
    assert asked(fake, "etcd", "alarm", "list") == 2


def test_what_changed_is_asked_at_once(fake: FakeTalosctl, eye: NodeEye) -> None:
    look(eye)
    fake.says("read__proc_sys_kernel_random_boot_id", "another\n")

    look(eye)

    assert asked(fake, "etcd", "status") == 2


def test_a_member_without_a_leader_says_so_and_is_asked_for_nothing_that_needs_one(
    fake: FakeTalosctl, eye: NodeEye
) -> None:
    fake.says("service_etcd", SERVICE.format(state="Running", health="Fail"))
    fake.refuses("etcd_members", NO_LEADER)
    errors = "etcdserver: no leader"
    fake.says("etcd_status", STATUS.format(leader=NOBODY, errors=errors))

    found = [look(eye), look(eye)][-1]

    assert (found.etcd_failing, found.etcd_healthy, found.leader) == (True, False, "")
    assert (found.members, found.alarms) == (None, None)
    assert asked(fake, "etcd", "alarm", "list") == 0
    assert asked(fake, "etcd", "status") == 2  # whatever comes back, it is seen at the next look


@pytest.mark.parametrize("health", ["?", "OK"])
def test_only_a_health_that_was_asked_for_is_bad(
    health: str, fake: FakeTalosctl, eye: NodeEye
) -> None:
    fake.says("service_etcd", SERVICE.format(state="Running", health=health))

    assert look(eye).etcd_failing is False


@pytest.mark.parametrize(
    "stderr", [refusal("PermissionDenied", "not authorized"), refusal("Unavailable"), "panic"]
)
def test_what_is_not_told_is_unknown(stderr: str, fake: FakeTalosctl, eye: NodeEye) -> None:
    """A reader may not ask for alarms: that is no alarm, and it is no silence of etcd either."""
    fake.refuses("etcd_alarm_list", stderr)
    fake.refuses("etcd_status", stderr)
    found = look(eye)

    assert (found.alarms, found.leader, found.member_id) == (None, None, "")
    assert found.etcd_healthy


def test_a_worker_and_an_etcd_that_does_not_run_are_asked_nothing_of_it(
    fake: FakeTalosctl, eye: NodeEye
) -> None:
    fake.running("booting", "services", etcd="Preparing")
    fake.refuses("etcd_members", refusal("Unavailable"))

    assert look(eye).alarms == ()
    assert asked(fake, "etcd", "status") + asked(fake, "etcd", "alarm", "list") == 0


@pytest.mark.parametrize("text", ["", "MEMBER\n", STATUS + STATUS.splitlines()[1] + "\n"])
def test_a_status_of_another_version_is_not_guessed_at(text: str) -> None:
    with pytest.raises(talos_text.NotUnderstood):
        talos_text.etcd_status(text)


def test_alarms_of_another_version_are_not_guessed_at() -> None:
    with pytest.raises(talos_text.NotUnderstood):
        talos_text.etcd_alarms("NODE   KIND\n10.5.0.2   NOSPACE\n")


# --- doing ---------------------------------------------------------------------------------------


class Desk:
    """A journal's folder, and doers beside it."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self.journal = folder / "c.db"
        talosctl = Talosctl(str(program), folder / "talosconfig")
        actions = TalosActions(talosctl, folder / "talosconfig", self.journal)
        self.etcd = EtcdActions(actions, talosctl, self.journal)

    def snapshot(self, name: str = "etcd-cp-1-T.snapshot", deadline: float = 10.0) -> Settlement:
        arguments: dict[str, Any] = {"node": "cp-1", "address": "10.5.0.2", "file": name}
        return self.etcd.snapshot(make_intent("etcd.snapshot", deadline=deadline, **arguments))

    def recover(self, **more: Any) -> Settlement:  # noqa: ANN401
        file = self.folder / "db.snapshot"
        file.write_bytes(SNAPSHOT)
        arguments: dict[str, Any] = {
            "node": "cp-1",
            "address": "10.5.0.2",
            "machine_uuid": UUID,
            "boot_id": BOOT_ID,
            "snapshot": str(file),
            "sha256": hashlib.sha256(SNAPSHOT).hexdigest(),
            "copied": False,
            "others": {"cp-2": "10.5.0.3"},
            **more,
        }
        return self.etcd.recover(make_intent("etcd.recover", **arguments))

    def remove(self, member: str = "6b7c1a2f4e6c1d2a", name: str = "cp-3") -> Settlement:
        arguments: Any = {"node": "cp-1", "address": "10.5.0.2", "member": member, "name": name}
        return self.etcd.remove_member(make_intent("etcd.remove-member", **arguments))


def taker(folder: Path, then: str) -> Path:
    """A talosctl that gets the path of a snapshot, does something, and ends."""
    text = f"""#!/bin/sh
echo "$*" >> '{folder}/calls'
for last in "$@"; do :; done
{then}
"""
    return write_program(folder / "talosctl", text)


def writes(folder: Path) -> str:
    (folder / "whole").write_bytes(SNAPSHOT)
    return f"cp '{folder}/whole' \"$last\""


def test_a_snapshot_is_a_private_file_beside_the_journal(tmp_path: Path) -> None:
    desk = Desk(tmp_path, taker(tmp_path, writes(tmp_path)))

    settled = desk.snapshot()

    place = tmp_path / "c.db.etcd-cp-1-T.snapshot"
    assert settled.outcome is Outcome.DONE
    assert settled.evidence == {
        "path": str(place),
        "sha256": hashlib.sha256(SNAPSHOT).hexdigest(),
        "bytes": len(SNAPSHOT),
    }
    assert place.read_bytes() == SNAPSHOT
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert (tmp_path / "calls").read_text().startswith("--talosconfig")
    assert [path.name for path in tmp_path.glob(".etcd-*")] == []


@pytest.mark.parametrize("late", [False, True])
def test_a_snapshot_never_overwrites(late: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Mutants: rename in place of a link; do not look first."""
    place = tmp_path / "c.db.etcd-cp-1-T.snapshot"
    beside = f"echo precious > '{place}'" if late else ":"
    desk = Desk(tmp_path, taker(tmp_path, f"{writes(tmp_path)}; {beside}"))
    if not late:
        place.write_text("precious\n")

    settled = desk.snapshot()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert place.read_text() == "precious\n"
    assert (tmp_path / "calls").exists() is late


@pytest.mark.parametrize("name", ["", "../escape", "a/b"])
def test_a_snapshot_stays_beside_the_journal(name: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, taker(tmp_path, writes(tmp_path)))

    assert desk.snapshot(name).code == "invalid"
    assert not (tmp_path / "calls").exists()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """Mutant: take it for trouble of the node, and every node is asked in turn."""
    text = "error reading: write /x.part: no space left on device"
    desk = Desk(tmp_path, taker(tmp_path, f"echo '{text}' >&2; echo half > \"$last.part\"; exit 1"))

    settled = desk.snapshot()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "disk-full")
    assert settled.evidence == {"why": "no room beside the journal"}
    assert {path.name for path in tmp_path.iterdir()} == {"calls", "talosctl", "c.db.action-1.lock"}


@pytest.mark.parametrize(
    "then",
    [
        'echo half > "$last"',  # not the whole of it
        f"echo '{NO_LEADER.splitlines()[-1]}' >&2; exit 1",
        "exec sleep 20",
    ],
)
def test_a_snapshot_that_did_not_come_is_certainly_none(then: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, taker(tmp_path, then))

    settled = desk.snapshot(deadline=0.5)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "transient")
    assert list(tmp_path.glob("*.snapshot")) == []


@pytest.fixture
def desk(fake: FakeTalosctl, tmp_path: Path) -> Desk:
    fake.running("booting", "services", etcd="Preparing")
    fake.refuses("etcd_members", NO_ETCD)
    recorded = f"bootstrap_--recover-from={tmp_path}/db.snapshot".replace("/", "_")
    fake.says(recorded, "")
    fake.says(f"{recorded}_--recover-skip-hash-check", "")
    return Desk(tmp_path, fake.program)


def test_a_recovery_is_a_bootstrap_with_the_snapshot(desk: Desk, fake: FakeTalosctl) -> None:
    assert desk.recover().outcome is Outcome.DONE
    assert fake.calls[-1].endswith(
        f"-n 10.5.0.2 bootstrap --recover-from={desk.folder}/db.snapshot"
    )


def test_a_copy_of_a_data_directory_has_no_hash_to_check(desk: Desk, fake: FakeTalosctl) -> None:
    copy = b"x" * 1024
    (desk.folder / "copy").write_bytes(copy)
    recorded = f"bootstrap_--recover-from={desk.folder}/copy_--recover-skip-hash-check"
    fake.says(recorded.replace("/", "_"), "")
    given = {"snapshot": str(desk.folder / "copy"), "sha256": hashlib.sha256(copy).hexdigest()}

    assert desk.recover(**given).code == "invalid"
    assert not begun(fake)
    assert desk.recover(**given, copied=True).outcome is Outcome.DONE
    assert fake.calls[-1].endswith("--recover-skip-hash-check")


def begun(fake: FakeTalosctl) -> bool:
    return any(" bootstrap" in call for call in fake.calls)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"sha256": "another"}, "invalid"),
        ({"snapshot": "/nowhere/db"}, "invalid"),
        ({"machine_uuid": "another"}, "conflict"),
        ({"boot_id": "another"}, "conflict"),
    ],
)
def test_a_recovery_of_something_else_than_was_approved_is_refused(
    given: dict[str, str], code: str, desk: Desk, fake: FakeTalosctl
) -> None:
    settled = desk.recover(**given)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, code)
    assert not begun(fake)


def test_a_recovery_beside_a_living_etcd_is_refused_at_the_target(tmp_path: Path) -> None:
    """Mutant: do not ask the others again; Talos asks nobody, and there are two clusters."""
    fake = FakeTalosctl(tmp_path)
    fake.running("booting", "services", etcd="Preparing")
    desk = Desk(tmp_path, fake.program)  # another control plane tells members by now

    settled = desk.recover()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert "cp-2 tells members" in str(settled.evidence["why"])
    assert not begun(fake)


def test_a_recovery_beside_one_that_cannot_be_asked_waits(desk: Desk, fake: FakeTalosctl) -> None:
    fake.refuses("service_etcd", REFUSED)

    settled = desk.recover()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "transient")
    assert not begun(fake)


@pytest.mark.parametrize("state", ["Running", "Failed"])
def test_a_recovery_beside_an_etcd_that_has_data_is_refused(
    state: str, desk: Desk, fake: FakeTalosctl
) -> None:
    fake.says("service_etcd", SERVICE.format(state=state, health="Fail"))

    settled = desk.recover()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert not begun(fake)


@pytest.mark.parametrize(
    ("stderr", "outcome", "code"),
    [
        (refusal("AlreadyExists", "etcd data directory is not empty"), "failed", "already-exists"),
        (refusal("FailedPrecondition", "etcd service is not ready"), "failed", "precondition"),
        (refusal("Unavailable", "transport is closing"), "unsettled", "no-answer"),
        ("snapshot file integrity check failed", "unsettled", "no-answer"),
    ],
)
def test_a_refused_recovery_has_the_code_of_its_refusal(
    stderr: str, outcome: str, code: str, desk: Desk, fake: FakeTalosctl
) -> None:
    fake.refuses(f"bootstrap_--recover-from={desk.folder}/db.snapshot".replace("/", "_"), stderr)

    settled = desk.recover()

    assert (settled.outcome.value, settled.code) == (outcome, code)


@pytest.fixture
def members(fake: FakeTalosctl, tmp_path: Path) -> Desk:
    fake.says("etcd_remove-member_6b7c1a2f4e6c1d2a", "")
    return Desk(tmp_path, fake.program)


def test_a_member_is_removed_by_its_id(members: Desk, fake: FakeTalosctl) -> None:
    assert members.remove().outcome is Outcome.DONE
    assert fake.calls[-1].endswith("-n 10.5.0.2 etcd remove-member 6b7c1a2f4e6c1d2a")


@pytest.mark.parametrize(
    ("member", "name", "code"),
    [
        ("6b7c1a2f4e6c1d2a", "cp-1", "conflict"),  # the id is somebody else's by now
        ("ffffffffffffffff", "cp-3", "not-found"),
    ],
)
def test_another_member_than_was_approved_is_left_alone(
    member: str, name: str, code: str, members: Desk, fake: FakeTalosctl
) -> None:
    assert members.remove(member, name).code == code
    assert asked(fake, "remove-member", member) == 0


def test_without_a_quorum_no_member_is_removed(members: Desk, fake: FakeTalosctl) -> None:
    fake.refuses("etcd_members", NO_LEADER)

    assert members.remove().code == "transient"
    assert asked(fake, "remove-member", "6b7c1a2f4e6c1d2a") == 0


@pytest.mark.system
@pytest.mark.timeout(1800)
def test_the_real_talosctl_takes_these_words(tmp_path: Path) -> None:
    """It gets as far as dialling, so it knows the commands and the flags. No testbed has nodes at that address."""
    (tmp_path / "talosconfig").write_text("context: c\ncontexts:\n  c: {endpoints: [127.77.0.1]}\n")
    talosctl = Talosctl(str(build.ensure() / "talosctl"), tmp_path / "talosconfig")
    for words in (
        ("etcd", "status"),
        ("etcd", "alarm", "list"),
        ("etcd", "snapshot", str(tmp_path / "db")),
        ("etcd", "remove-member", "6b7c1a2f4e6c1d2a"),
    ):
        answer = talosctl.call("127.77.0.1", *words)
        assert answer.code == 1
        assert "unknown" not in answer.stderr, answer.stderr
    assert not (tmp_path / "db").exists()
