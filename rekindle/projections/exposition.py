"""
The text format that Prometheus reads, version 0.0.4, as its documentation describes it.

No sample has a timestamp: node_exporter refuses a whole file for one, and Prometheus knows when it looked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Family:
    """A metric: *name* ends in its unit, a counter's in ``_total``. Without samples it is not written."""

    name: str
    kind: Literal["counter", "gauge"]
    told: str
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        """Take in a sample; what is left out is not zero, but not known."""
        self.samples.append((labels, value))


def text(families: Iterable[Family], **common: str) -> str:
    """Write families; *common* are labels that every sample has."""
    return "".join(f"{line}\n" for family in families for line in _lines(family, common))


def _lines(family: Family, common: dict[str, str]) -> Iterator[str]:
    if not family.samples:
        return
    yield f"# HELP {family.name} {_told(family.told)}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value in family.samples:
        pairs = ",".join(f'{name}="{_label(said)}"' for name, said in {**common, **labels}.items())
        yield f"{family.name}{{{pairs}}} {_number(value)}"


def _told(said: str) -> str:
    return said.replace("\\", "\\\\").replace("\n", "\\n")


def _label(said: str) -> str:
    return said.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    """Write whole numbers whole, and instants to the microsecond; infinities have names of their own."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    return str(int(value)) if value == int(value) else repr(round(value, 6))
