"""Requests that nobody approves, and authorities that sign no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.scenes import AT, found_by, made, said, scene, stamp

LIMIT = "429 urn:ietf:params:acme:error:rateLimited: too many certificates (5) already issued"


KUBELETS = [made("Node", name, said("Ready", "True")) for name in ("node-0", "node-1")]


def request(
    name: str = "csr-a",
    *conditions: Any,  # noqa: ANN401
    signer: str = "kubernetes.io/kubelet-serving",
    at: float = AT - 120,
    node: str = "node-0",
) -> dict[str, Any]:
    spec = {"signerName": signer, "username": f"system:node:{node}"}
    metadata = {"creationTimestamp": stamp(at)}
    return made("CertificateSigningRequest", name, *conditions, spec=spec, metadata=metadata)


def test_all_kubelets_that_wait_for_an_approval_are_one_cause() -> None:
    other = request("csr-c", node="node-1", at=AT - 90)

    (found,) = found_by("T9", scene(request(), request("csr-b"), other, *KUBELETS))

    assert "certificates of 2 kubelets (node-0, node-1)" in found.message
    assert (found.since, found.clears_itself, len(found.evidence)) == (None, "unknown", 3)


@pytest.mark.parametrize(("begun", "count"), [(AT - 59, 0), (AT - 60, 1)])
def test_a_kubelet_that_has_just_begun_may_be_answered_yet(begun: float, count: int) -> None:
    """That it is not Ready since a moment is no sign that it has begun since."""
    first = said("MemoryPressure", "False", at=begun)
    node = made("Node", "node-0", said("Ready", "False", at=AT - 5), first)

    assert len(found_by("T9", scene(request(), node))) == count


@pytest.mark.parametrize(("made_at", "count"), [(AT - 59, 0), (AT - 60, 1)])
def test_a_request_that_was_just_made_may_be_answered_yet(made_at: float, count: int) -> None:
    """Any kubelet asks again before its certificate ends. Mutant: only new kubelets are waited for."""
    assert len(found_by("T9", scene(request(at=made_at), *KUBELETS))) == count


def test_a_node_that_is_gone_or_has_not_registered_misses_nothing() -> None:
    """Mutants: either counts; nodes that could not be listed count as gone."""
    assert found_by("T9", scene(request())) == []
    assert found_by("T9", scene(request(), made("Node", "node-0"))) == []
    assert len(found_by("T9", scene(request(), unlisted=("Node",)))) == 1


@pytest.mark.parametrize(
    "given",
    [
        request("a", said("Approved", "True")),
        request("a", said("Denied", "True")),
        request("a", said("Failed", "True")),
        request(signer="kubernetes.io/kube-apiserver-client-kubelet"),
    ],
    ids=["approved", "denied", "failed", "a client's"],
)
def test_a_request_that_nobody_keeps_waiting(given: dict[str, Any]) -> None:
    assert found_by("T9", scene(given, *KUBELETS)) == []


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        ([said("Issuing", "False", "Failed", LIMIT)], 1),
        ([said("Issuing", "False", "Failed", LIMIT), said("Ready", "False")], 1),
        ([said("Issuing", "False", "Failed", LIMIT), said("Ready", "True")], 0),
        ([said("Issuing", "False", "Failed", "the order is invalid")], 0),
        ([said("Issuing", "True", "", LIMIT)], 0),
        ([], 0),
    ],
    ids=["limited", "and not ready", "the old one holds", "another matter", "at it", "new"],
)
def test_an_authority_that_signs_no_more(conditions: list[Any], count: int) -> None:
    found = found_by("L15", scene(made("Certificate", "edge/web", *conditions)))

    assert [(f.subject, f.clears_itself) for f in found] == [
        ("certificate/edge/web", "yes")
    ] * count
