"""Why what should be there is not: the catalogue's findings, as a run journals them."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from engine.plan import Plan
from engine.recipe import Findings
from journal.entries import Finding
from phases.diagnosis.catalogue import diagnose as ask_all
from phases.diagnosis.graph import Blocking, Root, roots_of, through
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from phases.section import Section
from phases.snapshot import Snapshot


def diagnose(plan: Plan, snapshot: Snapshot) -> Findings:
    """Find what is wrong in a look; roots know their victims."""
    section: Section = plan.target
    scene = Scene(
        snapshot,
        section.inventory,
        section.diagnosed,
        section.talos.control_planes,
        section.brought_first,
    )
    # Of most looks no rule has a question with another answer: then a hundred rules are not asked one by one.
    return scene.once("all", partial(_found, scene))


def _as_root(root: Root, edges: Blocking) -> Finding:
    return replace(
        root.finding,
        root=True,
        victims=root.victims,
        circle=root.circle,
        through=through(root, edges),
    )


def _found(scene: Scene) -> Findings:
    findings = ask_all(scene)
    edges = scene.once("blocking", lambda: blocking(scene))
    roots = {root.id: _as_root(root, edges) for root in roots_of(findings, edges)}
    return {**findings, **roots}
