"""
Diagnosis in a run: what nothing has changed since the last look is not worked out again.

Mutant, killed here: ``once`` left out of ``causes.diagnose``.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.recipe import Findings
from phases import causes
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.scene import Scene
from phases.snapshot import Seen, Snapshot
from tests.phases.diagnosis.flux_objects import REVISION, ks, source
from tests.phases.diagnosis.scenes import AT, failed, scene
from tests.phases.making import plan


def test_rules_are_asked_again_only_where_something_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []

    def ask_all(looked_at: Scene) -> Findings:
        asked.append(looked_at.snapshot.at)
        return diagnose(looked_at)

    monkeypatch.setattr(causes, "ask_all", ask_all)
    of = plan()
    first = scene(failed("Kustomization", "f/a", "no")).snapshot
    found = [causes.diagnose(of, look) for look in (first, later(first, 1), anew(first, 2))]

    assert asked == [AT, AT + 2]
    assert found[0] == found[1]
    assert found[2] != found[1]


def later(before: Snapshot, seconds: float) -> Snapshot:
    """The same objects, seen again."""
    return replace(before, at=before.at + seconds)


def anew(before: Snapshot, seconds: float) -> Snapshot:
    """The Kustomization is gone."""
    objects: dict[str, Any] = {**before.objects, "Kustomization": Seen({}, before.at)}
    return replace(before, at=before.at + seconds, objects=objects)


def test_a_run_journals_through_what_a_root_blocks_the_most() -> None:
    """Mutant: leave it out where a root is written down; the diagnosis by itself has it."""
    broken = failed("Kustomization", "f/a", "kustomize build failed: x")
    others = [
        failed("Kustomization", f"f/{name}", "dependency 'f/a' is not ready") for name in "bcd"
    ]
    for one, needed in zip(others, ("a", "b", "b"), strict=True):
        one["spec"] = {"dependsOn": [{"name": needed}]}

    found = causes.diagnose(plan(), scene(broken, *others, unlisted=("Deployment",)).snapshot)

    (root,) = [one for one in found.values() if one.root and one.subject == "kustomization/f/a"]
    assert root.through == "kustomization/f/b"
    assert len(root.victims) == 3


def test_a_run_journals_an_own_cause_as_a_root_beside_the_source_that_fails() -> None:
    """So that a sentence may be passed on it, and none on what blocks only next."""
    broken = ks("a", ready=("False", "BuildFailed", "kustomize build failed: x"))
    behind = ks("b", ready=("False", "BuildFailed", "kustomize build failed: x"))
    behind["spec"]["dependsOn"] = [{"name": "a"}]
    ready = ("False", "GitOperationFailed", "unable to clone: lookup github.com: i/o timeout")
    git = source("GitRepository", revision=REVISION, ready=ready)

    look = scene(broken, behind, git, unlisted=("Deployment",)).snapshot
    found = causes.diagnose(plan(), look)

    mine = "K10:kustomization/flux-system/a"
    told = {name: one.next_after for name, one in found.items() if one.root}
    assert told["S2:gitrepository/flux-system/flux-system"] == told[mine] == ()
    assert told["K10:kustomization/flux-system/b"] == (mine,)


def test_a_run_knows_what_its_commands_install_first() -> None:
    """Another network than Cilium's brings its own kinds. Mutant: rules are not told what the plan installs."""
    kind = "ippools.projectcalico.org"
    calico = "calico-system/calico-node"
    of = plan(
        {
            "cni": {"daemonset": calico},
            "inventory": {
                "kustomizations": [
                    {"key": "flux-system/cluster", "needs": [f"crd/{kind}"]},
                    {"key": "flux-system/network", "parent": "flux-system/cluster"},
                ],
                "helmreleases": [{"key": "calico-system/calico", "parent": "flux-system/network"}],
                "crds": [{"name": kind, "provider": "helmrelease/calico-system/calico"}],
                "workloads": [
                    {
                        "kind": "DaemonSet",
                        "key": calico,
                        "pods": 3,
                        "owner": "helmrelease/calico-system/calico",
                    }
                ],
            },
        }
    )
    look = scene().snapshot
    unplanned = diagnose(Scene(look, of.target.inventory))

    assert f"C4:crd/{kind}" in unplanned
    assert f"C4:crd/{kind}" not in causes.diagnose(of, look)
