"""
What msgspec knows of types, learnt one at a time.

msgspec (0.22) writes what it learns of a struct onto the struct before it is done: a second thread that learns one of
the same structs meanwhile decodes with half of it, and the process dies. Whatever may run beside other threads (looks
at a cluster, the pages of ``serve``) decodes and converts by this module; a decoder that is made while its module is
imported is made alone.
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
    found = _LEARNT.get(kind)  # it is there only once it is whole
    if found is None:
        with _LEARNING:
            found = _LEARNT.get(kind) or _LEARNT.setdefault(kind, msgspec.json.Decoder(kind))
    return found


def convert(value: Any, kind: type[T]) -> T:  # noqa: ANN401  whatever a row or a payload holds
    """Make a value of plain objects one of *kind*; bytes stay bytes. Raises ``msgspec.ValidationError``."""
    if kind not in _LEARNT:
        decoder(kind)
    return msgspec.convert(value, kind, builtin_types=(bytes,))
