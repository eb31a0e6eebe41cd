"""What is behind what, and on what most of the rest still hangs."""

from __future__ import annotations

from typing import Any

from phases import order
from phases.needs import needs_of
from phases.section import Section
from phases.vertices import applied
from tests.phases.making import facts, plan

ESO, STORES, APPS = (f"kustomization/flux-system/{name}" for name in ("eso", "stores", "apps"))
RELEASE, OPERATOR = "helmrelease/eso/eso", "deployment/eso/eso"
STORE, SECRET = "store/vault", "externalsecret/apps/login"
TREE: dict[str, Any] = {
    "kustomizations": [
        {"key": "flux-system/eso"},
        {"key": "flux-system/stores", "depends_on": ["flux-system/eso"]},
        {"key": "flux-system/apps"},
    ],
    "helmreleases": [{"key": "eso/eso", "parent": "flux-system/eso"}],
    "externalsecrets": [{"key": "apps/login", "store": "vault", "parent": "flux-system/apps"}],
    "stores": ["vault"],
    "crds": [
        {"name": "externalsecrets.external-secrets.io", "provider": RELEASE},
        {"name": "clustersecretstores.external-secrets.io", "provider": RELEASE},
    ],
    "workloads": [{"kind": "Deployment", "key": "eso/eso", "owner": RELEASE, "pods": 1}],
    "pods": 1,
    "namespaces": [],
    "roots": ["flux-system/eso"],
}


def section() -> Section:
    found = plan({"inventory": TREE}).target
    assert isinstance(found, Section)
    return found


def test_what_needs_what_is_held_is_behind_it_through_any_number_of_steps() -> None:
    """Mutants: only the first step; what is done is behind it as well."""
    waiting = facts({ESO: "Blocked", STORES: "Blocked"})

    found = order.behind(section(), waiting, [ESO])

    assert {STORES, RELEASE, STORE, SECRET, APPS, OPERATOR} <= found
    assert ESO not in found
    done = facts({ESO: "Blocked", RELEASE: "Ready", OPERATOR: "Ready"})
    assert order.behind(section(), done, [ESO]) == {STORES}
    well = facts({ESO: "Blocked", RELEASE: "Ready", OPERATOR: "Ready", STORES: "Ready"})
    assert order.behind(section(), well, [ESO]) == set()


def test_a_store_is_behind_the_kustomization_that_applies_it_and_in_its_health_check() -> None:
    """Mutants: an inventory's parents of stores are no edge; the parent does not wait for what it applies."""
    applier = {"key": "flux-system/stores", "wait": True}
    listed = {"name": "vault", "parent": "flux-system/stores"}
    tree = {**TREE, "kustomizations": [applier], "stores": [listed]}
    needs = needs_of(plan({"inventory": tree}).target)

    assert applied(STORES) in needs[STORE]
    assert STORE in needs[STORES]
    assert applied(STORES) not in needs_of(section())[STORE], "an inventory of before knows of none"


def test_what_goes_on_without_its_workload_is_not_behind_it() -> None:
    """A release may not wait for its pods. Mutant: follow what stands for a workload as anything else."""
    assert order.behind(section(), facts({OPERATOR: "Progressing"}), [OPERATOR]) == set()
    assert STORE in order.behind(section(), facts({}), [OPERATOR, RELEASE])


def test_what_may_be_there_already_is_behind_nothing() -> None:
    """A bootstrap may have made the Secret that a set reads. Mutant: follow what an inventory lists as needed."""
    reader = {"key": "flux-system/reader", "needs": [SECRET]}
    found = plan({"inventory": {**TREE, "kustomizations": [*TREE["kustomizations"], reader]}})
    subject = "kustomization/flux-system/reader"

    assert subject not in order.behind(found.target, facts({}), [SECRET])
    assert subject in order.behind(found.target, facts({}), [found.target.source])
    assert SECRET in needs_of(found.target)[applied(subject)], "for the ETA it is needed"


def test_what_is_not_in_the_graph_holds_nothing() -> None:
    assert order.behind(section(), facts({}), ["secret/flux-system/sops-age"]) == set()


def test_the_chain_that_is_left_is_as_long_as_what_needs_it() -> None:
    """Mutants: what is done still costs; count what it needs instead of what needs it."""
    left = order.remaining(section(), facts({}), [ESO])

    assert left[applied(ESO)] > left[ESO] > left[STORES]
    assert left[applied(ESO)] > left[RELEASE] > left[STORE] > left[SECRET]
    later = order.remaining(section(), facts({STORE: "Ready", SECRET: "Ready"}), [ESO])
    assert later[STORE] == later[SECRET] == 0
    assert later[RELEASE] < left[RELEASE]


def test_a_circle_has_a_length_all_the_same() -> None:
    tied = [
        {"key": "flux-system/a", "depends_on": ["flux-system/b"]},
        {"key": "flux-system/b", "depends_on": ["flux-system/a"]},
    ]
    inventory = {**TREE, "kustomizations": tied, "helmreleases": [], "externalsecrets": []}
    found = plan({"inventory": {**inventory, "crds": [], "roots": [], "workloads": []}}).target

    both = ["kustomization/flux-system/a", "kustomization/flux-system/b"]
    left = order.remaining(found, facts({}), both)

    assert left["kustomization/flux-system/a"] > 0
    assert left["kustomization/flux-system/b"] > 0


def test_a_plan_s_graph_is_drawn_once() -> None:
    one = section()

    assert order.graph_of(one) is order.graph_of(one)
