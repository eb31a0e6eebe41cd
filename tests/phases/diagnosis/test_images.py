"""Images that cannot be pulled."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.images import registry_of
from tests.phases.diagnosis.scenes import AT, dangers, failed, found_by, pod, said, scene, waits

PULL = 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'
LIMIT = "429 Too Many Requests - Server message: toomanyrequests: You have reached your limit"


def pulling(
    name: str, why: str, image: str = "docker.io/library/x:1", **more: Any
) -> dict[str, Any]:
    text = PULL.format(image=image, why=why)
    reason = more.pop("reason", "ImagePullBackOff")
    field = more.pop("field", "containerStatuses")
    return pod(
        f"x/{name}-0",
        said("Ready", "False", at=AT - 200),
        owner=("Deployment", name),
        status={field: [waits(reason, text)]},
    )


def test_a_rate_limit_is_one_cause_for_all_that_it_stops() -> None:
    looked_at = scene(
        pulling("a", LIMIT),
        pulling("b", LIMIT, reason="ErrImagePull", field="initContainerStatuses"),
        pulling("c", LIMIT, image="ghcr.io/x/y:1"),
        failed(
            "Kustomization", "f/k", "timeout waiting for: [Deployment/x/a status: 'InProgress']"
        ),
    )

    found = {finding.subject: finding for finding in found_by("L6", looked_at)}

    assert set(found) == {"registry/docker.io", "registry/ghcr.io"}
    hub = found["registry/docker.io"]
    assert "refuses 2 workloads (Deployment x/a, Deployment x/b)" in hub.message
    assert hub.blocks == ("deployment/x/a", "deployment/x/b", "kustomization/f/k")
    assert (hub.clears_itself, hub.since) == ("yes", AT - 200)
    assert dangers(hub) == {"look", "reversible", "never"}
    assert found_by("L7", looked_at) == []


@pytest.mark.parametrize(
    ("why", "says", "clears"),
    [
        ("docker.io/library/x:1: not found", "the registry has no such image", "no"),
        ("401 Unauthorized", "the registry refuses the credentials", "no"),
        ("pull access denied", "the registry refuses the credentials", "no"),
        ("dial tcp: lookup docker.io: no such host", "cannot resolve", "unknown"),
        ("dial tcp 1.2.3.4:443: i/o timeout", "the registry is not reached", "unknown"),
        ("x509: certificate signed by unknown authority", "is not trusted", "unknown"),
        ("unexpected status from HEAD request: 403 Forbidden", "refuses the credentials", "no"),
        ("unexpected status code: 404 Not Found", "no such image", "no"),
        ("status 404", "no such image", "no"),
        ("status 403", "refuses the credentials", "no"),
        ("something else", "something else", "unknown"),
    ],
)
def test_why_an_image_cannot_be_pulled(why: str, says: str, clears: str) -> None:
    looked_at = scene(pulling("a", why))

    (found,) = found_by("L7", looked_at)

    assert (found.subject, found.clears_itself) == ("deployment/x/a", clears)
    assert "Deployment x/a cannot pull image docker.io/library/x:1" in found.message
    assert says in found.message
    assert found_by("L6", looked_at) == []


@pytest.mark.parametrize(
    "image",
    [
        "ghcr.io/enix/x509-certificate-exporter:3",
        "ghcr.io/x/denied:1",
        "ghcr.io/x/y:404",
        "ghcr.io/x/y@sha256:d401e",
    ],
)
def test_the_name_of_an_image_is_no_reason(image: str) -> None:
    """Mutants: the whole message is looked at; numbers count in the midst of a word."""
    why = f"{image}: unexpected EOF at sha256:a404b401c"

    (found,) = found_by("L7", scene(pulling("a", why, image)))

    assert found.clears_itself == "unknown"
    assert "failed to pull and unpack" in found.message, "in the kubelet's own words"


def test_a_back_off_that_says_nothing_is_not_made_up() -> None:
    quiet = pod(
        "x/p",
        status={"containerStatuses": [waits("ImagePullBackOff", 'Back-off pulling image "x:1"')]},
    )

    (found,) = found_by("L7", scene(quiet))

    assert "Pod x/p cannot pull image x:1: the kubelet does not say why" in found.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'Back-off pulling image "x:1": ErrImagePull: odd',
            "cannot pull image x:1: Back-off pulling",
        ),
        ("odd", "cannot pull an image: odd"),
    ],
)
def test_what_the_kubelet_says_is_told_as_it_is(text: str, says: str) -> None:
    status = {"containerStatuses": [waits("ImagePullBackOff", text)]}

    (found,) = found_by("L7", scene(pod("x/p", status=status)))

    assert says in found.message
    assert found.since is None
    limited = pod("x/p", status={"containerStatuses": [waits("ErrImagePull", LIMIT)]})
    assert [f.since for f in found_by("L6", scene(limited))] == [None]
    assert [f.since for f in found_by("L6", scene(limited, pulling("a", LIMIT)))] == [AT - 200]


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx:1", "docker.io"),
        ("library/nginx:1", "docker.io"),
        ("ghcr.io/x/y:1", "ghcr.io"),
        ("localhost/x:1", "localhost"),
        ("registry:5000/x:1", "registry:5000"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(f'Back-off pulling image "{image}"') == registry
    assert registry_of("no image at all") == "docker.io"


@pytest.mark.parametrize("rule", ["L6", "L7"])
@pytest.mark.parametrize(
    "found",
    [
        pod("x/p", status={"containerStatuses": [waits("ContainerCreating", LIMIT)]}),
        pod("x/p", status={"containerStatuses": [{"name": "c", "ready": True, "state": {}}]}),
        pod(
            "x/p",
            metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"},
            status={"containerStatuses": [waits("ImagePullBackOff", LIMIT)]},
        ),
    ],
)
def test_a_pod_that_does_not_pull_or_is_being_deleted_has_no_finding(
    found: dict[str, Any], rule: str
) -> None:
    assert found_by(rule, scene(found)) == []
