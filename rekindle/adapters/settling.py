"""How a doer says that an action ended. ``failed`` promises that nothing happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.world import NO_ANSWER, Settlement
from journal.entries import Outcome

if TYPE_CHECKING:
    from engine.world import Intent
    from journal.entries import Json

TEXT_LIMIT = 500


def done(intent: Intent, code: str = "", **evidence: Json) -> Settlement:
    """Say that it was done, as far as the target tells."""
    return Settlement(intent.action, Outcome.DONE, code, _bounded(evidence))


def failed(intent: Intent, code: str, **evidence: Json) -> Settlement:
    """Promise that nothing happened."""
    return Settlement(intent.action, Outcome.FAILED, code, _bounded(evidence))


def unsettled(intent: Intent, code: str = NO_ANSWER, **evidence: Json) -> Settlement:
    """Admit that we cannot know."""
    return Settlement(intent.action, Outcome.UNSETTLED, code, _bounded(evidence))


def _bounded(evidence: dict[str, Json]) -> dict[str, Json]:
    """Cut long texts and leave out what is empty: evidence goes into the journal."""
    return {
        name: value[:TEXT_LIMIT] if isinstance(value, str) else value
        for name, value in evidence.items()
        if value not in ("", None)
    }
