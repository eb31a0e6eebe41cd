"""
Sources beside the plan's own, which reached nobody before the network was up: charts', and those of other trees.

source-controller tries them again after a pause that it doubles, up to a quarter of an hour (1.9,
``--max-retry-delay``), and whatever needs them waits that out. Nothing is expected of them, and facts are made only of
what failed and is needed by something of the inventory that is not well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.answer import Act, Answer, Subject, Wait
from engine.memory import Memory
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes
from phases.clearing import SOURCES
from phases.ends import RESUMED
from phases.nudges import is_clear, is_resumed, nudge
from phases.readiness import sources
from phases.section import Section
from phases.snapshot import Seen, Snapshot

# Not Bucket: a run does not list it.
KINDS = ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart")
# A chart says these while it waits for its own source, and is looked at again once that is fetched.
WAITS_FOR_SOURCE = ("reason:NoSourceArtifact", "reason:SourceUnavailable")
Named = tuple[str, str]  # kind and key


def facts_of(section: Section, snapshot: Snapshot, facts: Facts) -> dict[Subject, Fact]:
    """Judge what failed of what is needed; a kind that cannot be listed has no facts."""
    made: dict[Subject, Fact] = {}
    for kind, key in dict.fromkeys(_needed(section, snapshot, facts)):
        found, subject = _listed(snapshot, kind).get(key), codes.subject(kind, key)
        if found is None or subject == section.source:
            continue
        fact = sources.source(found)
        if fact.code == codes.BLOCKED and fact.detail["cause"] not in WAITS_FOR_SOURCE:
            made[subject] = fact
    return made


def fetched(section: Section, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    """Wake those whose cause has cleared. Of the others nothing is said: who needs them waits, and says so itself."""
    answers: dict[Subject, Answer] = {}
    for subject in [s for s in facts if s.startswith(SOURCES) and s != section.source]:
        fact = facts[subject]
        cause = str(fact.detail.get("cause") or "")
        if not fact.detail.get("parked"):
            continue
        if is_clear(section, subject, cause, facts):
            answer = nudge(section, subject, fact, cause, memory)
        elif is_resumed(subject, fact, cause, memory):
            answer = nudge(section, subject, fact, f"{RESUMED}:{cause}", memory)
        else:
            continue
        if isinstance(answer, Act) or (isinstance(answer, Wait) and answer.until is not None):
            answers[subject] = answer
    return answers


def _needed(section: Section, snapshot: Snapshot, facts: Facts) -> Iterator[Named]:
    """Name what Kustomizations and releases that are not Ready take something from, as they say it themselves."""
    for kind, items in (
        ("Kustomization", section.kustomizations),
        ("HelmRelease", section.releases),
    ):
        listed = _listed(snapshot, kind)
        for subject, item in items:
            fact = facts.get(subject)
            if fact is None or fact.code == codes.READY:
                continue  # nearly always
            found = listed.get(item.key)
            if found is None:
                continue
            space = found.metadata.namespace
            for reference in filter(None, (found.spec.source_ref, found.spec.chart_ref)):
                yield reference.kind, f"{reference.namespace or space}/{reference.name}"
            if found.status.helm_chart:
                yield from _of_a_chart(snapshot, found.status.helm_chart)


def _of_a_chart(snapshot: Snapshot, key: str) -> Iterator[Named]:
    """Name a chart, and what it is fetched from."""
    yield "HelmChart", key
    chart = _listed(snapshot, "HelmChart").get(key)
    if chart is not None and chart.spec.source_ref is not None:
        reference = chart.spec.source_ref
        yield reference.kind, f"{chart.metadata.namespace}/{reference.name}"


def _listed(snapshot: Snapshot, kind: str) -> Mapping[str, Any]:
    seen = snapshot.objects.get(kind)
    return seen.value if isinstance(seen, Seen) and kind in _READ else {}


_READ = frozenset({*KINDS, "Kustomization", "HelmRelease"})
