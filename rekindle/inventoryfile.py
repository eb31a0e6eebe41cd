"""
An inventory as a file that people review: an object a line, in a stable order.

The comment above says where it is from and what is not known.

What is written was read back first: a file that no plan could load helps nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from engine.checked import validated
from engine.errors import OurBug, PlanInvalid, Problem, UsageWrong
from engine.yamlfile import YamlFile, read_yaml
from phases.inventory import Inventory
from rekindle.inventoried import Taken, autoscaled_in, listed

_FIRST = (
    "What should exist. Review it, and name it in recovery.yaml as inventory: {file: ...}.",
    "What is not listed is not missed: a run is done when all of this is there.",
)
_NOTES = 100


def text(taken: Taken) -> str:
    """Return the file's text. The same inventory gives the same lines below the comment."""
    made = "".join(f"{line}\n" for line in (*_comment(taken), *_body(taken)))
    problems: list[Problem] = []
    data, marks, found = read_yaml(YamlFile("inventory", made))
    again = validated(Inventory, data, marks, (), problems) if not found else None
    if again != taken.inventory:
        raise OurBug(
            f"the inventory does not read back: {'; '.join(map(str, [*found, *problems])) or 'differs'}",
            reference="our-bug",
            hint="nothing was written; send the report",
        )
    return made


def read(path: Path) -> Inventory:
    """
    Read an inventory by itself, without a plan.

    :raises PlanInvalid: with every problem of the file.
    :raises UsageWrong: when it cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageWrong(
            f"{path}: {error.strerror or error}"
            if isinstance(error, OSError)
            else f"{path}: not UTF-8 at byte {error.start}",
            reference="plan-unreadable",
            hint="name the inventory's file; `rekindle inventory -o FILE` writes one",
        ) from error
    data, marks, problems = read_yaml(YamlFile(str(path), text))
    found = validated(Inventory, data, marks, (), problems) if not problems else None
    if found is None:
        raise PlanInvalid(problems)
    return found


def _comment(taken: Taken) -> Iterator[str]:
    yield from (f"# {line}" for line in _FIRST)
    yield f"# From {_plain(taken.origin)}."
    if taken.unready:
        yield "#"
        yield "# THE CLUSTER WAS NOT HEALTHY. What it had lost is not listed here, and will not be missed:"
        yield from _items(taken.unready)
    if taken.foreign:
        yield "#"
        yield "# These follow a source of their own; what else they bring is unknown, not missing:"
        yield from _items(f"{key} ({source})" for key, source in sorted(taken.foreign.items()))
    if scaled := autoscaled_in(taken):
        yield "#"
        yield "# Autoscalers scale these, and what they add is not missed:"
        yield from _items(scaled)
    if taken.notes:
        yield "#"
        yield "# Not known:"
        yield from _items(taken.notes)


def _items(lines: Iterable[str]) -> Iterator[str]:
    return (f"# - {_plain(line)}" for line in listed(tuple(lines), _NOTES))


def _plain(line: str) -> str:
    """Keep a comment a comment: nothing that a cluster says may begin a line of its own."""
    return "".join(char if char.isprintable() else " " for char in line)


def _body(taken: Taken) -> Iterator[str]:
    """Write a key a line, and each object on a line of its own; what is as usual is left out."""
    data = taken.inventory.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    yield f"schema: {data.pop('schema')}"
    if taken.inventory.source is not None:
        data["source"] = taken.inventory.source.model_dump(mode="json")
    data["pods"] = taken.inventory.pods
    for name, value in data.items():
        if isinstance(value, list):
            yield f"{name}:"
            yield from (f"- {_flow(item)}" for item in value)
        else:
            yield f"{name}: {_flow(value)}"


def _flow(value: Any) -> str:  # noqa: ANN401  JSON
    dumped = yaml.safe_dump(value, default_flow_style=True, width=1 << 30, sort_keys=False)
    return dumped.removesuffix("...\n").strip()
