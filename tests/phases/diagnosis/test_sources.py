"""Sources that cannot be fetched, one cause each; and consumers whose source says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.flux_objects import REVISION, Said, deployment, flux, hr, ks, source
from tests.phases.diagnosis.scenes import AT, found_by, recorded, rules_of, said, scene

GIT, OCI, HELM = "GitRepository", "OCIRepository", "HelmRepository"


def failed(reason: str, message: str) -> Said:
    return "False", reason, message


CASES: list[tuple[str, str, str, str, str]] = [
    (GIT, "AuthenticationFailed", "failed to get secret 'a/b'", "S1", "credentials"),
    (GIT, "GitOperationFailed", "unable to clone: authentication required", "S1", "credentials"),
    (
        GIT,
        "GitOperationFailed",
        "ssh: unable to authenticate, attempted methods",
        "S1",
        "credentials",
    ),
    (GIT, "GitOperationFailed", "unable to clone: knownhosts: key mismatch", "S2", "host-key"),
    (GIT, "GitOperationFailed", "unable to find remote ref main", "S2", "reference"),
    (GIT, "GitOperationFailed", "dial tcp: lookup github.com: no such host", "S2", "dns"),
    (
        GIT,
        "GitOperationFailed",
        "lookup github.com on 10.96.0.10:53: read udp: i/o timeout",
        "S2",
        "dns",
    ),
    (GIT, "GitOperationFailed", "context deadline exceeded", "S2", "unreachable"),
    (GIT, "GitOperationFailed", "something nobody has seen", "S2", "git"),
    (OCI, "OCIArtifactPullFailed", "GET https://x: 429 Too Many Requests", "S3", "limit"),
    (OCI, "OCIArtifactPullFailed", "GET https://x: TOOMANYREQUESTS: rate", "S3", "limit"),
    (OCI, "OCIArtifactPullFailed", "401 Unauthorized", "S3", "refused"),
    (OCI, "AuthenticationFailed", "failed to get credential", "S3", "refused"),
    (OCI, "OCIArtifactPullFailed", "MANIFEST_UNKNOWN: manifest unknown", "S3", "absent"),
    (HELM, "Failed", "failed to fetch Helm repository index: 404 Not Found", "S3", "absent"),
    (HELM, "IndexationFailed", "failed to load Helm repository", "S3", "pull"),
    (HELM, "Failed", "dial tcp: lookup charts.example.com: no such host", "S3", "dns"),
    (OCI, "VerificationError", "failed to verify the signature", "S4", "unverified"),
    (GIT, "DirectoryCreationFailed", "no space left on device", "S5", "storage"),
    (HELM, "ArchiveOperationFailed", "no space left on device", "S5", "storage"),
]


@pytest.mark.parametrize(("kind", "reason", "message", "rule", "cause"), CASES)
def test_exactly_one_rule_speaks_for_a_source(
    kind: str, reason: str, message: str, rule: str, cause: str
) -> None:
    looked_at = scene(source(kind, ready=failed(reason, message)), unlisted=("Deployment",))

    assert rules_of(looked_at) == [rule]
    (found,) = found_by(rule, looked_at)
    assert found.cause == cause
    if rule in {"S2", "S3"}:
        may_pass = cause in {"dns", "git", "limit", "pull", "unreachable"}
        assert found.clears_itself == ("unknown" if may_pass else "no")
    assert ("host key check off" in str(found.remedies)) == (cause == "host-key")


@pytest.mark.parametrize(
    ("name", "cause", "clears"),
    [
        ("gitrepository-no-branch", "reference", "no"),
        ("gitrepository-unreachable", "unreachable", "unknown"),
    ],
)
def test_recorded_repositories(name: str, cause: str, clears: str) -> None:
    (found,) = found_by("S2", scene(recorded(name)))

    assert (cause, clears) == (found.cause, found.clears_itself)


def test_a_recorded_chart_blocks_its_release() -> None:
    looked_at = scene(recorded("helmchart-no-chart"), recorded("helmrelease-no-chart"))

    (found,) = found_by("S3", looked_at)

    assert (found.cause, found.blocks) == ("chart-reference", ("helmrelease/flux-system/no-chart",))
    assert found_by("H4", looked_at) == [], "the chart itself says why"


@pytest.mark.parametrize(
    "ready", [("True", "Succeeded", ""), ("Unknown", "Progressing", "reconciliation in progress")]
)
def test_no_rule_speaks_for_a_source_that_has_not_failed(ready: Said) -> None:
    assert rules_of(scene(source(GIT, ready=ready), unlisted=("Deployment",))) == []


def _with(condition: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    given["status"]["conditions"].append(condition)
    return given


# What is one word or one condition away from the rule. Each is its rule's only case against it: `test_every_rule.py`.
NEAR: list[tuple[str, dict[str, Any]]] = [
    ("S1", source(OCI, ready=failed("AuthenticationFailed", "authentication required"))),
    ("S3", flux("HelmChart", "x", ready=failed("NoSourceArtifact", "no artifact: 404 Not Found"))),
    (
        "S4",
        _with(
            said("SourceVerified", "True", "Succeeded", "verified signature"),
            source(OCI, ready=failed("OCIArtifactPullFailed", "failed to verify: 401")),
        ),
    ),
    ("S5", source(GIT, ready=failed("GitOperationFailed", "remote: no space left on device"))),
]


@pytest.mark.parametrize(
    ("rule", "given"),
    NEAR,
    ids=["a registry", "waits for its source", "verified", "the server's disk"],
)
def test_what_is_like_a_rule_and_is_not_it(rule: str, given: dict[str, Any]) -> None:
    assert found_by(rule, scene(given, unlisted=("Deployment",))) == []


@pytest.mark.parametrize(("condition", "status"), [("storage", "True"), ("verified", "False")])
def test_conditions_tell_what_a_reason_does_not(condition: str, status: str) -> None:
    given = source(OCI, ready=failed("Failed", "x"))
    kind = {"storage": "StorageOperationFailed", "verified": "SourceVerified"}[condition]
    given["status"]["conditions"].append(
        {"type": kind, "status": status, "reason": "x", "message": ""}
    )

    assert rules_of(scene(given, unlisted=("Deployment",))) == [
        "S5" if condition == "storage" else "S4"
    ]


@pytest.mark.parametrize(
    ("kind", "status"), [("StorageOperationFailed", "False"), ("SourceVerified", "True")]
)
def test_conditions_that_are_well_tell_nothing(kind: str, status: str) -> None:
    given = source(OCI, ready=failed("Failed", "x"))
    given["status"]["conditions"].append({"type": kind, "status": status, "reason": "x"})

    assert rules_of(scene(given, unlisted=("Deployment",))) == ["S3"]


def test_a_source_that_is_being_deleted_is_another_matter() -> None:
    given = source(GIT, ready=failed("GitOperationFailed", "x"), deleted=AT - 5)

    assert found_by("S2", scene(given)) == []


def test_a_source_that_failed_still_serves_what_it_has() -> None:
    ready = failed("GitOperationFailed", "connection refused")

    (serving,) = found_by("S2", scene(source(GIT, ready=ready, revision=REVISION)))
    (empty,) = found_by("S2", scene(source(GIT, ready=ready)))

    assert "still serves" in serving.message
    assert "still serves" not in empty.message


def test_a_password_in_a_url_is_not_told() -> None:
    message = "unable to clone 'https://bot:hunter2@git.example.com/x.git': connection refused"

    (found,) = found_by("S2", scene(source(GIT, ready=failed("GitOperationFailed", message))))

    assert "hunter2" not in str(found)
    assert "git.example.com" in found.message


def test_a_repository_blocks_what_is_made_from_it_and_not_what_is_well() -> None:
    ready = ("True", "ChartPullSucceeded", "")
    waiting = ("False", "NoSourceArtifact", "no artifact available")
    by = {"chart": "x", "sourceRef": {"kind": HELM, "name": "charts"}}
    looked_at = scene(
        source(HELM, "charts", namespace="apps", ready=failed("Failed", "no such host")),
        flux("HelmChart", "apps-ill", namespace="apps", spec=by, ready=waiting),
        flux("HelmChart", "apps-well", namespace="apps", spec=by, ready=ready),
        flux("HelmChart", "other", namespace="other", spec=by, ready=waiting),
        hr("ill", ready=("False", "SourceNotReady", "HelmChart is not ready")),
        hr("well", ready=("True", "InstallSucceeded", "")),
        hr("stranger", ready=("False", "SourceNotReady", "HelmChart is not ready")),
        flux("HelmChart", "apps-nothing", namespace="apps", ready=waiting),
    )

    assert [found.blocks for found in found_by("S3", looked_at)] == [
        ("helmchart/apps/apps-ill", "helmrelease/apps/ill")
    ]


def test_a_chart_reference_is_followed() -> None:
    ref = {"chartRef": {"kind": OCI, "name": "app", "namespace": "apps"}}
    looked_at = scene(
        source(OCI, "app", namespace="apps", ready=failed("OCIArtifactPullFailed", "401")),
        hr("a", namespace="elsewhere", spec=ref, ready=("False", "SourceNotReady", "x")),
        hr(
            "b",
            spec={"chartRef": {"kind": OCI, "name": "app"}},
            ready=("False", "SourceNotReady", "x"),
        ),
    )

    assert [found.blocks for found in found_by("S3", looked_at)] == [
        ("helmrelease/elsewhere/a", "helmrelease/apps/b")
    ]


def test_a_full_disk_is_one_cause_for_all_sources() -> None:
    full = failed("DirectoryCreationFailed", "no space left on device")
    looked_at = scene(
        source(GIT, ready=full),
        source(OCI, "b", ready=full),
        deployment("source-controller", namespace="flux"),
    )

    (found,) = found_by("S5", looked_at)

    assert (found.subject, found.uid) == (
        "deployment/flux/source-controller",
        "uid-source-controller",
    )
    assert found.blocks == ("gitrepository/flux-system/flux-system", "ocirepository/flux-system/b")


EMPTY = failed("ArtifactFailed", "Source artifact not found, retrying in 30s")
# As a real kustomize-controller 1.9.5 says it: it adds nothing to the API's own words.
GONE = failed("ArtifactFailed", 'GitRepository.source.toolkit.fluxcd.io "flux-system" not found')
UNREAD = failed(
    "ArtifactFailed",
    "unable to get source 'flux-system/flux-system': gitrepositories \"x\" not found",
)
LOST = failed("ArtifactFailed", "Source is not ready, artifact not found, retrying in 30s")
SERVES = ("True", "Succeeded", "")


@pytest.mark.parametrize(
    ("ready", "objects", "cause", "clears"),
    [
        (GONE, [], "source-absent", "no"),
        (UNREAD, [], "source-absent", "no"),
        (EMPTY, [source(GIT)], "source-unfetched", "unknown"),
        (EMPTY, [source(GIT, ready=("Unknown", "Progressing", ""))], "source-unfetched", "unknown"),
        (LOST, [source(GIT, ready=SERVES, revision=REVISION)], "artifact-lost", "yes"),
    ],
)
def test_kustomizations_without_an_artifact(
    ready: Said, objects: list[dict[str, Any]], cause: str, clears: str
) -> None:
    (found,) = found_by("K5", scene(ks("a", ready=ready), ks("b", ready=ready), *objects))

    assert (cause, clears) == (found.cause, found.clears_itself)
    assert found.subject == "gitrepository/flux-system/flux-system"
    assert (found.uid, "is not listed" in found.evidence[0]) == (
        ("uid-flux-system", False) if objects else ("", True)
    )
    assert found.blocks == ("kustomization/flux-system/a", "kustomization/flux-system/b")


@pytest.mark.parametrize(
    ("ready", "objects", "unlisted"),
    [
        (EMPTY, [source(GIT, ready=failed("GitOperationFailed", "x"))], ()),
        (EMPTY, [source(GIT, ready=SERVES, revision=REVISION)], ()),
        (GONE, [], (GIT,)),
        (failed("ArtifactFailed", "kustomization path not found: x"), [], ()),
        (failed("BuildFailed", "artifact not found"), [], ()),
    ],
    ids=[
        "the source says why",
        "is there by now",
        "sources not listed",
        "a path",
        "another reason",
    ],
)
def test_no_missing_artifact(
    ready: Said, objects: list[dict[str, Any]], unlisted: tuple[str, ...]
) -> None:
    assert found_by("K5", scene(ks("a", ready=ready), *objects, unlisted=unlisted)) == []


def test_a_source_that_the_inventory_expects_may_come() -> None:
    expected = {"source": {"namespace": "flux-system", "name": "flux-system"}}

    assert [
        f.clears_itself for f in found_by("K5", scene(ks("a", ready=GONE), inventory=expected))
    ] == ["unknown"]


def test_a_chart_made_from_what_does_not_exist() -> None:
    by = {"chart": "x", "sourceRef": {"kind": HELM, "name": "chart"}}
    objects = [
        flux(
            "HelmChart", "apps-a", namespace="apps", spec=by, ready=failed("SourceUnavailable", "x")
        ),
        hr("a", ready=failed("SourceNotReady", "HelmChart 'apps/apps-a' is not ready: x")),
    ]

    (found,) = found_by(
        "H4", scene(*objects, source(HELM, "charts", namespace="apps", ready=SERVES))
    )

    assert found.message.startswith(
        "HelmChart apps/apps-a is made from HelmRepository apps/chart, which does not exist; did it mean apps/charts?"
    )
    there = source(HELM, "chart", namespace="apps", ready=failed("Failed", "x"))
    assert found_by("H4", scene(*objects, there)) == [], "the repository itself says why"
    assert found_by("H4", scene(*objects, unlisted=(HELM,))) == []


def test_a_recorded_release_whose_chart_is_just_being_made() -> None:
    release = recorded("helmrelease-good-false-sourcenotready")
    chart = flux("HelmChart", "flux-system-good", ready=("Unknown", "Progressing", ""))

    assert [f.cause for f in found_by("H4", scene(release, chart))] == ["source-unfetched"]
    chart["status"]["conditions"][0]["status"] = "True"
    assert found_by("H4", scene(release, chart)) == []


def test_another_source_that_the_inventory_expects_is_not_this_one() -> None:
    other = {"source": {"namespace": "flux-system", "name": "other"}}

    assert [
        f.clears_itself for f in found_by("K5", scene(ks("a", ready=GONE), inventory=other))
    ] == ["no"]


def test_the_source_of_another_namespace_is_meant_where_it_is_named() -> None:
    spec = {"sourceRef": {"kind": GIT, "name": "x", "namespace": "elsewhere"}}
    looked_at = scene(ks("a", ready=GONE, spec=spec), ks("b", ready=GONE, spec={"sourceRef": None}))

    assert [f.subject for f in found_by("K5", looked_at)] == ["gitrepository/elsewhere/x"]


def test_a_release_that_names_no_chart_yet_has_one_of_the_usual_name() -> None:
    given = hr("a", ready=failed("SourceNotReady", "x"), status={"helmChart": ""})

    assert [f.subject for f in found_by("H4", scene(given))] == ["helmchart/apps/apps-a"]
    named = hr("a", ready=failed("SourceNotReady", "x"), status={"helmChart": "apps/special"})
    assert [f.subject for f in found_by("H4", scene(named))] == ["helmchart/apps/special"]
