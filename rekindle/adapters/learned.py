"""
Decoders of types, learnt one at a time.

msgspec (0.22) writes what it learns of a struct onto the struct before it is done: a second thread that learns one of
the same structs meanwhile decodes with half of it, and the process dies. What runs in a thread gets its decoders here.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_LEARNING = threading.Lock()
_LEARNT: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type."""
    with _LEARNING:
        if kind not in _LEARNT:
            _LEARNT[kind] = msgspec.json.Decoder(kind)
        return _LEARNT[kind]
