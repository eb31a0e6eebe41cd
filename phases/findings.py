"""What blocks others, by the facts alone: the causes that controllers named, and namespaces on their way out."""

from __future__ import annotations

from engine.answer import Subject
from engine.recipe import Facts
from journal.entries import Finding
from phases import codes
from phases.section import Section


def blocked_by(section: Section, facts: Facts) -> list[tuple[Subject, str]]:
    """Return what is blocked, each with the cause that its controller named."""
    found = zip(section.synced, map(facts.get, section.synced), strict=True)
    return [
        (subject, str(fact.detail.get("cause") or ""))
        for subject, fact in found
        if fact is not None and fact.code == codes.BLOCKED
    ]


def findings_of(section: Section, facts: Facts) -> dict[str, Finding]:
    """Name the causes that block others, and what each blocks."""
    blocked: dict[str, list[str]] = {}
    for subject, cause in blocked_by(section, facts):
        if cause.startswith(("kind:", "namespace:")):
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
