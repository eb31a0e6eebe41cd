"""
The machine of a plan file, as its author writes it: states, walks, limits.

A walk is a way to write states: the loader turns it into plain ones (``engine.walks``), and nothing after it knows any.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from engine.patience import seconds

MAXIMUM_SECONDS = 7 * 24 * 3600.0
DONE = "done"
SPAN = r"(\d+(\.\d+)?(ms|s|m|h|d))+"


def _duration(value: object) -> object:
    return seconds(value) if isinstance(value, str) else value


def _backoff(value: object) -> object:
    if isinstance(value, str) and ".." in value:
        low, high = value.split("..", 1)
        return (seconds(low), seconds(high))
    if isinstance(value, str):
        return (seconds(value), seconds(value))
    return value


def _limit(value: object) -> object:
    if isinstance(value, str):
        count, separator, span = value.partition(" per ")
        if not separator or not count.strip().isdigit():
            message = f"{value!r} is no limit; write it like 3 per 30m"
            raise ValueError(message)
        return (int(count), seconds(span.strip()))
    return value


def _written(*forms: str) -> WithJsonSchema:
    """What an editor may accept: seconds, or text of one of these forms."""
    texts: list[dict[str, Any]] = [{"type": "string", "pattern": f"^{form}$"} for form in forms]
    return WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, *texts]})


Duration = Annotated[
    float, BeforeValidator(_duration), Field(gt=0, le=MAXIMUM_SECONDS), _written(SPAN)
]


class Model(BaseModel):
    """Unknown keys are errors: a misspelt limit must not be silently unlimited."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeadlineModel(Model):
    """How long a state may be pursued. ``active`` counts only while a run holds the lease."""

    after: Duration
    policy: Literal["wall", "active", "restart"] = "active"


class WalkedModel(Model):
    """
    Where a state comes from that a walk was turned into: its step for one *item*. Written by the loader alone.

    *part*: the first step that is only needed ``until`` another one takes the item away, the last that one is needed
    until turns, those after it return the item; a walk without ``until`` takes nothing away.
    """

    walk: str
    over: str
    item: str
    part: Literal["takes", "turns", "returns", ""] = ""


class GoalModel(Model):
    """
    A goal, and how it is pursued; guard and phase default to the state's own name.

    *until*: a later state; once its goal holds, this one counts as held (a node need not stay cordoned for ever).
    *options* are the phase's own.
    """

    deadline: DeadlineModel
    stable: Annotated[float, BeforeValidator(_duration), Field(ge=0, le=3600), _written(SPAN)] = 0.0
    guard: str = ""
    phase: str = ""
    until: str = ""
    options: dict[str, Any] = {}


class StateModel(GoalModel):
    """A state names the goal that is pursued, and what comes after it."""

    next: str
    walked: WalkedModel | None = None


class WalkModel(Model):
    """The same steps for one item after the other: all of them for the first, then all for the second."""

    over: str
    steps: dict[str, GoalModel] = Field(min_length=1)
    next: str


class RegressModel(Model):
    """When a state is left backwards."""

    to: Literal["lowest-broken"] = "lowest-broken"
    damping: Duration = 30.0
    limit: Annotated[
        tuple[int, float],
        BeforeValidator(_limit),
        WithJsonSchema({"type": "string", "pattern": f"^\\d+ per {SPAN}$"}),
    ] = (3, 1800.0)


class RetryModel(Model):
    """How often and how soon a failed action is tried again; what is not said stays the verb's own."""

    attempts: int | None = Field(default=None, ge=1, le=1000)
    backoff: Annotated[
        tuple[Duration, Duration] | None,
        BeforeValidator(_backoff),
        _written(SPAN, rf"{SPAN}\.\.{SPAN}"),
    ] = None
    jitter: Literal["full", "none"] | None = None
    on: tuple[str, ...] | None = None


class VerbModel(Model):
    """A plan may make a verb stricter, never looser."""

    deadline: Duration | None = None
    retry: RetryModel | None = None
    approval: Literal["typed", "none"] | None = None
    enabled: bool | None = None


class MachineModel(Model):
    """The declarative machine."""

    initial: str
    states: dict[str, StateModel] = Field(min_length=1)
    regress: RegressModel = RegressModel()
    verbs: dict[str, VerbModel] = {}
