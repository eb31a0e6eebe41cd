"""
Where the host's clock was set back, instants go on as time does, and what the journal says of them is kept.

Mutants, each tried: put nothing ahead; put ahead by the fraction as well; forget an earlier jump; let what a cluster
dated before the jump go ahead; take a person's word by the clock of the note; move a jump forwards as well.
"""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from engine.folding import fold_all
from engine.memory import Memory
from journal import entries as e
from journal.entries import AnyEntry, Fact
from journal.row import Row
from journal.steady import Steady, SteadyClock, as_written, encoded, onward, steady
from tests.projections.making import rows


def jumped(at: float, seconds: float) -> e.ClockJumped:
    return e.ClockJumped(at=at, seconds=seconds)


def seen(*entries: AnyEntry) -> list[Row]:
    return list(steady(rows(entries)))


def goal(at: float) -> e.GoalMoved:
    return e.GoalMoved(at=at, revision="r")


def test_a_run_whose_clock_was_never_set_back_has_its_rows_as_they_are() -> None:
    told = rows([goal(100.0), jumped(4_000.0, 3_600.0), goal(4_001.0)])

    assert all(one is other for one, other in zip(steady(told), told, strict=True))


def test_instants_go_on_and_keep_what_the_clock_showed() -> None:
    told = seen(
        goal(5_000.25), jumped(3_201.5, -1_800.0), goal(3_202.25), jumped(2_203.0, -1_000.0), goal(2_204.25)
    )  # fmt: skip

    assert [row.at for row in told] == [5_000.25, 5_001.5, 5_002.25, 5_003.0, 5_004.25]
    assert [as_written(row.at) for row in told] == [5_000.25, 3_201.5, 3_202.25, 2_203.0, 2_204.25]
    assert [row.entry.at for row in told if row.entry is not None] == [row.at for row in told]


def test_fractions_are_cut_off_where_they_were() -> None:
    """So that what is printed adds up; and nothing is earlier than what came before it."""
    told = seen(goal(5_000.9), jumped(3_200.0, -1_800.3), goal(3_200.9), goal(3_199.0))

    assert [row.at for row in told] == [5_000.9, 5_001.0, 5_001.9, 5_001.9]


def test_a_jump_whose_entry_was_withdrawn_is_known_by_its_instants() -> None:
    told = rows([goal(5_000.0), jumped(3_000.0, -2_000.0), goal(3_010.0)])
    told[1] = replace(told[1], entry=None)

    assert [row.at for row in steady(told)] == [5_000.0, 5_000.0, 5_010.0]


def test_what_was_dated_before_the_jump_stays_as_it_is() -> None:
    facts = {"old": Fact("ready", "", 900.0), "new": Fact("ready", "", 3_005.0), "none": Fact("x")}
    told = seen(goal(5_000.0), jumped(3_000.0, -2_000.0), e.Observed(at=3_010.0, changed=facts))

    entry = told[-1].entry
    assert isinstance(entry, e.Observed)
    assert {k: f.since for k, f in entry.changed.items()} == {
        "old": 900.0,
        "new": 5_005.0,
        "none": None,
    }
    timer = seen(
        goal(5_000.0),
        jumped(3_000.0, -2_000.0),
        e.TimerSet(at=3_010.0, name="t", due=3_030.0, span=20.0),
    )
    assert isinstance(timer[-1].entry, e.TimerSet)
    assert timer[-1].entry.due == 5_030.0


@pytest.mark.parametrize(("corrects", "true"), [(1, 4_000.0), (3, 4_000.0 + 2_000.0)])
def test_what_a_person_says_of_an_entry_is_of_the_clock_of_that_entry(
    corrects: int, true: float
) -> None:
    note = e.Note(at=3_020.0, text="", actor="a", corrects=corrects, said=3_010.0, time=4_000.0)
    told = seen(goal(5_000.0), jumped(3_000.0, -2_000.0), goal(3_010.0), note)

    entry = told[-1].entry
    assert isinstance(entry, e.Note)
    assert (entry.time, as_written(entry.time or 0.0)) == (true, 4_000.0)


def test_a_reckoned_instant_is_told_as_the_clock_showed_it() -> None:
    clock = SteadyClock()
    for row in rows([goal(5_000.0), jumped(3_000.0, -2_000.0), goal(3_010.0)]):
        clock.see(row)

    assert [as_written(clock.told(at)) for at in (4_990.0, 5_000.0, 5_004.0)] == [
        4_990.0,
        3_000.0,
        3_004.0,
    ]
    assert clock.of(3_030.0) == 5_030.0
    assert onward(Steady(5_010.0, 3_010.0), 3_012.0) == 5_012.0
    assert onward(Steady(5_010.0, 3_010.0), Steady(5_011.0, 3_011.0)) == 5_011.0
    assert (onward(10.0, 12.0), onward(12.0, 10.0)) == (12.0, 12.0)


def test_a_document_has_what_the_journal_says() -> None:
    fact = Fact("ready", "", Steady(5_000.0, 3_000.0))

    assert msgspec.to_builtins(fact, enc_hook=encoded)["since"] == 3_000.0
    with pytest.raises(NotImplementedError):
        msgspec.to_builtins({"a": object()}, enc_hook=encoded)


def test_what_is_remembered_is_moved_back_no_more() -> None:
    """Mutant: leave the seconds of the jump: a window of ours would end half an hour before it began."""
    timer = e.TimerSet(at=4_990.0, name="t", due=5_020.0, span=30.0, policy="active")
    told = seen(goal(4_980.0), timer, jumped(3_000.0, -2_000.0), goal(3_010.0))

    memory = fold_all(Memory(), [row.entry for row in told if row.entry is not None])

    assert (memory.now, memory.timers["t"].due, memory.set_back) == (5_010.0, 5_020.0, 0.0)
    jump = told[2].entry
    assert isinstance(jump, e.ClockJumped)
    assert as_written(jump.seconds) == -2_000.0
