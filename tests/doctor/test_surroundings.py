"""
The Git tree, the disk, the journal: each row in order and not.

Mutants: let a dirty tree forbid something; take the limits for MiB; verify no journal.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from rekindle.adapters.programs import ask
from rekindle.doctor import disk, journal, tree
from rekindle.doctor.check import EVERYTHING
from rekindle.doctor.host import Free, Host
from rekindle.doctor.tree import Tree
from tests.doctor.making import NOW, Machine, row, section, verdicts

REVISION = "0123456789abcdef"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Tree(), {"tree.revision": "unknown"}),
        (
            Tree(REVISION, None, 0),
            {"tree.revision": "ok", "tree.clean": "unknown", "tree.pushed": "ok"},
        ),
        (Tree(REVISION, (), 0), {"tree.revision": "ok", "tree.clean": "ok", "tree.pushed": "ok"}),
        (
            Tree(REVISION, ("a", "b", "c", "d"), 2),
            {"tree.revision": "ok", "tree.clean": "warning", "tree.pushed": "warning"},
        ),
        (
            Tree(REVISION, (), None),
            {"tree.revision": "ok", "tree.clean": "ok", "tree.pushed": "warning"},
        ),
    ],
)
def test_a_tree_is_known_committed_and_pushed(found: Tree, expected: dict[str, str]) -> None:
    checks = tree.judged("/repository", found)

    assert expected == verdicts(checks)
    assert not any(check.blocks for check in checks)


def test_a_few_changes_are_named_and_the_others_counted() -> None:
    found = row(tree.judged("/r", Tree(REVISION, ("a", "b", "c", "d"), 0)), "tree.clean")

    assert found.said.endswith("a, b, c and 1 more")


@pytest.mark.program  # a git
def test_a_real_repository_is_asked(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e@x")
        assert ask(["git", "-C", str(tmp_path), *identity, *words], seconds=30).code == 0

    git("init", "-q", ".")
    (tmp_path / "a").touch()
    git("add", "a")
    git("commit", "-qm", "first")
    (tmp_path / "a").write_text("changed")
    found = tree.gathered(Host(), tmp_path)

    assert (("a",), None) == (found.changed, found.unpushed)
    assert len(found.revision) == 40


def test_where_git_tells_nothing_it_is_unknown(tmp_path: Path) -> None:
    found = tree.rows(Machine(says={}).host, section(tmp_path))

    assert {"tree.revision": "unknown", "tree.roots": "ok"} == verdicts(found)


def test_roots_of_another_tree_are_said() -> None:
    assert "warning" == str(tree.roots(Path("/elsewhere/roots"), Path("/repository")).verdict)


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("free", "verdict"),
    [
        (Free(10_000 * MIB), "ok"),
        (Free(512 * MIB, 5_000), "ok"),
        (Free(511 * MIB), "warning"),
        (Free(10_000 * MIB, 12), "warning"),
        (Free(31 * MIB), "red"),
    ],
)
def test_a_full_disk_forbids_everything(free: Free, verdict: str) -> None:
    found = disk.judged("disk.journal", "/state", free, EVERYTHING)

    assert verdict == str(found.verdict)
    assert (verdict == "red") == (found.blocks == EVERYTHING)


def test_a_full_temporary_folder_forbids_nothing(tmp_path: Path) -> None:
    found = disk.rows(Machine(free=Free(0)).host, tmp_path / "a" / "b" / "j.db")

    assert [EVERYTHING, frozenset()] == [check.blocks for check in found]
    assert str(tmp_path) == found[0].subject


def test_a_disk_that_cannot_be_asked_is_unknown(tmp_path: Path) -> None:
    def refuse(folder: Path) -> Free:
        raise OSError(13, "Permission denied", folder)

    assert ["unknown", "unknown"] == [
        str(check.verdict) for check in disk.rows(Host(free=refuse), tmp_path / "j.db")
    ]


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("ext4", "ok"), ("apfs", "ok"), ("", "ok"), ("nfs4", "red"), ("fuse.sshfs", "red")],
)
def test_a_journal_is_on_a_local_disk(kind: str, verdict: str) -> None:
    found = journal.place("/state", kind)

    assert (verdict, verdict == "red") == (str(found.verdict), found.blocks == EVERYTHING)


def test_a_folder_that_cannot_be_written_forbids_everything() -> None:
    assert EVERYTHING == journal.writable("/state", may_write=False).blocks
    assert "ok" == str(journal.writable("/state", may_write=True).verdict)


def test_a_folder_that_cannot_be_made_forbids_everything(tmp_path: Path) -> None:
    """Where its state folder would be, or above it, is a file. Mutant: look only for the nearest folder above."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "rekindle"):
        found = row(journal.rows(Machine().host, folder / "j.db"), "journal.folder")
        assert (str(found.verdict), found.blocks) == ("red", EVERYTHING)
        assert f"{tmp_path / 'file'} is no folder" in found.said


def test_a_folder_that_may_be_written_and_not_entered_is_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: ask for the right to write alone."""
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.X_OK)
    found = row(journal.rows(Machine().host, tmp_path / "j.db"), "journal.folder")
    assert str(found.verdict) == "red"


@pytest.mark.parametrize(("unpushed", "said"), [(1, "1 commit is"), (2, "2 commits are")])
def test_commits_that_are_not_pushed_are_counted(unpushed: int, said: str) -> None:
    found = row(tree.judged("/git", Tree(REVISION, (), unpushed)), "tree.pushed")
    assert found.said == f"{said} not pushed"


def test_no_journal_yet_is_in_order(tmp_path: Path) -> None:
    found = journal.rows(Machine().host, tmp_path / "none" / "j.db")

    assert {"ok"} == {str(check.verdict) for check in found}
    assert not (tmp_path / "none").exists()


def test_a_journal_that_is_whole_is_in_order(journal_of_a_night: Path, tmp_path: Path) -> None:
    copy = tmp_path / "j.db"
    shutil.copyfile(journal_of_a_night, copy)
    copy.chmod(0o600)
    found = journal.rows(Machine(now=4e9).host, copy)

    assert {"ok"} == {str(check.verdict) for check in found}
    assert "whole" in row(found, "journal.file").said


def test_a_journal_that_is_not_what_was_written_forbids_everything(
    journal_of_a_night: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "j.db"
    shutil.copyfile(journal_of_a_night, copy)
    with sqlite3.connect(copy) as opened:
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        known = opened.execute(triggers).fetchall()
        for name, _ in known:
            opened.execute(f"DROP TRIGGER {name}")
        opened.execute("UPDATE entries SET at = at + 1 WHERE id = 3")
        for _, statement in known:
            opened.execute(statement)
    opened.close()
    found = row(journal.rows(Machine().host, copy), "journal.file")

    assert ("red", EVERYTHING) == (str(found.verdict), found.blocks)
    assert "journal-chain-broken" in found.said


def test_what_is_no_journal_is_said_with_its_page(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_text("a letter")
    found = row(journal.rows(Machine().host, tmp_path / "j.db"), "journal.file")

    assert "red" == str(found.verdict)
    assert "docs/errors/" in found.todo


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (journal.Found(held=True), {"journal.file": "warning"}),
        (journal.Found(held=None), {"journal.file": "unknown"}),
        (journal.Found(ahead=False), {"journal.file": "ok", "journal.settings": "warning"}),
        (journal.Found(private=False), {"journal.file": "ok", "journal.settings": "warning"}),
    ],
)
def test_a_journal_that_is_held_or_was_handled_is_said(
    found: journal.Found, expected: dict[str, str]
) -> None:
    assert expected == verdicts(journal.judged("j.db", found))


@pytest.mark.parametrize(
    ("last", "verdict"), [(None, "ok"), (NOW, "ok"), (NOW + 30, "ok"), (NOW + 3600, "warning")]
)
def test_time_does_not_go_back(last: float | None, verdict: str) -> None:
    assert verdict == str(journal.clock("j.db", last, NOW).verdict)
