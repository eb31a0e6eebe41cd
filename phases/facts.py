"""
A snapshot, reduced to verdicts: one fact per subject, counted against the inventory.

Facts hold instants, never durations. What cannot be listed has no facts at all but one: its kind is Unobservable.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from engine.plan import Plan
from engine.recipe import Facts, Findings
from journal.entries import Fact, Finding
from phases import codes
from phases.readiness import flux, machinery, nodes, workloads
from phases.section import Section
from phases.snapshot import KINDS, ApiLook, Seen, Snapshot, Unseen

POD_PROBLEMS = 50
POD_REASONS = {
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "CreateContainerConfigError",
    "InvalidImageName",
}


def reduce(plan: Plan, snapshot: Snapshot) -> tuple[Facts, Findings]:
    """Judge everything that one look shows."""
    section: Section = plan.target
    facts: dict[str, Fact] = {}
    _talos(section, snapshot, facts)
    _api(section, snapshot, facts)
    _kinds(snapshot, facts)
    _machinery(section, snapshot, facts)
    _k8s_nodes(section, snapshot, facts)
    _workloads(section, snapshot, facts)
    _flux(section, snapshot, facts)
    _secrets(section, snapshot, facts)
    _pods(section, snapshot, facts)
    _restarts(section, snapshot, facts)
    return facts, findings_of(section, facts)


def goal(facts: Facts) -> str:
    """Return the revision that everything should reach: the one its source serves."""
    for subject, fact in facts.items():
        if subject.startswith("gitrepository/") and fact.code == codes.READY:
            return str(fact.detail["revision"])
    return ""


def _listed(snapshot: Snapshot, kind: str) -> dict[str, Any] | None:
    seen = snapshot.objects.get(kind)
    return seen.value if isinstance(seen, Seen) else None


def _kept(
    section: Section, subject: str, found: object, context: object, make: Callable[[], Fact]
) -> Fact:
    """Judge an object, unless it has not changed since: a turn costs what changed, not the cluster."""
    kept = section.verdicts.get(subject)
    if kept is not None and kept[0] is found and kept[1] == context:
        return kept[2]
    fact = make()
    section.verdicts[subject] = (found, context, fact)
    return fact


def _talos(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    control_planes: dict[str, Fact] = {}
    for name, planned in section.talos.nodes.items():
        look = snapshot.nodes.get(name, Unseen(0.0, "not-asked"))
        fact = nodes.talos_node(look, planned.role, snapshot.at)
        facts[codes.node(name)] = fact
        if planned.role == "controlplane":
            control_planes[name] = fact
    facts[codes.ETCD] = nodes.etcd(control_planes)


def _api(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    look = snapshot.api
    if isinstance(look, Unseen):
        facts[codes.API] = Fact(codes.UNOBSERVABLE, look.why or look.code, look.since or None)
    else:
        facts[codes.API] = _api_fact(section, look.value)
    config = snapshot.kubeconfig
    if isinstance(config, Unseen):
        facts[codes.KUBECONFIG] = Fact(codes.UNOBSERVABLE, config.why or config.code)
    else:
        facts[codes.KUBECONFIG] = Fact(config.value.state)


def _api_fact(section: Section, look: ApiLook) -> Fact:
    """A control plane that says no is not ready; one that says nothing is not known."""
    planes = section.talos.control_planes
    refusing = [name for name in planes if look.readyz.get(name) is False]
    silent = [name for name in planes if name not in look.readyz]
    if look.ca_matches is False:
        return Fact(codes.FOREIGN, "another CA than the cluster's answers")
    if len(refusing) == len(planes) and not look.serving:
        return Fact(codes.DOWN, "no control plane is ready")
    if refusing:
        return Fact(codes.PARTIAL, f"not ready on {', '.join(refusing)}")
    if silent:
        return Fact(codes.UNKNOWN, f"no answer from {', '.join(silent)}")
    if not look.serving:
        return Fact(codes.PARTIAL, "ready, but does not answer our credentials yet")
    return Fact(codes.UP)


def _kinds(snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    for name in KINDS:
        seen = snapshot.objects.get(name, Unseen(0.0, "not-asked"))
        if isinstance(seen, Unseen):
            why = seen.why or seen.code
            facts[codes.kind(name)] = Fact(codes.UNOBSERVABLE, why, seen.since or None)
        else:
            facts[codes.kind(name)] = Fact(codes.SEEN)


def _machinery(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    listed = _listed(snapshot, "Namespace")
    if listed is not None:
        for name in section.inventory.namespaces:
            facts[codes.subject("namespace", name)] = machinery.namespace(listed.get(name))
    listed = _listed(snapshot, "CustomResourceDefinition")
    if listed is not None:
        for name in section.crd_names:
            facts[codes.subject("crd", name)] = machinery.crd(listed.get(name))
    for scope, found in snapshot.holders.items():
        if isinstance(found, Unseen):
            facts[f"holders/{scope}"] = Fact(codes.UNOBSERVABLE, found.why or found.code)
        else:
            facts[f"holders/{scope}"] = Fact(codes.SEEN)
            for held in found.value:
                facts[codes.subject("holder", held.uid)] = machinery.holder(held)


def _k8s_nodes(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    listed = _listed(snapshot, "Node")
    if listed is None:
        return
    for name in section.talos.nodes:
        talos = facts.get(codes.node(name))
        facts[codes.k8s_node(name)] = nodes.k8s_node(listed.get(name), talos)


def _workloads(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    ready = expected = 0
    counted = {(item.kind, item.key) for item in section.inventory.workloads}
    for kind, key, subject, pods in section.workloads:
        listed = _listed(snapshot, kind)
        if listed is None:
            continue
        found = listed.get(key)
        if found is None:
            fact = Fact(codes.ABSENT, detail={"ready": 0, "expected": pods})
        else:
            judge = partial(workloads.verdict, kind, found, pods)
            fact = _kept(section, subject, found, pods, judge)
        facts[subject] = fact
        if (kind, key) in counted:
            ready += min(int(fact.detail["ready"]), pods)
    expected = section.inventory.pods
    if all(_listed(snapshot, kind) is not None for kind in ("Deployment", "DaemonSet")):
        facts[codes.PODS] = Fact("counted", detail={"ready": ready, "expected": expected})


def _flux(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    listed = _listed(snapshot, "GitRepository")
    if listed is not None:
        key = section.flux.source
        facts[codes.subject("gitrepository", key)] = flux.source(listed.get(key))
    aim = goal(facts)
    listed = _listed(snapshot, "Kustomization")
    if listed is not None:
        for item in section.inventory.kustomizations:
            found = listed.get(item.key)
            subject = codes.subject("kustomization", item.key)
            judge = partial(flux.kustomization, found, aim, suspended=item.suspended)
            facts[subject] = _kept(section, subject, found, aim, judge)
    listed = _listed(snapshot, "HelmRelease")
    if listed is not None:
        for release in section.inventory.helmreleases:
            found = listed.get(release.key)
            subject = codes.subject("helmrelease", release.key)
            judge = partial(flux.helm_release, found, suspended=release.suspended)
            facts[subject] = _kept(section, subject, found, None, judge)


def _secrets(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    listed = _listed(snapshot, "ExternalSecret")
    if listed is not None:
        for item in section.inventory.externalsecrets:
            judged = flux.external_secret(listed.get(item.key), item.store)
            facts[codes.subject("externalsecret", item.key)] = judged
    listed = _listed(snapshot, "ClusterSecretStore")
    if listed is not None:
        for name in section.inventory.stores:
            facts[codes.subject("store", name)] = flux.store(listed.get(name))


def _pods(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    """Name at most fifty pods that will not become ready as they are."""
    listed = _listed(snapshot, "Pod")
    if listed is None:
        return
    named = 0
    namespaces = set(section.inventory.namespaces)
    for key, pod in listed.items():
        if pod.status.phase in {"Running", "Succeeded"} and not pod.status.container_statuses:
            continue
        statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
        reasons = [s.state.waiting.reason for s in statuses if s.state.waiting is not None]
        bad = next((reason for reason in reasons if reason in POD_REASONS), None)
        if bad is None or pod.metadata.namespace not in namespaces:
            continue
        facts[codes.subject("pod", key)] = Fact(codes.FAILED, bad)
        named += 1
        if named == POD_PROBLEMS:
            return


def _restarts(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    """Count restarts in the code itself, so that the fact's instant is that of the latest one."""
    listed = _listed(snapshot, "Pod")
    if listed is None:
        return
    namespaces = set(section.inventory.namespaces)
    total = sum(
        status.restart_count
        for pod in listed.values()
        if pod.metadata.namespace in namespaces
        for status in pod.status.container_statuses
    )
    facts[codes.RESTARTS] = Fact(str(total))


def findings_of(section: Section, facts: Facts) -> dict[str, Finding]:
    """Name the causes that block others, and what each blocks."""
    blocked: dict[str, list[str]] = {}
    for subject, fact in facts.items():
        cause = str(fact.detail.get("cause") or "")
        if fact.code == codes.BLOCKED and cause.startswith(("kind:", "namespace:")):
            blocked.setdefault(cause, []).append(subject)
    found: dict[str, Finding] = {}
    for cause, subjects in blocked.items():
        family, _, name = cause.partition(":")
        if family == "kind":
            message = f"no CRD serves {name}"
            clears = "unknown"
        else:
            message = f"namespace {name} is Terminating"
            clears = "no" if _is_held(name, facts) else "unknown"
        found[cause] = Finding(name, family, message, tuple(sorted(subjects)), clears)
    for name in section.inventory.namespaces:
        state = facts.get(codes.subject("namespace", name))
        if state is None or state.code != codes.TERMINATING or f"namespace:{name}" in found:
            continue
        clears = "no" if _is_held(name, facts) else "unknown"
        message = f"namespace {name} is Terminating"
        found[f"namespace:{name}"] = Finding(name, "namespace", message, (), clears)
    return found


def _is_held(namespace: str, facts: Facts) -> bool:
    return any(
        subject.startswith("holder/") and fact.detail.get("namespace") == namespace
        for subject, fact in facts.items()
    )
