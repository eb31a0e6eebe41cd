"""
The words of OTLP/JSON, as the OpenTelemetry protocol's specification has them.

JSON of protobuf with its exceptions: trace and span ids are hexadecimal (not base64), enumerations are numbers, names
are in lowerCamelCase, and 64-bit integers are strings. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Any

TRACE_BYTES, SPAN_BYTES = 16, 8
EVENTS = 1_000  # of one span; what is beyond is counted
Value = str | bool | int | float


class Kind(IntEnum):
    """What a span is to its parent."""

    INTERNAL = 1
    CLIENT = 3


class Status(IntEnum):
    """How a span ended; UNSET where nobody proved it."""

    UNSET = 0
    OK = 1
    ERROR = 2


def identity(length: int, *words: object) -> str:
    """Return an id in hexadecimal: the same words give the same id, wherever and whenever."""
    return sha256("\0".join(map(str, words)).encode()).digest()[:length].hex()


def nanoseconds(instant: float) -> str:
    """Write an instant as a collector wants it. Microseconds are all that a float of today's size has."""
    return str(round(instant * 1e6) * 1000)


def attributes(values: Mapping[str, Value | None]) -> list[dict[str, Any]]:
    """Write attributes; what is None or empty is left out."""
    return [
        {"key": name, "value": _value(value)}
        for name, value in values.items()
        if value is not None and value != ""
    ]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": str(value)}


@dataclass(slots=True)
class Span:
    """Something with a beginning and an end. *said* is why *status* is ERROR."""

    name: str
    span_id: str
    parent: str
    begun: float
    ended: float
    kind: Kind = Kind.INTERNAL
    status: Status = Status.UNSET
    said: str = ""
    values: dict[str, Value | None] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0

    def event(self, name: str, at: float, values: Mapping[str, Value | None]) -> None:
        """Remember that something happened meanwhile."""
        if len(self.events) >= EVENTS:
            self.dropped += 1
            return
        made = {"timeUnixNano": nanoseconds(at), "name": name, "attributes": attributes(values)}
        self.events.append(made)

    def as_json(self, trace_id: str) -> dict[str, Any]:
        """Write it."""
        status: dict[str, Any] = {"code": int(self.status)}
        if self.status is Status.ERROR and self.said:
            status["message"] = self.said
        return {
            "traceId": trace_id,
            "spanId": self.span_id,
            **({"parentSpanId": self.parent} if self.parent else {}),
            "name": self.name,
            "kind": int(self.kind),
            "startTimeUnixNano": nanoseconds(self.begun),
            "endTimeUnixNano": nanoseconds(max(self.begun, self.ended)),
            "attributes": attributes(self.values),
            "events": self.events,
            "droppedEventsCount": self.dropped,
            "status": status,
        }


def request(
    resource: Mapping[str, Value | None], scope: str, version: str, spans: list[dict[str, Any]]
) -> str:
    """Write an ExportTraceServiceRequest on one line, so that a file of several is one a line."""
    scoped = {"scope": {"name": scope, "version": version}, "spans": spans}
    document = {
        "resourceSpans": [
            {"resource": {"attributes": attributes(resource)}, "scopeSpans": [scoped]}
        ]
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
