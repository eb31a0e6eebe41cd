"""
What people do by hand, recognised by observation: two looks and what the run wished at the first.

Each case is one deed; beside it stands what looks like it and is none. Mutants: take the ours-check out of
``_lasting`` or ``_passing``; forget the code before ``unseen``; let a first look count as a change.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import Plan, of_parts
from journal import entries as e
from journal.entries import AnyEntry, Outcome
from phases.deeds import deeds
from phases.recipe import recipe
from tests.phases.making import SECTION, START, fact, opened, plan

ROOT = "kustomization/flux-system/cluster"
APPS = "kustomization/flux-system/apps"
SOURCE = "gitrepository/flux-system/flux-system"
HOLDER = "holder/u9"
CRD = "crd/widgets.example.com"
NETWORK = ("daemonset/kube-system/cilium", "deployment/kube-system/coredns")
FLUX = tuple(
    f"deployment/flux-system/{name}-controller" for name in ("source", "kustomize", "helm")
)
HELD = {
    "code": "Holding",
    "detail": {
        "group": "example.com",
        "resource": "gadgets",
        "namespace": "apps",
        "name": "g",
        "uid": "u9",
        "generation": 1,
        "finalizers": ["example.com/x"],
        "owner_alive": False,
    },
}
LIVING = {"code": "Holding", "detail": {**HELD["detail"], "owner_alive": True}}  # type: ignore[dict-item]
LISTED = {"namespace/apps": "Terminating", "holders/namespace/apps": "Seen"}
MEMBERS = {"code": "running", "detail": {"members": ["cp-1"]}}
BLOCKED = {"code": "Blocked", "detail": {"cause": "kind:X.y"}}
HANDLED = {"code": "Blocked", "detail": {"cause": "kind:X.y", "handled_foreign": "1795380637"}}
Looks = list[dict[str, Any]]


def act(verb: str, target: str) -> dict[str, Any]:
    return {target: {"answer": "act", "verb": verb, "target": target}}


def ask(verb: str, target: str) -> dict[str, Any]:
    return {target: {"answer": "ask", "question": "?", "evidence": {"verb": verb}}}


def observed(known: Memory, said: dict[str, Any]) -> e.Observed:
    facts = {subject: fact(subject, body) for subject, body in said.items()}
    return e.Observed(at=known.now + 1, changed=facts, removed=tuple(known.facts.keys() - facts))


def recognised(
    looks: Looks,
    wished: dict[str, Any],
    *,
    still: tuple[str, ...] = (),
    ours: str = "",
    of: Plan | None = None,
) -> list[tuple[str, str, str, str]]:
    """Fold looks one by one, with *wished* decided at the first; return what is recognised in all of them."""
    planned: Plan = of or plan()
    memory = fold_all(Memory(), [opened(planned)])
    found: list[tuple[str, str, str, str]] = []
    for number, look in enumerate(looks):
        after = fold_all(memory, [observed(memory, look)])
        for deed in deeds(planned, memory, after, still):
            found.append((deed.verb, deed.subject, deed.old, deed.new))
            shown: dict[str, Any] = {"subject": deed.subject, "old": deed.old, "new": deed.new}
            entry = e.ByHand(at=after.now, verb=deed.verb, target=deed.target, evidence=shown)
            after = fold_all(after, [entry])
        rest: list[AnyEntry] = []
        if number == 0:
            rest = [e.Decided(at=after.now, state="x", answers=wished), *_attempt(wished, ours)]
        memory = fold_all(after, rest)
    return found


def _attempt(wished: dict[str, Any], outcome: str) -> list[AnyEntry]:
    if not outcome:
        return []
    target, body = next(iter(wished.items()))
    verb = body.get("verb") or body["evidence"]["verb"]
    begun = e.ActionIntended(
        at=START + 2, action="a1", verb=verb, target=target, attempt=1, epoch=1, deadline_seconds=1
    )
    if outcome == "open":
        return [begun]
    ended = e.ActionSettled(
        at=START + 3, action="a1", verb=verb, target=target, outcome=Outcome(outcome)
    )
    wished_again = e.Decided(at=START + 4, state="x", answers=wished)
    return [begun, ended, wished_again]


def all_(subjects: tuple[str, ...], code: str) -> dict[str, Any]:
    return dict.fromkeys(subjects, code)


API = "apiservice/v1.m.example.com"
DEAD = {
    "code": "Blocked",
    "detail": {"kind": "APIService", "name": "v1.m.example.com", "uid": "u9"},
}
ANEW = {
    "code": "Ready",
    "detail": {"kind": "APIService", "name": "v1.m.example.com", "uid": "u10"},
}
SERVED = {"kind/APIService": "Seen"}


CASES: dict[str, tuple[Looks, dict[str, Any], tuple[str, str, str, str]]] = {
    "a configuration, through a restart": (
        [{"node/cp-1": "maintenance"}, {"node/cp-1": "unseen"}, {"node/cp-1": "booting"}],
        act("talos.apply", "node/cp-1"),
        ("talos.apply", "node/cp-1", "maintenance", "booting"),
    ),
    "a configuration with other secrets": (
        [{"node/cp-1": "maintenance"}, {"node/cp-1": "foreign"}],
        act("talos.apply", "node/cp-1"),
        ("talos.apply", "node/cp-1", "maintenance", "foreign"),
    ),
    "a bootstrap, seen late": (
        [
            {"node/cp-1": "waits-for-etcd", "etcd": "none"},
            {"node/cp-1": "booting", "etcd": "unknown"},
            {"node/cp-1": MEMBERS, "etcd": "forming"},
        ],
        act("etcd.bootstrap", "node/cp-1"),
        ("etcd.bootstrap", "etcd", "none", "forming"),
    ),
    "a kubeconfig": (
        [{"kubeconfig": "Absent"}, {"kubeconfig": "ours"}],
        act("kubeconfig.fetch", "kubeconfig"),
        ("kubeconfig.fetch", "kubeconfig", "Absent", "ours"),
    ),
    "a dead API removed": (
        [{**SERVED, API: DEAD}, SERVED],
        ask("apiservice.remove", API),
        ("apiservice.remove", API, "Blocked", "Absent"),
    ),
    "a dead API removed and made anew": (
        [{**SERVED, API: DEAD}, {**SERVED, API: ANEW}],
        ask("apiservice.remove", API),
        ("apiservice.remove", API, "Blocked", "Absent"),
    ),
    "a command's whole effect": (
        [
            all_((*NETWORK, *FLUX), "Absent"),
            {**all_(NETWORK, "Progressing"), **all_(FLUX, "Absent")},
            all_((*NETWORK, *FLUX), "Progressing"),
        ],
        act("command.run", "command/bootstrap"),
        ("command.run", NETWORK[0], "Absent", "Progressing"),
    ),
    "the roots": (
        [{ROOT: "Absent", SOURCE: "Ready"}, {ROOT: "Progressing", SOURCE: "Ready"}],
        act("root.apply", "root"),
        ("root.apply", ROOT, "Absent", "Progressing"),
    ),
    "a CRD": (
        [{CRD: "Absent"}, {CRD: "Progressing"}],
        act("crd.preapply", CRD),
        ("crd.preapply", CRD, "Absent", "Progressing"),
    ),
    "a finalizer": (
        [{HOLDER: HELD, **LISTED}, LISTED],
        ask("finalizer.release", HOLDER),
        ("finalizer.release", HOLDER, "Holding", "Absent"),
    ),
    "a nudge": (
        [{APPS: BLOCKED}, {APPS: HANDLED}],
        act("flux.nudge", APPS),
        ("flux.nudge", APPS, "Blocked", "Blocked"),
    ),
    "a wipe": (
        [{"node/cp-1": "running"}, {"node/cp-1": "unseen"}, {"node/cp-1": "maintenance"}],
        {},
        ("node.wipe", "node/cp-1", "running", "maintenance"),
    ),
    "a suspended object": (
        [{APPS: "Ready"}, {APPS: "Suspended"}],
        {},
        ("flux.suspend", APPS, "Ready", "Suspended"),
    ),
    "a deleted root": (
        [{ROOT: "Ready"}, {ROOT: "Terminating"}],
        {},
        ("flux.delete", ROOT, "Ready", "Terminating"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_somebody_did_is_recognised_once(name: str) -> None:
    looks, wished, expected = CASES[name]

    assert recognised([*looks, looks[-1]], wished) == [expected]


NONE: dict[str, tuple[Looks, dict[str, Any]]] = {
    "a node in maintenance that restarts": (
        [{"node/cp-1": "maintenance"}, {"node/cp-1": "unseen"}, {"node/cp-1": "maintenance"}],
        act("talos.apply", "node/cp-1"),
    ),
    "a node that is rebooting": (
        [{"node/cp-1": "maintenance"}, {"node/cp-1": "rebooting"}],
        act("talos.apply", "node/cp-1"),
    ),
    "half of a command's effect": (
        [all_((*NETWORK, *FLUX), "Absent"), {**all_(NETWORK, "Ready"), **all_(FLUX, "Absent")}],
        act("command.run", "command/bootstrap"),
    ),
    "an API that is away": (
        [{HOLDER: HELD, **LISTED}, {}],
        ask("finalizer.release", HOLDER),
    ),
    "a controller that lives": (
        [{HOLDER: LIVING, **LISTED}, LISTED],
        ask("finalizer.release", HOLDER),
    ),
    "a CRD that comes back into view": ([{}, {CRD: "Ready"}], act("crd.preapply", CRD)),
    "a root that nobody wished": ([{ROOT: "Absent"}, {ROOT: "Ready", SOURCE: "Ready"}], {}),
    "a blocked object that tries again": (
        [{APPS: BLOCKED}, {APPS: "Ready"}],
        act("flux.nudge", APPS),
    ),
    "a token on what nobody wished to wake": ([{APPS: BLOCKED}, {APPS: HANDLED}], {}),
    "a first look": (
        [{}, {APPS: "Suspended", ROOT: "Terminating", "node/cp-1": "maintenance"}],
        {},
    ),
    "a node that installs": (
        [{"node/cp-1": "installing"}, {"node/cp-1": "maintenance"}],
        {},
    ),
}


@pytest.mark.parametrize("name", NONE)
def test_what_only_looks_like_it_is_nobodys_deed(name: str) -> None:
    looks, wished = NONE[name]

    assert recognised(looks, wished) == []


def unplanned(network: str = "kube-system/cilium") -> Plan:
    """A watch without a plan: nobody knows what brings anything, so that nothing is ever wished."""
    section = {**SECTION, "talos": {"talosconfig": "", "nodes": {}}}
    section["cni"] = {**SECTION["cni"], "daemonset": network, "command": "unknown"}
    return of_parts("home", recipe().machine, section, recipe())


ALL_OF = {
    "network.install": NETWORK,
    "flux.install": FLUX,
    "root.apply": (ROOT, SOURCE),
}


@pytest.mark.parametrize("verb", ALL_OF)
def test_without_a_plan_what_was_put_back_is_recognised_by_what_it_brought(verb: str) -> None:
    """Mutants: leave ``_unplanned`` out; ask for no absence before, or not for all of it; take plans for none."""
    subjects = ALL_OF[verb]
    gone, back = all_(subjects, "Absent"), all_(subjects, "Progressing")
    half = {**back, subjects[-1]: "Absent"}

    assert recognised([gone, back, back], {}, of=unplanned()) == [
        (verb, subjects[0], "Absent", "Progressing")
    ]
    assert recognised([gone, half, back], {}, of=unplanned()) == [
        (verb, subjects[-1], "Absent", "Progressing")
    ]
    for looks in ([gone, half], [{}, back], [gone, {}, back], [back, all_(subjects, "Ready")]):
        assert recognised(looks, {}, of=unplanned()) == []
    assert recognised([gone, back], {}) == []


def test_of_a_network_that_nobody_knows_nothing_is_said() -> None:
    gone, back = all_(NETWORK[1:], "Absent"), all_(NETWORK[1:], "Ready")

    assert recognised([gone, back], {}, of=unplanned("")) == []


WISHED = [name for name, (_, wished, _) in CASES.items() if wished and name != "a nudge"]


@pytest.mark.parametrize("outcome", ["open", "done", "unsettled"])
@pytest.mark.parametrize("name", WISHED)
def test_what_we_began_and_may_have_done_is_nobody_elses(name: str, outcome: str) -> None:
    looks, wished, _ = CASES[name]

    assert recognised(looks, wished, ours=outcome) == []


@pytest.mark.parametrize("name", WISHED)
def test_what_we_tried_in_vain_was_done_by_somebody_else(name: str) -> None:
    looks, wished, expected = CASES[name]

    assert recognised(looks, wished, ours="failed") == [expected]


def test_an_etcd_that_we_bootstrapped_on_another_node_is_ours() -> None:
    """Mutant: look only at attempts on the node that was wished."""
    planned = plan()
    waiting = observed(fold_all(Memory(), [opened(planned)]), {"node/cp-1": "waits-for-etcd"})
    wished = e.Decided(at=START, state="x", answers=act("etcd.bootstrap", "node/cp-1"))
    ours = _attempt(act("etcd.bootstrap", "node/cp-2"), "done")[:2]
    before = fold_all(Memory(), [opened(planned), waiting, wished, *ours])

    after = fold_all(before, [observed(before, {"node/cp-1": MEMBERS, "etcd": "healthy"})])

    assert before.wished
    assert deeds(planned, before, after, ()) == []


def test_a_token_of_somebody_is_theirs_also_after_ours() -> None:
    """Mutant: take every nudge for ours, once there was one."""
    looks, wished, expected = CASES["a nudge"]

    assert recognised(looks, wished, ours="done") == [expected]


def test_what_is_wished_still_was_not_done() -> None:
    looks, wished, _ = CASES["the roots"]

    assert recognised(looks, wished, still=("root.apply root",)) == []


def test_a_token_of_somebody_else_is_told_from_ours() -> None:
    from phases.objects import Flux
    from phases.readiness.flux import kustomization

    def detail(token: str) -> dict[str, Any]:
        import msgspec

        body = {
            "metadata": {"name": "a", "namespace": "b", "uid": "u", "generation": 1},
            "spec": {},
            "status": {"lastHandledReconcileAt": token},
        }
        return kustomization(msgspec.convert(body, Flux), "", suspended=False).detail

    assert detail("t#r1#c")["handled_at"] == "t#r1#c"
    assert detail("1795380637.29")["handled_foreign"] == "1795380637.29"
    assert not {"handled_at", "handled_foreign"} & set(detail(""))


@pytest.mark.parametrize(
    ("outcome", "applied", "recognised_"),
    [("unsettled", False, 0), ("failed", False, 1), ("unsettled", True, 1)],
)
def test_a_reset_of_our_own_is_nobody_elses_wipe(
    outcome: str,
    applied: bool,  # noqa: FBT001
    recognised_: int,
) -> None:
    """Unless it certainly failed, or the node was configured since: that wipe was another. Mutant: no ours-check."""
    the_plan = plan()

    def begun(verb: str, at: float) -> list[AnyEntry]:
        return [
            e.ActionIntended(
                at=START + at,
                action=verb,
                verb=verb,
                target="node/cp-1",
                attempt=1,
                epoch=1,
                deadline_seconds=60.0,
            )
        ]

    ended = e.ActionSettled(
        at=START + 2,
        action="node.reset",
        verb="node.reset",
        target="node/cp-1",
        outcome=Outcome(outcome),
    )
    more = begun("talos.apply", 3.0) if applied else []
    first = e.Observed(at=START, changed={"node/cp-1": fact("node/cp-1", "running")})
    before = fold_all(Memory(), [opened(the_plan), first, *begun("node.reset", 1.0), ended, *more])
    bare = e.Observed(at=START + 60, changed={"node/cp-1": fact("node/cp-1", "maintenance")})
    after = fold_all(before, [bare])

    found = [deed for deed in deeds(the_plan, before, after, ()) if deed.verb == "node.wipe"]
    assert len(found) == recognised_
