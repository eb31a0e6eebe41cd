"""What the engine never allows, whatever a phase wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from engine.allowing import ACTIONS_IN_FLIGHT, asked
from engine.answer import Act, Answer, Ask, Done, Stuck, Wait
from engine.judging import GOAL, MACHINE, Rules, answers_of, spelled
from engine.memory import Memory
from engine.plan import DONE, Plan
from engine.recipe import Facts
from journal import entries as e
from journal.entries import AnyEntry, Fact, Objection
from journal.redactor import redact_text
from tests.engine.making import START, VERBS, Site, Wishes, act, begun, intended, settled, tried


def judged(
    wish: Wishes, *entries: AnyEntry, state: str = "ground", site: Site | None = None
) -> dict[str, Answer]:
    site = site or Site()
    site.wishes[state] = wish
    rules = site.rules()
    return answers_of(rules, begun(rules, *entries, state=state))


def one(verb: str, *entries: AnyEntry, target: str = "door", site: Site | None = None) -> Answer:
    return judged({"subject": act(verb, target)}, *entries, site=site)["subject"]


def said(answer: Answer) -> str:
    return answer.reference if isinstance(answer, Stuck) else type(answer).__name__


def asked_and(
    answer: str, ask: Ask, *, at: float = START, subject: str = "subject"
) -> list[AnyEntry]:
    question = asked(begun(Site().rules()), subject, ask)
    kind = e.ApprovalGiven if answer == "given" else e.ApprovalRefused
    reply = kind(at=at, approval=question.approval, digest=question.digest, actor="p")
    return [question, reply]


# --- attempts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((), "Act"),
        (tried("paint", "door", "done"), "Act"),
        (tried("paint", "door", "failed", "transient"), "Act"),
        (tried("paint", "door", "failed", "not-happened"), "Act"),
        (tried("paint", "door", "unsettled", "no-answer"), "Act"),
        (tried("paint", "door", "failed", "denied"), "action-refused"),
        (tried("paint", "door", "failed", "invalid"), "action-refused"),
        (tried("paint", "gate", "failed", "denied"), "Act"),  # somebody else's refusal
        (tried("paint", "door", "failed", "transient") * 3, "attempts-exhausted"),
        ((intended("paint", "door"),), "Wait"),
        ((intended("pour", "door"),), "Wait"),  # one action a target, whichever verb
        ((intended("paint", "gate"),), "Act"),
    ],
)
def test_what_came_before_decides_about_another_attempt(
    entries: tuple[AnyEntry, ...], expected: str
) -> None:
    assert expected == said(one("paint", *entries))


@pytest.mark.parametrize("code", ["exit-3", "transient"])
def test_what_failed_says_where_its_words_are_and_what_to_do(code: str) -> None:
    """Mutants: leave the output out of ``_evidence``; name no command in the hint."""
    failed = msgspec.structs.replace(
        settled("paint", "door", "failed", code), evidence={"output": "/x/j.db.output/a1.log"}
    )
    times = 3 if code == "transient" else 1
    stuck = one("paint", *(intended("paint", "door"), failed) * times)

    assert isinstance(stuck, Stuck)
    assert stuck.message.endswith(f"{code} (what it said is in /x/j.db.output/a1.log)")
    assert "`rekindle resume` tries again" in stuck.hint


def test_a_command_that_hung_is_not_said_to_have_said_so() -> None:
    retry = e.RetryScheduled(
        at=START, verb="paint", target="door", attempt=2, delay=9, due=START + 9, code="timeout"
    )
    hung = tried("paint", "door", "unsettled", "timeout")
    wait = one("paint", *hung, retry)

    assert isinstance(wait, Wait)
    assert wait.reason == "paint door did not end in its time and was ended; tried again soon"


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"why": "too early: the wood is wet"}, " (too early: the wood is wet)"),
        ({"output": "/x/a1.log"}, ""),
        ({}, ""),
    ],
)
def test_what_is_tried_again_says_why_it_was_refused(evidence: dict[str, str], said: str) -> None:
    """Mutants: no words; a path that is another one at each attempt, so that each would be a decision of its own."""
    retry = e.RetryScheduled(
        at=START, verb="paint", target="door", attempt=2, delay=9, due=START + 9, code="transient"
    )
    failed = msgspec.structs.replace(
        settled("paint", "door", "failed", "transient"), evidence=dict(evidence)
    )
    wait = one("paint", intended("paint", "door"), failed, retry)

    assert isinstance(wait, Wait)
    assert wait.reason == f"paint door ended with transient{said}; tried again soon"


def test_a_retry_waits_for_its_instant() -> None:
    retry = e.RetryScheduled(
        at=START, verb="paint", target="door", attempt=2, delay=9, due=START + 9, code="transient"
    )
    failed = tried("paint", "door", "failed", "transient")
    later = e.Note(at=START + 9, text="", actor="")

    waiting = one("paint", *failed, retry)
    assert isinstance(waiting, Wait)
    assert START + 9 == waiting.until
    assert "Act" == said(one("paint", *failed, retry, later))


def test_a_retry_waits_for_its_instant_in_the_next_state_as_well() -> None:
    """What ended in doubt may still be at work. Mutant: whatever is asked first in a state is begun at once."""
    retry = e.RetryScheduled(
        at=START, verb="paint", target="door", attempt=2, delay=9, due=START + 9, code="no-answer"
    )
    moved = e.Moved(at=START, source="walls", target="ground", why="")
    unsettled = tried("paint", "door", "unsettled", "no-answer")

    waiting = one("paint", *unsettled, retry, moved)
    assert isinstance(waiting, Wait)
    assert START + 9 == waiting.until


def test_entering_a_state_anew_forgives_the_attempts() -> None:
    moved = e.Moved(at=START, source="walls", target="ground", why="")

    answer = one("paint", *tried("paint", "door", "failed", "denied"), moved)

    assert "Act" == said(answer)


def keyed(outcome: str, code: str, once: str, times: int = 1) -> tuple[AnyEntry, ...]:
    begun_ = intended("paint", "door", once=once)
    return (begun_, settled("paint", "door", outcome, code)) * times


def once_per(key: str, *entries: AnyEntry) -> str:
    return said(judged({"subject": act("paint", "door", once=key)}, *entries)["subject"])


@pytest.mark.parametrize(
    ("outcome", "code", "times", "expected"),
    [
        ("done", "", 3, "attempts-exhausted"),
        ("failed", "transient", 3, "attempts-exhausted"),
        ("failed", "transient", 2, "Act"),
        ("failed", "denied", 1, "action-refused"),
    ],
)
def test_what_is_done_once_per_key_has_patience_for_each_key(
    outcome: str, code: str, times: int, expected: str
) -> None:
    """Mutants: count by the target alone, and another key is given up for this one; do not count what has a key."""
    before = keyed(outcome, code, "red", times)

    assert once_per("red", *before) == expected
    assert once_per("blue", *before) == "Act"
    assert said(one("paint", *before)) == "Act", "nor is what has no key counted with it"


def test_a_key_is_given_up_whatever_came_between() -> None:
    """Mutant: begin the count anew with each other key; two that take turns would never end."""
    between = [entry for key in ("red", "blue") * 3 for entry in keyed("failed", "transient", key)]

    assert once_per("red", *between) == "attempts-exhausted"
    assert once_per("blue", *between) == "attempts-exhausted"


def test_a_key_that_the_journal_redacts_is_counted_as_it_is_written() -> None:
    """Mutant: count what is wished and not what was written; it would never be seen to have been tried."""
    key = "door/password: hunter2!"
    written = redact_text(key)
    assert written != key

    assert once_per(key, *keyed("failed", "transient", written, 3)) == "attempts-exhausted"


def test_another_key_waits_for_the_pause_of_its_target_all_the_same() -> None:
    """What ended in doubt may still be at work. Mutant: the pause is the key's."""
    retry = e.RetryScheduled(
        at=START, verb="paint", target="door", attempt=2, delay=9, due=START + 9, code="no-answer"
    )

    assert once_per("blue", *keyed("unsettled", "no-answer", "red"), retry) == "Wait"


def test_a_refusal_names_its_evidence() -> None:
    refused = e.ActionSettled(
        at=START,
        action="a1",
        verb="paint",
        target="door",
        outcome=e.Outcome.FAILED,
        code="denied",
        evidence={"message": "no such colour"},
    )

    answer = one("paint", intended("paint", "door"), refused)

    assert isinstance(answer, Stuck)
    assert "paint door was refused: denied (no such colour)" == answer.message


def test_a_disabled_verb_is_named_with_the_way_to_allow_it() -> None:
    site = Site(verbs={**VERBS, "paint": replace(VERBS["paint"], enabled=False)})

    answer = one("paint", site=site)

    assert isinstance(answer, Stuck)
    assert "verb-disabled" == answer.reference
    assert "machine.verbs.paint.enabled" in answer.hint


# --- the preflight -------------------------------------------------------------------------------


def objected(*blocks: str, target: str = "", verdict: str = "red") -> e.Preflighted:
    row = Objection("a.b", verdict, "brush", "is gone", "buy one", blocks, target)
    return e.Preflighted(at=START, checked=3, objections=(row,))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (objected("paint"), "preflight-failed"),
        (objected("*"), "preflight-failed"),
        (objected("saw", "paint"), "preflight-failed"),
        (objected("paint", target="door"), "preflight-failed"),
        (objected("paint", target="gate"), "Act"),
        (objected("paint", target="doo"), "Act"),
        (objected("saw"), "Act"),
        (objected(verdict="warning"), "Act"),
    ],
)
def test_a_red_row_forbids_the_verbs_that_it_names_and_no_others(
    entry: e.Preflighted, expected: str
) -> None:
    """Mutants: forbid without looking at the verb, or at the target; leave ``_objected`` out."""
    assert expected == said(one("paint", entry))


def test_a_red_row_of_a_command_is_one_for_every_node_that_it_is_run_for() -> None:
    """Mutants: compare targets as they are; take what only begins alike for the same."""
    wish: Wishes = {name: act("paint", name) for name in ("door/left", "doorstep/left")}

    assert ["preflight-failed", "Act"] == [
        said(answer) for answer in judged(wish, objected("paint", target="door")).values()
    ]


def test_what_the_preflight_forbids_is_said_with_what_to_do() -> None:
    answer = one("paint", objected("paint"))

    assert isinstance(answer, Stuck)
    assert "paint door is needed, and a.b forbids it: brush: is gone" == answer.message
    assert "buy one; `rekindle resume` looks again" == answer.hint


def test_the_latest_preflight_is_the_one_that_counts() -> None:
    mended = e.Preflighted(at=START, checked=3)

    assert "Act" == said(one("paint", objected("paint"), mended))
    assert "preflight-failed" == said(one("paint", mended, objected("paint")))


def test_one_forbidden_wish_does_not_stop_another() -> None:
    wish: Wishes = {"a": act("paint", "door"), "b": act("paint", "gate"), "c": act("pour", "mould")}

    assert ["preflight-failed", "Act", "Act"] == [
        said(answer) for answer in judged(wish, objected("paint", target="door")).values()
    ]


# --- at most one ---------------------------------------------------------------------------------


def test_two_wishes_for_one_target_take_turns() -> None:
    answers = judged({"a": act("paint", "door"), "b": act("paint", "door")})

    assert ["Act", "Wait"] == [said(answer) for answer in answers.values()]


def test_a_verb_of_scope_cluster_begins_once_a_turn() -> None:
    """Mutant: by target alone, one turn would pour twice."""
    answers = judged({"a": act("pour", "east"), "b": act("pour", "west")})

    assert ["Act", "Wait"] == [said(answer) for answer in answers.values()]


def test_a_verb_of_scope_cluster_waits_for_the_one_in_flight() -> None:
    assert "Wait" == said(one("pour", intended("pour", "east"), target="west"))


def test_only_so_many_actions_are_in_flight() -> None:
    wishes: dict[str, Answer] = {f"s{n}": act("paint", f"t{n}") for n in range(20)}
    fresh = judged(wishes)
    busy = judged(wishes, *[intended("paint", f"x{n}", f"b{n}") for n in range(5)])

    assert ACTIONS_IN_FLIGHT == [said(a) for a in fresh.values()].count("Act")
    assert ACTIONS_IN_FLIGHT - 5 == [said(a) for a in busy.values()].count("Act")


# --- approvals -----------------------------------------------------------------------------------

QUESTION = Ask("burn it?", "it is gone", {"uid": "u1"}, typed="door")


def wish(question: Ask = QUESTION) -> Wishes:
    return {"subject": replace(act("paint", "door"), approval=question)}


def test_an_action_with_an_approval_asks_first() -> None:
    assert {"subject": QUESTION} == judged(wish())


def test_a_given_approval_lets_the_action_go() -> None:
    answer = judged(wish(), *asked_and("given", QUESTION))["subject"]

    assert isinstance(answer, Act)


def test_a_refused_approval_is_stuck() -> None:
    acted = judged(wish(), *asked_and("refused", QUESTION))["subject"]
    bare = judged({"subject": QUESTION}, *asked_and("refused", QUESTION))["subject"]

    assert ["approval-refused"] * 2 == [said(acted), said(bare)]


@pytest.mark.parametrize(
    "changed",
    [
        replace(QUESTION, evidence={"uid": "u2"}),
        replace(QUESTION, evidence={"uid": "u1", "more": 1}),
        replace(QUESTION, typed="gate"),
        replace(QUESTION, consequence="it is gone, and the shed with it"),
    ],
)
def test_an_answer_counts_only_while_what_it_is_bound_to_holds(changed: Ask) -> None:
    assert {"subject": changed} == judged(wish(changed), *asked_and("given", QUESTION))


def test_an_answer_is_bound_to_its_subject_and_its_cluster() -> None:
    memory = begun(Site().rules())
    here = asked(memory, "subject", QUESTION)

    elsewhere = msgspec.structs.replace(memory, cluster="hut")
    assert here.digest != asked(memory, "other", QUESTION).digest
    assert here.digest != asked(elsewhere, "subject", QUESTION).digest
    leak = replace(QUESTION, consequence="more than that is gone")
    assert here.digest != asked(memory, "subject", leak).digest
    assert here.digest == asked(memory, "subject", replace(QUESTION, question="really?")).digest
    assert {"subject": QUESTION} == judged(wish(), *asked_and("given", QUESTION, subject="other"))


def test_a_verb_that_wants_a_typed_approval_is_asked_for_whatever_the_phase_thinks() -> None:
    """Mutant: ``typed_approval`` that only ``rekindle plan`` reads."""
    answer = one("saw")

    assert isinstance(answer, Ask)
    assert "door" == answer.typed
    assert "Act" == said(one("saw", *asked_and("given", answer)))
    assert "approval-refused" == said(one("saw", *asked_and("refused", answer)))


def test_a_plain_yes_of_the_phase_becomes_a_typed_one_where_the_verb_wants_it() -> None:
    plain = replace(QUESTION, typed="")

    answer = judged({"subject": replace(act("saw", "door"), approval=plain)})["subject"]

    assert replace(plain, typed="door") == answer


def test_a_typed_approval_of_a_keyed_action_is_bound_to_its_key_not_to_its_token() -> None:
    def token(memory: Memory) -> dict[str, Answer]:
        return {"subject": act("saw", "door", once="k", requested_at=memory.now)}

    first = judged(token)["subject"]
    later = e.Note(at=START + 99, text="", actor="")

    assert isinstance(first, Ask)
    assert "Act" == said(judged(token, *asked_and("given", first), later)["subject"])


# --- doubt ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["done", "unsettled"])
@pytest.mark.parametrize("target", ["door", "gate"])
def test_a_once_verb_is_never_repeated_without_a_person(outcome: str, target: str) -> None:
    """Doubt about a verb of scope cluster forbids it for every target."""
    answer = one("pour", *tried("pour", "door", outcome), target=target)

    assert isinstance(answer, Ask)
    assert target == answer.typed
    assert "a1" == answer.evidence["action"]


def test_a_once_verb_that_certainly_did_nothing_is_repeated() -> None:
    assert "Act" == said(one("pour", *tried("pour", "door", "failed", "transient")))


def test_doubt_about_another_target_does_not_forbid_a_verb_of_scope_target() -> None:
    site = Site(verbs={**VERBS, "pour": replace(VERBS["pour"], scope="target")})

    assert "Act" == said(one("pour", *tried("pour", "gate", "unsettled"), site=site))
    assert "Ask" == said(one("pour", *tried("pour", "door", "unsettled"), site=site))


def test_an_answer_from_before_the_doubt_is_no_answer_to_it() -> None:
    """
    The same question cannot be asked twice, so the doubt asks its own.

    Mutant: the answered question comes back, nobody can answer it again, and the run waits for ever.
    """
    wish: Wishes = {"subject": replace(act("pour", "door"), approval=QUESTION)}
    given = asked_and("given", QUESTION, at=START + 1)
    attempt = tried("pour", "door", "unsettled", at=START + 2)

    answer = judged(wish, *given, *attempt)["subject"]

    assert isinstance(answer, Ask)
    assert answer.evidence != QUESTION.evidence
    again = asked_and("given", answer, at=START + 3)
    assert "Act" == said(judged(wish, *given, *attempt, *again)["subject"])
    spent = tried("pour", "door", "unsettled", action="a2", at=START + 4)
    assert "Ask" == said(judged(wish, *given, *attempt, *again, *spent)["subject"])


def test_a_late_no_settles_the_doubt() -> None:
    no = settled("pour", "door", "failed", "not-happened")

    assert "Act" == said(one("pour", *tried("pour", "door", "unsettled"), no))


# --- deadlines, flapping, silence ----------------------------------------------------------------

LATE = (
    e.TimerSet(at=START, name="deadline/ground", due=START + 1, span=600.0),
    e.TimerFired(at=START + 1, name="deadline/ground", due=START + 1),
)


def test_after_the_deadline_nothing_is_begun_and_nothing_is_waited_for() -> None:
    wishes: dict[str, Answer] = {
        "a": act("paint", "door"),
        "b": Wait("for the sun"),
        "c": QUESTION,
        "d": Stuck("r", "m", "h"),
    }

    answers = judged(wishes, *LATE)

    late = "state-deadline-passed"
    assert [late, late, "Ask", "r"] == [said(answer) for answer in answers.values()]
    assert isinstance(answers["b"], Stuck)
    assert (
        "ground did not reach its goal within 10 m; at the end: for the sun" == answers["b"].message
    )


BEHIND: dict[str, Answer] = {
    "a": act("pour", "door"),
    "b": Wait("for a", START + 5, can_clear="unknown"),
    "c": Wait("for the sun"),
}


@pytest.mark.parametrize("late", [(), LATE], ids=["in time", "late"])
def test_what_waits_behind_what_is_stuck_waits_in_vain_and_never_for_a_deadline(
    late: tuple[AnyEntry, ...],
) -> None:
    """Mutants: the domain is not asked; asked before the engine refuses an act; out of time like all the rest."""
    asked_about: list[set[str]] = []

    def behind(plan: Plan, memory: Memory, answers: Mapping[str, Answer]) -> set[str]:
        del plan, memory
        asked_about.append({s for s, answer in answers.items() if isinstance(answer, Stuck)})
        return {"a", "b"}

    site = Site({"ground": BEHIND})
    table = replace(site.recipe(), behind=behind)
    rules = Rules.of(table, site.rules().plan)
    refused = tried("pour", "door", "failed", "denied")

    answers = answers_of(rules, begun(rules, *refused, *late))

    assert asked_about == [{"a"}]
    assert said(answers["a"]) == "action-refused"
    assert answers["b"] == Wait("for a", START + 5, can_clear="no")
    assert said(answers["c"]) == ("state-deadline-passed" if late else "Wait")


def test_who_names_nobody_behind_has_nobody_who_waits_in_vain() -> None:
    refused = tried("pour", "door", "failed", "denied")

    answers = judged(BEHIND, *refused)

    assert (answers["b"], answers["c"]) == (BEHIND["b"], BEHIND["c"])


def test_the_deadline_of_another_state_says_nothing() -> None:
    assert {"b": Wait("x")} == judged({"b": Wait("x")}, *LATE, state="walls")


def flapped(count: int, *more: AnyEntry) -> tuple[Rules, Memory]:
    site = Site({"roof": {"s": Wait("x")}})
    rules = site.rules()
    entries: list[AnyEntry] = []
    for n in range(count):
        at = START + n
        entries += [
            e.TimerFired(at=at, name="damping/ground", due=at),
            e.Moved(at=at, source="roof", target="ground", why=""),
            e.Moved(at=at, source="ground", target="roof", why=""),
        ]
    entries += [
        e.Observed(at=START + 9, changed={"ground": Fact("broken"), "walls": Fact("ok")}),
        e.TimerFired(at=START + 9, name="damping/ground", due=START + 9),
        *more,
    ]
    return rules, begun(rules, *entries, state="roof")


@pytest.mark.parametrize(("count", "asks"), [(2, False), (3, True), (4, True)])
def test_what_keeps_breaking_is_asked_about(count: int, asks: bool) -> None:  # noqa: FBT001
    assert asks is (MACHINE in answers_of(*flapped(count)))


def test_regressions_of_long_ago_do_not_count() -> None:
    later = e.Note(at=START + 9999, text="", actor="")

    assert MACHINE not in answers_of(*flapped(4, later))


def test_a_refused_way_back_is_stuck_and_not_silent() -> None:
    rules, memory = flapped(3)
    question = answers_of(rules, memory)[MACHINE]
    assert isinstance(question, Ask)
    no = asked_and("refused", question, subject=MACHINE)

    assert "approval-refused" == said(answers_of(*flapped(3, *no))[MACHINE])


def seen(**codes: str) -> e.Observed:
    return e.Observed(at=START, changed={name: Fact(code) for name, code in codes.items()})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"ground": "ok"}, "the goal holds; what came before it cannot be seen just now"),
        ({"ground": "broken"}, "ground is broken"),
        ({}, "ground is not seen"),
    ],
)
def test_where_no_phase_says_anything_the_goal_speaks(facts: dict[str, str], expected: str) -> None:
    assert {MACHINE: Wait(expected)} == judged({"a": Done()}, seen(**facts))


def test_where_an_earlier_goal_broke_it_is_named() -> None:
    answers = judged({}, seen(ground="broken", walls="ok"), state="walls")

    assert {MACHINE: Wait("ground no longer holds: ground is broken")} == answers


def test_what_the_domain_holds_back_is_never_begun_and_the_goal_itself_is_not_its_business() -> (
    None
):
    """Mutant: ``wishes`` does not ask ``held``."""

    def held(
        plan: Plan, facts: Facts, memory: Memory, answers: dict[str, Answer]
    ) -> dict[str, Answer]:
        del plan, facts, memory
        return {subject: Wait("it storms") for subject in answers}

    site = Site({"ground": {"s": act("paint", "door"), "t": Ask("burn it?", "gone", {})}})
    owing = Stuck("r", "sweep up", "")
    table = replace(site.recipe(), held=held, objection=lambda _plan, _memory: owing)
    rules = Rules.of(table, site.rules().plan)

    storm = Wait("it storms")
    assert {"s": storm, "t": storm, GOAL: owing} == answers_of(rules, begun(rules))


def test_done_answers_nothing() -> None:
    assert {} == judged({"a": Wait("x")}, state=DONE)


def test_an_answer_is_spelled_as_the_journal_will_hold_it() -> None:
    """Mutant: unredacted, the same answer would look new on every turn."""
    answer = Wait("vault-password: hunter2!x", until=5.0, can_clear="no")

    assert {
        "answer": "wait",
        "reason": "vault-password: [redacted:password]",
        "until": 5.0,
        "can_clear": "no",
    } == spelled(answer)
    assert {"answer": "stuck", "reference": "r", "message": "m"} == spelled(Stuck("r", "m", ""))
    assert {"answer": "done"} == spelled(Done())
    assert "wait" == spelled(Wait("x"))["answer"]
