"""CRDs on their way out, in conflict, missing, or of another version."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Finding
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking
from phases.snapshot import Holder
from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    failed,
    found_by,
    holder,
    made,
    recorded,
    said,
    scene,
)

LEAVING = recorded("crd-terminating")
CONSUMER = recorded("kustomization-crd-missing-false-reconciliationfailed")
RELEASE = recorded("helmrelease-needs-crd-false-installfailed")
CRD = "widgets.example.com"
RULES = ("C1", "C2", "C3", "C4", "C5")


def crd(*conditions: Any, versions: tuple[str, ...] = ("v1",), **metadata: Any) -> dict[str, Any]:
    listed = [{"name": name, "served": True} for name in versions]
    spec = {
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [*listed, {"name": "v0", "served": False}],
    }
    return made("CustomResourceDefinition", CRD, *conditions, spec=spec, metadata=metadata)


def established(at: float = AT - 600) -> Any:
    return said("Established", "True", "InitialNamesAccepted", at=at)


HOLDER = made(
    "CustomResourceDefinition",
    "holders.example.com",
    spec={"group": "example.com", "names": {"kind": "Holder", "plural": "widgets"}},
)


def asks(
    kind: str = "Widget", version: str = "example.com/v1", name: str = "f/a"
) -> dict[str, Any]:
    message = (
        f'{kind}/default/w dry-run failed: no matches for kind "{kind}" in version "{version}"'
    )
    return failed("Kustomization", name, message)


@pytest.mark.parametrize(
    ("held", "clears", "says"),
    [
        (
            (holder("g", namespace="", owner_alive=True),),
            "yes",
            "1 of its instances has a finalizer (g)",
        ),
        (None, "unknown", "is being deleted: nothing of its kind"),
        ((), "yes", "is being deleted: nothing of its kind"),
        ((holder("g", owner_alive=True),), "yes", "1 of its instances has a finalizer (storage/g)"),
        ((holder("g", owner_alive=False),), "no", "1 of its instances has a finalizer"),
        ((holder("g"), holder("h")), "unknown", "2 of its instances have finalizers"),
    ],
)
def test_a_crd_on_its_way_out_counts_what_is_left(
    held: tuple[Holder, ...] | None, clears: str, says: str
) -> None:
    holders = {} if held is None else {"crd/gadgets.example.com": held}

    (found,) = found_by("C1", scene(LEAVING, holders=holders))

    assert (found.subject, found.clears_itself) == ("crd/gadgets.example.com", clears)
    assert says in found.message
    assert found.since == 1795380097.0
    assert len(found.evidence) == 1 + len(held or ())
    assert dangers(found) == {"look", "destructive", "never"}


def test_a_crd_on_its_way_out_blocks_who_makes_its_kind() -> None:
    refusal = "create not allowed while custom resource definition is terminating"
    looked_at = scene(
        LEAVING,
        failed("Kustomization", "f/a", f"Gadget/x/g dry-run failed (MethodNotAllowed): {refusal}"),
        failed("Kustomization", "f/b", f"Widget/x/g dry-run failed (MethodNotAllowed): {refusal}"),
        failed("HelmRelease", "f/c", f"gadgets.example.com is forbidden: {refusal}"),
        failed(
            "Kustomization",
            "f/d",
            "timeout waiting for: [CustomResourceDefinition/gadgets.example.com status: 'Terminating']",
        ),
        asks("Gadget", name="f/e"),
        asks("Widget", name="f/g"),
    )

    (found,) = found_by("C1", looked_at)

    assert sorted(found.blocks) == [
        "helmrelease/f/c",
        "kustomization/f/a",
        "kustomization/f/d",
        "kustomization/f/e",
    ]
    assert [finding.blocks for finding in found_by("C3", looked_at)] == [("kustomization/f/g",)]
    assert found_by("C5", scene(LEAVING, asks("Gadget", "example.com/v2"))) == []


def test_a_crd_whose_names_are_taken_is_never_served() -> None:
    taken = said("NamesAccepted", "False", "PluralConflict", '"widgets" is already in use')
    looked_at = scene(crd(taken), HOLDER, asks(), asks("Gadget", "other.example.com/v1", "f/b"))

    (found,) = found_by("C2", looked_at)

    assert (found.subject, found.clears_itself) == (f"crd/{CRD}", "no")
    assert '"widgets" is already in use' in found.message
    assert found.blocks == ("kustomization/f/a",)
    assert [found_by(rule, looked_at) for rule in ("C1", "C5")] == [[], []]
    assert [finding.blocks for finding in found_by("C3", looked_at)] == [("kustomization/f/b",)]
    wordless = crd(said("NamesAccepted", "False", "ListKindConflict"))
    assert "ListKindConflict" in found_by("C2", scene(wordless))[0].message
    gone = crd(taken, deletionTimestamp="2027-01-15T07:50:00Z")
    assert found_by("C2", scene(gone)) == []


@pytest.mark.parametrize(
    ("group", "names", "clears"),
    [
        ("example.com", {"kind": "Doomed", "plural": "doomed"}, "no"),
        ("other.example.com", {"kind": "Widget", "plural": "widgets"}, "no"),
        ("example.com", {"kind": "Widget", "plural": "others"}, "unknown"),
        (
            "example.com",
            {"kind": "Other", "plural": "others", "shortNames": ["widgets"]},
            "unknown",
        ),
    ],
)
def test_only_who_has_the_names_frees_them_by_going(
    group: str, names: dict[str, Any], clears: str
) -> None:
    """Mutant: hope for any CRD that goes."""
    taken = said("NamesAccepted", "False", "PluralConflict", '"widgets" is already in use')
    other = {
        **LEAVING,
        "metadata": {**LEAVING["metadata"], "name": "others.example.com"},
        "spec": {**LEAVING["spec"], "group": group, "names": names},
    }

    (found,) = found_by("C2", scene(crd(taken), HOLDER, other))

    assert found.clears_itself == clears


@pytest.mark.parametrize("holds", [False, True], ids=["nobody has them", "who wants them too"])
def test_names_that_nobody_has_any_more_come_free_in_a_moment(*, holds: bool) -> None:
    """Who had them is gone. Mutant: it counts itself, or another that was refused."""
    taken = said("NamesAccepted", "False", "PluralConflict", '"widgets" is already in use')
    other = {**crd(taken), "metadata": {"name": "others.example.com"}}

    found = found_by("C2", scene(crd(taken), *[other] * holds))

    assert {told.clears_itself for told in found} == {"unknown"}


@pytest.mark.parametrize(
    ("consumer", "subject"),
    [
        (CONSUMER, "kustomization/flux-system/crd-missing"),
        (RELEASE, "helmrelease/flux-system/needs-crd"),
    ],
)
def test_a_kind_that_nothing_serves_is_named_by_who_asks_for_it(
    consumer: dict[str, Any], subject: str
) -> None:
    (found,) = found_by("C3", scene(consumer))

    assert found.subject == "crd/Widget.example.com"
    assert found.blocks == (subject,)
    assert "no CRD serves Widget (example.com/v1)" in found.message
    assert found.clears_itself == "unknown"
    assert found.since is not None
    assert dangers(found) == {"look", "nudge"}
    assert found.remedies[0].text == "find what brings this CRD"


def test_everybody_who_asks_for_a_kind_is_behind_one_finding() -> None:
    looked_at = scene(CONSUMER, RELEASE, asks("Gadget"))

    assert [len(finding.blocks) for finding in found_by("C3", looked_at)] == [2, 1]


def test_who_is_ready_asks_for_nothing() -> None:
    old = 'no matches for kind "Widget" in version "example.com/v1"'
    ready = made("HelmRelease", "f/a", said("Ready", "True"), said("Released", "False", "", old))

    assert found_by("C3", scene(ready)) == []


@pytest.mark.parametrize(
    ("conditions", "clears", "says"),
    [
        ((said("Established", "False", "Installing", at=AT - 5),), "yes", "not Established yet"),
        ((said("Established", "False", "Installing", at=AT - 65),), "unknown", "not Established"),
        ((), "unknown", "not Established yet"),
        ((established(AT - 100),), "yes", "has not tried again since"),
        ((established(AT - 400),), "unknown", "has not tried again since"),
        (
            (said("NamesAccepted", "True"), established(AT - 100)),
            "yes",
            "has not tried again since",
        ),
        (({"type": "Established", "status": "True"},), "yes", "has not tried again since"),
    ],
)
def test_a_crd_that_came_after_the_attempt_waits_for_the_next_one(
    conditions: tuple[Any, ...], clears: str, says: str
) -> None:
    (found,) = found_by("C3", scene(crd(*conditions), asks()))

    assert (found.subject, found.clears_itself) == (f"crd/{CRD}", clears)
    assert (found.uid, found.since) == (f"uid-CustomResourceDefinition-{CRD}", AT - 300)
    assert says in found.message


def test_an_attempt_without_an_instant_may_be_a_later_one() -> None:
    timeless = asks()
    del timeless["status"]["conditions"][0]["lastTransitionTime"]

    (found,) = found_by("C3", scene(crd(established(AT - 100)), timeless))

    assert (found.clears_itself, found.since) == ("unknown", None)


@pytest.mark.parametrize(
    ("provider", "clears", "says"),
    [
        (made("HelmRelease", "w/w", said("Ready", "Unknown")), "yes", "is at work"),
        (made("HelmRelease", "w/w", said("Ready", "True")), "no", "it was removed since"),
        (made("HelmRelease", "w/w", said("Ready", "False")), "unknown", "is not Ready"),
        (made("HelmRelease", "w/other"), "unknown", "does not exist"),
        (made("HelmRelease", "w/w"), "unknown", "is not Ready"),
    ],
)
def test_whether_a_missing_kind_comes_by_itself_depends_on_what_brings_it(
    provider: dict[str, Any], clears: str, says: str
) -> None:
    inventory = {"crds": [{"name": CRD, "provider": "helmrelease/w/w"}]}

    (found,) = found_by("C3", scene(asks(), provider, inventory=inventory))

    assert (found.subject, found.clears_itself) == (f"crd/{CRD}", clears)
    assert says in found.message
    assert "apply helmrelease/w/w first" in found.remedies[0].text


@pytest.mark.parametrize(
    ("kind", "spec", "clears", "says"),
    [
        (
            "Kustomization",
            {"interval": "1h"},
            "yes",
            "comes back when that is reconciled, every 1h",
        ),
        ("Kustomization", {"interval": "1h", "suspend": True}, "no", "it was removed since)"),
        ("HelmRelease", {"driftDetection": {"mode": "enabled"}}, "unknown", "removed since)"),
        ("HelmRelease", {"driftDetection": {"mode": "warn"}}, "no", "removed since)"),
    ],
)
def test_a_kind_that_somebody_removed_comes_again_from_who_looks_at_it(
    kind: str, spec: dict[str, Any], clears: str, says: str
) -> None:
    """As X2 says it of the CRD itself. Mutant: who is Ready brings nothing any more."""
    maker = {**made(kind, "w/w", said("Ready", "True")), "spec": spec}
    inventory = {"crds": [{"name": CRD, "provider": f"{kind.lower()}/w/w"}]}

    (found,) = found_by("C3", scene(asks(), maker, inventory=inventory))

    assert found.clears_itself == clears
    assert says in found.message


def test_what_could_not_be_listed_is_not_said_to_be_absent() -> None:
    inventory = {"crds": [{"name": CRD, "provider": "helmrelease/w/w"}]}
    looked_at = scene(asks(), inventory=inventory, unlisted=("HelmRelease",))

    (found,) = found_by("C3", looked_at)

    assert "does not exist" not in found.message


def test_what_keeps_a_provider_is_the_root_of_a_missing_kind() -> None:
    inventory = {"crds": [{"name": CRD, "provider": "helmrelease/w/w"}]}
    looked_at = scene(
        asks(),
        made("HelmRelease", "w/w", said("Ready", "False")),
        inventory=inventory,
        unlisted=("Deployment",),
    )
    stalled = {"H1:w": Finding("helmrelease/w/w", "stalled", "its retries are used up", rule="H1")}

    found = {key: one for key, one in diagnose(looked_at).items() if one.rule != "X1"}
    (root,) = roots_of({**stalled, **found}, blocking(looked_at))

    assert root.id == "H1:w"
    assert root.victims == (f"crd/{CRD}", "kustomization/f/a")


@pytest.mark.parametrize(
    ("served", "asked", "found"),
    [
        (("v1beta1",), "example.com/v1", ["does not serve version v1 (it serves v1beta1)"]),
        (("v1",), "example.com/v1", []),
        (("v1", "v1beta1"), "example.com/v2", ["version v2 (it serves v1, v1beta1)"]),
        ((), "example.com/v1", ["(it serves none)"]),
        (("v1",), "example.com/v0", ["version v0 (it serves v1)"]),
    ],
)
def test_a_version_that_is_not_served_is_another_release(
    served: tuple[str, ...], asked: str, found: list[str]
) -> None:
    looked_at = scene(crd(established(), versions=served), asks(version=asked))

    findings = found_by("C5", looked_at)

    assert [says in finding.message for says, finding in zip(found, findings, strict=True)] == [
        True for _ in found
    ]
    assert (len(findings) == 0) == (len(found_by("C3", looked_at)) == 1)


def test_of_two_crds_that_claim_a_kind_the_one_that_is_served_is_meant() -> None:
    """As seen on a real API server. Mutant: take the first, which may never be served at all."""
    taken = said("NamesAccepted", "False", "ListKindConflict", '"WidgetList" is already in use')
    clash = crd(taken, said("Established", "False", "NotAccepted"))
    clash["metadata"]["name"] = "gadgets.example.com"

    (found,) = found_by("C5", scene(clash, crd(established()), asks(version="example.com/v9")))

    assert found.subject == f"crd/{CRD}"


def test_a_version_that_may_still_be_stored_cannot_be_dropped() -> None:
    message = (
        "CustomResourceDefinition/widgets.example.com dry-run failed (Invalid): "
        'CustomResourceDefinition.apiextensions.k8s.io "widgets.example.com" is invalid: '
        'status.storedVersions[0]: Invalid value: "v1beta1": missing from spec.versions; v1beta1 was '
        "previously a storage version"
    )

    (found,) = found_by("C5", scene(failed("Kustomization", "f/a", message), crd(established())))

    assert (found.subject, found.blocks) == (f"crd/{CRD}", ("kustomization/f/a",))
    assert "cannot drop version v1beta1" in found.message
    assert dangers(found) == {"look", "reversible", "destructive"}


@pytest.mark.parametrize("rule", RULES)
def test_an_established_crd_has_no_finding(rule: str) -> None:
    accepted = said("NamesAccepted", "True", "NoConflicts")

    assert found_by(rule, scene(crd(accepted, established()))) == []
    assert found_by(rule, scene(crd())) == []


GONE = "the server could not find the requested resource (patch widgets.example.com w)"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Kustomization", f"Widget/default/w not found: {GONE}"),
        (
            "HelmRelease",
            f'could not get information about the resource Widget "w" in namespace "x": {GONE}',
        ),
        (
            "HelmRelease",
            f"server-side apply failed for object x/w example.com/v1, Kind=Widget: {GONE}",
        ),
        ("Kustomization", f"cannot list: {GONE}"),
    ],
)
def test_who_knew_a_kind_before_its_crd_went_asks_for_it_in_vain(kind: str, message: str) -> None:
    """Recipe: without ``NOT_SERVED`` in ``unserved`` nothing is found."""
    asker = failed(kind, "f/a", message)
    leaving = crd(established(), deletionTimestamp="2027-01-15T07:50:00Z")

    (absent,) = found_by("C3", scene(asker))
    (waits,) = found_by("C3", scene(asker, crd(established(AT - 10))))
    (going,) = found_by("C1", scene(asker, leaving))

    assert (absent.subject, absent.blocks) == (f"crd/{CRD}", (f"{kind.lower()}/f/a",))
    assert waits.cause == "waits-for-its-next-attempt"
    assert going.blocks == (f"{kind.lower()}/f/a",)


@pytest.mark.parametrize(
    "message",
    [
        "the server could not find the requested resource",
        "the server could not find the requested resource (post deployments.apps w)",
        'widgets.example.com "w" not found',
    ],
)
def test_what_else_is_not_found_is_no_missing_kind(message: str) -> None:
    assert found_by("C3", scene(failed("Kustomization", "f/a", message))) == []
