"""
Talos ready: all nodes run their configured Talos, and etcd has exactly one healthy cluster.

The one step of a recovery that cannot be taken back lives here: bootstrapping etcd a second time makes a second
cluster. So the decision rests on what every control plane shows just now, not on what the journal believes.
"""

from __future__ import annotations

from engine.allowing import answer_to
from engine.answer import Act, Answer, Ask, Done, Stuck, Subject, Wait
from engine.memory import Attempt, Memory
from engine.patience import spoken
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from engine.world import ALREADY_EXISTS
from journal.entries import Fact, Outcome
from phases import codes
from phases.node_maintenance import foreign
from phases.section import Section
from phases.verbs import APPLY, BOOTSTRAP, KUBECONFIG

APPLIED_SETTLE_SECONDS = (
    180.0  # a node that took its configuration installs and reboots before it shows it
)
UNSEEN_PATIENCE_SECONDS = 600.0  # a node that reboots after its configuration is unseen by nature
BOOTSTRAP_PATIENCE_SECONDS = 300.0  # etcd may take this long to show that it was bootstrapped
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
    answers[codes.ETCD] = _etcd(section, facts, memory)
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


def _etcd(section: Section, facts: Facts, memory: Memory) -> Answer:
    """Decide about the bootstrap; everything before it is a reason not to."""
    etcd = facts.get(codes.ETCD)
    if etcd is not None and etcd.code == codes.HEALTHY:
        return Done()
    shown = {name: facts.get(codes.node(name)) for name in section.talos.control_planes}
    seen = {n: f for n, f in shown.items() if f is not None and f.code != codes.UNSEEN}
    if any(fact.detail.get("members") for fact in seen.values()):
        reason = etcd.reason if etcd is not None else ""
        return Wait(f"etcd runs and is not complete: {reason}")
    absent = {name: fact for name, fact in shown.items() if name not in seen}
    if absent:
        question = _unseen(absent, memory)
        if question is not None:
            return question
    waiting = [name for name, fact in seen.items() if fact.code == codes.WAITS_FOR_ETCD]
    if len(waiting) != len(seen) or not waiting:
        return Wait("not every control plane waits for etcd yet")
    return _bootstrap(section, waiting, facts, memory)


def _unseen(absent: dict[str, Fact | None], memory: Memory) -> Answer | None:
    """A living etcd may hide on a node that does not answer: wait ten minutes, then ask, naming it."""
    names = sorted(absent)
    since = {n: f.since if f is not None else None for n, f in absent.items()}
    due = max((s or memory.opened_at) for s in since.values()) + UNSEEN_PATIENCE_SECONDS
    if not memory.passed(due):
        named = ", ".join(names)
        return Wait(f"{named}: not seen; a living etcd may hide there", due, can_clear="unknown")
    ask = Ask(
        question=f"bootstrap etcd without {', '.join(names)}, not seen for {spoken(UNSEEN_PATIENCE_SECONDS)}?",
        consequence="if etcd lives there, this makes a second cluster beside it",
        evidence={"unseen": names, "since": since},
        typed=" ".join(names),
    )
    return None if answer_to(memory, codes.ETCD, ask) == "given" else ask


def _bootstrap(section: Section, waiting: list[str], facts: Facts, memory: Memory) -> Answer:
    attempts = memory.attempts_at(BOOTSTRAP)
    if attempts and attempts[-1].code == ALREADY_EXISTS:
        # Also after a repetition that a person allowed: that yes was no yes to this.
        return _data_left(attempts[-1], memory)
    doubtful = [a for a in attempts if a.outcome in {None, Outcome.UNSETTLED, Outcome.DONE}]
    if doubtful:
        return _in_doubt(section, doubtful[-1], waiting, facts, memory)
    # A certain refusal is repeated where it was given, never elsewhere.
    name = str(attempts[-1].arguments["node"]) if attempts else waiting[0]
    if name not in waiting:
        return Wait(f"{name} refused the bootstrap and does not wait for etcd any more")
    return _act(section, name, facts, None)


def _act(section: Section, name: str, facts: Facts, approval: Ask | None) -> Answer:
    detail = facts[codes.node(name)].detail
    unread = [what for what in ("uuid", "boot_id") if not detail.get(what)]
    if unread:
        # Without them a doubt in this step could never be told from another machine or another boot.
        why = f"the {' and '.join(unread)} of {name} cannot be read; no bootstrap without"
        return Wait(why, can_clear="unknown")
    arguments = {
        "node": name,
        "address": section.talos.nodes[name].address,
        "machine_uuid": detail.get("uuid", ""),
        "boot_id": detail.get("boot_id", ""),
    }
    reason = "every planned control plane waits for etcd and none has a member"
    return Act(BOOTSTRAP, codes.node(name), arguments, reason, approval)


def _in_doubt(
    section: Section, last: Attempt, waiting: list[str], facts: Facts, memory: Memory
) -> Answer:
    """A bootstrap happened or may have: give it time, then ask to repeat it on the same machine only."""
    name = str(last.arguments["node"])
    if last.outcome is None or last.settled_at is None:
        return Wait(f"the bootstrap on {name} is under way")
    due = last.settled_at + BOOTSTRAP_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(f"etcd was bootstrapped on {name} and does not show itself yet", due)
    here = facts[codes.node(name)].detail if name in waiting else {}
    same = bool(here.get("uuid")) and here["uuid"] == last.arguments.get("machine_uuid")
    if not same:
        return Stuck(
            reference="etcd-bootstrap-in-doubt",
            message=f"the bootstrap on {name} is in doubt and that machine is not there to be asked",
            hint=f"bring back {name} with the same disk; never bootstrap another node in its place",
        )
    # Only another boot, read and not guessed, shows that what was accepted is gone.
    if last.outcome is Outcome.DONE and here.get("boot_id") in {"", last.arguments.get("boot_id")}:
        return Wait(
            f"Talos accepted the bootstrap on {name}; etcd has not shown itself in this boot"
        )
    ask = Ask(
        question=f"the bootstrap on {name} ended {last.outcome} and no etcd shows; repeat it on the same machine?",
        consequence="if the first one still comes up elsewhere there are two clusters",
        evidence={
            "action": last.action,
            "machine_uuid": here.get("uuid"),
            "settled": last.settled_at,
        },
        typed=name,
    )
    return _act(section, name, facts, ask)


def _data_left(last: Attempt, memory: Memory) -> Answer:
    """AlreadyExists is success only where a healthy etcd follows; it is never answered with another bootstrap."""
    name = str(last.arguments["node"])
    due = (last.settled_at or last.intended_at) + BOOTSTRAP_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(f"{name} has etcd data already; waiting for that etcd to show itself", due)
    return Stuck(
        reference="etcd-data-left",
        message=f"{name} has an etcd data directory and no etcd came up from it",
        hint=f"`talosctl -n {name} service etcd` says why; recover from a snapshot, or wipe EPHEMERAL of that "
        "node only after every other control plane was asked, then `rekindle cancel` and `rekindle run`",
    )


def _kubeconfig(section: Section, facts: Facts, memory: Memory) -> Answer:
    fact = facts.get(codes.KUBECONFIG)
    if fact is None or fact.code in {codes.OURS, codes.UNOBSERVABLE}:
        return Done()
    etcd = facts.get(codes.ETCD)
    if etcd is None or etcd.code not in {codes.HEALTHY, codes.FORMING}:
        return Wait("the kubeconfig is fetched once etcd runs")
    running = [
        name
        for name in section.talos.control_planes
        if (found := facts.get(codes.node(name))) is not None and found.code == codes.RUNNING
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
    return Wait(f"the Kubernetes API is {fact.code.lower()}: {fact.reason}")
