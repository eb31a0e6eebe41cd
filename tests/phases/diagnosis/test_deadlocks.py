"""A CRD whose provider waits for its consumer: now, next, or not at all."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.scenes import dangers, failed, found_by, made, said, scene

CRD = "externalsecrets.external-secrets.io"
ROOT = "kustomization/flux-system/cluster"
INVENTORY: dict[str, Any] = {
    "kustomizations": [
        {"key": "flux-system/cluster"},
        {"key": "flux-system/secrets", "parent": "flux-system/cluster"},
    ],
    "helmreleases": [{"key": "secrets/eso", "parent": "flux-system/secrets"}],
    "externalsecrets": [{"key": "app/creds", "parent": "flux-system/cluster"}],
    "crds": [{"name": CRD, "provider": "helmrelease/secrets/eso"}],
}
COMPLAINS = failed(
    "Kustomization",
    "flux-system/cluster",
    'ExternalSecret/app/creds dry-run failed: no matches for kind "ExternalSecret" in version '
    '"external-secrets.io/v1"',
)
WAITS = failed(
    "Kustomization",
    "flux-system/cluster",
    "timeout waiting for: [Namespace/storage status: 'Terminating']",
)
LEAVING = made(
    "Namespace",
    "storage",
    said("NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", "metrics.k8s.io/v1beta1"),
    metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"},
)


def test_the_seed_is_two_causes_in_series_and_both_are_told_at_once() -> None:
    looked_at = scene(WAITS, LEAVING, inventory=INVENTORY, unlisted=("Deployment",))

    findings = diagnose(looked_at)
    roots = roots_of(findings, blocking(looked_at))

    assert [root.id for root in roots] == ["N1:namespace/storage", f"C4:crd/{CRD}"]
    next_one = findings[f"C4:crd/{CRD}"]
    assert next_one.next_after == ("N1:namespace/storage",)
    assert next_one.blocks == (ROOT,)
    assert "kustomization flux-system/cluster will need" in next_one.message
    assert "helmrelease secrets/eso, which brings it" in next_one.message
    assert next_one.clears_itself == "no"
    assert dangers(next_one) == {"look", "reversible", "never"}


def test_any_kind_that_a_kustomization_needs_is_told_before_it_runs_into_it() -> None:
    """Mutants: only ExternalSecrets are expected; a need of another kind, or of somebody beside, counts."""
    schedules = "schedules.velero.io"
    root, secrets = INVENTORY["kustomizations"]
    beside = {"key": "flux-system/beside", "needs": [f"crd/{schedules}"]}
    inventory = edited(
        kustomizations=[{**root, "needs": [f"crd/{schedules}"]}, secrets, beside],
        externalsecrets=[],
        crds=[
            {"name": schedules, "provider": "helmrelease/secrets/eso"},
            {"name": CRD, "provider": "helmrelease/secrets/eso"},
        ],
    )
    looked_at = scene(WAITS, LEAVING, inventory=inventory, unlisted=("Deployment",))

    roots = roots_of(diagnose(looked_at), blocking(looked_at))

    assert [root.id for root in roots] == ["N1:namespace/storage", f"C4:crd/{schedules}"]
    assert roots[1].finding.next_after == ("N1:namespace/storage",)
    assert roots[1].finding.blocks == (ROOT,)


@pytest.mark.parametrize(
    "consumer", [COMPLAINS, made("Kustomization", "flux-system/cluster", said("Ready", "Unknown"))]
)
def test_with_nothing_else_in_the_way_it_blocks_now(consumer: dict[str, Any]) -> None:
    looked_at = scene(consumer, inventory=INVENTORY, unlisted=("Deployment",))

    (found,) = found_by("C4", looked_at)

    assert found.next_after == ()
    assert "applied only after it: neither" in found.message
    assert "cluster needs CRD" in found.message
    assert found_by("C3", looked_at) == []


FLUX = made("Deployment", "flux-system/kustomize-controller")


def marked(kind: str, name: str, controller: str) -> dict[str, Any]:
    """What a controller of Flux applied."""
    return made(kind, name, metadata={"labels": {f"{controller}.toolkit.fluxcd.io/name": "x"}})


@pytest.mark.parametrize(
    ("objects", "unlisted", "clears"),
    [
        # before Flux is there a bootstrap may bring any kind
        ((WAITS,), (), "unknown"),
        ((WAITS, FLUX), (), "no"),
        ((WAITS,), ("Deployment",), "no"),
        # who lost Flux had a bootstrap before
        ((marked("Namespace", "apps", "kustomize"),), (), "no"),
        ((marked("Deployment", "apps/web", "helm"),), (), "no"),
        ((marked("DaemonSet", "apps/agent", "helm"),), ("Deployment",), "no"),
        ((made("Namespace", "apps", metadata={"labels": {"kustomize": "x"}}),), (), "unknown"),
        # what is not listed may be to come, where nothing tells that it was here
        ((), ("Deployment",), "unknown"),
        # who asked has found that none did
        ((COMPLAINS,), (), "no"),
    ],
)
def test_nothing_is_for_ever_before_flux_has_come(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], clears: str
) -> None:
    """Mutants: it is always; who asked may still hope; what is not listed is not there, or there; no mark is read."""
    (found,) = found_by("C4", scene(*objects, inventory=INVENTORY, unlisted=unlisted))

    assert found.clears_itself == clears
    assert ("unless a bootstrap brings the kind" in found.message) == (clears == "unknown")


def test_who_complains_already_is_not_behind_anything_else() -> None:
    (found,) = found_by("C4", scene(COMPLAINS, LEAVING, inventory=INVENTORY))

    assert found.next_after == ()
    assert found.since is not None


def test_a_kind_that_the_inventory_does_not_know_is_no_deadlock() -> None:
    unknown = failed(
        "Kustomization", "f/other", 'no matches for kind "Thing" in version "example.com/v1"'
    )

    (found,) = found_by("C4", scene(COMPLAINS, unknown, inventory=INVENTORY))

    assert found.blocks == (ROOT,)


def test_a_consumer_that_the_provider_does_not_wait_for_makes_nothing_urgent() -> None:
    message = COMPLAINS["status"]["conditions"][0]["message"]
    beside = failed("Kustomization", "f/beside", message)

    (found,) = found_by(
        "C4", scene(WAITS, LEAVING, beside, inventory=INVENTORY, unlisted=("Deployment",))
    )

    assert (found.blocks, found.since) == ((ROOT,), None)
    assert found.next_after == ("N1:namespace/storage",)
    assert "only after it: neither can go first" in found.message


def test_what_ails_the_consumer_itself_comes_first() -> None:
    denied = failed(
        "Kustomization", "flux-system/cluster", 'admission webhook "w" denied the request: no'
    )

    (found,) = found_by("C4", scene(denied, inventory=INVENTORY, unlisted=("Deployment",)))

    assert found.next_after == (f"WH3:{ROOT}",)


def test_a_complaint_without_an_instant_is_one_all_the_same() -> None:
    timeless = failed(
        "Kustomization", "flux-system/cluster", COMPLAINS["status"]["conditions"][0]["message"]
    )
    del timeless["status"]["conditions"][0]["lastTransitionTime"]

    (found,) = found_by("C4", scene(timeless, inventory=INVENTORY))

    assert (found.next_after, found.since) == ((), None)


def edited(**changes: Any) -> dict[str, Any]:
    return {**INVENTORY, **changes}


BESIDE = [{"key": "flux-system/cluster"}, {"key": "flux-system/secrets"}]
DEPENDS = [
    {"key": "flux-system/cluster"},
    {"key": "flux-system/secrets", "depends_on": ["flux-system/cluster"]},
]


@pytest.mark.parametrize(
    ("objects", "inventory", "found"),
    [
        ((), INVENTORY, 1),
        # the provider stands beside its consumer, not below it
        ((), edited(kustomizations=BESIDE), 0),
        # below it by dependsOn
        ((), edited(kustomizations=DEPENDS), 1),
        # ... which is met
        (
            (made("Kustomization", "flux-system/cluster", said("Ready", "True")),),
            edited(kustomizations=DEPENDS),
            0,
        ),
        # its parent made it already: nothing stands between it and its own reconciliation
        ((made("HelmRelease", "secrets/eso", said("Ready", "False")),), INVENTORY, 0),
        # its grandparent did
        ((made("Kustomization", "flux-system/secrets", said("Ready", "False")),), INVENTORY, 0),
        # it is there and on its way out
        (
            (
                made(
                    "HelmRelease",
                    "secrets/eso",
                    metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"},
                ),
            ),
            INVENTORY,
            1,
        ),
        # the CRD is there
        ((made("CustomResourceDefinition", CRD),), INVENTORY, 0),
        # a Kustomization that brings the CRD itself applies it before anything else
        ((), edited(crds=[{"name": CRD, "provider": ROOT}]), 0),
        ((), edited(crds=[{"name": CRD}]), 0),
        ((), edited(helmreleases=[{"key": "secrets/eso"}]), 0),
        ((), edited(externalsecrets=[{"key": "app/creds"}]), 0),
        ((), edited(externalsecrets=[]), 0),
        ((), edited(crds=[{"name": "x.example.com", "provider": "helmrelease/secrets/eso"}]), 0),
        # a circle above the provider ends
        (
            (),
            edited(
                kustomizations=[
                    {"key": "flux-system/secrets", "depends_on": ["flux-system/b"]},
                    {"key": "flux-system/b", "depends_on": ["flux-system/secrets"]},
                ]
            ),
            0,
        ),
    ],
)
def test_only_a_provider_that_waits_for_its_consumer_is_a_deadlock(
    objects: tuple[dict[str, Any], ...], inventory: dict[str, Any], found: int
) -> None:
    assert len(found_by("C4", scene(*objects, inventory=inventory))) == found


@pytest.mark.parametrize("unlisted", ["CustomResourceDefinition", "HelmRelease"])
def test_what_could_not_be_listed_is_not_absent(unlisted: str) -> None:
    looked_at = scene(COMPLAINS, inventory=INVENTORY, unlisted=(unlisted,))

    assert found_by("C4", looked_at) == []
    assert len(found_by("C3", looked_at)) == 1


def test_without_an_inventory_nothing_is_foretold() -> None:
    assert found_by("C4", scene(COMPLAINS)) == []


def test_a_consumer_that_is_free_to_run_makes_it_block_now() -> None:
    other = {"key": "app/more", "parent": "flux-system/free"}
    third = {"key": "flux-system/free"}
    inventory = edited(
        kustomizations=[
            *INVENTORY["kustomizations"],
            {**third},
            {
                "key": "flux-system/between",
                "parent": "flux-system/cluster",
                "depends_on": ["flux-system/free"],
            },
        ],
        helmreleases=[{"key": "secrets/eso", "parent": "flux-system/between"}],
        externalsecrets=[*INVENTORY["externalsecrets"], other],
    )
    free = made("Kustomization", "flux-system/free", said("Ready", "Unknown"))

    (found,) = found_by(
        "C4", scene(WAITS, LEAVING, free, inventory=inventory, unlisted=("Deployment",))
    )

    assert set(found.blocks) == {ROOT, "kustomization/flux-system/free"}
    assert "applied only after them: neither" in found.message
    assert found.next_after == ()
