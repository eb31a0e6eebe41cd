"""
What a journal says of the tree of causes is what the look said from which they were found.

Mutants, each tried, that turn one of these red: leave out parents, dependencies, the source, what brings a kind, or
what a verdict names; take what is absent, or what follows another tree, for one that the source holds up; take every
CRD for one that is missed, or a deadlock's; take what is well for what blocks; let edges lead out of what is behind the
root; lose what no edge leads to, or hang a child there before what holds it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.plan import Plan
from engine.recipe import Findings
from journal.entries import Finding
from phases.causes import diagnose
from phases.diagnosis.graph import Root, tree
from phases.diagnosis.remembered import behind, blocking
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking as looked_blocking
from phases.facts import reduce
from phases.journaled import outline_of
from phases.recipe import recipe
from phases.snapshot import Snapshot
from rekindle.simulator.scenario import find_scenario, load_scenario
from tests.phases.making import facts, plan
from tests.properties.clusters import story


def trees(findings: Findings, edges: Any, *, remembered: bool) -> dict[str, list[str]]:  # noqa: ANN401
    found = {}
    for name, one in findings.items():
        if one.root:
            root = Root(name, one, one.victims, one.circle)
            drawn = behind(root, findings, edges) if remembered else edges
            found[name] = list(tree(root, findings, drawn))
    return found


@pytest.mark.parametrize("name", ["cold-start", "dead-webhook", "june-12", "quorum-lost", "wipe"])
def test_at_every_look_of_a_night_the_trees_are_those_of_the_look(name: str) -> None:
    drawn: list[str] = []

    def diagnosed(of: Plan, snapshot: Snapshot) -> Findings:
        section = of.target
        findings = diagnose(of, snapshot)
        scene = Scene(
            snapshot,
            section.inventory,
            control_planes=section.talos.control_planes,
            installed=section.brought_first,
        )
        outline = outline_of(of.compiled()["section"])
        edges = blocking(outline, reduce(of, snapshot), findings)

        told = trees(findings, edges, remembered=True)

        assert told == trees(findings, looked_blocking(scene), remembered=False)
        drawn.extend(line for lines in told.values() for line in lines)
        return findings

    found = load_scenario(find_scenario(name))
    night, _ = story(
        name,
        found=found,
        operator=found.operator,
        using=replace(recipe(), diagnose=diagnosed),
    )

    assert night.to_the_end() == "done"
    assert [line for line in drawn if line.startswith("  ")]


TREE: dict[str, Any] = {
    "inventory": {
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/apps", "parent": "flux-system/cluster"},
            {"key": "flux-system/late", "depends_on": ["flux-system/apps"]},
            {"key": "other/own"},
        ],
        "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}],
        "crds": [{"name": "gadgets.example.com", "provider": "helmrelease/apps/web"}],
        "unknown": ["other/own"],
    }
}
SOURCE = "gitrepository/flux-system/flux-system"
CLUSTER, APPS = "kustomization/flux-system/cluster", "kustomization/flux-system/apps"
LATE, OWN, WEB = (
    "kustomization/flux-system/late",
    "kustomization/other/own",
    "helmrelease/apps/web",
)
GADGETS = "crd/gadgets.example.com"
NOT_THERE = dict.fromkeys((CLUSTER, APPS, LATE, OWN, WEB), "Absent")
WELL = dict.fromkeys((SOURCE, CLUSTER, APPS, LATE, OWN, WEB), "Ready")


def waits(cause: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"code": "Blocked", "detail": {"cause": cause, **more}}


def found(rule: str, subject: str, *blocks: str) -> dict[str, Finding]:
    return {f"{rule}:{subject}": Finding(subject, "c", "m", blocks, rule=rule)}


@pytest.mark.parametrize(
    ("said", "findings", "edges"),
    [
        pytest.param(
            NOT_THERE,
            {},
            {CLUSTER: (APPS,), APPS: (LATE, WEB)},
            id="what Git has and is not there",
        ),
        pytest.param(WELL, {}, {}, id="what is well"),
        pytest.param({**WELL, APPS: "Failed"}, {}, {}, id="what holds up nobody"),
        pytest.param(
            {**WELL, SOURCE: "Failed", LATE: "Progressing", OWN: "Progressing", WEB: "Absent"},
            {},
            {SOURCE: (LATE,)},
            id="the source, of who is there to follow it",
        ),
        pytest.param(
            {**WELL, APPS: "Failed", OWN: waits("dependency:flux-system/apps")},
            {},
            {APPS: (OWN,)},
            id="a dependency that only the cluster has",
        ),
        pytest.param(
            {**WELL, OWN: waits("dependency:other/own")}, {}, {}, id="itself, which holds up nobody else"
        ),
        pytest.param(
            {**WELL, OWN: waits("source", source="ocirepository/other/chart")},
            {},
            {"ocirepository/other/chart": (OWN,)},
            id="another source",
        ),
        pytest.param(
            {**WELL, OWN: waits("source")},
            {},
            {},
            id="a source that an older journal does not name",
        ),
        pytest.param(
            {**WELL, OWN: waits("health:Deployment/other/a,Namespace/other")},
            {},
            {"deployment/other/a": (OWN,), "namespace/other": (OWN,)},
            id="what a health check waited for",
        ),
        pytest.param({**WELL, OWN: waits("health:")}, {}, {}, id="a health check that names nothing"),
        pytest.param(
            {**WELL, WEB: "Failed", GADGETS: "Absent"},
            found("C3", GADGETS),
            {WEB: (GADGETS,)},
            id="a kind that is missed",
        ),
        pytest.param({**WELL, WEB: "Failed", GADGETS: "Absent"}, {}, {}, id="a kind that nobody misses"),
        pytest.param(
            {**WELL, WEB: "Failed", GADGETS: "Absent"},
            found("C4", GADGETS),
            {},
            id="a deadlock, where neither explains the other",
        ),
    ],
)  # fmt: skip
def test_each_edge_is_read_of_what_a_journal_has(
    said: dict[str, Any], findings: dict[str, Finding], edges: dict[str, tuple[str, ...]]
) -> None:
    outline = outline_of(plan(TREE).compiled()["section"])

    assert blocking(outline, facts(said), findings) == edges


@pytest.mark.parametrize(
    ("victims", "edges", "drawn"),
    [
        pytest.param(("b", "c"), {"a": ("b",), "b": ("c",)}, {"a": ("b",), "b": ("c",)}, id="all"),
        pytest.param(("b",), {"a": ("b",), "b": ("c",), "c": ("b",)}, {"a": ("b",)}, id="no more"),
        pytest.param(
            ("b", "c", "d"),
            {"a": ("b",), "d": ("c",)},
            {"a": ("b", "d"), "d": ("c",)},
            id="what no edge leads to, with what it holds",
        ),
        pytest.param(
            ("c", "d"), {"d": ("c",), "c": ("d",)}, {"a": ("c",), "c": ("d",), "d": ("c",)},
            id="a circle that no edge leads to",
        ),
        pytest.param(("x", "y"), {}, {"a": ("x",)}, id="what another finding blocks"),
        pytest.param((), {"a": ("b",)}, {}, id="nothing"),
    ],
)  # fmt: skip
def test_the_tree_of_a_root_has_what_is_behind_it_and_nothing_else(
    victims: tuple[str, ...],
    edges: dict[str, tuple[str, ...]],
    drawn: dict[str, tuple[str, ...]],
) -> None:
    one = Finding("a", "c", "m", rule="X1", root=True, victims=victims)
    findings = {"X1:a": one, **found("X3", "x", "y")}

    kept = behind(Root("X1:a", one, victims), findings, edges)

    assert kept == drawn
    told = [line.split(":")[0].strip() for line in tree(Root("X1:a", one, victims), findings, kept)]
    assert sorted(told[1:]) == sorted(victims)
