"""
Checking what somebody wrote by hand against a struct: every error at once, each at its place in the file.

msgspec itself tells the first one only, and names no key of a mapping.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import msgspec

from engine.errors import Problem
from engine.yamlfile import Marks, Path


def wrong_with(kind: Any, raw: Any, marks: Marks, path: Path = ()) -> list[Problem]:  # noqa: ANN401
    """Say what keeps *raw*, which stands at *path*, from being a *kind*."""
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        found = [*_keys(kind, raw, marks, path)]
        for key, part, value in _parts(kind, raw):
            found += wrong_with(part, value, marks, (*path, key))
        return found or [marks.problem(path, str(error).partition(" - at `")[0])]
    return []


def _keys(kind: Any, raw: Any, marks: Marks, path: Path) -> Iterator[Problem]:  # noqa: ANN401
    """Name the keys that there are not, and those that must not be missing."""
    kind = _without_none(kind)
    if not _is_struct(kind) or not isinstance(raw, dict):
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key in raw:
        if key not in fields:
            yield marks.problem((*path, key), "unknown key")
    for name, field in fields.items():
        if field.required and name not in raw:
            yield marks.problem((*path, name), "is missing")


def _parts(kind: Any, raw: Any) -> Iterator[tuple[str | int, Any, Any]]:  # noqa: ANN401
    """What *raw* is made of: the key of each part, its type, and what stands there."""
    kind = _without_none(kind)
    if _is_struct(kind) and isinstance(raw, dict):
        for field in msgspec.structs.fields(kind):
            if field.encode_name in raw:
                yield field.encode_name, field.type, raw[field.encode_name]
    elif get_origin(kind) is dict and isinstance(raw, dict):
        for key, value in raw.items():
            yield key, get_args(kind)[1], value
    elif get_origin(kind) is tuple and isinstance(raw, list):
        for index, value in enumerate(raw):
            yield index, get_args(kind)[0], value


def _is_struct(kind: Any) -> bool:  # noqa: ANN401
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _without_none(kind: Any) -> Any:  # noqa: ANN401
    """What may be left out is judged as what it is when it is there."""
    if get_origin(kind) in {types.UnionType, Union}:
        return next(part for part in get_args(kind) if part is not types.NoneType)
    return kind
