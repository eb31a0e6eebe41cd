"""Signs of what went wrong: of a cause, and of what has none."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from journal.entries import Instant
from rekindle.report.cleaning import clean
from rekindle.report.reasons import Cause, Sign
from rekindle.spans import stamp


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
        true={
            name: cause.true[one]
            for name, one in (("seen", "found"), ("at", "since"))
            if one in cause.true
        },
    )
    why = unready.get(cause.subject)
    if why is None or looked is None or cause.found <= looked:
        return sign
    if cause.broke is not None and cause.broke > looked:  # it was Ready in between
        return sign
    true = {name: at for name, at in sign.true.items() if name != "seen"}
    return replace(sign, text=f"the node was not Ready: {why}", seen=looked, of={}, true=true)


def unexplained(subject: str, text: str, at: Instant, why: str) -> Sign:
    """Tell what has no cause: *why* says what is known of that."""
    name = clean(subject)
    return Sign(subject=name, name=name, text=text, seen=at, unexplained=why)


def in_words(sign: Sign) -> str:
    """Say what was wrong: what no cause tells, and no instant of the cluster's, does not name itself."""
    return f"{sign.name}: {sign.text}" if sign.at is None and not sign.root else sign.text


def since_when(sign: Sign) -> str:
    """Say since when it has been so; where a person says that, who, and what the cluster told."""
    who = next((one.actor for one in reversed(sign.corrections) if one.since), "")
    if sign.broke is None or not who:
        return stamp(sign.at) if sign.at is not None else ""
    cluster = "nothing" if sign.at is None else stamp(sign.at)
    return f"{stamp(sign.broke)}, as {who} notes (a correction: the cluster told {cluster})"
