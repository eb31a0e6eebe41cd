"""A row: what was looked at, what was found, what to do, and which verbs may not be begun while it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

EVERYTHING = frozenset({"*"})  # every verb
NOTHING = "nothing to do"


class Verdict(StrEnum):
    """What a row says. Unknown is not red: nobody could look."""

    OK = "ok"
    WARNING = "warning"
    RED = "red"
    UNKNOWN = "unknown"


EXITS = {Verdict.OK: 0, Verdict.WARNING: 1, Verdict.RED: 2, Verdict.UNKNOWN: 3}
# What could not be told may be red; so it outweighs a warning.
_WORST = (Verdict.RED, Verdict.UNKNOWN, Verdict.WARNING)
_MARKS = {Verdict.OK: "ok", Verdict.WARNING: "WARN", Verdict.RED: "RED", Verdict.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Check:
    """
    One row. *id* is FAMILY.NAME, and stays the same from version to version.

    *blocks* are verbs; only a red row may have any. *target* narrows them to one target, as ``node/NAME``.
    """

    id: str
    subject: str
    verdict: Verdict
    said: str
    todo: str = NOTHING
    blocks: frozenset[str] = frozenset()
    target: str = ""

    def __post_init__(self) -> None:
        """Refuse a row that leaves its reader alone, and one that forbids without being red."""
        if self.verdict is not Verdict.OK and self.todo in {"", NOTHING}:
            raise ValueError(f"{self.id} does not say what to do")
        if self.blocks and self.verdict is not Verdict.RED:
            raise ValueError(f"{self.id} blocks and is not red")


def ok(name: str, subject: str, said: str) -> Check:
    """Say that something is as it should be."""
    return Check(name, subject, Verdict.OK, said)


def warning(name: str, subject: str, said: str, todo: str) -> Check:
    """Say that something should be mended, and stops nothing."""
    return Check(name, subject, Verdict.WARNING, said, todo)


def unknown(name: str, subject: str, said: str, todo: str) -> Check:
    """Say that nobody could look."""
    return Check(name, subject, Verdict.UNKNOWN, said, todo)


def cleaned(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Pass every text through the redactor: the last defence, for what others wrote into names and messages."""
    from journal.redactor import (
        redact_text,
    )  # here, for this module is read before it is known whose journal/ is

    return tuple(
        replace(
            check,
            subject=redact_text(check.subject),
            said=redact_text(check.said),
            todo=redact_text(check.todo),
        )
        for check in checks
    )


def worst(checks: Sequence[Check]) -> Verdict:
    """Return the verdict of all rows together."""
    found = {check.verdict for check in checks}
    return next((verdict for verdict in _WORST if verdict in found), Verdict.OK)


def document(checks: Sequence[Check], *, plan: str | None, cluster: str | None) -> dict[str, Any]:
    """Write the rows as JSON."""
    return {
        "schema": "rekindle.doctor/1",
        "plan": plan,
        "cluster": cluster,
        "verdict": str(worst(checks)),
        "checks": rows_of(checks),
    }


def rows_of(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Write each row as JSON."""
    return [
        {
            "id": check.id,
            "subject": check.subject,
            "verdict": str(check.verdict),
            "said": check.said,
            "todo": check.todo,
            "blocks": sorted(check.blocks),
            "target": check.target,
        }
        for check in checks
    ]


def lines(checks: Sequence[Check], *, verbose: bool = False) -> list[str]:
    """Write the rows for people; *verbose*: also what is in order, each by itself."""
    written: list[str] = []
    for check in checks:
        if check.verdict is Verdict.OK and not verbose:
            continue
        written.append(f"{_MARKS[check.verdict]:5} {check.id}  {check.subject}: {check.said}")
        if check.verdict is not Verdict.OK:
            written.append(f"      do: {check.todo}")
        if check.blocks:
            written.append(f"      blocks: {_blocked(check)}")
    counted = ", ".join(
        f"{count} {verdict}" for verdict in Verdict if (count := _count(checks, verdict))
    )
    return [*written, f"{len(checks)} looked at: {counted}"]


def _count(checks: Sequence[Check], verdict: Verdict) -> int:
    return sum(check.verdict is verdict for check in checks)


def _blocked(check: Check) -> str:
    verbs = "everything" if check.blocks == EVERYTHING else ", ".join(sorted(check.blocks))
    return f"{verbs} ({check.target})" if check.target else verbs
