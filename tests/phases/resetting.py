"""Nodes that were asked to be reset: what they show, what was asked, and what was done about it."""

from __future__ import annotations

from typing import Any

from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import Plan, merged, of_parts
from journal import entries as e
from journal.entries import AnyEntry, Fact, Outcome
from phases.lives import RESET
from phases.recipe import recipe
from tests.engine.making import intended, settled
from tests.phases.making import SECTION, START, facts, opened

NAMES = ("cp-1", "cp-2", "cp-3")
BOTH = ["STATE", "EPHEMERAL"]
MEMBER = {"members": list(NAMES), "etcd": "Running", "etcd_healthy": True}
LIVING = {"code": "running", "detail": MEMBER}
ILL = {"code": "running", "detail": {"etcd": "Running"}}
WAITING = {"code": "waits-for-etcd", "detail": {"etcd": "Preparing"}}
BARE = {"code": "maintenance"}
UNSEEN = {"code": "unseen"}
# Its service is on its way out, or ended, and its last word was good.
STOPPING = {"code": "running", "detail": {**MEMBER, "etcd": "Stopping"}}
MUTE = {"code": "running", "detail": {"etcd": "Stopping", "etcd_healthy": True}}
FAILED = {"code": "running", "detail": {**MEMBER, "etcd": "Failed"}}
# It runs, and its health is bad, and it knows no leader.
LAST: dict[str, Any] = {
    "code": "unhealthy",
    "detail": {"etcd": "Running", "failing": True, "leader": ""},
}
WORKER = {
    "talos": {"nodes": {"w-1": {"address": "192.0.2.21", "role": "worker", "config": "w-1.yaml"}}}
}
RECOVER = "etcd.recover"


def allowing(section: dict[str, Any] | None = None, verbs: tuple[str, ...] = (RESET,)) -> Plan:
    machine = merged(recipe().machine, {"verbs": {verb: {"enabled": True} for verb in verbs}})
    return of_parts("home", machine, merged(SECTION, section or {}), recipe())


def nodes(**said: Any) -> dict[str, Fact]:  # noqa: ANN401  codes, or facts as YAML has them
    named = {f"node/{name.replace('_', '-')}": body for name, body in said.items()}
    return facts({**{f"node/{name}": LIVING for name in NAMES}, **named, "api": "up"})


def asked_for(
    for_plan: Plan,
    known: dict[str, Fact],
    *entries: AnyEntry,
    names: tuple[str, ...] = NAMES,
    scope: list[str] = BOTH,
) -> Memory:
    begun = opened(for_plan)
    request = {RESET: {"nodes": list(names), "scope": scope}}
    first = e.RunOpened(
        **{name: getattr(begun, name) for name in begun.__struct_fields__ if name != "request"},
        request=request,
    )
    return fold_all(Memory(), [first, e.Observed(at=START, changed=known), *entries])


def told(
    name: str,
    at: float = 10.0,
    outcome: str = "unsettled",
    by: str = "",
    **more: Any,  # noqa: ANN401
) -> list[AnyEntry]:
    target, action = f"node/{name}", f"r-{name}-{at:g}"
    arguments = {
        "node": name,
        "machine_uuid": f"uuid-{name}",
        "boot_id": f"boot-{name}",
        "scope": BOTH,
        "graceful": False,
        **more,
    }
    entries: list[AnyEntry] = [intended(RESET, target, action, START + at, **arguments)]
    if outcome:
        entries.append(
            e.ActionSettled(
                at=START + at + 1,
                action=action,
                verb=RESET,
                target=target,
                outcome=Outcome(outcome),
                code="accepted",
                by=by,
            )
        )
    return entries


def wiped(name: str, at: float = 10.0, **more: Any) -> list[AnyEntry]:  # noqa: ANN401
    return told(name, at, "done", "probe", **more)


def bootstrapped(
    at: float,
    outcome: str = "done",
    code: str = "",
    verb: str = "etcd.bootstrap",
    node: str = "cp-1",
) -> list[AnyEntry]:
    arguments = {"node": node, "machine_uuid": f"uuid-{node}", "boot_id": "old"}
    target, action = f"node/{node}", f"b{at:g}"
    return [
        intended(verb, target, action, START + at, **arguments),
        settled(verb, target, outcome, code, action, START + at + 1),
    ]
