"""Requests from other terminals."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from journal import inbox
from journal.errors import JournalFailed

from .making import modes

REQUESTS: list[inbox.Request] = [
    inbox.Approve(actor="bob", approval="ap-1", digest="abc", typed="lab"),
    inbox.Refuse(actor="bob", approval="ap-2"),
    inbox.Note(actor="bob", text="the switch was rebooted"),
    inbox.Cancel(actor="bob"),
]


def test_requests_come_out_in_the_order_they_went_in(tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    for request in REQUESTS:
        inbox.submit(journal, request)
    taken = inbox.take(journal)
    assert [request for _, request in taken] == REQUESTS
    assert len({request.id for _, request in taken}) == len(REQUESTS)


def test_a_request_is_handed_out_until_it_is_done(tmp_path: Path) -> None:
    """A crash between the entry and ``done`` shows the same id again."""
    journal = tmp_path / "j.db"
    inbox.submit(journal, REQUESTS[0])
    (file, first), *_ = inbox.take(journal)
    assert inbox.take(journal) == [(file, first)]
    inbox.done(file)
    inbox.done(file)
    assert inbox.take(journal) == []


def test_without_an_inbox_nothing_waits(tmp_path: Path) -> None:
    assert inbox.take(tmp_path / "j.db") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"request":"dance"}',
        b'{"request":"cancel"}',
        b"[" * 5000,
        b'{"request":"note","actor":"a","text":"' + b"x" * inbox.REQUEST_BYTES + b'"}',
    ],
)
def test_what_is_no_request_is_moved_aside_and_reported(tmp_path: Path, content: bytes) -> None:
    journal = tmp_path / "j.db"
    inbox.submit(journal, REQUESTS[0])
    (inbox.folder(journal) / "000.json").write_bytes(content)
    reported: list[str] = []
    taken = inbox.take(journal, report=lambda file, _why: reported.append(file.name))
    assert [request for _, request in taken] == REQUESTS[:1]
    assert reported == ["000.json"]
    assert "000.json.rejected" in modes(inbox.folder(journal))
    assert len(inbox.take(journal)) == 1


@pytest.mark.parametrize("make", ["link", "pipe", "silent pipe", "folder"])
def test_what_is_no_file_is_moved_aside_whatever_it_says(tmp_path: Path, make: str) -> None:
    """Mutants: open without O_NOFOLLOW, or without O_NONBLOCK (an empty pipe would stop the run), or drop S_ISREG."""
    journal = tmp_path / "j.db"
    inbox.submit(journal, REQUESTS[3])
    valid = next(inbox.folder(journal).iterdir()).rename(tmp_path / "valid")
    odd = inbox.folder(journal) / "000.json"
    feeder = -1
    if make == "link":
        odd.symlink_to(valid)
    elif make == "silent pipe":
        os.mkfifo(odd)
    elif make == "pipe":
        os.mkfifo(odd)
        feeder = os.open(odd, os.O_RDWR)
        os.write(feeder, valid.read_bytes())
    else:
        odd.mkdir()
    reported: list[str] = []
    assert inbox.take(journal, report=lambda _file, why: reported.append(why)) == []
    assert len(reported) == 1
    assert not os.path.lexists(odd)
    if feeder >= 0:
        os.close(feeder)


def test_a_half_written_request_is_not_seen(tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    inbox.folder(journal).mkdir()
    (inbox.folder(journal) / ".0001.json.abc.new").write_text("{")
    (inbox.folder(journal) / ".hidden.json").write_text("{")
    assert inbox.take(journal, report=lambda *_: pytest.fail("touched")) == []


def test_many_requests_are_taken_in_portions(tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    inbox.submit(journal, REQUESTS[3])
    text = next(inbox.folder(journal).iterdir()).read_bytes()
    for number in range(inbox.REQUESTS_AT_ONCE + 5):
        (inbox.folder(journal) / f"{number:03d}.json").write_bytes(text)
    assert len(inbox.take(journal)) == inbox.REQUESTS_AT_ONCE


def test_a_request_that_is_too_long_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed) as caught:
        inbox.submit(tmp_path / "j.db", inbox.Note(actor="bob", text="x" * inbox.REQUEST_BYTES))
    assert caught.value.reference == "inbox-request-too-long"


def test_an_inbox_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed) as caught:
        inbox.submit(tmp_path / "nowhere" / "j.db", REQUESTS[0])
    assert caught.value.reference == "inbox-not-writable"
