"""
An own cause that never clears is told, whatever is upstream: beside it, or as what blocks next.

Mutants, each killed here: a source that still serves holds its consumers, or one that serves nothing does not; who says
that its source failed is not behind it; a folder that is not there is taken for that; what is suspended complains, or
waits for a dependency, a parent or what its last attempt waited for; an own cause is explained by what is upstream, or
is not told to come after it; it comes after what waits for it, or after a deadlock of kinds; a rule is left out of
``OWN``.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Finding
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import Root, in_series, roots_of
from phases.diagnosis.own import OWN, is_own
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.flux_objects import REVISION, deployment, hr, ks, source
from tests.phases.diagnosis.scenes import AT, made, said, scene

FLUX = [deployment(f"{name}-controller") for name in ("helm", "kustomize", "source")]
WELL = ("True", "Succeeded", "")
NO_DNS = ("False", "GitOperationFailed", "unable to clone: lookup github.com: i/o timeout")
BROKEN = ("False", "BuildFailed", "kustomize build failed: accumulating resources: x")
WRONG_KEY = ("False", "BuildFailed", "Error getting data key: 0 successful groups required, got 0")
NO_PATH = ("False", "ArtifactFailed", "kustomization path not found: stat /tmp/x")
EMPTY = ("False", "ArtifactFailed", "Source artifact not found, retrying in 30s")
IN_VAIN = "timeout waiting for: [{} status: 'InProgress']"
GIT = "gitrepository/flux-system/flux-system"
S2, K13 = f"S2:{GIT}", "K13:kustomization/flux-system/db"
OURS = "kustomization/flux-system/a"
K7, K10, K18 = f"K7:{OURS}", f"K10:{OURS}", f"K18:{OURS}"
PAUSED: dict[str, Any] = {"suspend": True}
ON_DB: dict[str, Any] = {"dependsOn": [{"name": "db"}]}
DB = ks("db", ready=("False", "HealthCheckFailed", IN_VAIN.format("Deployment/apps/db")))


def looked(*objects: Any, git: Any = None, **more: Any) -> Scene:
    serving = source("GitRepository", revision=REVISION, ready=WELL)
    return scene(*FLUX, *objects, serving if git is None else git, **more)


def roots(looked_at: Scene) -> dict[str, Root]:
    return {root.id: root for root in roots_of(diagnose(looked_at), blocking(looked_at))}


def series(looked_at: Scene) -> dict[str, tuple[str, ...]]:
    return {name: root.finding.next_after for name, root in roots(looked_at).items()}


# --- sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ready", "name"), [(BROKEN, K10), (WRONG_KEY, K7), (NO_PATH, f"K6:{OURS}")]
)
def test_a_source_that_still_serves_is_a_cause_beside_what_is_wrong_in_that(
    ready: Any, name: str
) -> None:
    failing = source("GitRepository", revision=REVISION, ready=NO_DNS)

    found = roots(looked(ks("a", ready=ready), git=failing))

    assert set(found) == {S2, name}
    assert found[name].finding.next_after == ()
    assert found[S2].victims == ()


def test_after_a_source_that_serves_nothing_its_own_cause_blocks_next() -> None:
    waits = ks("b", ready=("False", "DependencyNotReady", "x"), spec={"dependsOn": [{"name": "a"}]})

    found = roots(looked(ks("a", ready=BROKEN), waits, git=source("GitRepository", ready=NO_DNS)))

    behind = "kustomization/flux-system/b"
    assert {name: root.finding.next_after for name, root in found.items()} == {
        S2: (),
        K10: (S2,),
    }
    assert found[S2].victims == (OURS, behind)
    assert found[K10].victims == (behind,), "what its own subject holds is behind it as well"


@pytest.mark.parametrize(
    ("ready", "behind"),
    [
        (EMPTY, True),
        (("False", "SourceNotReady", "x"), True),
        (("Unknown", "ArtifactFailed", "x"), False),
        (("False", "ReconciliationFailed", "x"), False),
        (NO_PATH, False),
    ],
    ids=["no artifact", "not ready", "at it", "another reason", "only its folder"],
)
def test_who_says_that_its_source_failed_is_behind_it(ready: Any, *, behind: bool) -> None:
    failing = source("GitRepository", revision=REVISION, ready=NO_DNS)

    edges = blocking(looked(ks("a", ready=ready), git=failing))

    assert edges == ({GIT: (OURS,)} if behind else {})


REPOSITORY = "helmrepository/apps/charts"
CHART, RELEASE = "helmchart/apps/apps-web", "helmrelease/apps/web"
UNFETCHED = ("False", "SourceUnavailable", "failed to get source")
NOT_THERE = ("False", "ChartPullError", "404 Not Found")
WRONG_CHART = ("False", "InvalidChartReference", "invalid chart reference: no 'web' chart found")
OTHERWISE = ("False", "ChartPullError", "chart values merge error")
LACKS = ("False", "SourceNotReady", "HelmChart 'apps/apps-web' is not ready: no artifact")
FOREIGN = (
    "False",
    "InstallFailed",
    'Service "web" in namespace "apps" exists and cannot be imported into it: invalid ownership metadata',
)
TAKEN = f"H10:{RELEASE}"


@pytest.mark.parametrize(
    ("index", "chart", "served", "release", "blocks"),
    [
        ("1", WELL, "1", FOREIGN, ()),
        ("1", UNFETCHED, "1", FOREIGN, (CHART,)),
        ("1", UNFETCHED, "", FOREIGN, (CHART, RELEASE)),
        ("1", UNFETCHED, "1", LACKS, (CHART, RELEASE)),
        ("1", NOT_THERE, "", LACKS, (CHART, RELEASE)),
        ("1", WRONG_CHART, "", LACKS, (CHART, RELEASE)),
        ("1", OTHERWISE, "", LACKS, ()),
        ("", OTHERWISE, "", LACKS, (CHART, RELEASE)),
    ],
    ids=[
        "the chart is well",
        "the chart still serves",
        "the chart serves nothing",
        "the release says so",
        "may be in the next index",
        "may be named in the next index",
        "the chart fails by itself",
        "no index at all",
    ],
)
def test_a_repository_holds_charts_that_get_nothing_from_it_and_they_their_releases(
    index: str, chart: Any, served: str, release: Any, blocks: tuple[str, ...]
) -> None:
    made_from = source("HelmChart", "apps-web", namespace="apps", revision=served, ready=chart)
    made_from["spec"] = {"sourceRef": {"kind": "HelmRepository", "name": "charts"}}
    repository = source(
        "HelmRepository",
        "charts",
        namespace="apps",
        revision=index,
        ready=("False", "IndexationFailed", "503 Service Unavailable"),
    )

    found = roots(looked(made_from, repository, hr("web", ready=release)))

    assert found[f"S3:{REPOSITORY}"].finding.blocks == blocks
    if release == FOREIGN:
        after = (f"S3:{REPOSITORY}",) if RELEASE in blocks else ()
        assert found[TAKEN].finding.next_after == after


# --- what is suspended ---------------------------------------------------------------------------

NO_KIND = 'Widget/apps/w dry-run failed: no matches for kind "Widget" in version "example.com/v1"'
SERVED = made(
    "CustomResourceDefinition",
    "widgets.example.com",
    said("Established", "True", at=AT - 3600),
    spec={
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{"name": "v1", "served": True}],
    },
)


@pytest.mark.parametrize(
    ("spec", "expected"), [(PAUSED, {K18}), ({}, {"C3:crd/widgets.example.com"})]
)
def test_what_a_suspended_one_said_last_is_history(
    spec: dict[str, Any], expected: set[str]
) -> None:
    """The kind is served by now: who is not suspended gets by at its next attempt, and only then."""
    lacked = ks("a", ready=("False", "ReconciliationFailed", NO_KIND), since=AT - 7200, spec=spec)

    looked_at = looked(SERVED, lacked)

    assert set(diagnose(looked_at)) == set(roots(looked_at)) == expected


@pytest.mark.parametrize(("spec", "expected"), [(PAUSED, {K13: (), K18: ()}), ({}, {K13: ()})])
def test_who_is_suspended_waits_for_no_dependency(
    spec: dict[str, Any], expected: dict[str, tuple[str, ...]]
) -> None:
    waits = ks("a", ready=("False", "DependencyNotReady", "x"), spec={**ON_DB, **spec})

    found = roots(looked(DB, waits))

    assert {name: root.finding.next_after for name, root in found.items()} == expected
    assert found[K13].victims == (() if spec else (OURS,))


@pytest.mark.parametrize(
    ("ready", "more"),
    [
        (("False", "HealthCheckFailed", IN_VAIN.format("Kustomization/flux-system/db")), {}),
        (("False", "HealthCheckFailed", IN_VAIN.format("Deployment/apps/db")), {}),
        (
            BROKEN,
            {
                "inventory": {
                    "kustomizations": [
                        {"key": "flux-system/db"},
                        {"key": "flux-system/a", "depends_on": ["flux-system/db"]},
                    ]
                }
            },
        ),
    ],
    ids=["a Kustomization that it waited for", "a workload that it waited for", "its dependency"],
)
@pytest.mark.parametrize("spec", [PAUSED, {}], ids=["suspended", "tried"])
def test_nothing_holds_who_is_suspended(
    spec: dict[str, Any], ready: Any, more: dict[str, Any]
) -> None:
    edges = blocking(looked(DB, ks("a", ready=ready, spec=spec), **more))

    assert any(OURS in blocked for blocked in edges.values()) == (spec != PAUSED)


def test_who_is_suspended_still_holds_its_dependents() -> None:
    paused = ks("db", ready=BROKEN, spec=PAUSED)
    waits = ks("a", ready=("False", "DependencyNotReady", "x"), spec=ON_DB)

    assert blocking(looked(paused, waits)) == {"kustomization/flux-system/db": (OURS,)}


# --- in series -----------------------------------------------------------------------------------


def test_behind_a_dependency_each_own_cause_is_told_with_what_comes_before_it() -> None:
    mine = ks("a", ready=BROKEN, spec=ON_DB)
    last = ks("z", ready=BROKEN, spec={"dependsOn": [{"name": "a"}]})

    assert series(looked(DB, mine, last)) == {
        K13: (),
        K10: (K13,),
        "K10:kustomization/flux-system/z": (K10, K13),
    }


def test_what_an_upstream_may_still_bring_is_explained_by_it() -> None:
    """A right, of which a dependency may bring the role."""
    message = 'Deployment/apps/web dry-run failed (Forbidden): User "system:x" cannot patch'
    denied = ks("a", ready=("False", "ReconciliationFailed", message), spec=ON_DB)

    looked_at = looked(DB, denied)

    assert diagnose(looked_at)[f"K12:{OURS}"].clears_itself == "no"
    assert series(looked_at) == {K13: ()}


@pytest.mark.parametrize("spec", [{}, PAUSED])
def test_without_its_controller_it_blocks_only_next(spec: dict[str, Any]) -> None:
    looked_at = scene(
        *(one for one in FLUX if one["metadata"]["name"] != "kustomize-controller"),
        source("GitRepository", revision=REVISION, ready=WELL),
        ks("a", ready=BROKEN, spec=spec),
    )

    gone = "F1:deployment/flux-system/kustomize-controller"
    assert series(looked_at) == {gone: (), (K18 if spec else K10): (gone,)}


PARENT: dict[str, Any] = {
    "kustomizations": [
        {"key": "flux-system/p"},
        {"key": "flux-system/a", "parent": "flux-system/p"},
    ]
}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("Kustomization/flux-system/a", {K10: ()}),
        (
            "Deployment/apps/db",
            {"K13:kustomization/flux-system/p": (), K10: ()},
        ),
    ],
    ids=["it waits for this one", "it waits for another"],
)
def test_a_parent_that_waits_for_its_child_is_behind_it_and_no_deadlock(
    item: str, expected: dict[str, tuple[str, ...]]
) -> None:
    """What it has applied is tried whatever else it waits for: that one's own cause blocks now, and not next."""
    parent = ks("p", ready=("False", "HealthCheckFailed", IN_VAIN.format(item)))
    looked_at = looked(parent, ks("a", ready=BROKEN), inventory=PARENT)

    assert series(looked_at) == expected
    assert not any(root.circle for root in roots(looked_at).values())


@pytest.mark.parametrize("spec", [PAUSED, {}], ids=["suspended", "tried"])
def test_a_parent_holds_up_what_it_has_not_applied_and_nothing_else(spec: dict[str, Any]) -> None:
    """Mutant: also what is there, which goes on by itself."""
    parent = ks("p", ready=("False", "HealthCheckFailed", "x"), spec=spec)
    absent, there = (
        blocking(looked(parent, *more, inventory=PARENT)) for more in ((), (ks("a", ready=BROKEN),))
    )

    assert absent["kustomization/flux-system/p"] == (OURS,)
    assert there == {}


def test_a_circle_of_dependencies_stays_a_deadlock_beside_it() -> None:
    waits = ("False", "DependencyNotReady", "x")
    looked_at = looked(
        ks("a", ready=BROKEN, spec={"dependsOn": [{"name": "0"}]}),
        ks("0", ready=waits, spec={"dependsOn": [{"name": "a"}]}),
    )

    assert series(looked_at) == {"K4:kustomization/flux-system/0": (), K10: ()}


def test_a_deadlock_of_kinds_comes_after_what_its_consumer_fails_by_and_not_before() -> None:
    inventory = {
        "kustomizations": [
            {"key": "flux-system/a"},
            {"key": "flux-system/eso", "parent": "flux-system/a"},
        ],
        "helmreleases": [{"key": "secrets/eso", "parent": "flux-system/eso"}],
        "externalsecrets": [{"key": "app/creds", "parent": "flux-system/a"}],
        "crds": [{"name": "externalsecrets.external-secrets.io", "provider": "helmrelease/secrets/eso"}],
    }  # fmt: skip

    found = series(looked(ks("a", ready=BROKEN), inventory=inventory))

    assert found[K10] == ()
    assert found["C4:crd/externalsecrets.external-secrets.io"] == (K10,)


# --- the table -----------------------------------------------------------------------------------

NAMED = (
    ("H5", "values-unreadable"),
    ("H6", "dependency-absent"),
    ("H9", "immutable"),
    ("H10", "ownership"),
    ("K2", "dependency-absent"),
    ("K6", "path"),
    ("K7", "wrong-key"),
    ("K8", "undecrypted"),
    ("K9", "variable"),
    ("K10", "build"),
    ("K11", "immutable"),
    ("K18", "suspended"),
    ("K19", "AccessDenied"),
    ("S2", "host-key"),
    ("S2", "reference"),
    ("S3", "chart-reference"),
    ("X4", "uninstall-cut-off"),
)
ABOVE = Finding("ns/above", "c", "above", ("ks/own",), rule="N5")


@pytest.mark.parametrize(("rule", "cause"), NAMED)
@pytest.mark.parametrize("clears", ["no", "unknown"])
def test_only_what_never_clears_is_told_beside_what_explains_it(
    rule: str, cause: str, clears: str
) -> None:
    mine = Finding("ks/own", cause, "own", rule=rule, clears_itself=clears)

    found = in_series({"above": ABOVE, "own": mine}, {})

    told = {root.id: root.finding.next_after for root in roots_of(found, {})}
    assert told == {"above": (), **({"own": ("above",)} if clears == "no" else {})}


def test_the_table_has_no_other_rules() -> None:
    assert len(OWN) == len(NAMED)


@pytest.mark.parametrize(
    ("rule", "cause"),
    [("K9", "missing"), ("K8", "missing"), ("H5", "missing"), ("S2", "dns"), ("H1", "x"), ("K12", "forbidden")],
)  # fmt: skip
def test_what_may_be_brought_or_comes_up_is_not_its_own(rule: str, cause: str) -> None:
    assert not is_own(Finding("ks/own", cause, "own", rule=rule, clears_itself="no"))
