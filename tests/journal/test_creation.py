"""A journal's files: private from their first instant, complete or absent, on a disk of this host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from journal import creation, files
from journal.errors import JournalFailed
from journal.filesystem import _filesystem_in, filesystem_of
from journal.inbox import Cancel, submit
from journal.options import DEFAULTS, REHEARSAL, Options
from journal.reader import Reader
from journal.store import Journal

from .making import ALICE, QUICK, begin, modes, note, opened, start_python

DIE = """
import os, signal, sys
from pathlib import Path
from journal import creation, files, writer
from tests.journal.making import ALICE, opened
from journal.store import Journal
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
point = sys.argv[2]
owner = {"write": writer, "create_schema": creation, "sync_file": files, "rename": Path, "sync_folder": files}[point]
setattr(owner, point, die)
Journal.open_run(Path(sys.argv[1]), opened(), holder=ALICE)
"""


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_every_file_is_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    """Mutant: create with ``Path.touch`` or let SQLite create the file."""
    before = os.umask(umask)
    try:
        journal = begin(tmp_path / "j.db")
        journal.append([note()])
        submit(tmp_path / "j.db", Cancel(actor="alice"))
        found = modes(tmp_path)
        requests = modes(tmp_path / "j.db.inbox")
        journal.close()
        found |= modes(tmp_path)
    finally:
        os.umask(before)
    assert found.pop("j.db.inbox") == "0o700"
    assert set(requests.values()) == {"0o600"}
    assert set(found) == {"j.db", "j.db-wal", "j.db-shm", "j.db.lock", "j.db.ballast", "j.db.head"}
    assert set(found.values()) == {"0o600"}


def test_a_folder_of_the_operators_choice_is_taken_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    begin(tmp_path / "j.db").close()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("point", ["write", "sync_file", "rename", "sync_folder"])
def test_a_kill_at_creation_leaves_no_half_journal(tmp_path: Path, point: str) -> None:
    """Mutant: build under the final name."""
    path = tmp_path / "j.db"
    process = start_python(DIE, path, point)
    process.communicate()
    assert process.returncode == -9
    if point == "sync_folder":
        with Reader(path) as reader:
            assert [row.kind for row in reader.rows()] == ["run.opened", "lease.taken"]
        return
    assert not path.exists()
    begin(path).close()
    assert [name for name in modes(tmp_path) if "building" in name] == []
    with Reader(path) as reader:
        reader.verify()


def test_a_failure_at_creation_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(creation, "create_schema", fail)
    with pytest.raises(JournalFailed, match="Input/output error"):
        begin(tmp_path / "j.db")
    assert set(modes(tmp_path)) == {"j.db.lock"}


def test_a_folder_that_is_missing_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed) as caught:
        begin(tmp_path / "nowhere" / "j.db")
    assert caught.value.reference == "journal-not-writable"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "virtiofs"])
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    """Mutant: drop ``refuse_shared`` in the store."""
    options = Options(synchronous="off", filesystem=lambda _folder: kind)
    with pytest.raises(JournalFailed) as caught:
        begin(tmp_path / "j.db", options=options)
    assert (caught.value.reference, caught.value.exit_code) == ("journal-network-filesystem", 74)
    assert modes(tmp_path) == {}


def test_the_innermost_mount_counts() -> None:
    mounts = [
        r"21 1 254:0 / / rw - ext4 /dev/vda rw",
        r"30 21 0:40 / /srv rw shared:1 - nfs4 server:/x rw",
        r"31 30 0:41 / /srv/my\040disk rw - xfs /dev/sdb rw",
        "damaged",
    ]
    assert _filesystem_in(mounts, Path("/home")) == "ext4"
    assert _filesystem_in(mounts, Path("/srv/share")) == "nfs4"
    assert _filesystem_in(mounts, Path("/srv/my disk/a")) == "xfs"
    assert _filesystem_in([], Path("/home")) == ""


def test_this_hosts_disk_is_accepted(tmp_path: Path) -> None:
    assert filesystem_of(tmp_path) not in {"nfs", "9p"}


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "x"
    files.replace_private(target, b"old")

    def fail(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        files.replace_private(target, b"new")
    assert target.read_bytes() == b"old"
    assert set(modes(tmp_path)) == {"x"}


@pytest.mark.parametrize(("options", "level"), [(DEFAULTS, 2), (REHEARSAL, 1), (QUICK, 0)])
def test_a_journal_is_as_durable_as_it_says(tmp_path: Path, options: Options, level: int) -> None:
    """Mutant: leave a pragma out of ``connection._set``."""
    with Journal.open_run(tmp_path / "j.db", opened(), holder=ALICE, options=options) as journal:
        assert journal._commits is not None
        database = journal._commits._connection
        asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        found = [database.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
        database.rollback()
        assert found == ["wal", level, 1, 1]


def test_a_new_file_has_its_log_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A change of mode under the final name would leave a rollback journal to whoever resumes a kill in that moment.

    Mutant: leave ``log_ahead`` out. Bytes 18 and 19 of the header are SQLite's: 2 is a write-ahead log.
    """
    named: list[tuple[bytes, set[str]]] = []
    rename = Path.rename

    def seen(self: Path, target: Path) -> Path:
        if target == tmp_path / "j.db":
            beside = {found.name for found in tmp_path.glob(f"{self.name}*")} - {self.name}
            named.append((self.read_bytes()[18:20], beside))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", seen)
    begin(tmp_path / "j.db").close()

    assert named == [(b"\x02\x02", set())]
