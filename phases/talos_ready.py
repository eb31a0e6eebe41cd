"""
Talos ready: all nodes run their configured Talos, and etcd has exactly one healthy cluster.

What becomes of etcd is decided in ``phases.etcd``: the one step of a recovery that cannot be taken back.
"""

from __future__ import annotations

from engine.answer import Act, Answer, Done, Stuck, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Outcome
from phases import codes, etcd
from phases.left_data import or_wipe
from phases.section import Section
from phases.verbs import APPLY, KUBECONFIG
from phases.wiping import foreign

APPLIED_SETTLE_SECONDS = (
    180.0  # a node that took its configuration installs and reboots before it shows it
)
FETCH_SETTLE_SECONDS = 20.0


def guard(plan: Plan, facts: Facts) -> Judgement:
    """Hold when all nodes run, etcd is healthy with exactly the planned members, and the API is ours."""
    section: Section = plan.target
    wanted = [codes.node(name) for name in section.talos.nodes]
    bad: list[str] = []
    unknown: list[str] = []
    for subject in wanted:
        fact = facts.get(subject)
        if fact is None or fact.code == codes.UNSEEN:
            unknown.append(f"{subject} is not seen")
        elif fact.code != codes.RUNNING:
            bad.append(f"{subject} is {fact.code} {fact.reason}".rstrip())
    _count(facts, codes.ETCD, {codes.HEALTHY}, {codes.UNKNOWN}, bad, unknown)
    hidden = {codes.UNOBSERVABLE, codes.UNKNOWN, codes.DOWN}
    _count(facts, codes.API, {codes.UP}, hidden, bad, unknown)
    _count(facts, codes.KUBECONFIG, {codes.OURS}, {codes.UNOBSERVABLE}, bad, unknown)
    expected = len(wanted) + 3
    done = expected - len(bad) - len(unknown)
    if bad:
        return Judgement(Verdict.BROKEN, bad[0], done, expected)
    if unknown:
        return Judgement(Verdict.UNKNOWN, unknown[0], done, expected)
    return Judgement(Verdict.HOLDS, "Talos runs on all nodes and etcd is healthy", done, expected)


def _count(
    facts: Facts, subject: str, good: set[str], open_: set[str], bad: list[str], unknown: list[str]
) -> None:
    fact = facts.get(subject)
    if fact is None or fact.code in open_:
        unknown.append(f"{subject} cannot be seen")
    elif fact.code not in good:
        bad.append(f"{subject} is {fact.code}: {fact.reason}".rstrip(": "))


def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> dict[Subject, Answer]:
    """Answer for each node, for etcd, and for the way to the API."""
    del findings
    section: Section = plan.target
    answers: dict[Subject, Answer] = {}
    for name in section.talos.nodes:
        answers[codes.node(name)] = _node(section, name, facts, memory)
    answers[codes.ETCD] = or_wipe(plan, facts, memory, etcd.decide(plan, facts, memory))
    answers[codes.KUBECONFIG] = _kubeconfig(section, facts, memory)
    answers[codes.API] = _api(facts)
    return answers


def _node(section: Section, name: str, facts: Facts, memory: Memory) -> Answer:
    fact = facts.get(codes.node(name))
    if fact is None or fact.code == codes.UNSEEN:
        return Wait(f"{name} does not answer", can_clear="unknown")
    match fact.code:
        case codes.RUNNING | codes.WAITS_FOR_ETCD:
            return Done()
        case codes.FOREIGN:
            return foreign(name)
        case codes.MAINTENANCE:
            return _configure(section, name, memory)
        case _:
            return Wait(f"{name} is {fact.code} {fact.reason}".rstrip())


def _configure(section: Section, name: str, memory: Memory) -> Answer:
    planned = section.talos.nodes[name]
    target = codes.node(name)
    last = memory.last_of(APPLY, target)
    if last is not None and last.outcome is Outcome.DONE and last.settled_at is not None:
        due = last.settled_at + APPLIED_SETTLE_SECONDS
        if not memory.passed(due):
            return Wait(f"{name} has taken its configuration and has not restarted yet", due)
    arguments = {
        "node": name,
        "address": planned.address,
        "config": planned.config,
        "sha256": planned.sha256,
        "insecure": True,
    }
    return Act(APPLY, target, arguments, f"{name} is in maintenance")


def _kubeconfig(section: Section, facts: Facts, memory: Memory) -> Answer:
    fact = facts.get(codes.KUBECONFIG)
    if fact is None or fact.code in {codes.OURS, codes.UNOBSERVABLE}:
        return Done()
    found = facts.get(codes.ETCD)
    if found is None or found.code not in {codes.HEALTHY, codes.FORMING}:
        return Wait("the kubeconfig is fetched once etcd runs")
    running = [
        name
        for name in section.talos.control_planes
        if (node := facts.get(codes.node(name))) is not None and node.code == codes.RUNNING
    ]
    if not running:
        return Wait("the kubeconfig is fetched once a control plane runs")
    last = memory.last_of(KUBECONFIG, codes.KUBECONFIG)
    if last is not None and last.outcome is Outcome.DONE and last.settled_at is not None:
        due = last.settled_at + FETCH_SETTLE_SECONDS
        if not memory.passed(due):
            return Wait("the kubeconfig was fetched", due)
    arguments = {
        "node": running[0],
        "address": section.talos.nodes[running[0]].address,
        "path": section.kubernetes.kubeconfig,
    }
    return Act(KUBECONFIG, codes.KUBECONFIG, arguments, f"our kubeconfig is {fact.code}")


def _api(facts: Facts) -> Answer:
    fact = facts.get(codes.API)
    if fact is None:
        return Wait("the Kubernetes API has not been asked yet")
    if fact.code == codes.UP:
        return Done()
    if fact.code == codes.FOREIGN:
        return Stuck(
            reference="api-foreign",
            message=f"behind the cluster's address another cluster answers: {fact.reason}",
            hint="check the endpoint in the machine configurations and who holds the VIP; nothing was done to it",
        )
    hidden = fact.code in {codes.UNOBSERVABLE, codes.UNKNOWN}
    why = f"the Kubernetes API is {fact.code.lower()}: {fact.reason}"
    return Wait(why, can_clear="unknown" if hidden else "yes")
