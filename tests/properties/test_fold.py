"""
Promise: what a run knows is the fold of its journal, however the journal is cut.

Method: whole recoveries with crashes and faults. Every prefix folds; folding on from a memory that was written as
JSON and read again gives what folding at once gives; the checkpoint that was committed with each move equals the fold
of all that was committed up to it; and what a process holds in its head is what a reader of its journal gets.

Mutants, killed here: a move without a checkpoint; a checkpoint that leaves the timers out; a long stretch without one
(``Runner._checkpoint``), or one for each entry; one of what was meant to be written (its memory before the commit).
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import runner
from engine.folding import fold_all
from engine.memory import Memory
from journal import entries as e
from rekindle.simulator.faults import Faults
from tests.properties.clusters import SEEDS, YES, examples, faults, lives, story
from tests.properties.harness import Death, Logbook, prefixes

Life = list[tuple[Death, float]]
EVERY = 20


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=SEEDS,
    trouble=faults(),
    life=lives(3),
    cuts=st.lists(st.floats(0, 1), min_size=1, max_size=8),
)
@settings(max_examples=examples(0.4))
def test_a_journal_folds_however_it_is_cut(
    name: str, seed: int, trouble: Faults, life: Life, cuts: list[float]
) -> None:
    book = Logbook()
    run, _ = story(name, seed=seed, faults=trouble, operator=YES, book=book)

    run.to_the_end(life)

    entries = book.entries()
    memories = [memory for memory, _ in prefixes(entries)]
    whole = fold_all(Memory(), entries)
    moves = [n for n, entry in enumerate(entries, start=1) if isinstance(entry, e.Moved)]
    assert set(moves) == set(book.checkpoints), "each move has its checkpoint in its own commit"
    assert set(moves) <= set(book.commits)
    for number, body in book.checkpoints.items():
        checkpoint = msgspec.json.decode(body, type=Memory)
        assert checkpoint == (memories[number] if number < len(memories) else whole)
        assert fold_all(checkpoint, entries[number:]) == whole
    for cut in cuts:
        number = int(cut * (len(entries) - 1))
        again = msgspec.json.decode(msgspec.json.encode(memories[number]), type=Memory)
        assert again == memories[number]
        assert fold_all(again, entries[number:]) == whole
    # The last thing that the last process knew, before it let go of its lease.
    assert run.turns[-1].memory.state == whole.state
    assert book.folded() == whole


@given(name=st.sampled_from(["cold", "june"]), seed=SEEDS, life=lives(3))
@settings(max_examples=examples(0.1))
def test_a_long_stretch_without_a_move_has_checkpoints_of_its_own(
    name: str, seed: int, life: Life
) -> None:
    book = Logbook()
    run, _ = story(name, seed=seed, operator=YES, book=book)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "CHECKPOINT_ENTRIES", EVERY)
        run.to_the_end(life)

    entries = book.entries()
    memories = [memory for memory, _ in prefixes(entries)]
    moves = [n for n, entry in enumerate(entries, start=1) if isinstance(entry, e.Moved)]
    between = sorted(book.checkpoints.keys() - set(moves))
    assert len(between) <= len(entries) // EVERY
    if not life:
        places = [0, *sorted(book.checkpoints), len(entries)]
        turns = [b - a for a, b in pairwise([0, *sorted(set(book.commits))])]
        most = EVERY + 3 * max(turns)  # what one turn and its settlements write is not parted
        assert max(b - a for a, b in pairwise(places)) <= most
        assert between
    for number in between:
        checkpoint = msgspec.json.decode(book.checkpoints[number], type=Memory)
        assert checkpoint == memories[number]
    assert book.folded() == fold_all(Memory(), entries)
