"""
A parked Kustomization, on a real control plane: ``interval: 1h``, no ``retryInterval``, and a cause that clears.

Promise: it is Ready seconds after its cause has cleared, woken once and for just that; nobody else is woken for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.system.conftest import RUN_SECONDS, Operator, until
from tests.system.small import (
    config_map,
    inventory,
    kustomization,
    listed,
    nudges,
    operating,
    ready,
    write_tree,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
LATE = "late"
CAUSE = f"namespace-missing:{LATE}"
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
# Its namespace is nobody's in Git, so that only somebody can clear its cause; who depends on it; who does not.
PARKED, BEHIND, BESIDE = "parked", "behind", "beside"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("bed")
    children = [
        kustomization(PARKED),
        kustomization(BEHIND, dependsOn=[{"name": PARKED}]),
        kustomization(BESIDE),
    ]
    brought = {
        PARKED: [config_map(PARKED, LATE)],
        BEHIND: [config_map(BEHIND, "default")],
        BESIDE: [config_map(BESIDE, "default")],
    }
    write_tree(folder / "tree", children, brought)
    with operating(folder, inventory(children, [LATE])) as operator:
        yield operator


def test_what_was_parked_is_ready_seconds_after_its_cause_has_cleared_and_nobody_else_is_woken(
    operator: Operator,
) -> None:
    process = operator.start("run", str(operator.plan), "--json")
    until("it is parked", 300, lambda: f'"{LATE}" not found' in ready(operator, PARKED))
    until("who is beside it is ready", 30, lambda: ready(operator, BESIDE).startswith("True"))
    assert CAUSE not in {cause for _, cause in nudges(operator)}, "woken before its cause cleared"

    operator.bed.kubectl("create", "namespace", LATE)
    cleared = time.monotonic()
    until("it is ready", 15, lambda: ready(operator, PARKED).startswith("True"))
    print(f"\nready {time.monotonic() - cleared:.1f} s after its cause had cleared")
    process.communicate(timeout=RUN_SECONDS)

    assert process.returncode == 0, operator.told()[-4000:]
    woken = nudges(operator)
    assert [whom for whom, cause in woken if cause == CAUSE] == [PARKED]
    assert [cause for whom, cause in woken if whom == PARKED] == [CAUSE]
    assert BESIDE not in {whom for whom, _ in woken}
    objects = listed(operator)
    token = objects[PARKED]["metadata"]["annotations"][REQUESTED_AT]
    assert token.endswith(f"#{CAUSE}")
    assert objects[PARKED]["status"]["lastHandledReconcileAt"] == token
    assert REQUESTED_AT not in objects[BESIDE]["metadata"].get("annotations", {})
