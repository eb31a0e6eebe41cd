"""
Checking an operator's YAML against a model: every error at its place, in words, and what is left without them.

Checks that go across parts (does this name exist?) must not wait until the last typing error is mended: they run on
what is left of the file without what is wrong in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from engine.errors import Problem
from engine.yamlfile import Marks

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]
ROUNDS: Final = 8  # an error that was hidden behind another shows in the next round

# pydantic speaks to programmers; a person at three in the morning reads this.
WORDS: Final = {
    "dict_type": "must be a mapping",
    "extra_forbidden": "unknown key",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}


def validated(
    model: type[M], data: object, marks: Marks, base: Place, problems: list[Problem]
) -> M | None:
    """Check *data* against *model*; its errors are added to *problems* at their places in the file."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(
            marks.problem((*base, *found["loc"]), said(found))
            for found in error.errors(include_url=False)
        )
        return None


def said(found: Mapping[str, Any]) -> str:
    """Say what is wrong; a pattern is told by its description, where the model gives one."""
    message = str(found["msg"])
    return WORDS.get(str(found["type"]), message.removeprefix("Value error, "))


def remains(model: type[M], data: object, spare: Mapping[str, Any]) -> M | None:
    """
    Return what *data* says without what is wrong in it; None if nothing can be made of it.

    *spare* has values for what must not be missing, in the shape of the data; ``*`` stands for any key.
    """
    left = deepcopy(data)
    for _ in range(ROUNDS):
        try:
            return model.model_validate(left)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                if not _mended(left, tuple(found["loc"]), spare):
                    return None
    return None


def _mended(data: Any, place: Place, spare: Mapping[str, Any]) -> bool:  # noqa: ANN401  YAML is anything
    """Put the spare value where the error is, or take out what is there; False if that is everything."""
    if not place:
        return False
    around = data
    for step in place[:-1]:
        found = _at(around, step)
        if not isinstance(found, dict | list):
            break
        around = found
    else:
        value = _spare(spare, place)
        if isinstance(around, dict) and value is not None:
            around[place[-1]] = deepcopy(value)
            return True
        if isinstance(around, dict) and place[-1] in around:
            del around[place[-1]]
            return True
        if isinstance(around, list) and _at(around, place[-1]) is not None:
            around.clear()  # positions would shift under the other errors of this list
            return True
    return _mended(data, place[:-1], spare)


def _spare(spare: Mapping[str, Any], place: Place) -> Any:  # noqa: ANN401  YAML is anything
    found: Any = spare
    for step in place:
        if not isinstance(found, Mapping):
            return None
        found = found.get(step, found.get("*"))
    return found


def _at(found: object, step: str | int) -> object:
    if isinstance(found, dict):
        return found.get(step)
    if isinstance(found, list) and isinstance(step, int) and 0 <= step < len(found):
        return found[step]
    return None
