"""
Promise: what rekindle had to apply itself is Git's again once Flux has reconciled it: a field that is removed in Git
goes. On a real API server, with real Flux.

Mutant: no ``apply.give-back``: the field stays, for its last owner is rekindle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.system.conftest import Operator, until
from tests.system.small import (
    SYSTEM,
    deeds,
    inventory,
    kustomization,
    listed,
    operating,
    write_tree,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
OWNER = "own"  # the Kustomization that has the root in Git, as a FluxInstance's does


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("bed")
    children = [kustomization(OWNER, prune=False)]
    write_tree(folder / "tree", children, {OWNER: []})
    roots = folder / "tree" / "roots" / "objects.yaml"
    objects = list(yaml.safe_load_all(roots.read_text()))
    objects[1]["spec"]["retryInterval"] = "2m"
    for place in (roots, folder / "tree" / OWNER / "objects.yaml"):
        place.write_text(yaml.safe_dump_all(objects))
    with operating(folder, inventory(children, [])) as operator:
        yield operator


def root(operator: Operator) -> dict[str, Any]:
    found = operator.bed.kubectl(
        "get", "kustomization", "-n", SYSTEM, "cluster", "-o", "json", "--show-managed-fields"
    )
    loaded: dict[str, Any] = json.loads(found)
    return loaded


def test_a_field_that_is_removed_in_git_goes(operator: Operator) -> None:
    code, _ = operator.run()

    assert code == 0, operator.told()[-4000:]
    [deed] = deeds(operator, "apply.give-back")
    assert deed.target == "root"
    managers = {entry["manager"] for entry in root(operator)["metadata"]["managedFields"]}
    assert "rekindle" not in managers
    assert root(operator)["spec"]["retryInterval"] == "2m"

    name = f"{OWNER}/objects.yaml"
    objects = list(yaml.safe_load_all(operator.bed.git_read(name)))
    del objects[1]["spec"]["retryInterval"]
    revision = operator.bed.git_commit({name: yaml.safe_dump_all(objects)}, "no retries of its own")
    for kind, what in (("gitrepository", SYSTEM), ("kustomization", OWNER)):
        operator.bed.kubectl(
            "annotate", kind, "-n", SYSTEM, what, f"reconcile.fluxcd.io/requestedAt={revision}"
        )
    until(
        "the owner has applied it",
        120,
        lambda: revision in str(listed(operator)[OWNER]["status"].get("lastAppliedRevision")),
    )

    assert "retryInterval" not in root(operator)["spec"]
