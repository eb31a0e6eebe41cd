"""The loop: what is durable before what, and how a session ends."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace

from engine import runner
from engine.answer import Ask, Stuck, Wait
from engine.cadence import DIAGNOSIS_SECONDS, FIRST_SECONDS
from engine.errors import Exit
from engine.folding import fold_all
from engine.memory import Memory
from engine.ports import Requests
from engine.recipe import Facts
from engine.runner import Runner
from engine.turn import MARGIN_SECONDS
from engine.world import Reply, Settlement, Wakeup
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding, Instant
from tests.engine.making import (
    STANDING,
    START,
    Book,
    Hands,
    House,
    Look,
    Nobody,
    Order,
    Site,
    Wishes,
    act,
    begun,
    intended,
    look,
    steady_dice,
)

BROKEN = look(ground="broken")
Play = Callable[[House], Wakeup]


class Bench:
    """A runner with all its ports in reach."""

    def __init__(
        self,
        site: Site,
        seen: Look = BROKEN,
        *before: AnyEntry,
        patient: bool = False,
        kind: str = "real",
        tied: bool = False,
        lasting: bool = False,
        sums: bool = False,
    ) -> None:
        self.order = Order()
        self.book = Book(self.order)
        self.house = House(self.order, seen)
        self.hands = Hands()
        self.requested: list[AnyEntry] = []
        rules = site.rules()
        memory = replace(begun(rules, *before), lasting=lasting)
        memory.identity["kind"] = kind
        self.runner = Runner(
            rules=rules,
            logbook=self.book,
            world=self.house,
            memory=memory,
            dice=steady_dice,
            clock=self.hands,
            watcher=Nobody(),
            requests=Requests(self.take),
            patient=patient,
            tied=tied,
            closing=lambda end: {"until": end} if sums else {},
        )

    def take(self, memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
        del memory, now
        found, self.requested = self.requested, []
        return [(entry, lambda: self.order("request taken in")) for entry in found]

    def run(self, *script: Play) -> Exit:
        self.house.script = list(script)
        return self.runner.run().exit_code

    def kinds(self) -> list[str]:
        return [type(entry).__name__ for entry in self.book.entries]


def after(seconds: float, seen: Look | None = None, *settlements: Settlement) -> Play:
    def play(house: House) -> Wakeup:
        house.time += seconds
        if seen is not None:
            house.seen = seen
        return Wakeup(settlements, changed=seen is not None)

    return play


def done(action: str = "a1", outcome: str = "done") -> Settlement:
    return Settlement(action, e.Outcome(outcome))


PAINT: dict[str, Wishes] = {"ground": {"s": act("paint", "door")}}


def test_an_intent_is_durable_before_its_action_starts() -> None:
    bench = Bench(Site(dict(PAINT)))

    assert Exit.DONE == bench.run(after(1, STANDING, done()))
    steps = bench.order.steps
    written = next(n for n, step in enumerate(steps) if "ActionIntended" in step)
    assert written < steps.index("start paint door")


def test_people_are_shown_what_the_journal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everybody else reads it: entries may come back otherwise than they were meant, if only in another order."""
    bench = Bench(Site(dict(PAINT)))
    shown: list[bool] = []
    monkeypatch.setattr(
        bench.runner._watcher,
        "turned",
        lambda _rules, turn: shown.append(turn.memory is bench.runner.memory),
    )

    bench.run(after(1, STANDING, done()))

    assert len(shown) > 1
    assert all(shown)


def test_the_first_turn_of_a_session_is_shown_though_it_writes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever resumes hears what there is to do, also where nothing has changed. Mutant: no ``is_first``."""
    before = Bench(Site({"ground": {"s": Ask("?", "", {})}}))
    before.run()
    again = Bench(Site({"ground": {"s": Ask("?", "", {})}}), BROKEN, *before.book.entries)
    shown: list[int] = []
    monkeypatch.setattr(
        again.runner._watcher, "turned", lambda _rules, turn: shown.append(len(turn.commits))
    )

    again.run()

    assert [0] == shown


def test_the_commit_of_an_intent_extends_the_lease_over_the_action() -> None:
    bench = Bench(Site(dict(PAINT)))
    bench.run(after(1, STANDING, done()))

    leases = [
        lease
        for commit, lease in zip(bench.book.commits, bench.book.leases, strict=True)
        if any(isinstance(entry, e.ActionIntended) for entry in commit)
    ]
    assert [60.0 + MARGIN_SECONDS] == leases


def test_nothing_starts_when_the_intent_cannot_be_written() -> None:
    bench = Bench(Site(dict(PAINT)))
    bench.book.fails_on = e.TimerSet  # the last entry of the commit with the intent

    with pytest.raises(OSError, match="the disk is gone"):
        bench.run()
    assert [] == bench.house.started


def test_a_settlement_is_committed_alone_and_before_anything_else() -> None:
    bench = Bench(Site(dict(PAINT)))
    bench.run(after(1, STANDING, done()))

    place = next(
        n for n, commit in enumerate(bench.book.commits) if isinstance(commit[0], e.ActionSettled)
    )
    assert 1 == len(bench.book.commits[place])
    assert any(isinstance(entry, e.ActionIntended) for entry in bench.book.commits[place - 1])


def test_two_settlements_are_two_commits() -> None:
    site = Site({"ground": {"a": act("paint", "door"), "b": act("paint", "gate")}})
    bench = Bench(site)
    bench.run(after(1, STANDING, done("a1"), done("a2")))

    alone = [commit for commit in bench.book.commits if isinstance(commit[0], e.ActionSettled)]
    assert [1, 1] == [len(commit) for commit in alone]


def test_a_settlement_of_an_unknown_action_is_not_written() -> None:
    bench = Bench(Site({"ground": {"s": Wait("x")}}))
    bench.run(after(1, STANDING, done("a99")))

    assert "ActionSettled" not in bench.kinds()


def test_a_healthy_house_is_done_without_an_action() -> None:
    bench = Bench(Site(dict(PAINT)), STANDING)

    assert Exit.DONE == bench.run()
    closing = bench.book.entries[-1]
    assert isinstance(closing, e.RunClosed)
    assert (e.RunOutcome.DONE, "done") == (closing.outcome, closing.state)
    assert {"subjects": 3, "floods": 0} == closing.summary


def test_a_run_is_not_closed_over_an_action_in_flight() -> None:
    """Mutant: a closed run leaves the question open for ever."""
    bench = Bench(Site(dict(PAINT)))

    assert Exit.DONE == bench.run(after(1, STANDING), after(5, None, done()))
    assert ["ActionSettled", "RunClosed"] == [
        k for k in bench.kinds() if k in {"ActionSettled", "RunClosed"}
    ]


@pytest.mark.parametrize(
    ("answers", "code", "why"),
    [
        ({"a": Stuck("r", "m", "h")}, Exit.STUCK, "stuck"),
        ({"a": Stuck("r", "m", "h"), "b": Ask("?", "", {})}, Exit.WAITING, "waiting"),
    ],
)
def test_a_session_ends_where_only_a_person_can_go_on(
    answers: dict[str, Ask | Stuck], code: Exit, why: str
) -> None:
    bench = Bench(Site({"ground": dict(answers)}))

    assert code == bench.run()
    last = bench.book.entries[-1]
    assert isinstance(last, e.RunInterrupted)
    assert why == last.why


def test_who_leaves_a_run_to_a_person_says_what_its_time_went_to() -> None:
    """A night may end there. Mutants: nothing is summed up; a signal waits for the sum."""
    bench = Bench(Site({"ground": {"a": Stuck("r", "m", "h")}}), sums=True)

    assert bench.run() == Exit.STUCK
    last = bench.book.entries[-1]
    assert isinstance(last, e.RunInterrupted)
    assert last.summary["until"] == last.at


def test_a_session_does_not_end_while_something_can_still_clear() -> None:
    site = Site({"ground": {"a": Stuck("r", "m", "h"), "b": Wait("x")}})

    assert Exit.DONE == Bench(site).run(after(1), after(1, STANDING))


def test_a_session_waits_for_what_its_world_has_written_down_but_no_longer_than_for_anything() -> (
    None
):
    """Mutants: ``expects`` is not asked; it is asked after the deadline as well."""
    site = Site({"ground": {"a": Stuck("r", "m", "h")}})
    bench = Bench(site)
    bench.house.has_a_script = True
    assert Exit.DONE == bench.run(after(1), after(1, STANDING))

    late = Bench(site)
    late.house.has_a_script = True
    assert Exit.STUCK == late.run(after(700))


def test_a_session_with_a_person_at_it_keeps_looking() -> None:
    site = Site({"ground": {"a": Stuck("r", "m", "h")}})

    assert Exit.DONE == Bench(site, patient=True).run(after(1), after(1, STANDING))


def test_a_session_waits_for_a_world_that_answers_its_own_questions() -> None:
    question = Ask("burn it?", "gone", {})
    site = Site({"ground": {"s": question}})
    bench = Bench(site)
    bench.house.answers_itself = True

    def reply(house: House) -> Wakeup:
        asked = house.questions[-1]
        house.seen = STANDING
        return Wakeup(replies=(Reply(asked.approval, asked.digest, yes=True),), changed=True)

    assert Exit.DONE == bench.run(reply)
    given = next(entry for entry in bench.book.entries if isinstance(entry, e.ApprovalGiven))
    assert "scenario" == given.actor


def test_a_question_whose_evidence_changed_is_not_asked_any_more() -> None:
    site = Site({"ground": {"s": Ask("?", "", {"n": 1})}})
    bench = Bench(site, patient=True)

    def changed(house: House) -> Wakeup:
        site.wishes["ground"] = {"s": Ask("?", "", {"n": 2})}
        house.questions.clear()
        house.seen = look(ground="broken", a="1")
        return Wakeup(changed=True)

    bench.run(changed, after(1, STANDING))
    assert 1 == len({question.digest for question in bench.house.questions})


# --- interrupt, cancel ---------------------------------------------------------------------------


def test_an_interrupt_begins_nothing_and_waits_for_what_is_in_flight() -> None:
    site = Site({"ground": {"a": act("paint", "door"), "b": Wait("x")}})
    bench = Bench(site, sums=True)

    def interrupt(house: House) -> Wakeup:
        site.wishes["ground"] = {"b": act("paint", "gate")}
        bench.runner.interrupt()
        house.seen = look(ground="broken", a="1")
        return Wakeup(changed=True)

    assert Exit.INTERRUPTED == bench.run(interrupt, after(5, None, done()))
    assert ["door"] == [intent.target for intent in bench.house.started]
    assert ["ActionSettled", "RunInterrupted"] == [
        k for k in bench.kinds() if k in {"ActionSettled", "RunInterrupted"}
    ]
    assert bench.book.entries[-1] == e.RunInterrupted(at=bench.house.time, why="signal")


def test_a_cancel_drains_and_closes_the_run() -> None:
    bench = Bench(Site(dict(PAINT)))

    def cancel(house: House) -> Wakeup:
        del house
        bench.requested = [e.CancelRequested(at=START, actor="p")]
        return Wakeup()

    assert Exit.CANCELLED == bench.run(cancel, after(5, None, done(outcome="failed")))
    assert ["door"] == [intent.target for intent in bench.house.started]
    closing = bench.book.entries[-1]
    assert isinstance(closing, e.RunClosed)
    assert e.RunOutcome.CANCELLED is closing.outcome


def test_a_request_is_acknowledged_after_it_is_durable() -> None:
    bench = Bench(Site({"ground": {"s": Wait("x")}}))
    bench.requested = [e.Note(at=START, text="hello", actor="p")]

    bench.run(after(1, STANDING))

    steps = bench.order.steps
    assert steps.index("wrote Note") + 1 == steps.index("request taken in")


def test_an_approval_is_acted_upon_at_once() -> None:
    site = Site({"ground": {"s": Ask("?", "", {})}})
    bench = Bench(site, patient=True)

    def approve(house: House) -> Wakeup:
        question = house.questions[-1]
        site.wishes["ground"] = PAINT["ground"]
        bench.requested = [
            e.ApprovalGiven(at=START, approval=question.approval, digest=question.digest, actor="p")
        ]
        return Wakeup()

    bench.run(approve, after(1, STANDING, done()))
    assert ["door"] == [intent.target for intent in bench.house.started]


# --- clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "monotonic", "kind", "jumps"),
    [
        (3600.0, 0.5, "real", [3599.5]),
        (-90.0, 1.0, "real", [-91.0]),
        (61.0, 60.0, "real", []),
        (3600.0, 0.5, "simulated", []),
    ],
)
def test_a_clock_that_jumped_is_noted(
    wall: float, monotonic: float, kind: str, jumps: list[float]
) -> None:
    bench = Bench(Site({"ground": {"s": Wait("x")}}), kind=kind)

    def sleep(house: House) -> Wakeup:
        bench.hands.now += wall
        bench.hands.uptime += monotonic
        house.seen = STANDING
        return Wakeup(changed=True)

    bench.run(sleep)
    assert jumps == [
        entry.seconds for entry in bench.book.entries if isinstance(entry, e.ClockJumped)
    ]


def test_a_sleep_in_the_middle_of_a_look_runs_out_no_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Else the turn's own time is that of the awakening, and every deadline over, before anybody knows of the sleep.

    Mutant: ask the clock between two turns only.
    """
    bench = Bench(Site({"ground": {"s": Wait("x")}}), kind="real")
    looked, sleeps = bench.house.look, iter([0.0, 28_800.0])

    def sleepy() -> Look:
        slept = next(sleeps, 0.0)
        bench.hands.now += slept
        bench.house.time += slept
        return looked()

    monkeypatch.setattr(bench.house, "look", sleepy)

    def news(house: House) -> Wakeup:
        house.seen = look(ground="broken", roof="broken")
        return Wakeup(changed=True)

    bench.run(news, after(1, STANDING))

    entries = bench.book.entries
    assert [one.seconds for one in entries if isinstance(one, e.ClockJumped)] == [28_800.0]
    assert not [one for one in entries if isinstance(one, e.TimerFired)]
    # What a look brought stands directly after it, for who replays looks: nothing is noted in between.
    noted = next(n for n, one in enumerate(entries) if isinstance(one, e.ClockJumped))
    brought = [n for n, one in enumerate(entries) if isinstance(one, e.Observed)]
    assert brought[0] < brought[1] < noted < brought[2]
    assert {one.at for one in entries[:noted]} == {START}


@pytest.mark.parametrize(
    ("later", "kind", "jumps"),
    [(-3600.0, "real", [-3600.0]), (-1.0, "real", []), (-3600.0, "simulated", [])],
)
def test_a_clock_that_was_set_back_while_nobody_held_the_run_is_noted(
    later: float, kind: str, jumps: list[float]
) -> None:
    """Else no time passes for the run until the clock has caught up. Mutant: write nothing; write it after."""
    bench = Bench(Site({"ground": {"s": Wait("x")}}), kind=kind)
    before = bench.runner.memory.now
    bench.house.time += later

    bench.runner.resume("host", idle_seconds=0, fresh_deadlines=False)

    told = bench.book.entries[-1 - len(jumps) :]
    assert jumps == [one.seconds for one in told if isinstance(one, e.ClockJumped)]
    assert isinstance(told[-1], e.RunResumed)
    assert bench.runner.memory.now == (before + later if jumps else before)
    # A sign of life by the clock that counts from now on comes first: the last one is of a clock that was ahead.
    steps = [step for step in bench.order.steps if "heartbeat" in step or "ClockJumped" in step]
    assert steps == ([f"heartbeat {before + later:g}", "wrote ClockJumped"] if jumps else [])


def test_a_heartbeat_says_every_five_seconds_that_somebody_is_there() -> None:
    bench = Bench(Site({"ground": {"s": Wait("x")}}))

    def tick(house: House) -> Wakeup:
        bench.hands.now += 3
        bench.hands.uptime += 3
        house.time += 3
        return Wakeup()

    bench.run(tick, tick, tick, tick, after(1, STANDING))
    assert [f"heartbeat {START + 6:g}", f"heartbeat {START + 12:g}"] == [
        step for step in bench.order.steps if step.startswith("heartbeat")
    ]


def test_a_session_that_does_not_move_keeps_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants: never; after each entry; in the middle of a turn, where an intent would wait for it."""
    monkeypatch.setattr(runner, "CHECKPOINT_ENTRIES", 30)
    bench = Bench(Site({"ground": {"s": Wait("x")}}))

    before = bench.runner.memory

    def seen(number: int) -> Play:
        return after(1, look(ground="broken", other=f"{number}"))

    bench.run(*map(seen, range(80)), after(1, STANDING))

    entries = bench.book.entries
    places = [n for n, _ in bench.book.checkpoints if not isinstance(entries[n - 1], e.Moved)]
    assert len(places) == 2
    assert all(30 <= later - earlier < 35 for earlier, later in pairwise([0, *places]))
    assert bench.order.steps.count("wrote ") == len(places)
    for number, body in bench.book.checkpoints:
        assert msgspec.json.decode(body, type=Memory) == fold_all(before, entries[:number])


# --- resume, redaction ---------------------------------------------------------------------------


def test_what_was_left_open_is_handed_to_the_world() -> None:
    bench = Bench(Site({"ground": {"s": Wait("x")}}), BROKEN, intended("paint", "door"))

    bench.runner.resume("host", idle_seconds=9, fresh_deadlines=False)

    entry = bench.book.entries[-1]
    assert isinstance(entry, e.RunResumed)
    assert ("a1",) == entry.open_actions
    assert ["a1"] == [intent.action for intent in bench.house.adopted]
    assert Exit.DONE == bench.run(after(1, STANDING, done(outcome="unsettled")))
    assert [] == bench.house.started


def test_a_redacted_value_does_not_make_every_turn_write() -> None:
    seen = Look(
        {"ground": Fact("broken", "password: hunter2!"), "a": Fact("x", "Bearer abc123456789=")}
    )
    site = Site(
        {"ground": lambda memory: {"s": Wait(f"vault-password: {memory.facts['a'].code}1!x")}}
    )
    bench = Bench(site, seen)

    bench.run(after(1, seen), after(1, seen), after(1, STANDING))

    assert "hunter2" not in repr(bench.book.entries)
    assert 2 == len([entry for entry in bench.book.entries if isinstance(entry, e.Observed)])
    decided = [entry for entry in bench.book.entries if isinstance(entry, e.Decided)]
    assert 2 == len(decided)


# --- diagnosing ----------------------------------------------------------------------------------


def diagnosed(bench: Bench, *steps: float) -> list[Instant]:
    """Let each step change what is seen and what is found; return when findings were noted, from the start on."""

    def play(number: int, seconds: float) -> Play:
        def step(house: House) -> Wakeup:
            house.time += seconds
            house.seen = Look(look(ground="broken", a=str(number)).facts, finding(number))
            return Wakeup(changed=True)

        return step

    with pytest.raises(AssertionError, match="nothing left"):
        bench.run(*(play(number, seconds) for number, seconds in enumerate(steps)))
    told = [entry for entry in bench.book.entries if isinstance(entry, e.FindingsChanged)]
    return [entry.at - START for entry in told]


def finding(number: int) -> dict[str, Finding]:
    return {"f": Finding("s", "c", str(number))}


def test_causes_are_named_at_the_first_looks_and_then_at_most_every_ten_seconds() -> None:
    """Mutants: a diagnosis is always due, or never again; ``diagnosed`` is never called; no first seconds."""
    bench = Bench(Site(), Look(BROKEN.facts, finding(-1)))

    assert diagnosed(bench, 1, 2, 1, 2, 3, 9, 6) == [0, 3, 6, 9, 24]


def test_while_the_cluster_is_moving_causes_are_named_every_half_minute() -> None:
    """Mutants: ``soonest`` for ever; ``latest`` left out; ``QUIET_SECONDS`` left out."""
    bench = Bench(Site(), Look(BROKEN.facts, finding(-1)))

    # Four by the clock; then one change every four seconds, and a pause of six.
    assert diagnosed(bench, 10, 10, 10, *[4] * 12, 6) == [0, 10, 20, 30, 62, 84]


def test_what_is_alarming_is_diagnosed_at_once_and_the_clock_begins_anew() -> None:
    """Mutants: ask only the cadence; forget to tell it of a diagnosis that it did not ask for."""

    def alarming(before: Facts, after: Facts) -> bool:
        return after["a"].code == "13" and before["a"].code != "13"

    bench = Bench(Site(alarming=alarming), Look(BROKEN.facts, finding(-1)))

    # By the clock alone it would be 62 and 92, as above.
    assert diagnosed(bench, 10, 10, 10, *[4] * 20) == [0, 10, 20, 30, 62, 74, 106]


def test_in_a_wait_in_which_nothing_changes_time_alone_makes_a_diagnosis_due() -> None:
    """Mutants: leave the diagnosis out of ``_due``, or out of ``_until``."""
    bench = Bench(Site({"ground": {"s": Wait("rain")}}), Look(BROKEN.facts, {}), kind="simulated")

    def silence(house: House) -> Wakeup:
        house.seen = Look(BROKEN.facts, {"f": Finding("s", "c", "it was always so")})
        house.time += DIAGNOSIS_SECONDS
        return Wakeup()

    with pytest.raises(AssertionError, match=f"until {START + 10 + FIRST_SECONDS:.1f}"):
        bench.run(silence)
    assert "FindingsChanged" in bench.kinds()
