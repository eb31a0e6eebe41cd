"""What ``--reset`` asks of a run: words of the command line, checked against the plan before anything is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.errors import UsageWrong

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.plan import Plan

RESET = "node.reset"
LABELS = ("STATE", "EPHEMERAL")
ALL = "all"
F = TypeVar("F", bound=Callable[..., Any])


def reset_options(function: F) -> F:
    """``--reset`` and ``--reset-scope``."""
    labels = click.option(
        "--reset-scope",
        "reset_scope",
        metavar="LABELS",
        default=",".join(LABELS),
        show_default=True,
        help="What --reset wipes of them.",
    )
    nodes = click.option(
        "--reset",
        metavar="NODES",
        help="Wipe these nodes first (k8s-1,k8s-2 or all), each after a typed yes; the plan must allow node.reset.",
    )
    return nodes(labels(function))


def request_of(plan: Plan, reset: str | None, scope: str) -> dict[str, Any]:
    """
    Write down what is asked for, for the run's first entry.

    :raises UsageWrong: for nodes that the plan does not have, labels that are never wiped, a plan that forbids it.
    """
    if reset is None:
        return {}
    planned = list(plan.target.talos.nodes)
    said = [name.strip() for name in reset.split(",")]
    names = planned if said == [ALL] else said
    unknown = [name or "''" for name in names if name not in planned]
    if unknown:
        raise _wrong(
            f"--reset: the plan has no node {', '.join(unknown)}",
            f"it has {', '.join(planned)}; `all` means all of them",
        )
    labels = [label.strip().upper() for label in scope.split(",")]
    if not labels or not set(labels) <= set(LABELS):
        raise _wrong(
            f"--reset-scope: {scope!r} is not of {' and '.join(LABELS)}",
            "STATE is the machine configuration, EPHEMERAL is /var with etcd; nothing else is ever wiped",
        )
    if not plan.verbs[RESET].enabled:
        raise _wrong(
            "the plan does not allow node.reset",
            "set machine.verbs.node.reset.enabled: true in it, and run this again",
        )
    if not _can_wait(plan):
        raise _wrong(
            "no state of this plan's machine waits for resets",
            "give it a state with the guard and the phase node-maintenance",
        )
    chosen = [label for label in LABELS if label in labels]
    return {RESET: {"nodes": [name for name in planned if name in names], "scope": chosen}}


def _can_wait(plan: Plan) -> bool:
    states = plan.machine.states
    return any(
        (states[name].guard or name) == "node-maintenance"
        and (states[name].phase or name) == "node-maintenance"
        for name in plan.states
    )


def refuse_another(request: dict[str, Any], memory: Memory) -> None:
    """
    Refuse to ask something new of a run that is open: it began without it, and may be past it.

    :raises UsageWrong: unless exactly this was asked of it.
    """
    if request and request != memory.request:
        raise _wrong(
            f"run {memory.run_id} is open and was not asked for this reset",
            "`rekindle cancel` closes it; a reset is asked for when a run is opened",
        )


def _wrong(message: str, hint: str) -> UsageWrong:
    return UsageWrong(message, reference="reset-what", hint=hint)
