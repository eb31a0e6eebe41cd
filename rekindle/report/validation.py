"""
The rows of the milestone's Validation, filled from the facts of the last look, and what none of them proves.

What was seen well is proven, what was seen ill has failed, what was not seen is not proven: never the one for another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from journal.entries import Fact, Instant
from phases import codes
from rekindle.report.answering import Answering
from rekindle.report.cleaning import clean
from rekindle.report.story import FAILED, NOT_PROVEN, PROVEN, Check

HIDDEN = {codes.UNOBSERVABLE, codes.UNKNOWN}
SHOWN = 4
REASON = 80
GROUPED = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A row about a family of subjects: which codes are good, and which say that nobody could look."""

    what: str
    family: str
    good: Collection[str]
    hidden: Collection[str] = frozenset(HIDDEN)


ROWS = (
    Row("Kubernetes nodes Ready", "k8s-node", {codes.READY}),
    Row("Namespaces", "namespace", {codes.READY}),
    Row("Custom resource definitions", "crd", {codes.READY}),
    Row("GitOps synchronization (source)", "gitrepository", {codes.READY}),
    Row("Kustomizations", "kustomization", {codes.READY}),
    Row("Helm releases", "helmrelease", {codes.READY}),
    Row("Secret stores", "store", {codes.READY}),
    Row("External secrets", "externalsecret", {codes.READY}),
    Row("Deployments", "deployment", {codes.READY}),
    Row("StatefulSets", "statefulset", {codes.READY}),
    Row("DaemonSets", "daemonset", {codes.READY}),
)


def validation(
    facts: Mapping[str, Fact],
    section: Mapping[str, Any],
    counted: tuple[Instant | None, int],
    answering: Answering,
) -> tuple[Check, ...]:
    """
    Judge the last look; *section* is the compiled plan's own words about its cluster.

    *counted* is since when the count of pods stands, and by which entry (a seq).
    """
    planned = [codes.node(name) for name in section.get("talos", {}).get("nodes", {})]
    families = _families(facts)
    return (
        _since(_connectivity(facts, planned), *answering.changed(planned)),
        _talos(facts, planned),
        _api(facts),
        _since(_pods(facts), *counted),
        *(_row(row, families.get(row.family, {})) for row in ROWS if row.family in families),
    )


def _families(facts: Mapping[str, Fact]) -> dict[str, dict[str, Fact]]:
    found: dict[str, dict[str, Fact]] = {}
    for subject, fact in facts.items():
        found.setdefault(subject.partition("/")[0], {})[subject] = fact
    return found


def _since(check: Check, at: Instant | None, by: int) -> Check:
    """Say since when it has been so, and by which entry (a seq); of what was not asked nothing tells."""
    return (
        check if at is None or check.verdict == NOT_PROVEN else replace(check, at=at, of={"at": by})
    )


def _connectivity(facts: Mapping[str, Fact], planned: list[str]) -> Check:
    known = {subject: facts[subject] for subject in planned if subject in facts}
    silent = [s for s in planned if s not in known or known[s].code in HIDDEN]
    unseen = [s for s in known if known[s].code == codes.UNSEEN]
    answering = len(planned) - len(silent) - len(unseen)
    evidence = f"{answering} of {len(planned)} planned nodes answer on their Talos API"
    names = _names(unseen or silent or planned)
    if not planned:
        return _check("Node connectivity", NOT_PROVEN, "the plan names no node", {})
    verdict = FAILED if unseen else NOT_PROVEN if silent else PROVEN
    said = "not seen: " if unseen or silent else ""
    return _check("Node connectivity", verdict, f"{evidence} ({said}{names})", known)


def _talos(facts: Mapping[str, Fact], planned: list[str]) -> Check:
    known = {s: facts[s] for s in (*planned, codes.ETCD) if s in facts}
    stages = Counter(known[s].code if s in known else "not seen" for s in planned)
    etcd = known.get(codes.ETCD)
    said = ", ".join(f"{count} {clean(stage)}" for stage, count in sorted(stages.items()))
    members = max((len(_members(fact)) for fact in known.values()), default=0)
    evidence = (
        f"nodes: {said or 'none'}; etcd: {clean(etcd.code) if etcd is not None else 'not seen'}"
    )
    evidence += f", {members} members" if members else ""
    blind = {"not seen", codes.UNSEEN, *HIDDEN}
    well = stages[codes.RUNNING] == len(planned) and etcd is not None
    if well and etcd is not None and etcd.code == codes.HEALTHY and planned:
        return _check("Talos health check", PROVEN, evidence, known)
    unknown = not set(stages) - blind or etcd is None
    return _check("Talos health check", NOT_PROVEN if unknown else FAILED, evidence, known)


def _members(fact: Fact) -> Sequence[object]:
    """Return the members that a node names; of etcd as a whole it is a number: of so many nodes that name any."""
    found = fact.detail.get("members")
    return found if isinstance(found, list | tuple) else ()


def _api(facts: Mapping[str, Fact]) -> Check:
    what, api = "Kubernetes API availability", facts.get(codes.API)
    if api is None or api.code in HIDDEN:
        return _check(what, NOT_PROVEN, "it was not asked, or nobody could tell", {})
    said = {codes.UP: "it answers", codes.PARTIAL: "it answers on some control planes only"}
    evidence = said.get(api.code, f"it is {clean(api.code)}")
    evidence += _because(api)
    unlisted = sorted(s for s, f in facts.items() if s.startswith("kind/") and f.code != codes.SEEN)
    if unlisted:
        evidence += f"; could not be listed: {_names(unlisted)}"
    return _check(what, PROVEN if api.code == codes.UP else FAILED, evidence, {codes.API: api})


def _pods(facts: Mapping[str, Fact]) -> Check:
    what, pods = "Pod count restoration", facts.get(codes.PODS)
    if pods is None or "ready" not in pods.detail:
        return _check(what, NOT_PROVEN, "pods were never counted", {})
    ready, expected = pods.detail["ready"], pods.detail["expected"]
    evidence = f"{ready} of {expected} expected pods are Ready"
    restarts = facts.get(codes.RESTARTS)
    evidence += f"; {clean(restarts.code)} restarts of containers" if restarts is not None else ""
    verdict = PROVEN if ready >= expected else FAILED
    return _check(what, verdict, evidence, {})


def _row(row: Row, found: Mapping[str, Fact]) -> Check:
    bad = {s: f for s, f in found.items() if f.code not in row.good and f.code not in row.hidden}
    hidden = {s: f for s, f in found.items() if f.code in row.hidden or is_unverified(f)}
    good = len(found) - len(bad) - sum(f.code in row.hidden for f in hidden.values())
    evidence = f"{good} of {len(found)} Ready"
    if bad:
        evidence += f"; not: {_reasons(bad)}"
    if hidden:
        evidence += f"; not verified: {_reasons(hidden)}"
    verdict = FAILED if bad else NOT_PROVEN if hidden else PROVEN
    return _check(row.what, verdict, evidence, found)


def is_unverified(fact: Fact) -> bool:
    """Say whether a thing says Ready of itself and nobody could check it."""
    return fact.detail.get("verified") is False


def _check(what: str, verdict: str, evidence: str, found: Mapping[str, Fact]) -> Check:
    since = [fact.since for fact in found.values() if fact.since is not None]
    return Check(what=what, verdict=verdict, evidence=clean(evidence), at=max(since, default=None))


def _names(subjects: Collection[str]) -> str:
    names = [clean(subject.partition("/")[2] or subject) for subject in subjects]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _reasons(found: Mapping[str, Fact]) -> str:
    told = [
        f"{clean(subject.partition('/')[2] or subject)} ({clean(fact.code)}{_because(fact)})"
        for subject, fact in sorted(found.items())[:GROUPED]
    ]
    more = f" and {len(found) - GROUPED} more" if len(found) > GROUPED else ""
    return ", ".join(told) + more


def _because(fact: Fact) -> str:
    return f": {clean(fact.reason, REASON)}" if fact.reason else ""


def skipped(facts: Mapping[str, Fact]) -> Iterator[str]:
    """Say which checks could not be made, a sentence a family; and what only says of itself that it is well."""
    for family, found in sorted(_families(facts).items()):
        unseen = {s: f for s, f in found.items() if f.code in HIDDEN or f.code == codes.UNSEEN}
        if unseen:
            yield clean(f"{len(unseen)} of {family} could not be looked at: {_reasons(unseen)}")
        weak = {s: f for s, f in found.items() if f.code not in HIDDEN and is_unverified(f)}
        if weak:
            yield clean(f"{len(weak)} of {family} only say so themselves: {_reasons(weak)}")
