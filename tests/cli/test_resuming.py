"""What a resumed run says after its first look: what is done, how the doubt ended, what is to do and what drifted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from engine.answer import Act, Answer, Ask, Wait
from engine.memory import Attempt, Memory
from journal.entries import Outcome
from rekindle.resuming import Resuming, has_looked, plan_of
from tests.phases.making import facts


def attempt(target: str, outcome: Outcome | None, action: str = "") -> Attempt:
    return Attempt(action or target, "paint", target, 1, 1, 0.0, 60.0, outcome=outcome)


def memory(*attempts: Attempt) -> Memory:
    return Memory(last={f"paint {one.target}": one for one in attempts})


BEFORE = memory(
    attempt("wall", Outcome.DONE),
    attempt("door", Outcome.DONE),
    attempt("roof", None),
    attempt("gate", Outcome.UNSETTLED),
    attempt("shed", None),
    attempt("well", None),
    attempt("barn", Outcome.FAILED),
)
NOW = memory(
    attempt("wall", Outcome.DONE),
    attempt("door", Outcome.DONE),
    attempt("roof", Outcome.DONE),
    attempt("gate", Outcome.FAILED),
    attempt("shed", None),
    attempt("well", None, "once-more"),
    attempt("barn", Outcome.FAILED),
)
DOOR = Act("paint", "door", {}, "it is bare")
QUESTION = Ask("paint the barn?", "", {"verb": "paint", "target": "barn"})
OTHER = Ask("go back to it again?", "", {})


def test_what_a_resumed_run_goes_on_with() -> None:
    """Mutants: what is wanted again counts as done; what was begun once more is in doubt; a wait is to do."""
    answers: list[Answer] = [DOOR, QUESTION, OTHER, Wait("it dries")]

    assert (
        "looked at everything; of the actions 2 done, 1 settled: happened (paint roof), "
        "1 settled: did not happen (paint gate), 1 still in doubt (paint shed), 3 to do, "
        "1 of them drifted (paint door)"
    ) == plan_of(BEFORE, NOW, answers)


def test_where_nothing_was_done_nothing_is_named() -> None:
    assert "looked at everything; of the actions 0 done, 0 to do" == plan_of(Memory(), Memory(), ())


def test_it_is_said_once_and_whoever_watches_hears_everything() -> None:
    """Mutants: say it after every turn; keep a turn or a commit to oneself."""
    said, heard = list[str](), list[str]()

    class Watching:
        def turned(self, rules: Any, turn: Any) -> None:  # noqa: ANN401
            del rules, turn
            heard.append("turned")

        def wrote(self, rows: Any) -> None:  # noqa: ANN401
            del rows
            heard.append("wrote")

    resuming = Resuming(Watching(), BEFORE, said.append)
    for known in (NOBODY, ALL, ALL):
        looked = msgspec.structs.replace(NOW, facts=facts(known))
        turn = SimpleNamespace(memory=looked, answers={"door": DOOR})
        resuming.wrote(())
        resuming.turned(cast("Any", None), cast("Any", turn))
        assert bool(said) == (known is ALL)

    assert [plan_of(BEFORE, NOW, [DOOR])] == said
    assert ["wrote", "turned"] * 3 == heard


NOT_YET = {"code": "Unobservable", "reason": "not-asked"}
ALL: dict[str, Any] = {"node/cp-1": "running", "api": "up", "kind/Pod": "Seen"}
NOBODY = {
    "node/cp-1": {"code": "unseen", "reason": "not-asked"},
    "api": NOT_YET,
    "kind/Pod": NOT_YET,
}


@pytest.mark.parametrize(
    ("known", "looked"),
    [
        (ALL, True),
        (NOBODY, False),
        ({}, False),
        ({**ALL, "node/cp-2": {"code": "unseen", "reason": "not-asked"}}, False),
        ({**ALL, "node/cp-2": {"code": "unseen", "reason": "refused: no route"}}, True),
        ({**ALL, "kind/Node": NOT_YET}, False),
        ({**ALL, "api": NOT_YET}, False),
        ({**NOBODY, "node/cp-1": "booting", "api": "down"}, True),
    ],
)
def test_nothing_is_said_before_everybody_was_asked(known: dict[str, Any], looked: bool) -> None:  # noqa: FBT001
    """A real cluster is asked by threads. Mutants: only nodes; only the API; kinds of an API that is away as well."""
    assert has_looked(facts(known)) is looked


def test_who_is_woken_for_another_cause_has_not_drifted() -> None:
    """Mutant: by verb and target alone."""
    woken = msgspec.structs.replace(attempt("door", Outcome.DONE), arguments={"once": "u/1/a"})
    before = memory(woken)

    for once, drifted in (("u/1/a", True), ("u/1/b", False)):
        again = Act("paint", "door", {"once": once}, "")
        assert ("drifted" in plan_of(before, before, [again])) is drifted
