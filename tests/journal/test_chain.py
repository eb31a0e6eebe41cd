# ruff: noqa: S608  columns and tables are the tests' own
"""A journal that is not what was written says so, and names the first bad entry; never a traceback."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal import chain, files, reader
from journal.errors import ChainBroken, Diagnosed, JournalTooNew
from journal.reader import Reader
from journal.row import Head
from journal.schema import ENTRY_COLUMNS, SELECT_RECORDS
from journal.store import Journal

from .making import ALICE, QUICK, begin, forget_head, note, rich_journal, tamper

DAMAGE: dict[str, object] = {
    "id": 77,
    "run_id": "run-9",
    "seq": 70,
    "kind": "observed",
    "at": 1.5,
    "wall_ns": 1,
    "monotonic_ns": 1,
    "boot_id": "another",
    "epoch": 9,
    "version": 0,
    "payload_digest": bytes(32),
    "previous": bytes(32),
    "hash": bytes(32),
}


@pytest.mark.parametrize("value", ["other", "other type"])
@pytest.mark.parametrize("column", ENTRY_COLUMNS)
def test_a_changed_column_is_found_at_its_entry(tmp_path: Path, column: str, value: str) -> None:
    """Mutants: leave any one column out of ``chain.link``, or any check out of ``Verification.step``."""
    path = rich_journal(tmp_path / "j.db")
    damage = DAMAGE[column]
    if value == "other type" and column != "id":
        damage = 3 if isinstance(damage, (str, bytes)) else "three"
    tamper(path, "PRAGMA foreign_keys = off")
    tamper(path, f"UPDATE entries SET {column} = ? WHERE id = 4", damage)
    assert first_bad(path) == 4


@pytest.mark.parametrize("column", ENTRY_COLUMNS[:-2])
def test_the_hash_covers_every_column(tmp_path: Path, column: str) -> None:
    """Mutant: leave any one column out of ``chain.link``; a neighbour's check may hide it from the test above."""
    columns = stored_columns(rich_journal(tmp_path / "j.db"))[3]
    assert chain.link(columns["previous"], columns) == columns["hash"]
    assert chain.link(columns["previous"], {**columns, column: 77}) != columns["hash"]
    assert chain.link(bytes(32), columns) != columns["hash"]


@pytest.mark.parametrize("gap", ["id", "seq", "previous"])
def test_a_gap_is_found_even_where_every_hash_is_right(tmp_path: Path, gap: str) -> None:
    """Mutants: drop the comparison of ids, of seqs, or of the previous hash in ``Verification.step``."""
    rows = stored_columns(rich_journal(tmp_path / "j.db"))[:4]
    last = rows[3]
    last[gap] = bytes(32) if gap == "previous" else last[gap] + 1
    last["hash"] = chain.link(last["previous"], last)
    start = Head(id=0, hash=rows[0]["previous"])
    with pytest.raises(ChainBroken) as caught:
        chain.verify(rows, start)
    assert caught.value.entry_id == 4


@pytest.mark.parametrize("at", [float("inf"), float("nan"), "noon", None])
def test_a_row_of_other_values_than_are_written_is_refused_before_its_hash(
    tmp_path: Path, at: object
) -> None:
    """JSON has no infinity: the hash would be right. Mutants: believe the types, or the instant, in ``record_of``."""
    columns = stored_columns(rich_journal(tmp_path / "j.db"))[3]
    row = tuple({**columns, "at": at}.values())
    assert chain.record_of(tuple(columns.values()), expected_id=4).at == columns["at"]

    with pytest.raises(ChainBroken) as caught:
        chain.record_of(row, expected_id=4)

    assert caught.value.entry_id == 4


def test_a_changed_payload_is_found(tmp_path: Path) -> None:
    path = rich_journal(tmp_path / "j.db")
    tamper(
        path,
        "UPDATE payloads SET body = replace(CAST(body AS TEXT), 'two', 'too') WHERE id = 4",
    )
    tamper(path, "UPDATE payloads SET body = CAST(body AS BLOB) WHERE id = 4")
    assert first_bad(path) == 4


def test_a_lost_payload_that_no_entry_withdrew_is_found(tmp_path: Path) -> None:
    """Mutant: leave the check out of ``Verification.finish``."""
    path = rich_journal(tmp_path / "j.db")
    tamper(path, "DELETE FROM payloads WHERE id IN (3, 5)")  # 5 was withdrawn properly
    assert first_bad(path) == 3


def test_a_lost_withdrawal_is_found(tmp_path: Path) -> None:
    path = rich_journal(tmp_path / "j.db")
    tamper(path, "DELETE FROM payloads WHERE id = 6")
    assert first_bad(path) == 6


def test_a_deleted_entry_is_found(tmp_path: Path) -> None:
    path = rich_journal(tmp_path / "j.db")
    tamper(path, "DELETE FROM entries WHERE id = 7")
    assert first_bad(path) == 7


def test_a_tail_that_was_cut_off_is_found_by_the_known_head(tmp_path: Path) -> None:
    """Mutant: drop ``_verify_known_head``; a chain alone cannot tell."""
    path = rich_journal(tmp_path / "j.db")
    cut_after(path, 9)
    assert first_bad(path) == 10


def test_without_a_known_head_a_cut_tail_is_believed_unless_its_payloads_stay(
    tmp_path: Path,
) -> None:
    path = rich_journal(tmp_path / "j.db")
    forget_head(path)
    tamper(path, "DELETE FROM entries WHERE id > 10")
    assert first_bad(path) == 11
    tamper(path, "DELETE FROM payloads WHERE id > 10")
    tamper(path, "DELETE FROM checkpoints WHERE entry_id > 10")
    with Reader(path) as intact:
        assert intact.verify().id == 10


def test_a_rewritten_tail_is_found_by_the_known_head(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with begin(path) as journal:
        journal.append([note("true")])
    head = files.beside(path, ".head").read_bytes()
    cut_after(path, 2)
    forget_head(path)
    tamper(path, "UPDATE lease SET holder = ''")
    Journal.resume(path, holder=ALICE, options=QUICK).close()
    files.beside(path, ".head").write_bytes(head)
    assert first_bad(path) == 3


def test_the_known_head_of_another_journal_is_refused(tmp_path: Path) -> None:
    one, other = rich_journal(tmp_path / "one.db"), rich_journal(tmp_path / "other.db")
    files.beside(other, ".head").rename(files.beside(one, ".head"))
    assert first_bad(one) == 0


@pytest.mark.parametrize("column", ["seq", "anchor", "digest", "body", "entry_id"])
def test_a_changed_checkpoint_is_found(tmp_path: Path, column: str) -> None:
    path = rich_journal(tmp_path / "j.db")
    value: object = 3 if column in {"seq", "entry_id"} else b"x"
    tamper(path, f"UPDATE checkpoints SET {column} = ? WHERE run_id = 'run-1'", value)
    assert first_bad(path) == 0
    with Reader(path) as damaged, pytest.raises(ChainBroken):
        damaged.latest_checkpoint("run-1")


def test_the_journal_is_bound_to_its_name(tmp_path: Path) -> None:
    """Mutant: a constant genesis; entries could be moved into another journal."""
    path = rich_journal(tmp_path / "j.db")
    forget_head(path)
    tamper(path, "UPDATE meta SET value = 'another' WHERE key = 'journal_id'")
    assert first_bad(path) == 1


def test_a_long_journal_may_be_verified_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "WHOLE_CHAIN_ENTRIES", 5)
    path = rich_journal(tmp_path / "j.db")
    tamper(path, "UPDATE entries SET epoch = 9 WHERE id = 3")
    with Reader(path) as damaged:
        assert damaged.verify(from_checkpoint=True).id == 11
    assert first_bad(path) == 3
    with begin(tmp_path / "k.db") as journal:
        journal.append([note()], checkpoint=b"{}")
        journal.append([note(), note(), note(), note()])
    tamper(tmp_path / "k.db", "UPDATE entries SET epoch = 9 WHERE id = 5")
    with Reader(tmp_path / "k.db") as damaged, pytest.raises(ChainBroken) as caught:
        damaged.verify(from_checkpoint=True)
    assert caught.value.entry_id == 5


def test_nobody_writes_on_at_the_end_of_a_damaged_journal(tmp_path: Path) -> None:
    """Mutant: take the head without verifying it in ``Journal._attach``."""
    path = rich_journal(tmp_path / "j.db")
    tamper(path, "UPDATE entries SET epoch = 9 WHERE id = 4")
    before = path.read_bytes()
    attempts: tuple[Callable[[], Journal], ...] = (
        lambda: Journal.resume(path, holder=ALICE, options=QUICK),
        lambda: begin(path),
    )
    for attempt in attempts:
        with pytest.raises(ChainBroken) as caught:
            attempt()
        assert (caught.value.entry_id, caught.value.exit_code) == (4, 77)
    assert path.read_bytes() == before


def test_a_lost_trigger_is_found(tmp_path: Path) -> None:
    path = rich_journal(tmp_path / "j.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER entries_stay")
    with pytest.raises(ChainBroken, match="entries_stay"):
        Reader(path)


@pytest.mark.parametrize(
    ("column", "value"), [("kind", "node.teleported"), ("version", 2)], ids=["kind", "version"]
)
def test_an_entry_of_a_later_rekindle_says_so(tmp_path: Path, column: str, value: object) -> None:
    path = rich_journal(tmp_path / "j.db")
    tamper(path, f"UPDATE entries SET {column} = ? WHERE id = 4", value)
    with Reader(path) as newer, pytest.raises(JournalTooNew, match="entry 4"):
        list(newer.rows())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_journal(tmp_path_factory.mktemp("sound") / "j.db")


@settings(max_examples=150, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), max_size=8),
    kept=st.one_of(st.none(), st.integers(0, 2**20)),
)
def test_flipped_bytes_and_cuts_never_give_a_traceback(
    sound: Path, flips: list[tuple[int, int]], kept: int | None
) -> None:
    """What can be read at all is either as written or diagnosed."""
    content = bytearray(sound.read_bytes())
    for where, change in flips:
        content[where % len(content)] ^= change
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.db"
        path.write_bytes(content if kept is None else content[: kept % len(content)])
        read_everything(path)


@settings(max_examples=100, deadline=None)
@given(
    table=st.sampled_from(["entries", "payloads", "checkpoints", "lease", "meta"]),
    index=st.integers(0, 12),
    value=st.one_of(
        st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(), st.binary()
    ),
)
def test_no_value_in_any_column_gives_a_traceback(
    sound: Path, table: str, index: int, value: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.db"
        path.write_bytes(sound.read_bytes())
        with closing(sqlite3.connect(path)) as database:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        with suppress(sqlite3.Error, UnicodeEncodeError):
            tamper(path, f"UPDATE {table} SET {columns[index % len(columns)]} = ?", value)
        read_everything(path)


def read_everything(path: Path) -> None:
    with suppress(Diagnosed), Reader(path) as damaged:
        for attempt in (
            damaged.verify,
            damaged.runs,
            damaged.newest_run,
            damaged.lease,
            damaged.head,
            damaged.last_row,
            lambda: list(damaged.rows()),
            lambda: list(damaged.rows("run-1", 2)),
            lambda: list(damaged.entries("run-1", 2)),
            lambda: list(damaged.rows_but("run-1", ("note",))),
            lambda: damaged.latest_checkpoint("run-2"),
        ):
            with suppress(Diagnosed):
                attempt()


def stored_columns(path: Path) -> list[dict[str, Any]]:
    with Reader(path) as whole:
        found = whole._select(f"{SELECT_RECORDS} ORDER BY entries.id")
        return [dict(columns) for columns in found]


def cut_after(path: Path, entry_id: int) -> None:
    tamper(path, f"DELETE FROM checkpoints WHERE entry_id > {entry_id}")
    tamper(path, f"DELETE FROM payloads WHERE id > {entry_id}")
    tamper(path, f"DELETE FROM entries WHERE id > {entry_id}")


def first_bad(path: Path) -> int:
    with Reader(path) as damaged, pytest.raises(ChainBroken) as caught:
        damaged.verify()
    return caught.value.entry_id
