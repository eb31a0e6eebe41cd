"""Namespaces on their way out: recorded ones, and what must not be taken for one."""

from __future__ import annotations

import pytest

from tests.phases.diagnosis.scenes import found_by, holder, recorded, scene

DEAD_API = recorded("namespace-terminating-dead-apiservice")
HELD = recorded("namespace-terminating-cr-finalizer")
ACTIVE = recorded("namespace-active")


def test_a_dead_api_group_is_named_from_the_namespaces_own_condition() -> None:
    (found,) = found_by("N1", scene(DEAD_API))

    assert found.subject == f"namespace/{DEAD_API['metadata']['name']}"
    assert "stale GroupVersion" in found.message or "metrics.k8s.io" in found.message
    assert found.since is not None


@pytest.mark.parametrize("rule", ["N1", "N4", "N5", "N7"])
def test_an_active_namespace_has_no_finding(rule: str) -> None:
    assert found_by(rule, scene(ACTIVE)) == []


@pytest.mark.parametrize(("alive", "clears"), [(True, "yes"), (False, "no"), (None, "unknown")])
def test_what_holds_is_counted_and_whether_it_can_clear_depends_on_its_controller(
    alive: bool | None,  # noqa: FBT001
    clears: str,
) -> None:
    name = HELD["metadata"]["name"]
    held = tuple(holder(n, owner_alive=alive, namespace=name) for n in ("a", "b"))

    (found,) = found_by("N5", scene(HELD, holders={f"namespace/{name}": held}))

    assert (found.clears_itself, "2 things hold finalizers" in found.message) == (clears, True)
    assert found.since is not None
    assert {r.danger for r in found.remedies} == {"look", "destructive", "never"}


def test_what_could_not_be_listed_is_not_said_to_hold_nothing() -> None:
    assert found_by("N5", scene(HELD)) == []
    assert found_by("N4", scene(HELD)) == []


def test_flux_own_finalizers_are_a_case_of_their_own() -> None:
    name = HELD["metadata"]["name"]
    held = (holder("hr", finalizers=("finalizers.fluxcd.io",), namespace=name),)
    looked_at = scene(HELD, holders={f"namespace/{name}": held})

    assert (len(found_by("N5", looked_at)), len(found_by("N7", looked_at))) == (0, 1)
