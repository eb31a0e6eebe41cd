"""
A run with its hands tied: it looks, decides and writes; it begins nothing and asks nobody.

Mutants: let a tied turn have intents; let it ask; let it set a deadline; let ``TiedWorld.start`` pass on; let a tied
session end where only a person can go on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import pytest

from engine.answer import Answer, Ask, Stuck
from engine.errors import Exit
from engine.folding import fold_all
from engine.memory import Deed, Memory
from engine.plan import Plan
from engine.replay import replay
from engine.tied import TiedWorld
from engine.wishes import wishes_in, wishes_of
from engine.world import Intent, Question, Wakeup
from journal import entries as e
from tests.engine.making import (
    STANDING,
    START,
    House,
    Look,
    Order,
    Site,
    act,
    begun,
    entries,
    intended,
    look,
    opened,
    settled,
    turn,
)
from tests.engine.test_runner import BROKEN, Bench, Play, after

BURN = Ask("burn it?", "gone", {"verb": "saw"}, typed="door")
WISHES: dict[str, Answer] = {"s": act("paint", "door"), "t": BURN}
INTENT = Intent("a1", "paint", "door", 1, 1, 60.0, START)


def tied(answers: dict[str, Answer]) -> Bench:
    return Bench(Site({"ground": dict(answers)}), tied=True)


def test_what_would_be_done_is_decided_and_never_intended() -> None:
    bench = tied(WISHES)

    assert Exit.DONE == bench.run(after(1), after(7200), after(1, STANDING))

    assert [] == bench.house.started
    kinds = bench.kinds()
    assert "Decided" in kinds
    assert not {"ActionIntended", "ApprovalAsked"} & set(kinds)
    decided = next(entry for entry in bench.book.entries if isinstance(entry, e.Decided))
    assert {"s": "act", "t": "ask"} == {s: body["answer"] for s, body in decided.answers.items()}


def test_nobody_is_asked_by_a_tied_session() -> None:
    bench = tied(WISHES)
    bench.house.answers_itself = True

    bench.run(after(1), after(1, STANDING))

    assert [] == bench.house.questions


def test_no_deadline_ends_what_people_do_by_hand() -> None:
    bench = tied({"s": act("paint", "door")})

    bench.run(after(7200, look(ground="broken", a="1")), after(1, STANDING))

    timers = [entry.name for entry in bench.book.entries if isinstance(entry, e.TimerSet)]
    assert [] == [name for name in timers if name.startswith("deadline/")]
    stuck = [x for x in bench.book.entries if isinstance(x, e.Decided) and "stuck" in repr(x)]
    assert [] == stuck


def test_the_deadline_begins_when_the_run_has_hands() -> None:
    rules = Site({"ground": dict(WISHES)}).rules()
    watched = turn(rules, begun(rules), BROKEN, tied=True)

    done = turn(rules, watched.memory, BROKEN, START + 7200)

    assert [START + 7200 + 600] == [
        x.due for x in entries(done, e.TimerSet) if "deadline" in x.name
    ]
    assert ["door"] == [intent.target for intent in done.intents]


@pytest.mark.parametrize("answer", [Stuck("r", "m", "h"), BURN])
def test_a_tied_session_goes_on_where_only_a_person_can(answer: Answer) -> None:
    assert Exit.DONE == tied({"s": answer}).run(after(1), after(1), after(1, STANDING))


def test_an_interrupt_closes_the_books_of_a_tied_session() -> None:
    bench = tied(WISHES)

    def interrupt(house: House) -> Wakeup:
        del house
        bench.runner.interrupt()
        return Wakeup()

    assert Exit.INTERRUPTED == bench.run(interrupt)
    last = bench.book.entries[-1]
    assert isinstance(last, e.RunInterrupted)
    assert "signal" == last.why


def lasting(seen: Look, *script: Play) -> Bench:
    """A session that its goal does not end, until somebody ends it."""
    bench = Bench(Site(), seen, tied=True, lasting=True)

    def interrupt(house: House) -> Wakeup:
        del house
        bench.runner.interrupt()
        return Wakeup()

    assert Exit.INTERRUPTED == bench.run(*script, interrupt)
    return bench


def test_a_lasting_session_goes_on_when_its_goal_is_reached() -> None:
    """Mutants: let it move to done; let it say that what came before cannot be seen."""
    bench = lasting(BROKEN, after(1, STANDING), after(60))

    moves = [entry.target for entry in bench.book.entries if isinstance(entry, e.Moved)]
    assert ["walls", "roof"] == moves
    assert bench.runner.memory.at_goal
    assert {"machine": {"answer": "done"}} == bench.runner.memory.answers
    rules = Site().rules()
    run = [msgspec.structs.replace(opened(rules), lasting=True), *bench.book.entries]
    assert () == replay(rules.recipe, run)[1]


def test_a_lasting_session_says_when_its_goal_is_lost_and_goes_back() -> None:
    broken = look(ground="ok", walls="broken", roof="ok")
    bench = lasting(STANDING, after(1, broken), after(31), after(60))

    moves = [(x.source, x.target) for x in bench.book.entries if isinstance(x, e.Moved)]
    assert ("roof", "walls") == moves[-1]
    assert not bench.runner.memory.at_goal


def test_a_goal_that_cannot_be_seen_is_not_said_to_be_reached() -> None:
    """Mutant: ask the last goal alone."""
    bench = lasting(STANDING, after(1, look(ground="hidden", walls="ok", roof="ok")), after(1))

    assert not bench.runner.memory.at_goal
    assert "cannot be seen" in str(bench.runner.memory.answers["machine"]["reason"])


def test_a_cancel_closes_a_run_that_watches() -> None:
    bench = tied(WISHES)

    def cancel(house: House) -> Wakeup:
        del house
        bench.requested = [e.CancelRequested(at=START, actor="p")]
        return Wakeup()

    assert Exit.CANCELLED == bench.run(cancel)


def test_a_tied_world_begins_nothing_whoever_asks() -> None:
    house = House(Order(), BROKEN)
    world = TiedWorld(house)

    with pytest.raises(AssertionError, match="about to paint door"):
        world.start(INTENT)
    with pytest.raises(AssertionError, match="adopt a1"):
        world.adopt(INTENT)
    assert not world.ask(Question("q", "d", "s", "?"))
    assert ([], [], []) == (house.started, house.adopted, house.questions)
    assert (house.seen, START) == (world.look(), world.now())


def test_a_tied_session_has_such_a_world() -> None:
    """Mutant: give the session the world as it is."""
    bench = Bench(Site(), BROKEN, intended("paint", "door"), tied=True)

    with pytest.raises(AssertionError, match="about to adopt a1"):
        bench.runner.resume("host", idle_seconds=0, fresh_deadlines=False)


# --- what others did -----------------------------------------------------------------------------


def seen(plan: Plan, before: Memory, after_: Memory, wished: Collection[str]) -> list[Deed]:
    """Somebody painted if the wish is gone and the door is red."""
    del plan
    red = after_.facts["door"].code == "red"
    done = [key.split() for key in before.wished if red and key not in wished]
    return [Deed(verb, target, "door", "grey", "red") for verb, target in done]


def site() -> Site:
    def wish(memory: Memory) -> dict[str, Answer]:
        return {"s": act("paint", "door")} if memory.facts["door"].code == "grey" else {}

    return Site({"ground": wish}, deeds=seen)


def test_what_was_wished_and_is_there_without_us_was_done_by_somebody() -> None:
    bench = Bench(site(), look(ground="broken", door="grey"), tied=True)
    red = look(ground="broken", door="red")

    bench.run(
        after(5, red), after(1, look(ground="broken", door="red", a="1")), after(1, STANDING_RED)
    )

    deeds = [entry for entry in bench.book.entries if isinstance(entry, e.ByHand)]
    assert [("paint", "door", START + 5)] == [(x.verb, x.target, x.at) for x in deeds]
    assert {"subject": "door", "old": "grey", "new": "red"} == deeds[0].evidence
    assert ["door"] == [deed.target for deed in bench.runner.memory.deeds]


STANDING_RED = look(ground="ok", walls="ok", roof="ok", door="red")


def test_what_we_began_was_not_done_by_somebody() -> None:
    """Mutant: leave ``wished`` as it is when an action is intended."""
    rules = site().rules()
    first = turn(rules, begun(rules), look(ground="broken", door="grey"))
    assert {} == first.memory.wished

    done = turn(rules, first.memory, look(ground="broken", door="red"), START + 5)

    assert [] == entries(done, e.ByHand)


def test_a_run_that_asks_sees_that_somebody_did_it_without_answering() -> None:
    """Mutant: take only acts for wishes."""

    def wish(memory: Memory) -> dict[str, Answer]:
        return {"t": BURN} if memory.facts["door"].code == "grey" else {}

    asking = Site({"ground": wish}, deeds=seen)
    bench = Bench(asking, look(ground="broken", door="grey"), patient=True)

    bench.run(after(5, look(ground="broken", door="red")), after(1, STANDING_RED))

    deeds = [entry for entry in bench.book.entries if isinstance(entry, e.ByHand)]
    assert [("saw", "t")] == [(deed.verb, deed.target) for deed in deeds]


def test_recognising_changes_no_answer_and_no_replay() -> None:
    blind, aware = site(), site()
    blind.deeds = lambda _plan, _before, _after, _wished: ()
    found = []
    for one in (blind, aware):
        bench = Bench(one, look(ground="broken", door="grey"), tied=True)
        bench.run(after(5, look(ground="broken", door="red")), after(1, STANDING_RED))
        told = [x for x in bench.book.entries if not isinstance(x, e.ByHand)]
        found.append(told)
        rules = one.rules()
        run = [opened(rules), *bench.book.entries]
        assert () == replay(rules.recipe, run)[1]
    assert found[0] == found[1]


# --- folding -------------------------------------------------------------------------------------


def test_a_question_about_an_action_is_a_wish_too() -> None:
    bodies: dict[str, dict[str, Any]] = {
        "s": {"answer": "act", "verb": "paint", "target": "door"},
        "t": {"answer": "ask", "question": "?", "evidence": {"verb": "saw"}},
        "u": {"answer": "ask", "question": "?", "evidence": {"verb": "saw", "target": "gate"}},
        "v": {"answer": "ask", "question": "?"},
        "w": {"answer": "wait", "reason": "x"},
    }
    asked = {"u": Ask("?", "", {"verb": "saw", "target": "gate"})}

    assert ["paint door", "saw t", "saw gate"] == list(wishes_in(bodies))
    assert {"paint door", "saw t", "saw gate"} == wishes_of({**WISHES, **asked})


@pytest.mark.parametrize(
    ("purpose", "world", "becomes"),
    [
        ("watch", {}, "run"),
        ("watch", {"world": "w"}, "rehearse"),
        ("run", {}, "run"),
    ],
)
def test_a_run_that_is_taken_over_has_hands(
    purpose: str, world: dict[str, str], becomes: str
) -> None:
    rules = Site().rules()
    began = e.RunOpened(
        at=START,
        run_id="r1",
        purpose=purpose,
        cluster="house",
        identity={},
        plan={},
        plan_digest=rules.plan.digest(),
        version="0",
        initial="ground",
        world=world,
        lasting=True,
    )

    memory = fold_all(Memory(), [began, e.TakenOver(at=START, actor="p")])

    assert (becomes, False) == (memory.purpose, memory.watches)
    assert not memory.lasting


def test_the_code_before_the_present_one_is_kept_while_the_subject_is_there() -> None:
    def codes(*looks: e.Observed) -> dict[str, str]:
        return fold_all(Memory(), list(looks)).codes

    first = e.Observed(at=1, changed=look(a="x", b="x").facts)
    second = e.Observed(at=2, changed=look(a="y").facts)
    same = e.Observed(at=3, changed={"a": e.Fact("y", "another reason")})
    gone = e.Observed(at=4, removed=("a",))

    assert {"a": "x"} == codes(first, second, same)
    assert {} == codes(first, second, same, gone)


def test_a_failed_attempt_of_ours_leaves_the_wish_to_others() -> None:
    rules = Site({"ground": {"s": act("paint", "door")}}).rules()
    memory = begun(rules, intended("paint", "door"), settled("paint", "door", "failed", "busy"))
    wishing = e.Decided(
        at=START + 1,
        state="ground",
        answers={"s": {"answer": "act", "verb": "paint", "target": "door"}},
    )

    assert {"paint door": START + 1} == fold_all(memory, [wishing]).wished
