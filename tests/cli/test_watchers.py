"""A terminal that was closed must not end a recovery; mutant: take the suppression out of ``PlainLines``."""

from __future__ import annotations

import io

from engine.memory import Approval, Memory
from journal.entries import Note
from journal.row import Row
from rekindle.view import view
from rekindle.watchers import PlainLines


class Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_watcher_survives_its_terminal() -> None:
    show = PlainLines(Closed())
    note = Note(at=1.0, text="said", actor="somebody")

    show.say("hello")
    show.wrote([Row(id=1, run_id="r", seq=1, kind="note", at=1.0, wall_ns=0, epoch=1, entry=note)])
    show.close()


def test_a_line_of_our_own_is_not_indented() -> None:
    stream = io.StringIO()

    PlainLines(stream).say("resuming")

    assert stream.getvalue() == "resuming\n"


def test_what_must_be_typed_names_the_journal() -> None:
    answers = {"holder/1": {"answer": "ask"}}
    asked = Approval("1a2b", "1a2b", "holder/1", "off?", "gone", "a/b", 0.0)
    memory = Memory(state="flux-synced", answers=answers, approvals={"1a2b": asked})

    seen = view(memory, ("flux-synced", "done"), "night.db")

    assert seen.must_do == "answer: rekindle approve 1a2b --type 'a/b' --journal night.db"
