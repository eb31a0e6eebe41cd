"""Signs of what went wrong: of a cause, and of what has none."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from journal.entries import Instant
from rekindle.report.cleaning import clean
from rekindle.report.reasons import Cause, Sign


def of_root(cause: Cause, unready: Mapping[str, str], looked: Instant | None) -> Sign:
    """
    Tell a cause as it was found.

    A node that is back is called out of date; what it was when all began, the first look at *looked* has seen:
    *unready* says why nodes were not Ready then.
    """
    sign = Sign(
        subject=cause.subject,
        name=cause.name,
        text=cause.message,
        seen=cause.found,
        at=cause.since,
        root=True,
        ours=cause.ours,
        of={"seen": cause.of["found"]} if cause.of else {},
        entries=cause.entries,
        corrections=cause.corrections,
        true={"seen": cause.true["found"]} if "found" in cause.true else {},
    )
    why = unready.get(cause.subject)
    if why is None or looked is None or cause.found <= looked:
        return sign
    if cause.since is not None and cause.since > looked:  # it was Ready in between
        return sign
    return replace(sign, text=f"the node was not Ready: {why}", seen=looked, of={}, true={})


def unexplained(subject: str, text: str, at: Instant, why: str) -> Sign:
    """Tell what has no cause: *why* says what is known of that."""
    name = clean(subject)
    return Sign(subject=name, name=name, text=text, seen=at, unexplained=why)
