"""
How etcd begins, or cannot (catalogue T6-T8).

A bootstrap is asked for once, and its refusals are answers to that question alone. What stands behind them can be seen
beforehand: that etcd is not configured, was begun before, or was never begun. Only a plan says which nodes are control
planes; without all of them in sight nothing is said here: the one that is not seen may have the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from journal.entries import Finding
from phases import codes
from phases.diagnosis.machines import BOOTED, MACHINE, about, are, behind
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, destructive, look, never, reversible
from phases.diagnosis.scene import Scene
from phases.diagnosis.words import listed, named
from phases.etcd_quorum import RUNS
from phases.readiness.nodes import WAITING_STATES
from phases.snapshot import NodeLook

FAILED, FINISHED = "Failed", "Finished"
WIPE: Final = destructive("wipe EPHEMERAL of what has no data that counts, and begin etcd once")


def _planes(scene: Scene) -> dict[str, NodeLook]:
    """Return the looks at all planned control planes; nothing where one of them does not answer, or not for etcd."""
    machines = scene.machines()
    found = {n: look_ for n in scene.control_planes if (look_ := machines.get(n)) is not None}
    told = all(look_.etcd is not None and look_.stage != codes.FOREIGN for look_ in found.values())
    return found if told and len(found) == len(scene.control_planes) else {}


def _has_begun(planes: dict[str, NodeLook]) -> bool:
    return any(look_.etcd == RUNS or look_.members for look_ in planes.values())


def _without_etcd(scene: Scene) -> Iterable[Finding]:
    """T6: a planned control plane runs and has no service etcd: its configuration is a worker's."""
    machines = scene.machines()
    found = [
        name
        for name in scene.control_planes
        if (look_ := machines.get(name)) is not None
        and look_.stage == codes.RUNNING
        and look_.etcd == ""
    ]
    if found:
        yield about(
            scene,
            "T6",
            found,
            subject="machines-without-etcd",
            cause="not-configured",
            message=f"{named(found, MACHINE)} {are(found)} planned as control plane, and without etcd: its "
            "configuration is another role's, and a bootstrap there is refused",
            clears_itself=NO,  # what is configured is registered before a machine is called running
            evidence=_evidence(found),
            clears_when="each has the service etcd",
            remedies=(
                look("the machine's type in its configuration, beside the plan's"),
                reversible("apply the configuration of a control plane to it"),
                never("bootstrap another control plane instead, before it is known who has data"),
            ),
        )


def _of_etcd(scene: Scene, rule: str, names: Iterable[str], **fields: Any) -> Finding:  # noqa: ANN401
    """Make a finding about etcd as a whole; whatever it is, somebody may begin it, or Talos start it again."""
    return Finding(
        subject=codes.ETCD,
        rule=rule,
        blocks=(codes.API, *behind(scene, names)),
        clears_itself=UNKNOWN,
        evidence=_evidence(names),
        **fields,
    )


def _evidence(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"nodes[{name}].etcd" for name in sorted(names))


def _ended(scene: Scene) -> Iterable[Finding]:
    """
    T7: etcd runs nowhere and has ended somewhere: mostly it was begun before, and leftovers refuse a bootstrap.

    A bootstrap ends the service that waits before it begins the one that runs: finished in a boot says nothing. What
    has failed may have done so before it wrote anything, so that it takes a look at what is there.
    """
    planes = _planes(scene)
    found = {name: str(look_.etcd).lower() for name, look_ in planes.items() if _has_ended(look_)}
    if not found or _has_begun(planes):
        return
    told = listed(f"{name} is {state}" for name, state in found.items())
    lived = FINISHED.lower() in found.values()
    left = "what is left of it there may refuse a bootstrap, as its data directory is not empty"
    yield _of_etcd(
        scene,
        "T7",
        found,
        cause="begun-before" if lived else "failed",
        message=f"etcd runs on no control plane and was begun before ({told}): {left}"
        if lived
        else f"etcd runs on no control plane and does not start ({told}): its image, disk or network, or it was "
        f"begun before, and {left}",
        clears_when="a control plane tells the planned members",
        remedies=(
            look("the log of its etcd; whether there is data of it, whose, and a snapshot"),
            *((WIPE,) if lived else ()),
            never("bootstrap another control plane: that makes a second cluster beside the data"),
        ),
    )


def _has_ended(look_: NodeLook) -> bool:
    return (look_.etcd, look_.stage) == (FINISHED, codes.RUNNING) or (
        look_.etcd == FAILED and look_.stage in BOOTED
    )


def _not_begun(scene: Scene) -> Iterable[Finding]:
    """T8: every control plane waits for an etcd that nobody has begun, or that has only just been started."""
    planes = _planes(scene)
    waiting = [name for name, look_ in planes.items() if look_.etcd in WAITING_STATES]
    rest = (look_ for name, look_ in planes.items() if name not in waiting)
    empty = all(look_.stage == codes.MAINTENANCE for look_ in rest)
    if not waiting or not empty or _has_begun(planes):
        return
    yield _of_etcd(
        scene,
        "T8",
        waiting,
        cause="not-bootstrapped",
        message=f"etcd runs nowhere and {named(waiting, 'control plane')} {are(waiting)} waiting to join it: it was "
        "never begun, or every member is only now on its way up",
        clears_when="a control plane tells members",
        remedies=(
            look("whether any of them has etcd's data of before: then it comes up with that"),
            destructive("bootstrap one of them, once, when it is certain that none has data"),
            never("bootstrap a second one: the two are clusters of their own from then on"),
        ),
    )


REFUSALS: Final = (
    "talos v1.13 internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go: Bootstrap; "
    "pkg/system/services/etcd.go: PreFunc"
)

RULES = (
    Rule("T6", "a control plane without etcd", Proof.SOURCE, REFUSALS, _without_etcd),
    Rule("T7", "etcd was begun before", Proof.SOURCE, REFUSALS, _ended),
    Rule("T8", "nobody has begun etcd", Proof.SOURCE, REFUSALS, _not_begun),
)
