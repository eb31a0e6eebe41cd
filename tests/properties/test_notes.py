"""
Promise: a note, wherever it stands, changes nothing that was decided, and no clock of a run that nobody holds.

Method: whole recoveries with crashes; notes and corrections are put in anywhere, with the instant of the entry before
them, as ``rekindle note`` does. What is known is the same, and today's ``decide`` gives the journal's decisions.

Mutant, killed here: the fold takes a correction's *time* for the run's own.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.folding import fold_all
from engine.memory import Memory
from engine.replay import replay
from journal import codec
from journal import entries as e
from journal.entries import AnyEntry
from phases.recipe import recipe
from tests.properties.clusters import SEEDS, YES, examples, lives, story
from tests.properties.harness import Death

Life = list[tuple[Death, float]]


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=SEEDS,
    life=lives(2),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=6),
    corrects=st.booleans(),
)
@settings(max_examples=examples(0.1))
def test_notes_change_nothing(
    name: str,
    seed: int,
    life: Life,
    places: list[float],
    corrects: bool,  # noqa: FBT001
) -> None:
    run, _ = story(name, seed=seed, operator=YES)
    run.to_the_end(life)
    entries = run.book.entries()
    noted: list[AnyEntry] = list(entries)

    for place in places:
        number = 1 + int(place * (len(noted) - 1))
        now = fold_all(Memory(), noted[:number]).now
        note = e.Note(at=now, text="x", actor="me")
        if corrects:
            note = e.Note(
                at=now, text="x", actor="me", corrects=1, said=1.0, time=now + 9e9, cause="y"
            )
        noted.insert(number, note)

    assert fold_all(Memory(), noted) == fold_all(Memory(), entries)
    assert replay(recipe(), noted)[1] == ()


def test_a_note_of_before_is_read_and_a_correction_is_written_whole() -> None:
    old = b'{"kind":"note","at":1.0,"text":"x","actor":"me"}'
    note = codec.decode(old, kind="note", version=1, entry_id=1)
    correction = e.Note(at=1.0, text="x", actor="me", corrects=3, said=2.0, time=1.5, finding="f")

    assert note == e.Note(at=1.0, text="x", actor="me")
    assert codec.encode(note) == old
    assert codec.decode_fresh(codec.encode(correction)) == correction
