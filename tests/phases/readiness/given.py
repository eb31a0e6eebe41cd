"""What a case says about an object, and how a table of cases becomes parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from journal.entries import Fact

CREATED = "2020-01-01T00:00:00Z"  # an old object: no verdict may begin then
MOVED, MOVED_AT = "2026-06-12T09:00:00Z", 1_781_254_800.0
GONE, GONE_AT = "2026-06-12T10:00:00Z", 1_781_258_400.0
DELETED: dict[str, Any] = {"deletionTimestamp": GONE}


def condition(text: str) -> dict[str, str]:
    """``Ready=False/Reason message``, since MOVED."""
    head, _, message = text.partition(" ")
    kind, _, rest = head.partition("=")
    status, _, reason = rest.partition("/")
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": MOVED,
    }


def made(
    struct: Any,  # noqa: ANN401  any struct of an object
    *conditions: str,
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **metadata: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """An object of long ago, whose conditions moved in June."""
    said = {"conditions": [condition(text) for text in conditions]} if conditions else {}
    body = {
        "metadata": {
            "name": "x",
            "namespace": "apps",
            "uid": "u1",
            "creationTimestamp": CREATED,
            **metadata,
        },
        "spec": dict(spec or {}),
        "status": {**said, **(status or {})},
    }
    return msgspec.convert(body, struct)


Case = tuple[Any, ...]


def cases(table: Mapping[str, Case]) -> list[Any]:
    """Name each case by what it shows."""
    return [pytest.param(*row, id=name.replace(" ", "-")) for name, row in table.items()]


def said(fact: Fact) -> str:
    """A verdict in a line: ``Blocked store:vault``, ``Failed! reason:x`` (in vain to wait), ``Terminating a, b``."""
    mark = "!" if fact.detail.get("terminal") else ""
    about = fact.detail.get("cause") or ", ".join(map(str, fact.detail.get("blockers") or ()))
    return f"{fact.code}{mark} {about}".strip()
