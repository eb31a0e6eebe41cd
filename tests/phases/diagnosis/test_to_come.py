"""
What does not exist never comes only once nobody is left who may bring it.

Mutants, each killed here: any of those who may is not asked (who is at work, who waits for its turn, who is going, whom
the inventory expects, an ExternalSecret, what Helm or a controller made since); who waits behind what is missing counts
as well, or one who lacks a source as another's; no pause is ever over.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Finding
from phases.diagnosis.graph import roots_of
from phases.diagnosis.sources import RETRIED_SECONDS
from tests.phases.diagnosis.flux_objects import SINCE, deployment, flux, hr, ks, source
from tests.phases.diagnosis.scenes import AT, found_by, made, pod, scene, waits
from tests.phases.diagnosis.test_secrets import UNSERVED, secret, store
from tests.phases.diagnosis.test_sources import GIT, GONE, HELM, OCI, failed

Given = dict[str, Any]
DONE, WORKS = ("True", "Succeeded", ""), ("Unknown", "Progressing", "")
WAITS = failed("DependencyNotReady", "dependency 'flux-system/x' is not ready")
NO_SOURCE = failed("SourceNotReady", "could not get Source object: not found")


def on(*names: str) -> Given:
    return {"dependsOn": [{"name": name} for name in names]}


def chart_ref(name: str) -> Given:
    return {"chartRef": {"kind": OCI, "name": name}}


# A store, a repository of charts, a chart by reference and a source of Kustomizations, each with who asks for it.
ABSENT: dict[str, tuple[str, list[Given]]] = {
    "store": ("E1", [secret("a", UNSERVED)]),
    "repository": (
        "H4",
        [
            hr("a", ready=failed("SourceNotReady", "HelmChart 'apps/apps-a' is not ready: x")),
            flux(
                "HelmChart",
                "apps-a",
                namespace="apps",
                spec={"chart": "a", "sourceRef": {"kind": HELM, "name": "charts"}},
                ready=failed("SourceUnavailable", "x"),
            ),
        ],
    ),
    "chart": ("H4", [hr("a", ready=NO_SOURCE, spec=chart_ref("a"))]),
    "source": ("K5", [ks("a", ready=GONE)]),
}
BRINGERS: list[tuple[str, list[Given], str]] = [
    ("nobody", [], "no"),
    ("is done", [ks("x", ready=DONE), hr("x", ready=DONE)], "no"),
    ("suspended", [ks("x", ready=failed("ReconciliationFailed", "no"), spec={"suspend": True})], "no"),
    ("at work", [ks("x", ready=WORKS)], "unknown"),
    ("failed", [ks("x", ready=failed("BuildFailed", "no"))], "unknown"),
    ("a release at work", [hr("x", ready=WORKS)], "unknown"),
    ("going", [ks("x", ready=DONE, deleted=SINCE)], "unknown"),
    ("its turn", [ks("x", ready=DONE), ks("y", ready=WAITS, spec=on("x"))], "unknown"),
]  # fmt: skip


@pytest.mark.parametrize("what", ABSENT)
@pytest.mark.parametrize(("name", "others", "clears"), BRINGERS, ids=[b[0] for b in BRINGERS])
def test_what_does_not_exist_may_come_while_somebody_is_left_who_brings_it(
    what: str, name: str, others: list[Given], clears: str
) -> None:
    rule, askers = ABSENT[what]

    found = found_by(rule, scene(*askers, *others))

    assert [(f.cause.endswith("absent"), f.clears_itself) for f in found] == [(True, clears)], name


@pytest.mark.parametrize("what", ABSENT)
def test_so_it_may_while_the_inventory_expects_who_is_not_there(what: str) -> None:
    rule, askers = ABSENT[what]

    def clears(**inventory: list[Given]) -> list[str]:
        looked_at = scene(*askers, ks("x", ready=DONE), inventory=inventory)
        return [f.clears_itself for f in found_by(rule, looked_at)]

    assert clears(kustomizations=[{"key": "flux-system/x"}]) == ["no"]
    assert clears(kustomizations=[{"key": "flux-system/y"}]) == ["unknown"]
    assert clears(kustomizations=[{"key": "flux-system/y", "suspended": True}]) == ["no"]
    assert clears(helmreleases=[{"key": "apps/y"}]) == ["unknown"]


IDS = {
    "store": "_vault_external-secrets.io_ClusterSecretStore",
    "repository": "apps_charts_source.toolkit.fluxcd.io_HelmRepository",
    "chart": "apps_a_source.toolkit.fluxcd.io_OCIRepository",
    "source": "flux-system_flux-system_source.toolkit.fluxcd.io_GitRepository",
    "settings": "flux-system_settings__ConfigMap",
}
NO_SETTINGS = "substitute from 'ConfigMap/settings' error: configmaps \"settings\" not found"
APPLIED = {**ABSENT, "settings": ("K9", [ks("a", ready=failed("BuildFailed", NO_SETTINGS))])}


@pytest.mark.parametrize("what", APPLIED)
def test_what_somebody_deleted_is_applied_again_by_who_is_ready(what: str) -> None:
    """Mutants: any condition of who applies it again is left out; what another one has applied counts."""
    rule, askers = APPLIED[what]
    mine, served = {"name": "mine"}, source(GIT, "mine", revision="main@1", ready=DONE)

    def clears(entry: str, *, by: Given = served, ready: Any = DONE, **spec: Any) -> str:  # noqa: ANN401
        status = {"inventory": {"entries": [{"id": entry, "v": "v1"}]}}
        spec = {"sourceRef": {"kind": GIT, **mine}, **spec}
        maker = ks("maker", ready=ready, status=status, spec=spec)
        found = found_by(rule, scene(*askers, maker, by))
        return next(f.clears_itself for f in found if not f.cause.endswith("unfetched"))

    assert clears(IDS[what]) == "unknown"
    assert clears("flux-system_other__ConfigMap") == "no"
    assert clears(IDS[what], suspend=True) == "no"
    assert clears(IDS[what], kubeConfig={"secretRef": {"name": "elsewhere"}}) == "no"
    assert clears(IDS[what], sourceRef={"kind": OCI, "name": "none"}) == "no"
    assert clears(IDS[what], by=source(GIT, "mine", ready=DONE)) == "no"
    assert clears(IDS[what], sourceRef={"kind": "Bucket", "name": "unlisted"}) == "unknown"


def test_who_needs_it_first_does_not_apply_it_again() -> None:
    """Mutant: whatever an inventory has counts, whether its Kustomization is Ready or not."""
    status = {"inventory": {"entries": [{"id": IDS["settings"], "v": "v1"}]}}
    spec = {"sourceRef": {"kind": GIT, "name": "mine"}}
    asker = ks("a", ready=failed("BuildFailed", NO_SETTINGS), status=status, spec=spec)
    looked_at = scene(asker, source(GIT, "mine", revision="main@1", ready=DONE))

    assert [f.clears_itself for f in found_by("K9", looked_at)] == ["no"]


@pytest.mark.parametrize("kind", ["Kustomization", "HelmRelease"])
def test_who_could_not_be_listed_may_bring_it(kind: str) -> None:
    looked_at = scene(secret("a", UNSERVED), unlisted=(kind,))

    assert [f.clears_itself for f in found_by("E1", looked_at)] == ["unknown"]


def test_who_waits_behind_a_store_does_not_bring_it() -> None:
    """A health check of the secret, who depends on that, what that is to apply, and who reads its Secret."""
    checks = failed(
        "HealthCheckFailed", "timeout waiting for: [ExternalSecret/apps/a status: 'InProgress']"
    )
    values = "could not resolve Secret chart values reference 'apps/a' with key 'v': secrets \"a\" not found"
    behind = [
        ks("checks", ready=checks),
        ks("next", ready=WAITS, spec=on("checks")),
        hr("reads", ready=failed("ValuesError", values)),
        hr("after", ready=WAITS, spec=on("reads")),
    ]
    inventory = {"kustomizations": [{"key": "flux-system/child", "parent": "flux-system/next"}]}
    looked_at = scene(secret("a", UNSERVED), *behind, inventory=inventory)

    assert [f.clears_itself for f in found_by("E1", looked_at)] == ["no"]
    other = ks(
        "other", ready=failed("HealthCheckFailed", "timeout waiting for: [Job/a/b status: 'x']")
    )
    assert [f.clears_itself for f in found_by("E1", scene(secret("a", UNSERVED), other))] == [
        "unknown"
    ]  # fmt: skip


def test_who_lacks_a_source_brings_no_other() -> None:
    """Of two that do not exist, and all who wait for them and nothing else, neither comes."""
    looked_at = scene(
        ks("a", ready=GONE),
        ks("b", ready=WAITS, spec=on("a")),
        hr("c", ready=NO_SOURCE, spec=chart_ref("c")),
        *ABSENT["repository"][1],
    )

    found = [*found_by("K5", looked_at), *found_by("H4", looked_at)]

    assert [f.clears_itself for f in found] == ["no"] * 3
    unfetched = scene(
        ks("a", ready=GONE),
        hr("c", ready=NO_SOURCE, spec=chart_ref("c")),
        source(OCI, "c", namespace="apps"),
    )
    assert [f.clears_itself for f in found_by("K5", unfetched)] == ["unknown"], "c may be fetched"


# As source-controller 1.9.1 writes them.
NO_SECRET = {
    GIT: "failed to get secret 'apps/key': failed to get secret 'apps/key': secrets \"key\" not found",
    OCI: "failed to get credential: failed to get secret 'apps/key': secrets \"key\" not found",
    HELM: "failed to get authentication secret 'apps/key': secrets \"key\" not found",
    "HelmChart": "failed to get TLS authentication secret 'apps/key': secrets \"key\" not found",
}
SPEAKS = {GIT: "S1"}


def refused(kind: str, text: str = "", since: float = SINCE) -> Given:
    said = failed("AuthenticationFailed", text or NO_SECRET[kind])
    return flux(kind, "web", namespace="apps", ready=said, since=since)


def told(kind: str, *others: Given, **more: Any) -> Finding:  # noqa: ANN401
    text, since = more.pop("text", ""), more.pop("since", SINCE)
    looked_at = scene(refused(kind, text, since), *others, **more)
    (found,) = found_by(SPEAKS.get(kind, "S3"), looked_at)
    return found


@pytest.mark.parametrize("kind", NO_SECRET)
def test_a_source_without_its_secret_may_get_it_while_somebody_is_left_who_makes_it(
    kind: str,
) -> None:
    assert told(kind).clears_itself == "no"
    assert told(kind, ks("x", ready=WORKS)).clears_itself == "unknown"
    assert told(kind, unlisted=("ExternalSecret",)).clears_itself == "unknown"
    unwritten = made("ExternalSecret", "apps/login", spec={"target": {"name": "key"}})
    maker = told(kind, unwritten)
    assert maker.clears_itself == "unknown"
    assert maker.remedies[0].text == "why externalsecret/apps/login has not made its Secret"
    expected = {"externalsecrets": [{"key": "apps/key"}]}
    assert told(kind, inventory=expected).clears_itself == "unknown"
    assert told(kind, secret("other", None)).clears_itself == "no"


@pytest.mark.parametrize("kind", NO_SECRET)
def test_a_credential_that_is_there_and_wrong_is_brought_by_nobody(kind: str) -> None:
    assert told(kind, ks("x", ready=WORKS), text="authentication required").clears_itself == "no"


@pytest.mark.parametrize("kind", NO_SECRET)
def test_what_was_made_since_a_source_asked_is_read_at_its_next_attempt(kind: str) -> None:
    def clears(other: Given) -> str:
        return told(kind, other, since=AT - 7200).clears_itself

    now, long_ago = AT - RETRIED_SECONDS + 1, AT - RETRIED_SECONDS
    assert clears(hr("made", ready=DONE, since=now)) == "unknown"
    assert clears(hr("made", ready=DONE, since=long_ago)) == "no"
    assert clears(hr("made", ready=DONE, since=AT - 7201)) == "no"
    assert clears(deployment("sealed-secrets")) == "unknown"
    assert clears(deployment("sealed-secrets", available=0)) == "unknown"
    own = {"app.kubernetes.io/part-of": "flux"}
    assert clears(deployment("notification-controller", labels=own)) == "no"
    assert clears(deployment("notification-controller", labels=own, available=0)) == "unknown"


@pytest.mark.parametrize("kind", NO_SECRET)
def test_who_waits_for_a_source_does_not_bring_its_secret(kind: str) -> None:
    by = {"sourceRef": {"kind": kind, "name": "web", "namespace": "apps"}}
    consumer = {
        GIT: ks("x", ready=failed("ArtifactFailed", "artifact not found"), spec=by),
        "HelmChart": hr("x", ready=NO_SOURCE, status={"helmChart": "apps/web"}),
    }.get(kind, hr("x", ready=NO_SOURCE, spec={"chartRef": {"kind": kind, "name": "web"}}))

    assert told(kind, consumer).clears_itself == "no"


def test_of_two_sources_without_a_secret_neither_brings_the_others() -> None:
    """But one of which the Secret is to be made does. Mutants: only its own consumers count; all others' do."""
    other = refused(OCI, NO_SECRET[OCI].replace("key", "other"))
    other["metadata"] = {**other["metadata"], "name": "other"}
    waits_for = hr("x", ready=NO_SOURCE, spec=chart_ref("other"))

    assert told(GIT, other, waits_for).clears_itself == "no"
    maker = made("ExternalSecret", "apps/other")
    assert told(GIT, other, waits_for, maker).clears_itself == "unknown"


@pytest.mark.parametrize("kind", NO_SECRET)
def test_who_should_make_the_secret_of_a_source_is_the_root(kind: str) -> None:
    """Its own condition, or its store's; a pod that misses the same Secret makes it a cause of its own."""
    subject = f"{kind.lower()}/apps/web"

    def roots(*objects: Given) -> dict[str, tuple[str, ...]]:
        looked_at = scene(refused(kind), *objects)
        rules = ("E1", "E4", "E5", "E7", "S1", "S3")
        found = {f.rule: f for rule in rules for f in found_by(rule, looked_at)}
        return {root.id: root.victims for root in roots_of(found, {})}

    fails = secret("key", UNSERVED)
    assert roots(store(), fails) == {"E4": (subject,)}
    assert roots(fails) == {"E1": ("externalsecret/apps/key", subject)}
    assert roots(secret("key", ("True", "SecretDeleted", ""))) == {"E5": (subject,)}
    status = {"containerStatuses": [waits("CreateContainerConfigError", 'secret "key" not found')]}
    unstarted = pod("apps/x", status=status)
    assert roots(unstarted) == {"E7": tuple(sorted((subject, "pod/apps/x")))}
    assert roots(store(), fails, unstarted) == {
        "E4": tuple(sorted((subject, "pod/apps/x", "secret/apps/key")))
    }
