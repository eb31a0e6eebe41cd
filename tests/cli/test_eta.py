"""
When it will be done, or why nobody can say.

Mutants, each tried: ``_hindrance`` does not look at questions; it holds a cause that the recovery itself clears against
it, or not in a watch; ``Forecast`` works it out on every turn; ``_steady`` is 0.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.memory import Approval, Attempt, Memory, Timer
from journal import entries as e
from journal.entries import Fact, Finding, Outcome
from phases.path import Learnt
from rekindle import eta as module
from rekindle.eta import Forecast, eta, of_found
from rekindle.ledger import sentence
from rekindle.momentary import stood
from rekindle.past import past
from tests.phases.making import START, plan
from tests.phases.test_path import TREE, finished
from tests.report.nights import AT, written

PLAN = plan(TREE)
STABLE = 30.0  # the default machine's, at the end
ROLLS_OUT = Fact("Progressing", detail={"ready": 0, "expected": 2})
RUN = Memory(
    state="flux-synced",
    now=START,
    facts={**finished(PLAN), "deployment/apps/web": ROLLS_OUT},
)
ASKED = Approval("1a2b", "1a2b", "holder/1", "off?", "gone", "", START)


def never(rule: str, *next_after: str) -> dict[str, Finding]:
    found = Finding(
        subject="helmrelease/apps/web",
        cause="c",
        message="it cannot",
        clears_itself="no",
        rule=rule,
        root=True,
        next_after=next_after,
    )
    return {"f": found}


def test_it_says_when_by_what_and_along_which_path() -> None:
    found = eta(RUN, PLAN, Learnt())

    assert found.seconds == 49.0 + STABLE
    assert found.sentence == (
        "about 1 m 19 s, by class defaults; 1 on the path: deployment/apps/web"
    )


def test_durations_of_the_run_are_counted() -> None:
    learnt = Learnt(took={"deployment": [10.0, 11.0, 12.0]})

    assert "class defaults and 3 durations of this run" in eta(RUN, PLAN, learnt).sentence
    assert eta(RUN, PLAN, learnt).seconds == 11.0 + STABLE


@pytest.mark.parametrize(("limit", "basis"), [(10, " and 3 durations of this run"), (9, "")])
def test_a_run_is_read_for_its_durations_unless_it_is_long_and_so_is_a_moment_of_it(
    limit: int, basis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: read a long run a second time, for ``status`` or for ``log --at``; read beyond the moment."""
    web = [
        finished(PLAN),
        *[{"deployment/apps/web": one} for one in [ROLLS_OUT, Fact("Ready")] * 6],
    ]
    turns = [e.Observed(at=AT + second, changed=changed) for second, changed in enumerate(web)]
    path = written(tmp_path / "j.db", turns, plan=PLAN.compiled(), initial="pods-healthy")
    monkeypatch.setattr(module, "READ_ENTRIES", limit)

    then = stood(path, None, "10").until
    now = of_found(past(path, None, "10").found, path)

    assert now.basis == f"class defaults{basis}"
    assert then == now


def test_a_time_is_told_without_the_models_of_a_plan(tmp_path: Path) -> None:
    """
    They take longer to import than all else, and so do the rules, of which one constant is asked.

    Mutants: ``Ahead.within`` makes a ``Section`` of the journal's; ``phases.hands`` imports a rule's module.
    """
    turns: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={**finished(PLAN), "deployment/apps/web": ROLLS_OUT}),
        e.FindingsChanged(at=AT, changed=never("C4")),
    ]
    path = written(tmp_path / "j.db", turns, plan=PLAN.compiled(), initial="pods-healthy")
    code = "import sys; from pathlib import Path; from rekindle.momentary import stood\n"
    code += "print(stood(Path(sys.argv[1]), None, '4').until.seconds,"
    code += " {'pydantic', 'phases.section', 'phases.diagnosis'}.intersection(sys.modules))"

    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )

    assert ended.stdout == f"{49.0 + STABLE} set()\n"


def test_a_long_path_is_shown_by_its_beginning_and_its_end() -> None:
    memory = Memory(state="node-maintenance", now=START, facts={"etcd": Fact("none")})

    said = eta(memory, plan(), Learnt())

    assert said.path[1:4] == ("etcd", "api", "daemonset/kube-system/cilium")
    assert f"etcd -> api -> ... -> {said.path[-1]}" in said.sentence


def test_done_is_now() -> None:
    assert eta(replace(RUN, state="done"), PLAN, Learnt()).seconds == 0.0


def test_a_goal_that_holds_has_only_its_window_before_it() -> None:
    timers = {"stable/pods-healthy": Timer(START + 12, STABLE)}
    memory = replace(RUN, state="pods-healthy", facts=finished(PLAN), timers=timers)

    assert eta(memory, PLAN, Learnt()).seconds == 12.0


NO_TIME: list[tuple[str, Memory, str]] = [
    (
        "a question",
        replace(RUN, approvals={"1a2b": ASKED}, answers={"holder/1": {"answer": "ask"}}),
        "a person is asked: off?",
    ),
    (
        "a dead end",
        replace(RUN, answers={"x": {"answer": "stuck", "message": "no way"}}),
        "stuck: no way",
    ),
    ("a cause that stays", replace(RUN, findings=never("H1")), "never clears by itself: it cannot"),
    ("a held namespace", replace(RUN, findings=never("N6")), "never clears by itself"),
    (
        "a missing network, with tied hands",
        replace(RUN, purpose="watch", findings=never("T16")),
        "never clears by itself: it cannot",
    ),
    ("nothing seen", replace(RUN, facts={}), "nothing has been seen yet"),
    ("closed", replace(RUN, outcome="cancelled"), "this run is closed"),
    (
        "a circle",
        replace(RUN, facts={"etcd": Fact("healthy")}),
        "they wait for one another: ",
    ),
]


@pytest.mark.parametrize(
    ("memory", "why"), [case[1:] for case in NO_TIME], ids=[case[0] for case in NO_TIME]
)
def test_where_nobody_can_say_it_says_why(memory: Memory, why: str) -> None:
    found = eta(memory, PLAN, Learnt())

    assert found.seconds is None
    assert why in found.sentence
    assert found.sentence.startswith("not known: ")


def test_what_nobody_pursues_has_no_time() -> None:
    assert eta(RUN, PLAN, Learnt(), held=False).why == "nobody pursues it"


@pytest.mark.parametrize("findings", [never("T16"), never("C4"), never("H1", "x")])
def test_what_the_recovery_clears_or_what_blocks_later_is_no_hindrance(
    findings: dict[str, Finding],
) -> None:
    assert eta(replace(RUN, findings=findings), PLAN, Learnt()).seconds is not None


@pytest.mark.parametrize(("outcome", "known"), [(None, True), (Outcome.FAILED, False)])
def test_a_crd_that_is_being_applied_is_no_hindrance(outcome: Outcome | None, known: bool) -> None:  # noqa: FBT001
    gone = replace(never("X2")["f"], subject="crd/a.b")
    applied = Attempt("a1", "crd.preapply", "crd/a.b", 1, 1, START, 15.0, outcome=outcome)
    memory = replace(RUN, findings={"f": gone}, last={"crd.preapply crd/a.b": applied})

    assert (eta(memory, PLAN, Learnt()).seconds is not None) is known


def test_a_session_works_it_out_every_ten_seconds_of_the_world() -> None:
    forecast = Forecast()
    later = replace(RUN, facts=finished(PLAN))

    first = forecast.say(PLAN, RUN)

    assert forecast.say(PLAN, replace(later, now=START + 9)) == first
    assert forecast.say(PLAN, replace(later, now=START + 10)) != first
    assert forecast.say(PLAN, replace(later, state="done", now=START + 11)).startswith("now, ")


def test_a_ledger_in_a_line() -> None:
    """Mutant: say the shortest waits first."""
    dead = {"DW1": 5.0, "DW14": 90.0, "DW18": 600.0, "nobody": 30.0, "DW4": 20.0, "DW9": 0.4}
    found = {
        "seconds": 960.0,
        "critical_path_seconds": 240.0,
        "ratio": 4.0,
        "dead": dead,
        "useful": 200.0,
        "unknown": 14.6,
        "beside": {"DW18": 45.0},
    }

    assert sentence({"ledger": found}) == (
        "16 m; the work alone would have taken 4 m (T/CP 4); dead: a person 10 m (DW18), "
        "a held namespace 1 m 30 s (DW14), no session 30 s (nobody), busy workers 20 s (DW4) "
        "and 1 more; not known: 15 s; beside it: a person 45 s (DW18)"
    )
    assert sentence({}) == ""
