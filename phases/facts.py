"""
A snapshot, reduced to verdicts: one fact per subject, counted against the inventory.

Facts hold instants, never durations. What cannot be listed has no facts at all but one: its kind is Unobservable.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact, Instant
from phases import codes, fetched, one_operator, probing
from phases.followed import Objects
from phases.kinds import OPERATOR, WORKLOADS, usual_crds
from phases.readiness import (
    admission,
    flux,
    machinery,
    nodes,
    releases,
    remade,
    secrets,
    sources,
    workloads,
)
from phases.readiness.saying import unobservable
from phases.readiness.storage import PROTECTION, users_of_claim
from phases.revisions import served
from phases.section import Section
from phases.snapshot import KINDS, ApiLook, Holder, NodeLook, Seen, Snapshot, Unseen

Listed = Objects
# What a Kustomization may follow.
FOLLOWED = {kind.lower(): kind for kind in ("GitRepository", "OCIRepository", "Bucket")}


def reduce(plan: Plan, snapshot: Snapshot) -> Facts:
    """Judge everything that one look shows."""
    section: Section = plan.target
    facts: dict[str, Fact] = {}
    _talos(section, snapshot, facts)
    _api(section, snapshot, facts)
    _kinds(snapshot, facts)
    _machinery(section, snapshot, facts)
    _k8s_nodes(section, snapshot, facts)
    _workloads(section, snapshot, facts)
    _flux(plan, snapshot, facts)
    _named(section, snapshot, facts)
    facts.update(fetched.facts_of(section, snapshot, facts))
    _secrets(section, snapshot, facts)
    facts.update(_of_kind(section, snapshot, "Pod", section.pods.facts_of))
    facts.update(probing.facts_of(plan, snapshot))
    facts.update(one_operator.fact_of(snapshot))
    return facts


def _listed(snapshot: Snapshot, kind: str) -> Listed | None:
    seen = snapshot.objects.get(kind)
    return seen.value if isinstance(seen, Seen) else None


def _of_kind(
    section: Section,
    snapshot: Snapshot,
    kind: str,
    make: Callable[[Listed], dict[str, Fact]],
    context: object = None,
) -> dict[str, Fact]:
    """Judge a kind, unless nothing of it has changed: a snapshot keeps a kind's mapping until something does."""
    listed = _listed(snapshot, kind)
    if listed is None:
        return {}
    kept = section.listings.get(kind)
    if kept is not None and kept[0] is listed and kept[1] == context:
        return kept[2]
    made = make(listed)
    section.listings[kind] = (listed, context, made)
    return made


def _is_same(kept: object, found: object) -> bool:
    """Tell whether nothing changed in a tuple: it is of the same objects."""
    if isinstance(kept, tuple) and isinstance(found, tuple):
        return len(kept) == len(found) and all(map(operator.is_, kept, found))
    return False


def _kept(
    section: Section, subject: str, found: object, context: object, make: Callable[[Any, Any], Fact]
) -> Fact:
    """
    Judge an object in its context, unless neither has changed: a turn costs what changed, not the cluster.

    *make* gets both, and may rest on nothing else.
    """
    kept = section.verdicts.get(subject)
    if kept is not None and kept[1] == context and (kept[0] is found or _is_same(kept[0], found)):
        return kept[2]
    fact = make(found, context)
    section.verdicts[subject] = (found, context, fact)
    return fact


def _kept_each(
    section: Section,
    family: str,
    names: Iterable[str],
    listed: Listed,
    make: Callable[[Any], Fact],
) -> dict[str, Fact]:
    """Judge the objects of a family that need no context."""
    subjects = ((codes.subject(family, name), listed.get(name)) for name in names)
    return {
        subject: _kept(section, subject, found, None, lambda one, _context: make(one))
        for subject, found in subjects
    }


def _talos(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    if not section.talos.nodes:
        return  # nobody asks a machine, so there is nothing to say of them, nor of etcd
    control_planes: dict[str, Fact] = {}
    for name, planned in section.talos.nodes.items():
        look = snapshot.nodes.get(name, Unseen(0.0, "not-asked"))
        fact = _talos_node(section, name, planned.role, look, snapshot.at)
        facts[codes.node(name)] = fact
        if planned.role == "controlplane":
            control_planes[name] = fact
    shown = tuple(control_planes.values())
    facts[codes.ETCD] = _kept(
        section, codes.ETCD, shown, None, lambda _shown, _context: nodes.etcd(control_planes)
    )


def _talos_node(
    section: Section, name: str, role: str, look: Seen[NodeLook] | Unseen, now: Instant
) -> Fact:
    """Nodes are asked anew every time, and nearly always answer the same."""
    if isinstance(look, Unseen) or not nodes.is_fresh(look, now):
        return nodes.talos_node(look, role, now)
    told = (look.value, role)
    return _kept(section, codes.node(name), None, told, lambda _found, one: nodes.shown(*one))


def _api(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    look = snapshot.api
    if isinstance(look, Unseen):
        facts[codes.API] = unobservable(look)
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
    if planes and len(refusing) == len(planes) and not look.serving:
        return Fact(codes.DOWN, "no control plane is ready")
    if refusing:
        return Fact(codes.PARTIAL, f"not ready on {', '.join(refusing)}")
    if silent:
        return Fact(codes.UNKNOWN, f"no answer from {', '.join(silent)}")
    if not look.serving:
        why = f": {look.why}" if look.why else " yet"
        if look.limited:
            return Fact(codes.PARTIAL, f"answers, but does not let us list namespaces{why}")
        return Fact(codes.PARTIAL, f"ready, but does not answer our credentials{why}")
    return Fact(codes.UP)


_SEEN = Fact(codes.SEEN)


def _kinds(snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    for name in KINDS:
        seen = snapshot.objects.get(name, Unseen(0.0, "not-asked"))
        if isinstance(seen, Unseen):
            facts[codes.kind(name)] = unobservable(seen)
        else:
            facts[codes.kind(name)] = _SEEN
    listed = snapshot.objects.get("Deployment")
    if isinstance(listed, Seen):
        # Whoever installed it: an inventory from Git alone may not have it, and it brings Flux back all the same.
        found = next((key for key in listed.value if key.endswith(OPERATOR)), "")
        if found:
            facts[codes.kind("Deployment")] = Fact(codes.SEEN, detail={"operator": found})


def _machinery(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    def spaces(listed: Listed) -> dict[str, Fact]:
        return _kept_each(
            section, "namespace", section.inventory.namespaces, listed, machinery.namespace
        )

    def crds(listed: Listed) -> dict[str, Fact]:
        return _kept_each(section, "crd", section.crd_names, listed, machinery.crd)

    facts.update(_of_kind(section, snapshot, "Namespace", spaces))
    facts.update(_of_kind(section, snapshot, "CustomResourceDefinition", crds))
    facts.update(_of_kind(section, snapshot, "APIService", admission.api_services))
    for kind in admission.CONFIGURATIONS:
        hooks = partial(admission.configurations, kind)
        facts.update(_of_kind(section, snapshot, kind, hooks))
    for scope, found in snapshot.holders.items():
        if isinstance(found, Unseen):
            facts[f"holders/{scope}"] = Fact(codes.UNOBSERVABLE, found.why or found.code)
        else:
            facts[f"holders/{scope}"] = _SEEN
            for held in found.value:
                facts[codes.subject("holder", held.uid)] = machinery.holder(
                    held, _users(snapshot, held)
                )


def _users(snapshot: Snapshot, held: Holder) -> tuple[str, ...] | None:
    """Name the pods that use what is held, if it is a claim; None: they are not listed."""
    if PROTECTION not in held.finalizers:
        return ()
    pods = _listed(snapshot, "Pod")
    return None if pods is None else users_of_claim(held.namespace, held.name, pods)


def _k8s_nodes(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    listed = _listed(snapshot, "Node")
    if listed is None:
        return
    asked = bool(section.talos.nodes)
    for name in section.node_names:
        talos = facts.get(codes.node(name))
        fact = nodes.k8s_node(listed.get(name), talos, asked=asked)
        facts[codes.k8s_node(name)] = fact if asked else nodes.with_role(fact, listed.get(name))


def _workloads(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    for kind in WORKLOADS:
        facts.update(_of_kind(section, snapshot, kind, partial(_workloads_of, section, kind)))
    listed = tuple(_listed(snapshot, kind) for kind in WORKLOADS)
    if None in listed:
        return
    facts[codes.PODS] = _kept(
        section, codes.PODS, listed, None, lambda _found, _context: _counted(section, facts)
    )


def _counted(section: Section, facts: Facts) -> Fact:
    listed = section.workloads[: len(section.inventory.workloads)]
    ready = sum(min(int(facts[subject].detail["ready"]), pods) for _, _, subject, pods in listed)
    return Fact("counted", detail={"ready": ready, "expected": section.inventory.pods})


def _workloads_of(section: Section, kind: str, listed: Listed) -> dict[str, Fact]:
    made: dict[str, Fact] = {}
    judge = partial(workloads.verdict, kind)
    for key, subject, pods in section.workloads_of[kind]:
        found = listed.get(key)
        if found is None:
            made[subject] = _kept(section, subject, None, pods, _absent)
        else:
            leads = kind == "Deployment" and key in section.flux.controllers
            told = workloads.controller if leads else judge
            made[subject] = _kept(section, subject, found, pods, told)
    return made


def _absent(_found: None, pods: int) -> Fact:
    return Fact(codes.ABSENT, detail={"ready": 0, "expected": pods})


def _flux(plan: Plan, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    section: Section = plan.target

    def source(listed: Listed) -> dict[str, Fact]:
        return {section.source: sources.source(listed.get(section.flux.source))}

    facts.update(_of_kind(section, snapshot, "GitRepository", source))
    aim = served(plan, facts)
    crds = _listed(snapshot, "CustomResourceDefinition")
    synced = partial(_kustomizations, section, aim, crds or {})
    facts.update(_of_kind(section, snapshot, "Kustomization", synced, (aim, crds)))
    facts.update(_of_kind(section, snapshot, "HelmRelease", partial(_releases, section)))


def _kustomizations(section: Section, aim: str, crds: Listed, listed: Listed) -> dict[str, Fact]:
    """Judge against the goal revision; who follows another source has another goal, and nobody here knows it."""
    made: dict[str, Fact] = {}
    foreign = frozenset(section.inventory.unknown)
    for subject, item in section.kustomizations:
        judge = _SYNCED[item.suspended]
        goal = "" if item.key in foreign else aim
        context = (goal, remade.newest(item.needs, crds))
        made[subject] = _kept(section, subject, listed.get(item.key), context, judge)
    return made


def _synced(found: Any, context: tuple[str, remade.Kind | None], *, suspended: bool) -> Fact:  # noqa: ANN401
    goal, kind = context
    return remade.held_against(flux.kustomization(found, goal, suspended=suspended), found, kind)


def _releases(section: Section, listed: Listed) -> dict[str, Fact]:
    made: dict[str, Fact] = {}
    for subject, item in section.releases:
        found = listed.get(item.key)
        made[subject] = _kept(section, subject, found, item.suspended, _released)
    return made


def _released(found: Any, suspended: bool) -> Fact:  # noqa: ANN401, FBT001
    return releases.helm_release(found, suspended=suspended)


def _named(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    """
    Judge what a failed attempt names and no inventory has, or nobody would ever see its cause clear.

    A CRD that a chart brings is in no Git tree; which of the usual names it has, only the listing tells.
    """
    spaces, crds = _listed(snapshot, "Namespace"), _listed(snapshot, "CustomResourceDefinition")
    for subject in section.reconciled:
        fact = facts.get(subject)
        if fact is None or fact.code not in {codes.BLOCKED, codes.FAILED}:
            continue
        family, _, name = str(fact.detail.get("cause") or "").partition(":")
        follows = str(fact.detail.get("source") or "")
        followed = _followed(snapshot, follows)
        if followed is not None:
            facts.setdefault(follows, followed)
        if family.startswith("namespace") and spaces is not None:
            facts.setdefault(
                codes.subject("namespace", name), machinery.namespace(spaces.get(name))
            )
        elif family == "kind" and crds is not None:
            kind, _, group = name.partition(".")
            for found in filter(None, map(crds.get, usual_crds(kind, group))):
                facts.setdefault(codes.subject("crd", found.metadata.name), machinery.crd(found))
        elif family == "object":
            kind, _, key = name.partition("/")
            if _was_made(snapshot, subject, kind, key):
                facts.setdefault(codes.subject(kind, key), Fact(codes.READY))


def _followed(snapshot: Snapshot, subject: str) -> Fact | None:
    """Judge a source that is not the plan's; of a kind that is not listed (a run lists no Bucket) there is no fact."""
    family, _, key = subject.partition("/")
    listed = _listed(snapshot, FOLLOWED[family]) if family in FOLLOWED else None
    return None if listed is None else sources.source(listed.get(key))


def _was_made(snapshot: Snapshot, asking: str, kind: str, key: str) -> bool:
    """
    Say whether a Secret or a ConfigMap is known to be there, though neither is ever listed.

    An ExternalSecret that writes it is synced, or a Kustomization that has applied it, and does not ask for it itself.
    What Helm, an operator or a person makes is in nobody's status.
    """
    for found in (_listed(snapshot, "ExternalSecret") or {}).values() if kind == "Secret" else ():
        target = found.spec.target.name or found.metadata.name
        if f"{found.metadata.namespace}/{target}" == key:
            return secrets.external_secret(found, "").code == codes.READY
    space, _, name = key.partition("/")
    applied = f"{space}_{name}__{kind}"  # as fluxcd/cli-utils writes the id of an object of the core group
    return any(
        entry.id == applied
        for other, found in (_listed(snapshot, "Kustomization") or {}).items()
        if codes.subject("Kustomization", other) != asking and found.status.inventory is not None
        for entry in found.status.inventory.entries
    )


_SYNCED = {suspended: partial(_synced, suspended=suspended) for suspended in (False, True)}


def _secrets(section: Section, snapshot: Snapshot, facts: dict[str, Fact]) -> None:
    def synced(listed: Listed) -> dict[str, Fact]:
        made: dict[str, Fact] = {}
        for item in section.inventory.externalsecrets:
            subject, found = codes.subject("externalsecret", item.key), listed.get(item.key)
            made[subject] = _kept(section, subject, found, item.store, secrets.external_secret)
        return made

    def stores(listed: Listed) -> dict[str, Fact]:
        names = (item.name for item in section.inventory.stores)
        return _kept_each(section, "store", names, listed, secrets.store)

    facts.update(_of_kind(section, snapshot, "ExternalSecret", synced))
    facts.update(_of_kind(section, snapshot, "ClusterSecretStore", stores))
