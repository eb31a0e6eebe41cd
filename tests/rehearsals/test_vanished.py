"""
What went after its parent was Ready is brought back, and not missed until the parent's interval is over.

Mutant: leave ``vanished`` out of the state: the run is stuck at its deadline, with everything else done.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from engine.runner import Ended
from journal import entries as e
from rekindle.simulator.scenario import EventSpec, find_scenario, load_scenario
from tests.properties.clusters import story
from tests.properties.harness import Story

WORKLOAD = EventSpec(at=5.0, do="delete", kind="Deployment", key="home/zigbee")
INSTALLED = EventSpec(at=5.0, do="delete", kind="Deployment", key="default/echo")
DELETED = EventSpec(at=5.0, do="delete", kind="HelmRelease", key="default/echo")


STORED = EventSpec(at=5.0, do="delete", kind="ClusterSecretStore", key="onepassword")
DEFINED = EventSpec(
    at=5.0, do="delete", kind="CustomResourceDefinition", key="certificates.cert-manager.io"
)


SMALL = Path(__file__).parents[1] / "simulator" / "data" / "small-healthy.yaml"
KIND_OF_FLUX = EventSpec(
    at=5.0,
    do="delete",
    kind="CustomResourceDefinition",
    key="gitrepositories.source.toolkit.fluxcd.io",
)


def night(event: EventSpec, *, small: bool = False) -> tuple[Story, Ended]:
    """A healthy cluster (the *small* one has no flux-operator) in which one thing is deleted, and how the run ends."""
    path = SMALL if small else find_scenario("healthy")
    found = replace(load_scenario(path), events=(event,))
    run, _ = story("healthy", found=found, operator=found.operator)
    ended = run.session()
    assert ended is not None
    return run, ended


def nudges(run: Story) -> list[e.ActionIntended]:
    found = (entry for entry in run.book.entries() if isinstance(entry, e.ActionIntended))
    return [entry for entry in found if entry.verb == "flux.nudge"]


def test_a_release_that_somebody_deleted_is_applied_again_by_its_parent() -> None:
    run, ended = night(DELETED)

    assert ended.outcome == "done"
    assert ended.memory.now - ended.memory.opened_at < 1200
    again = [entry for entry in nudges(run) if str(entry.arguments["cause"]).startswith("gone:")]
    assert [entry.target for entry in again] == ["kustomization/default/echo"]


def test_a_store_that_somebody_deleted_is_applied_again_before_a_secret_misses_it() -> None:
    """Mutant: leave the parent out of the inventory; it waits for the interval of half an hour."""
    run, ended = night(STORED)

    assert ended.outcome == "done"
    assert ended.memory.now - ended.memory.opened_at < 120
    again = [
        entry.target for entry in nudges(run) if str(entry.arguments["cause"]).startswith("gone:")
    ]
    assert again == ["kustomization/external-secrets/external-secrets-stores"]


def test_a_workload_that_somebody_deleted_is_applied_again_by_its_kustomization() -> None:
    """Its owner is Ready for an hour. Mutant: leave ``vanished`` out of pods-healthy, or workloads out of it."""
    run, ended = night(WORKLOAD)

    assert ended.outcome == "done"
    assert ended.memory.now - ended.memory.opened_at < 600
    assert [entry.target for entry in nudges(run)] == ["kustomization/home/zigbee"]


def test_what_helm_made_and_somebody_deleted_ends_the_wait_with_the_way_out() -> None:
    """Helm does not look at what runs. Mutants: leave X2 out of the catalogue; call it a matter of time."""
    _, ended = night(INSTALLED)

    (stuck,) = [a for a in ended.memory.answers.values() if a["answer"] == "stuck"]
    assert stuck["reference"] == "cause-cannot-clear"
    assert "Deployment default/echo is expected and does not exist" in stuck["message"]
    assert "flux reconcile helmrelease echo -n default --force" in stuck["hint"]
    assert ended.memory.now - ended.memory.opened_at < 300


def test_a_crd_that_helm_does_not_put_back_is_applied_with_all_that_went_with_it() -> None:
    """
    Its Certificates are in no inventory: a run without them is not done.

    Mutants: leave X2 out of what is applied out of band; judge the Kustomization without what it needs.
    """
    run, ended = night(DEFINED)

    assert ended.outcome == "done"
    assert ended.memory.now - ended.memory.opened_at < 120
    begun = [x for x in run.book.entries() if isinstance(x, e.ActionIntended)]
    applied = [entry.target for entry in begun if entry.verb == "crd.preapply"]
    assert applied == ["crd/certificates.cert-manager.io"]
    again = [
        entry.target for entry in nudges(run) if str(entry.arguments["cause"]).startswith("kind:")
    ]
    assert again == ["kustomization/cert-manager/cert-manager-issuers"]


def test_a_kind_of_flux_that_nobody_puts_back_ends_the_wait_and_uses_up_no_try() -> None:
    """
    The source cannot be applied without its kind.

    Mutants: say that the source is to be applied again, and wait for the hour of the state; apply it none the less.
    """
    run, ended = night(KIND_OF_FLUX, small=True)

    stuck = [a for a in ended.memory.answers.values() if a["answer"] == "stuck"]
    assert any(
        "gitrepositories.source.toolkit.fluxcd.io is expected" in a["message"] for a in stuck
    )
    assert ended.memory.now - ended.memory.opened_at < 300
    begun = [x for x in run.book.entries() if isinstance(x, e.ActionIntended)]
    assert "root.apply" not in {entry.verb for entry in begun}
