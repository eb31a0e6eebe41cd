"""
What no waiting ends is said at once; and never where something of ours is about to end it.

Mutants, each killed here: any condition of ``_is_lasting`` left out; victims keep their hope; a destructive remedy
becomes a hint; a rule is taken out of ``VERB_FOR``, ``HARMLESS`` or ``TRIED_AGAIN``, or its cause is not looked at.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act, Answer, Ask, Done, Stuck, Wait
from engine.memory import Attempt, Memory
from engine.recipe import Facts
from journal.entries import Fact, Finding, Remedy
from phases import cni_up, codes
from phases.nudges import NOT_YET
from phases.sentence import (
    KUBELET_SECONDS,
    NUDGED_SECONDS,
    SOURCE_SECONDS,
    STANDING_SECONDS,
    alarmed,
    sentenced,
)
from phases.verbs import NUDGE
from tests.phases.making import facts as made
from tests.phases.making import memory_of, plan

SUBJECT, VICTIM, OTHER = "helmrelease/apps/web", "kustomization/flux-system/apps", "store/vault"
ROOT = Finding(
    SUBJECT,
    "chart-wrong",
    "HelmRelease apps/web has no chart",
    clears_itself="no",
    rule="H5",
    root=True,
    victims=(VICTIM,),
    remedies=(
        Remedy("forceAt", "destructive"),
        Remedy("pin the chart by hand", "reversible"),
        Remedy("correct the chart's version in Git", "look"),
    ),
)
WAITS: dict[str, Answer] = {subject: Wait("not yet") for subject in (SUBJECT, VICTIM, OTHER)}
NOW = 1000.0


def memory(stood: float = STANDING_SECONDS, **fields: Any) -> Memory:  # noqa: ANN401
    return Memory(**{"now": NOW, "found_at": {"f": NOW - stood}, **fields})


def test_what_can_never_clear_is_stuck_and_what_waits_behind_it_has_no_hope() -> None:
    told = sentenced(WAITS, {"f": ROOT}, memory())

    stuck = told[SUBJECT]
    assert isinstance(stuck, Stuck)
    assert stuck.reference == "cause-cannot-clear"
    assert "HelmRelease apps/web has no chart" in stuck.message
    assert stuck.hint.startswith("correct the chart's version in Git; pin the chart by hand;")
    assert "forceAt" not in stuck.hint
    assert told[VICTIM] == Wait("not yet", can_clear="no")
    assert told[OTHER] == WAITS[OTHER]


def test_what_destroys_is_no_hint_even_where_nothing_else_is_known() -> None:
    root = replace(ROOT, remedies=(Remedy("forceAt", "destructive"), Remedy("/finalize", "never")))

    stuck = sentenced(WAITS, {"f": root}, memory())[SUBJECT]
    assert isinstance(stuck, Stuck)
    assert stuck.hint.startswith("mend its cause; ")


@pytest.mark.parametrize(
    "root",
    [
        replace(ROOT, clears_itself="unknown"),
        replace(ROOT, clears_itself="yes"),
        replace(ROOT, root=False),
        replace(ROOT, next_after=("other",)),
        replace(ROOT, rule="N6"),  # finalizers: a person is asked
        replace(ROOT, rule="C4"),  # CRDs: applied out of band
        replace(ROOT, rule="T16"),  # the network: its command
    ],
)
def test_no_sentence_where_waiting_or_the_recovery_may_help(root: Finding) -> None:
    assert sentenced(WAITS, {"f": root}, memory()) == WAITS


def test_a_cause_is_given_the_time_that_a_controller_needs() -> None:
    assert sentenced(WAITS, {"f": ROOT}, memory(STANDING_SECONDS - 1)) == WAITS
    assert sentenced(WAITS, {"f": ROOT}, Memory(now=NOW)) == WAITS


@pytest.mark.parametrize(
    "answer",
    [
        Act(NUDGE, SUBJECT, {}, "its cause has cleared"),
        Ask("may I?", "something", {}),
        Stuck("suspended-in-cluster", "it is suspended", "ask why"),
    ],
)
def test_what_is_done_or_asked_or_said_already_stands(answer: Answer) -> None:
    answers = {**WAITS, SUBJECT: answer}

    assert sentenced(answers, {"f": ROOT}, memory()) == answers


@pytest.mark.parametrize("cause", ["source-absent", "key-missing"])
def test_what_is_not_there_may_still_be_brought_by_what_is_not_applied_yet(cause: str) -> None:
    """Mutants: it is final all the same; or never while its own victims wait."""
    root = replace(ROOT, cause=cause)
    pending = {**WAITS, "kustomization/flux-system/other": Wait("not yet")}

    assert sentenced(pending, {"f": root}, memory()) == pending
    assert isinstance(sentenced(WAITS, {"f": root}, memory())[SUBJECT], Stuck)
    built = replace(ROOT, cause="build-failed")
    assert isinstance(sentenced(pending, {"f": built}, memory())[SUBJECT], Stuck)


@pytest.mark.parametrize("cause", ["refused", "credentials"])
def test_what_is_refused_may_be_for_want_of_what_an_external_secret_is_to_make(cause: str) -> None:
    """Mutants: nobody but Flux brings anything; an ExternalSecret brings whatever is absent, or comes for ever."""
    root = replace(ROOT, rule="S3", cause=cause)
    pending: dict[str, Answer] = {**WAITS, "externalsecret/apps/ghcr": Wait("woken")}

    assert sentenced(pending, {"f": root}, memory()) == pending
    hopeless: dict[str, Answer] = {**WAITS, "externalsecret/apps/x": Wait("no", can_clear="no")}
    assert isinstance(sentenced(hopeless, {"f": root}, memory())[SUBJECT], Stuck)
    absent = replace(ROOT, cause="source-absent")
    assert isinstance(sentenced(pending, {"f": absent}, memory())[SUBJECT], Stuck)


def test_a_nudge_is_given_the_time_of_an_attempt() -> None:
    def nudged(ago: float) -> Memory:
        last = Attempt("a1", NUDGE, SUBJECT, 1, 1, NOW - ago, 15.0)
        return memory(last={f"{NUDGE} {SUBJECT}": last})

    assert sentenced(WAITS, {"f": ROOT}, nudged(NUDGED_SECONDS - 1)) == WAITS
    assert isinstance(sentenced(WAITS, {"f": ROOT}, nudged(NUDGED_SECONDS))[SUBJECT], Stuck)


def test_what_waits_for_its_turn_to_be_woken_is_given_that_time_as_well() -> None:
    """Mutant: only a nudge that is sent counts, and a queue that is longer than half a minute ends the run."""
    queued: dict[str, Answer] = {**WAITS, SUBJECT: Wait(NOT_YET)}

    assert sentenced(queued, {"f": ROOT}, memory()) == queued


GAVE_UP = replace(ROOT, rule="H1", cause="RetriesExceeded")


def gave_up(cause: str, **more: str) -> dict[str, Fact]:
    detail = {"given_up": "RetriesExceeded", "cause": cause}
    known = {SUBJECT: Fact(codes.FAILED, detail=detail)}
    return {**known, **{f"deployment/apps/{name}": Fact(code) for name, code in more.items()}}


@pytest.mark.parametrize(
    ("known", "ends"),
    [
        (gave_up("RetriesExceeded"), True),
        (gave_up("webhook:guard"), False),
        (gave_up("namespace:apps"), False),
        (gave_up("kind:Widget.example.com"), True),
        (gave_up("health:Deployment/apps/a"), True),
        (gave_up("health:Deployment/apps/a", a=codes.PROGRESSING), False),
        (gave_up("health:Deployment/apps/a,Deployment/apps/b", b=codes.PROGRESSING), False),
        (gave_up("health:Deployment/apps/a", a=codes.FAILED), True),
    ],
)
def test_a_release_that_gave_up_for_what_may_still_clear_is_reset_then(
    known: dict[str, Fact],
    ends: bool,  # noqa: FBT001
) -> None:
    """Mutants: any family ends it; none does; its objects are not looked at, or the first of them alone."""
    answers, _ = all_behind(GAVE_UP)

    told = sentenced(answers, {"f": GAVE_UP}, memory(9999.0, facts=known))

    assert isinstance(told[SUBJECT], Stuck) == ends


def test_a_kind_that_a_release_gave_up_for_may_be_brought_by_what_is_not_applied_yet() -> None:
    """Mutants: it is final all the same; or while its own victims wait; or of a release that has not given up."""
    root = replace(GAVE_UP, rule="H8", cause="kind")
    knows = memory(facts=gave_up("kind:Widget.example.com"))
    pending = {**WAITS, "kustomization/flux-system/other": Wait("not yet")}

    assert sentenced(pending, {"f": root}, knows) == pending
    assert isinstance(sentenced(WAITS, {"f": root}, knows)[SUBJECT], Stuck)
    tries = memory(
        facts={SUBJECT: Fact(codes.BLOCKED, detail={"cause": "kind:Widget.example.com"})}
    )
    assert isinstance(sentenced(pending, {"f": root}, tries)[SUBJECT], Stuck)
    other = replace(root, rule="X1", cause="chart")
    assert isinstance(sentenced(pending, {"f": other}, knows)[SUBJECT], Stuck)


def test_so_may_its_own_objects_by_what_comes_up_after_them() -> None:
    """Mutants: what is still to come is not looked at, or what has just come up."""
    answers, _ = all_behind(GAVE_UP)
    known = {**gave_up("health:Deployment/apps/a"), OTHER: Fact(codes.READY, since=NOW - 1.0)}

    assert sentenced(answers, {"f": GAVE_UP}, memory(facts=known)) == answers
    known[OTHER] = Fact(codes.READY, since=NOW - KUBELET_SECONDS)
    assert isinstance(sentenced(answers, {"f": GAVE_UP}, memory(facts=known))[SUBJECT], Stuck)
    assert sentenced(WAITS, {"f": GAVE_UP}, memory(facts=known)) == WAITS


def test_no_sentence_on_what_only_waits_for_its_turn_to_be_woken() -> None:
    """Of forty that missed one key four are woken at once. Mutant: leave out NOT_YET."""
    turn: dict[str, Answer] = {**WAITS, SUBJECT: Wait(NOT_YET)}

    assert sentenced(turn, {"f": ROOT}, memory()) == turn


@pytest.mark.parametrize(
    ("handled", "is_over"),
    # The last two are of somebody else, who asked after us and before us.
    [
        ("T", True),
        ("T0", False),
        (None, False),
        (f"{NOW - 39:.0f}", True),
        (f"{NOW - 41:.0f}", False),
    ],
)
def test_an_attempt_that_is_over_is_not_waited_for(handled: str | None, *, is_over: bool) -> None:
    """What failed again after our nudge is said as soon as any other. Mutants: by any token; by none."""
    last = Attempt("a1", NUDGE, SUBJECT, 1, 1, NOW - 40, 15.0, {"requested_at": "T"})
    failed = Fact("Blocked", "", NOW - STANDING_SECONDS, {"handled_at": handled} if handled else {})
    known = memory(last={f"{NUDGE} {SUBJECT}": last}, facts={SUBJECT: failed})

    assert isinstance(sentenced(WAITS, {"f": ROOT}, known)[SUBJECT], Stuck) is is_over
    fresh = replace(known, facts={SUBJECT: replace(failed, since=NOW - STANDING_SECONDS + 1)})
    assert sentenced(WAITS, {"f": ROOT}, fresh) == WAITS


def test_it_is_thought_over_again_when_a_cause_has_stood_for_long_enough() -> None:
    """Where nothing else happens nobody would. Mutants: no alarm; one for what is said already, or never will be."""
    told = alarmed(WAITS, {"f": ROOT}, memory(STANDING_SECONDS - 1))

    assert told == {**WAITS, SUBJECT: Wait("not yet", NOW + 1)}
    later = memory(STANDING_SECONDS)
    assert alarmed(WAITS, {"f": ROOT}, later) == WAITS
    never = replace(ROOT, clears_itself="unknown")
    assert alarmed(WAITS, {"f": never}, memory(STANDING_SECONDS - 1)) == WAITS
    sooner: dict[str, Answer] = {**WAITS, OTHER: Wait("a moment", NOW + 0.5)}
    assert alarmed(sooner, {"f": ROOT}, memory(STANDING_SECONDS - 1)) == sooner
    over: dict[str, Answer] = {**WAITS, OTHER: Wait("a moment", NOW)}
    assert alarmed(over, {"f": ROOT}, memory(STANDING_SECONDS - 1))[SUBJECT] == Wait(
        "not yet", NOW + 1
    )


def test_what_a_root_holds_up_bears_the_alarm_where_it_has_no_answer_itself() -> None:
    root = replace(ROOT, subject="secret/flux-system/sops-age", blocks=(SUBJECT,))

    told = alarmed(WAITS, {"f": root}, memory(0.0))

    assert told == {**WAITS, SUBJECT: Wait("not yet", NOW + STANDING_SECONDS)}


def test_it_bears_the_alarm_itself_where_nobody_waits() -> None:
    """Of a CRD that is gone no phase says anything, and half an hour passed. Mutant: no waits, no alarm."""
    told = alarmed({}, {"f": ROOT}, memory(0.0))

    assert told == {SUBJECT: Wait(ROOT.message, NOW + STANDING_SECONDS, can_clear="unknown")}
    done: dict[str, Answer] = {OTHER: Done()}
    assert alarmed(done, {"f": ROOT}, memory(0.0)) == {**told, **done}
    assert alarmed({}, {"f": ROOT}, memory()) == {}, "it has stood for long enough: it is said now"


def test_it_is_thought_over_again_when_a_nudge_has_had_its_time_and_a_kubelet_its_pause() -> None:
    last = Attempt("a1", NUDGE, SUBJECT, 1, 1, NOW - 10, 15.0)
    woken = alarmed(WAITS, {"f": ROOT}, memory(last={f"{NUDGE} {SUBJECT}": last}))
    assert woken[SUBJECT] == Wait("not yet", NOW - 10 + NUDGED_SECONDS)

    image = replace(ROOT, rule="L7", cause="image")
    known = memory(facts={SUBJECT: Fact("Blocked"), OTHER: Fact(codes.READY, "", NOW - 5)})
    pulled = alarmed(WAITS, {"f": image}, known)
    assert pulled[SUBJECT] == Wait("not yet", NOW - 5 + KUBELET_SECONDS)


def test_so_is_a_nudge_of_what_misses_what_is_there_by_now() -> None:
    """The finding is about a Secret. Mutants: only a nudge of its own subject counts; only one that was sent."""
    root = replace(ROOT, subject="secret/flux-system/sops-age", blocks=(SUBJECT,))
    last = Attempt("a1", NUDGE, SUBJECT, 1, 1, NOW - NUDGED_SECONDS + 1, 15.0)
    woken = memory(last={f"{NUDGE} {SUBJECT}": last})

    assert sentenced(WAITS, {"f": root}, woken) == WAITS
    act: dict[str, Answer] = {**WAITS, SUBJECT: Act(NUDGE, SUBJECT, {}, "it is there")}
    assert sentenced(act, {"f": root}, memory()) == act
    assert isinstance(sentenced(WAITS, {"f": root}, memory())[root.subject], Stuck)


def test_a_root_without_an_answer_of_its_own_is_said_all_the_same() -> None:
    assert isinstance(sentenced({}, {"f": ROOT}, memory())[SUBJECT], Stuck)


def test_what_nobody_here_waits_behind_ends_nobodys_wait() -> None:
    """A chart of somebody else's in a registry that is gone: true, and none of this run's business."""
    beside = replace(ROOT, subject="ocirepository/other/chart", victims=("helmrelease/other/x",))

    assert sentenced(WAITS, {"f": beside}, memory()) == WAITS
    behind = replace(beside, victims=(VICTIM,))
    assert isinstance(sentenced(WAITS, {"f": behind}, memory())[behind.subject], Stuck)


# Every rule that can say "no", by family: what the recovery has a verb for, and what it has none for.
FAMILIES = [
    ("C1", "terminating", "waits"),  # finalizer.release
    ("C2", "names-taken", "stuck"),
    ("C4", "deadlock", "waits"),  # crd.preapply
    ("C5", "version-still-stored", "stuck"),
    ("E4", "target", "stuck"),
    ("F1", "absent", "waits"),  # command.run
    ("F1", "scaled-to-zero", "stuck"),
    ("H2", "MissingRollbackTarget", "stuck"),
    ("H9", "immutable", "stuck"),
    ("H12", "drifted", "waits"),  # keeps nobody from becoming Ready
    ("K4", "circle", "stuck"),
    ("K4", "circle-through-a-kind", "waits"),  # crd.preapply
    ("K6", "path", "stuck"),
    ("K10", "build", "stuck"),
    ("K19", "InvalidCELExpression", "stuck"),
    ("L7", "image", "stuck"),
    ("L8", "crashing", "stuck"),
    ("L12", "belongs-to-a-former-claim", "stuck"),
    ("L19", "job-failed", "stuck"),
    ("N5", "held", "waits"),  # finalizer.release
    ("N6", "held-by-rook", "waits"),
    ("N7", "held-by-flux", "waits"),
    ("N8", "held-by-storage", "waits"),
    ("N9", "held-by-a-pruned-operator", "waits"),
    ("N12", "owned-twice", "waits"),  # keeps nobody from becoming Ready
    ("S1", "credentials", "stuck"),
    ("S2", "reference", "stuck"),
    ("S5", "storage", "stuck"),
    ("T14", "stale-member", "waits"),  # etcd answers for itself
    ("T14", "alarm", "stuck"),
    ("T16", "no-network", "waits"),  # command.run
    ("T19", "quorum-lost", "waits"),
    ("T19", "foreign-cluster", "stuck"),
    ("WH3", "denied", "stuck"),
    ("X2", "deleted-under-release", "stuck"),
    ("X2", "flux-gone", "waits"),  # command.run
    ("X2", "flux-kind-gone", "stuck"),
    ("X2", "root-gone", "waits"),  # root.apply
]


def all_behind(root: Finding) -> tuple[dict[str, Answer], Memory]:
    """Nothing else is to come, and all of it has stood for as long as anything has to."""
    answers: dict[str, Answer] = {s: Wait("not yet") for s in (root.subject, VICTIM)}
    return answers, memory(KUBELET_SECONDS, facts={root.subject: Fact(codes.BLOCKED)})


@pytest.mark.parametrize(("rule", "cause", "ends"), FAMILIES)
def test_it_is_decided_by_whether_the_recovery_has_a_verb_for_just_this(
    rule: str, cause: str, ends: str
) -> None:
    root = replace(ROOT, rule=rule, cause=cause)
    answers, knows = all_behind(root)

    told = sentenced(answers, {"f": root}, knows)

    assert isinstance(told[SUBJECT], Stuck) == (ends == "stuck")
    assert told[VICTIM] == Wait("not yet", can_clear="no" if ends == "stuck" else "yes")


def test_a_finalizer_of_what_nobody_here_expects_is_asked_about_by_nobody() -> None:
    """Mutant: the rule alone is looked at."""
    root = replace(ROOT, rule="N5", cause="held", subject="namespace/elsewhere")
    answers, knows = all_behind(root)
    del answers[root.subject]

    assert sentenced(answers, {"f": root}, knows) == answers
    foreign = replace(knows, facts={VICTIM: Fact(codes.BLOCKED)})
    assert isinstance(sentenced(answers, {"f": root}, foreign)[root.subject], Stuck)


@pytest.mark.parametrize(
    ("rule", "subject"),
    [
        ("C2", "crd/things.example.com"),
        ("L7", "deployment/other/x"),
        ("L19", "job/other/x"),
        ("F1", "deployment/flux-system/image-reflector-controller"),
    ],
)
def test_what_this_run_is_not_judged_by_ends_its_wait_only_with_something_behind_it(
    rule: str, subject: str
) -> None:
    cause = {"F1": "scaled-to-zero", "L7": "image"}.get(rule, "wrong")
    root = replace(ROOT, rule=rule, cause=cause, subject=subject, victims=("helmrelease/o/x",))
    long_ago = memory(KUBELET_SECONDS)

    assert sentenced(WAITS, {"f": root}, long_ago) == WAITS
    behind = replace(root, victims=tuple(WAITS))
    assert isinstance(sentenced(WAITS, {"f": behind}, long_ago)[subject], Stuck)


def test_what_is_well_or_is_not_of_this_run_is_in_nobodys_way() -> None:
    root = replace(ROOT, victims=())

    def told(known: Facts) -> dict[str, Answer]:
        return sentenced({OTHER: Wait("not yet")}, {"f": root}, memory(facts=dict(known)))

    assert SUBJECT not in told({SUBJECT: Fact(codes.READY)})
    assert SUBJECT not in told({OTHER: Fact(codes.BLOCKED)})
    assert isinstance(told({SUBJECT: Fact(codes.BLOCKED)})[SUBJECT], Stuck)


@pytest.mark.parametrize(("rule", "cause"), [("L7", "image"), ("L8", "crashing")])
def test_what_a_kubelet_tries_again_gets_an_attempt_after_the_last_thing_has_come_up(
    rule: str, cause: str
) -> None:
    """A registry, or a mirror of one, may be among it. Mutants: do not look at what came up, or at what is to."""
    root = replace(ROOT, rule=rule, cause=cause)
    answers, _ = all_behind(root)

    def told(answers: dict[str, Answer], up_for: float) -> Answer:
        known = {OTHER: Fact(codes.READY, since=NOW - up_for)}
        return sentenced(answers, {"f": root}, memory(9999.0, facts=known))[SUBJECT]

    assert isinstance(told(answers, KUBELET_SECONDS), Stuck)
    assert told(answers, KUBELET_SECONDS - 1) == Wait("not yet")
    coming: dict[str, Answer] = {**answers, "deployment/zot/zot": Wait("0 of 1 pods ready")}
    assert told(coming, KUBELET_SECONDS) == Wait("not yet")
    hopeless: dict[str, Answer] = {**answers, "deployment/zot/zot": Wait("no", can_clear="no")}
    assert isinstance(told(hopeless, KUBELET_SECONDS), Stuck)


def test_what_lacks_what_is_behind_the_other_is_as_final_as_the_other() -> None:
    """Two images that nobody has, each of which might be the registry's. Mutant: only its own victims count."""
    one = replace(ROOT, rule="L7", cause="image", subject="deployment/a/a", victims=())
    two = replace(one, subject="deployment/b/b")
    answers: dict[str, Answer] = {s.subject: Wait("0 of 1 pods ready") for s in (one, two)}
    found_at = dict.fromkeys(("one", "two"), NOW - KUBELET_SECONDS)

    told = sentenced(answers, {"one": one, "two": two}, Memory(now=NOW, found_at=found_at))

    assert all(isinstance(answer, Stuck) for answer in told.values())
    fresh = {**found_at, "two": NOW}
    early = sentenced(answers, {"one": one, "two": two}, Memory(now=NOW, found_at=fresh))
    assert early == answers


TREE = {
    "kustomizations": [
        {"key": "flux-system/eso"},
        {"key": "flux-system/stores", "depends_on": ["flux-system/eso"]},
    ],
    "helmreleases": [{"key": "apps/eso", "parent": "flux-system/eso"}],
    "externalsecrets": [{"key": "apps/login", "store": "vault"}],
    "stores": ["vault"],
    "crds": [
        {"name": "externalsecrets.external-secrets.io", "provider": "helmrelease/apps/eso"},
        {"name": "clustersecretstores.external-secrets.io", "provider": "helmrelease/apps/eso"},
    ],
    "roots": ["flux-system/eso"],
}


def test_what_needs_what_is_behind_it_has_no_hope_either() -> None:
    """No finding says that a secret waits for its store, nor that for its operator. Mutant: leave the graph out."""
    section = plan({"inventory": TREE}).target
    stores, eso = "kustomization/flux-system/stores", "kustomization/flux-system/eso"
    root = replace(ROOT, rule="K4", cause="circle", subject=eso, victims=(stores,))
    login = "externalsecret/apps/login"
    answers: dict[str, Answer] = {s: Wait("x") for s in (eso, stores, OTHER, login)}
    known = made({eso: "Blocked", stores: "Blocked", OTHER: "Absent", login: "Progressing"})

    told = sentenced(answers, {"f": root}, memory(facts=dict(known)), section)

    assert isinstance(told[eso], Stuck)
    assert {told[s] for s in (stores, OTHER, login)} == {Wait("x", can_clear="no")}
    alone = sentenced(answers, {"f": root}, memory(facts=dict(known)))
    assert alone[OTHER] == Wait("x", can_clear="no"), "absent, and nothing else is to be applied"
    assert alone[login] == Wait("x")
    other: dict[str, Answer] = {**answers, "kustomization/flux-system/z": Wait("x")}
    assert sentenced(other, {"f": root}, memory(facts=dict(known)))[OTHER] == Wait("x")
    told = sentenced(other, {"f": root}, memory(facts=dict(known)), section)
    assert {told[s] for s in (stores, OTHER, login)} == {Wait("x", can_clear="no")}
    assert told["kustomization/flux-system/z"] == Wait("x")


def test_the_network_s_own_image_is_said_while_the_network_is_waited_for() -> None:
    """Mutants: ``cni_up`` without it; or with what is wrong elsewhere, which is not waited for yet."""
    the_plan = plan({})
    up = {codes.k8s_node(name): "Ready" for name in the_plan.target.talos.nodes}
    up |= {f"kind/{kind}": "Seen" for kind in ("Node", "DaemonSet", "Deployment")}
    cilium = "daemonset/kube-system/cilium"
    up |= {"deployment/kube-system/coredns": "Ready", SUBJECT: "Blocked"}
    known = made({**up, cilium: "Progressing"})
    found = {
        "l": replace(ROOT, rule="L7", cause="image", subject=cilium, victims=()),
        "k": replace(ROOT, rule="K10", cause="build"),
    }
    knows = memory(facts=dict(known), found_at=dict.fromkeys(found, 0.0))

    told = cni_up.decide(the_plan, known, found, knows)

    assert {s: type(a) for s, a in told.items()} == {cilium: Stuck}


def test_who_cordoned_a_node_may_forget_it() -> None:
    """Mutant: say of a cordoned node what is said of one that comes up by itself."""
    the_plan = plan()
    there = {subject: {"code": "Ready"} for subject in cni_up.network(the_plan.target)}
    nodes = {
        "k8s-node/cp-1": {"code": "Ready"},
        "k8s-node/cp-2": {"code": "Progressing", "reason": "cordoned"},
        "k8s-node/cp-3": {"code": "Progressing", "reason": "KubeletNotReady"},
    }
    known = made({**there, **nodes})

    told = cni_up.decide(the_plan, known, {}, memory_of(the_plan, known, {}, 0.0))

    hopes = {subject: a.can_clear for subject, a in told.items() if isinstance(a, Wait)}
    assert hopes == {"k8s-node/cp-2": "unknown", "k8s-node/cp-3": "yes"}


SOURCE = Finding(
    "gitrepository/flux-system/flux-system", "dns", "it cannot be fetched", rule="S2", root=True
)


@pytest.mark.parametrize(
    ("rule", "source", "waited"),
    [
        *(
            (rule, SOURCE, True)
            for rule in ["H6", "H9", "K2", "K6", "K8", "K9", "K10", "K11", "K19"]
        ),
        ("K7", SOURCE, False),
        ("K10", replace(SOURCE, clears_itself="no"), False),
        ("K10", replace(SOURCE, root=False), True),
        ("K10", replace(SOURCE, subject=OTHER), False),
    ],
)
def test_what_git_may_have_put_right_is_final_once_the_source_had_its_time(
    rule: str, source: Finding, *, waited: bool
) -> None:
    """Mutants: a sentence at once; none at all; nothing that makes it be thought over again; a rule is left out."""
    root = replace(ROOT, rule=rule, cause="x")
    section, found = plan().target, {"f": root, "s": source}

    def told(failed_for: float) -> Answer:
        since = {"f": 0.0, "s": NOW - failed_for}
        return sentenced(WAITS, found, memory(found_at=since), section)[SUBJECT]

    assert isinstance(told(SOURCE_SECONDS), Stuck)
    assert isinstance(told(SOURCE_SECONDS - 1), Wait if waited else Stuck)
    early = memory(found_at={"f": 0.0, "s": NOW - 1})
    answer = alarmed(WAITS, found, early, section)[SUBJECT]
    assert isinstance(answer, Wait)
    assert (answer.until == NOW - 1 + SOURCE_SECONDS) == waited
