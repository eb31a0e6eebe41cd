"""
What Talos itself finds wrong with its machines (catalogue T10).

Of what it tells, one id is known to keep a kubelet from starting; whatever else it says is handed on in its own words,
and whom that holds up is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from journal.entries import Finding
from phases.diagnosis.certificates import REQUEST
from phases.diagnosis.machines import MACHINE, about, behind, looks
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene
from phases.diagnosis.words import listed, named
from phases.objects import condition
from phases.snapshot import NodeLook

OVERLAP: Final = "address-overlap"
UNSIGNED: Final = "kubelet-csr"
UNNAMED: Final = "unnamed"
# An id becomes part of a subject, which no redactor reads.
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")


def _told(scene: Scene) -> Iterable[Finding]:
    """T10: Talos itself finds something wrong with machines: a finding for each thing, however many have it."""
    told: dict[str, dict[str, str]] = {}
    for name, look_ in looks(scene, lambda look_: bool(look_.diagnostics)).items():
        for id_, message in look_.diagnostics or ():
            known = id_ if _ID.fullmatch(id_) else UNNAMED
            told.setdefault(known, {})[name] = message
    for id_, said in sorted(told.items()):
        if id_ == OVERLAP:
            yield _overlap(scene, said)
        elif id_ != UNSIGNED or not scene.seen(REQUEST):  # T9 reads the requests themselves
            yield _handed_on(scene, id_, said)


def _overlap(scene: Scene, said: Mapping[str, str]) -> Finding:
    """All addresses of a machine are the cluster's: its kubelet gets none, unless it got one before that was so."""
    machines = looks(scene)
    held = [name for name in said if _is_held(scene, name, machines[name])]
    return about(
        scene,
        "T10",
        said,
        subject=_subject(OVERLAP),
        cause=OVERLAP,
        message=f"all addresses of {named(said, MACHINE)} are in the pod or service networks of the cluster: a kubelet "
        "that starts there finds none for its node, and goes no further",
        clears_itself=NO,
        blocks=behind(scene, held),
        evidence=_evidence(OVERLAP, said),
        clears_when="Talos names no overlap any more",
        remedies=(
            look(
                "cluster.network in the machine configuration (podSubnets, serviceSubnets) beside the addresses of "
                "the machines: talosctl get diagnostics, and get addresses"
            ),
            reversible("give the machines addresses outside of both networks"),
            never("change the networks of a cluster that runs: what has an address keeps the old"),
        ),
    )


def _is_held(scene: Scene, name: str, look_: NodeLook) -> bool:
    """A machine that is not ready, and of whose kubelet nobody hears: it lacks more than a network of pods."""
    node = scene.get("Node", name)
    ready = condition(node.status.conditions, "Ready") if node is not None else None
    return not look_.ready and (ready is None or ready.status == "Unknown")


def _handed_on(scene: Scene, id_: str, said: Mapping[str, str]) -> Finding:
    """Whatever else Talos says, in its own words."""
    words = listed({f'"{quote(message)}"' for message in said.values()})
    return about(
        scene,
        "T10",
        said,
        subject=_subject(id_),
        cause="told-by-talos",
        message=f"Talos itself warns on {named(said, MACHINE)} ({id_}): {words}",
        clears_itself=UNKNOWN,
        blocks=(),
        evidence=_evidence(id_, said),
        clears_when="Talos does not say it any more",
        remedies=(look("what more it says there: talosctl get diagnostics -o yaml"),),
    )


def _subject(id_: str) -> str:
    return f"talos-diagnostic/{id_}"


def _evidence(id_: str, said: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"nodes[{name}].diagnostics {id_}" for name in sorted(said))


CHECKS: Final = (
    "talos v1.12 internal/app/machined/pkg/controllers/runtime/internal/diagnostics/address_overlap.go; "
    "controllers/k8s/nodeip.go: no suitable node IP"
)

RULES = (Rule("T10", "Talos itself finds something wrong", Proof.SOURCE, CHECKS, _told),)
