"""
What holds a namespace while its controller is on its way: nobody is asked, and the controller takes it off.

The simulator's controllers let go once they run, and as with a real API nobody says which of them that is.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from engine.runner import Ended
from journal import entries as e
from phases.holding import HOLDER_GRACE_SECONDS
from rekindle.simulator import pods
from rekindle.simulator.scenario import EventSpec, load_scenario
from rekindle.simulator.tree import Item, KustomizationSpec, ReleaseSpec, load_tree
from tests.properties.clusters import DATA, NOBODY, story
from tests.properties.harness import Story

CRD, KEEPER = "gadgets.example.com", "ops/keeper"
GADGET = Item("Gadget", key="apps/g", crd=CRD, finalizer="example.com/keep")
DATABASE = Item("StatefulSet", key="apps/db", claims=("data",))


def tree(folder: Path, start: float, *held: Item) -> str:
    """The small tree with what is *held*, and a release elsewhere whose Deployment needs *start* seconds."""
    small = load_tree(DATA / "small.yaml")
    root, web = small.kustomizations["flux-system/cluster-apps"], small.kustomizations["apps/web"]
    ops = (Item("Namespace", name="ops"), Item("Kustomization", key=KEEPER))
    installs = (
        Item("CustomResourceDefinition", name=CRD, keep=True),
        Item("Deployment", key=KEEPER, start=start),
    )
    kustomizations = {
        **small.kustomizations,
        "flux-system/cluster-apps": replace(root, objects=(*root.objects, *ops)),
        "apps/web": replace(
            web, depends_on=(*web.depends_on, KEEPER), objects=(*web.objects, *held)
        ),
        KEEPER: KustomizationSpec(objects=(Item("HelmRelease", key=KEEPER),), wait=True),
    }
    releases = {**small.helmreleases, KEEPER: ReleaseSpec(installs=installs)}
    whole = replace(small, kustomizations=kustomizations, helmreleases=releases)
    file = folder / "tree.yaml"
    file.write_text(yaml.safe_dump(msgspec.to_builtins(whole)))
    return str(file)


def night(file: str, *gone: EventSpec) -> tuple[Story, Ended]:
    """What goes in an accident, and how the run ends; nobody is there to be asked."""
    found = replace(load_scenario(DATA / "small-healthy.yaml"), tree=file, events=gone)
    run, _ = story("finalizers", found=found, operator=NOBODY)
    ended = run.session()
    assert ended is not None
    return run, ended


def asked(run: Story) -> list[str]:
    """The questions of a run."""
    return [x.question for x in run.book.entries() if isinstance(x, e.ApprovalAsked)]


SPACE = EventSpec(at=20.0, do="delete", kind="Namespace", key="apps")


def test_a_controller_that_is_being_brought_back_is_waited_for(tmp_path: Path) -> None:
    """Its release was deleted as well. Mutant: nobody but the controllers of ``SERVED_BY`` is waited for."""
    gone = EventSpec(at=4.0, do="delete", kind="HelmRelease", key=KEEPER)

    run, ended = night(tree(tmp_path, 240.0, GADGET), gone, SPACE)

    assert (ended.outcome, asked(run)) == ("done", [])
    assert ended.memory.now - ended.memory.opened_at > SPACE.at + 2 * HOLDER_GRACE_SECONDS


def test_a_claim_waits_for_its_pod_however_long_that_may_take_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: what protects a claim is asked about as any other finalizer, a minute after the deletion."""
    monkeypatch.setattr(pods, "GRACE_SECONDS", 300.0)

    run, ended = night(tree(tmp_path, 10.0, DATABASE), SPACE)

    assert (ended.outcome, asked(run)) == ("done", [])
    assert ended.memory.now - ended.memory.opened_at > SPACE.at + pods.GRACE_SECONDS
