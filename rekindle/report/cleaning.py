"""
What comes from elsewhere, made fit for a document that is handed on.

A journal is redacted when it is written. It is done again here: a report leaves the machine that the journal stays on,
and an older rekindle may have known fewer kinds of secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from journal.entries import Json
from journal.redactor import redact, redact_text

TEXT: Final = 400  # characters; the journal has all of it
EVIDENCE: Final = 240
# Controls, and the invisible characters that make a line read otherwise than it is written.
_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+"
)
_TOLD: Final = ("message", "why", "error")


def clean(text: object, limit: int = TEXT) -> str:
    """Return a text on one line, without secrets and hidden characters, and not longer than *limit*."""
    whole = _HIDDEN.sub(" ", redact_text(str(text))).strip()
    return whole if len(whole) <= limit else f"{whole[: limit - 1]}…"


def told(evidence: Mapping[str, Json]) -> str:
    """Say what an action brought back: its own words if it has any, else all that it is."""
    found = next((evidence[key] for key in _TOLD if evidence.get(key)), None)
    if found is None:
        if not evidence:
            return ""
        found = msgspec.json.encode(redact(dict(evidence))).decode()
    return clean(found, EVIDENCE)
