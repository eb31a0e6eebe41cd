"""What is written to a Kubernetes API: nudges, finalizers, manifests; and what refusals promise."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from journal.entries import Outcome
from journal.errors import Diagnosed
from rekindle.adapters import finalizers, flux, manifests
from rekindle.adapters.discovery import Discovery
from tests.adapters.conftest import doers, make_intent, until_true
from tests.adapters.scripted import Answer, Asked, Reply, Streamed, refused

if TYPE_CHECKING:
    from pathlib import Path

    from engine.world import Intent, Settlement
    from journal.entries import Json
    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

KS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps"
HR = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/apps"
ES = "/apis/external-secrets.io/v1beta1/namespaces/flux-system/externalsecrets/apps"
SOURCES = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/{}/apps"
CM = "/api/v1/namespaces/held/configmaps/keep"
DELETED = "2026-11-22T20:40:59Z"


def answer(**metadata: Json) -> Answer:
    spec = {"suspend": metadata.pop("suspend", False)}
    given = {"name": "apps", "uid": "u1", "generation": 3, "resourceVersion": "41", **metadata}
    return Answer(json.dumps({"kind": "Any", "metadata": given, "spec": spec}).encode())


def nudge(kind: str = "Kustomization", **more: Json) -> Intent:
    arguments = {"kind": kind, "namespace": "flux-system", "name": "apps", "uid": "u1"}
    return make_intent(
        "flux.nudge", **{**arguments, "generation": 3, "requested_at": "T#1", **more}
    )


def test_a_nudge_changes_one_annotation_of_the_version_that_was_seen(
    scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(KS, answer())
    scripted.on(KS, answer(), method="PATCH")
    settled = flux.nudge(nudge(), api)

    (patch,) = scripted.asked_for(KS, "PATCH")
    annotations = {"reconcile.fluxcd.io/requestedAt": "T#1"}
    assert settled.outcome is Outcome.DONE
    assert patch.json() == {"metadata": {"resourceVersion": "41", "annotations": annotations}}
    assert patch.headers["content-type"] == "application/merge-patch+json"


@pytest.mark.parametrize(
    ("kind", "path", "reset", "names"),
    [
        ("HelmRelease", HR, True, {flux.REQUESTED_AT, flux.RESET_AT}),
        ("HelmRelease", HR, False, {flux.REQUESTED_AT}),
        ("ExternalSecret", ES, False, {flux.FORCE_SYNC}),
        ("OCIRepository", SOURCES.format("ocirepositories"), False, {flux.REQUESTED_AT}),
        ("HelmRepository", SOURCES.format("helmrepositories"), False, {flux.REQUESTED_AT}),
        ("HelmChart", SOURCES.format("helmcharts"), False, {flux.REQUESTED_AT}),
    ],
)
def test_each_kind_has_its_own_annotations(
    kind: str,
    path: str,
    reset: bool,  # noqa: FBT001
    names: set[str],
    scripted: ScriptedApi,
    api: Api,
) -> None:
    scripted.on(path, answer())
    scripted.on(path, answer(), method="PATCH")
    flux.nudge(nudge(kind, reset=reset), api)

    (patch,) = scripted.asked_for(path, "PATCH")
    assert patch.json()["metadata"]["annotations"] == dict.fromkeys(names, "T#1")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (answer(uid="u2"), "conflict"),
        (answer(generation=4), "conflict"),
        (answer(suspend=True), "precondition"),
        (answer(deletionTimestamp=DELETED), "precondition"),
        (refused(404), "not-found"),
        (refused(403), "denied"),
        (refused(500), "transient"),
        (Answer(b"garbage"), "transient"),
    ],
)
def test_a_nudge_is_refused_unless_all_is_as_it_was_seen(
    found: Reply, code: str, scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(KS, found)
    settled = flux.nudge(nudge(), api)

    assert settled.code == code
    assert not scripted.asked_for(KS, "PATCH")


@pytest.mark.parametrize(
    ("reply", "outcome", "code"),
    [
        (refused(409), Outcome.FAILED, "conflict"),
        (refused(422), Outcome.FAILED, "invalid"),
        (refused(429), Outcome.FAILED, "transient"),
        (refused(503), Outcome.FAILED, "transient"),
        (refused(500, 'failed calling webhook "x"'), Outcome.FAILED, "transient"),
        (refused(500, "etcdserver: request timed out"), Outcome.UNSETTLED, "no-answer"),
        (refused(504), Outcome.UNSETTLED, "no-answer"),
        (Streamed((b"{",), end="cut"), Outcome.UNSETTLED, "no-answer"),
    ],
)
def test_refusals_promise_and_doubts_do_not(
    reply: Reply, outcome: Outcome, code: str, scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(KS, answer())
    scripted.on(KS, reply, method="PATCH")
    settled = flux.nudge(nudge(), api)

    assert (settled.outcome, settled.code) == (outcome, code)


def test_nobody_listening_is_certainly_not_done(scripted: ScriptedApi, api: Api) -> None:
    scripted.server.socket.close()
    settled = flux.nudge(nudge(), api)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "transient")


def release(deadline: float = 10.0, **more: Json) -> Intent:
    arguments = {"group": "", "version": "v1", "resource": "configmaps", "kind": "ConfigMap"}
    named = {"namespace": "held", "name": "keep", "uid": "u1", "finalizers": ["a/hold"]}
    given = {**arguments, **named, **more}
    return make_intent("finalizer.release", deadline=deadline, **given)


def test_a_finalizer_is_taken_off_and_the_others_stay(scripted: ScriptedApi, api: Api) -> None:
    scripted.on(CM, answer(deletionTimestamp=DELETED, finalizers=["b/other", "a/hold"]))
    scripted.on(CM, answer(), method="PATCH")
    settled = finalizers.release(release(), api)

    (patch,) = scripted.asked_for(CM, "PATCH")
    assert settled.outcome is Outcome.DONE
    assert patch.headers["content-type"] == "application/json-patch+json"
    assert patch.json() == [
        {"op": "test", "path": "/metadata/uid", "value": "u1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "41"},
        {"op": "replace", "path": "/metadata/finalizers", "value": ["b/other"]},
    ]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (answer(deletionTimestamp=DELETED, finalizers=["a/hold"], uid="u2"), "conflict"),
        (answer(finalizers=["a/hold"]), "precondition"),
        (answer(deletionTimestamp=DELETED, finalizers=["b/other"]), "conflict"),
        (refused(404), "not-found"),
    ],
)
def test_a_finalizer_stays_unless_all_is_as_it_was_agreed(
    found: Reply, code: str, scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(CM, found)
    settled = finalizers.release(release(), api)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, code)
    assert not scripted.asked_for(CM, "PATCH")


def test_a_failed_test_in_the_patch_is_a_conflict(scripted: ScriptedApi, api: Api) -> None:
    scripted.on(CM, answer(deletionTimestamp=DELETED, finalizers=["a/hold"]))
    scripted.on(CM, refused(422, "the test failed"), method="PATCH")

    assert finalizers.release(release(), api).code == "conflict"


def test_a_look_that_fails_is_no_doubt(scripted: ScriptedApi, api: Api) -> None:
    """Nothing was sent that could change anything. Mutants: settle the look like the write."""
    for look in (None, refused(500), refused(504), Answer(b"garbage")):
        scripted.on(CM, look)
        settled = finalizers.release(release(deadline=0.5), api)

        assert (settled.outcome, settled.code) == (Outcome.FAILED, "transient")
    assert not scripted.asked_for(CM, "PATCH")


@pytest.mark.parametrize(
    ("reply", "outcome", "code"),
    [
        (refused(409), Outcome.FAILED, "conflict"),
        (refused(422), Outcome.FAILED, "conflict"),
        (refused(403), Outcome.FAILED, "denied"),
        (refused(503), Outcome.FAILED, "transient"),
        (refused(500, "etcdserver: request timed out"), Outcome.UNSETTLED, "no-answer"),
        (refused(504), Outcome.UNSETTLED, "no-answer"),
        (Answer(b"", 302), Outcome.UNSETTLED, "no-answer"),
        (Streamed((b"{",), end="cut"), Outcome.UNSETTLED, "no-answer"),
        (None, Outcome.UNSETTLED, "no-answer"),
    ],
)
def test_a_release_is_a_conflict_only_where_certainly_nothing_changed(
    reply: Reply, outcome: Outcome, code: str, scripted: ScriptedApi, api: Api
) -> None:
    """Mutants: CONFLICT for any refusal; no deadline of its own for the write."""
    scripted.on(CM, answer(deletionTimestamp=DELETED, finalizers=["a/hold"]))
    scripted.on(CM, reply, method="PATCH")
    began = time.monotonic()
    settled = finalizers.release(release(deadline=1.0), api)

    assert (settled.outcome, settled.code) == (outcome, code)
    assert time.monotonic() - began < 2.0


def resources(*entries: tuple[str, str, bool]) -> Answer:
    found = [
        {"name": name, "kind": kind, "namespaced": namespaced, "verbs": ["list", "patch"]}
        for name, kind, namespaced in entries
    ]
    return Answer(json.dumps({"kind": "APIResourceList", "resources": found}).encode())


MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: apps}
---
apiVersion: v1
kind: Namespace
metadata: {name: apps}
"""


def test_manifests_are_applied_server_side_namespaces_first(
    scripted: ScriptedApi, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST)
    scripted.on(
        "/api/v1", resources(("configmaps", "ConfigMap", True), ("namespaces", "Namespace", False))
    )
    paths = ["/api/v1/namespaces/apps", "/api/v1/namespaces/apps/configmaps/one"]
    for path in paths:
        scripted.on(path, Answer(), method="PATCH")
    intent = make_intent("root.apply")
    settled = manifests.apply(intent, api, Discovery(api), manifests.read(tmp_path))

    patches = [asked for asked in scripted.asked if asked.method == "PATCH"]
    assert settled.outcome is Outcome.DONE
    assert [asked.path for asked in patches] == paths
    assert patches[0].query == {"fieldManager": "rekindle", "force": "true"}
    assert patches[0].headers["content-type"] == "application/apply-patch+yaml"


def test_a_kind_that_was_just_installed_is_found_by_asking_again(
    scripted: ScriptedApi, api: Api
) -> None:
    scripted.on("/api/v1", resources(), resources(("configmaps", "ConfigMap", True)))
    discovery = Discovery(api)
    found = discovery.of_kind("v1", "ConfigMap")

    assert found is not None
    assert found.path("n", "x") == "/api/v1/namespaces/n/configmaps/x"
    assert discovery.of_kind("example.com/v1", "Nothing") is None


def test_half_of_the_manifests_is_no_failure_without_effect(
    scripted: ScriptedApi, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST)
    scripted.on(
        "/api/v1", resources(("configmaps", "ConfigMap", True), ("namespaces", "Namespace", False))
    )
    scripted.on("/api/v1/namespaces/apps", Answer(), method="PATCH")
    scripted.on("/api/v1/namespaces/apps/configmaps/one", refused(403), method="PATCH")
    intent = make_intent("root.apply")
    settled = manifests.apply(intent, api, Discovery(api), manifests.read(tmp_path))

    assert (settled.outcome, settled.code) == (Outcome.UNSETTLED, "denied")


def test_a_kind_that_is_not_served_is_refused_before_anything_is_sent(
    scripted: ScriptedApi, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST)
    scripted.on("/api/v1", resources(("namespaces", "Namespace", False)))
    intent = make_intent("root.apply")
    settled = manifests.apply(intent, api, Discovery(api), manifests.read(tmp_path))

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "not-found")
    assert not [asked for asked in scripted.asked if asked.method == "PATCH"]


CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec: {group: example.com, names: {kind: Gadget}}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: one, namespace: n}
"""


def test_a_kind_that_is_brought_along_is_waited_for(
    scripted: ScriptedApi, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(CRD)
    group = "/apis/apiextensions.k8s.io/v1"
    plural = "customresourcedefinitions"
    scripted.on(group, resources((plural, "CustomResourceDefinition", False)))
    gadgets = resources(("gadgets", "Gadget", True))
    scripted.on("/apis/example.com/v1", refused(404), refused(404), gadgets)
    scripted.on(f"{group}/{plural}/gadgets.example.com", Answer(), method="PATCH")
    path = "/apis/example.com/v1/namespaces/n/gadgets/one"
    scripted.on(path, Answer(), method="PATCH")
    intent = make_intent("root.apply")
    settled = manifests.apply(intent, api, Discovery(api), manifests.read(tmp_path))

    assert settled.outcome is Outcome.DONE
    assert len(scripted.asked_for(path, "PATCH")) == 1


def test_manifests_end_with_the_deadline_of_their_action(
    scripted: ScriptedApi, api: Api, tmp_path: Path
) -> None:
    """The engine begins a second time after it. Mutant: ``apply`` without ``within``."""
    (tmp_path / "m.yaml").write_text(MANIFEST)
    scripted.on(
        "/api/v1", resources(("configmaps", "ConfigMap", True), ("namespaces", "Namespace", False))
    )
    scripted.on("/api/v1/namespaces/apps", Answer(), method="PATCH")
    scripted.on("/api/v1/namespaces/apps/configmaps/one", None, method="PATCH")
    settled, took = applied(api, tmp_path, 0.7)

    assert (settled.outcome, settled.code) == (Outcome.UNSETTLED, "no-answer")
    assert took < 1.5


def test_manifests_that_could_not_be_begun_in_time_were_certainly_not_applied(
    scripted: ScriptedApi, api: Api, tmp_path: Path
) -> None:
    """Mutant: give discovery an Api without a deadline."""
    (tmp_path / "m.yaml").write_text(MANIFEST)
    scripted.on("/api/v1", None)
    settled, took = applied(api, tmp_path, 0.5)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "transient")
    assert took < 1.5


@pytest.mark.parametrize(
    ("crd_is_there", "outcome"), [(True, Outcome.UNSETTLED), (False, Outcome.FAILED)]
)
def test_a_kind_is_not_waited_for_beyond_the_deadline(
    crd_is_there: bool,  # noqa: FBT001
    outcome: Outcome,
    scripted: ScriptedApi,
    api: Api,
    tmp_path: Path,
) -> None:
    """What was applied before makes it a doubt. Mutant: look the kind up without a deadline."""
    (tmp_path / "m.yaml").write_text(CRD)
    group, plural = "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions"
    scripted.on(group, resources((plural, "CustomResourceDefinition", False)))
    done = Answer() if crd_is_there else refused(503)
    scripted.on(f"{group}/{plural}/gadgets.example.com", done, method="PATCH")
    settled, took = applied(api, tmp_path, 1.0)

    assert (settled.outcome, settled.code) == (outcome, "transient")
    assert took < 2.0


def applied(api: Api, folder: Path, deadline: float) -> tuple[Settlement, float]:
    began = time.monotonic()
    intent = make_intent("root.apply", deadline=deadline)
    settled = manifests.apply(intent, api, Discovery(api), manifests.read(folder))
    return settled, time.monotonic() - began


def test_a_nudge_ends_with_the_deadline_of_its_action(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: hand the nudge an Api without a deadline."""
    scripted.on(KS, answer())
    scripted.on(KS, None, method="PATCH")
    settled: list[Settlement] = []
    asked = nudge()
    intent = make_intent("flux.nudge", deadline=0.7, **asked.arguments)
    doers(lambda: SimpleNamespace(api=api), settled).start(intent)
    until_true(lambda: settled, seconds=3)

    assert (settled[0].outcome, settled[0].code) == (Outcome.UNSETTLED, "no-answer")


def test_a_mistake_of_ours_does_not_quote_what_it_was_about() -> None:
    """Mutant: the text of the exception in the evidence."""

    def broken() -> Json:
        raise ValueError("hunter2")

    settled: list[Settlement] = []
    doers(broken, settled).start(nudge())
    until_true(lambda: settled)

    assert settled[0].outcome is Outcome.UNSETTLED
    assert settled[0].evidence["why"] == "our own mistake: ValueError"


def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("kind: A\nmetadata:\n  name: x\n  name: y\n")
    with pytest.raises(Diagnosed, match=rf"{file}:4: the key 'name'") as raised:
        manifests.read(file)

    assert (raised.value.reference, raised.value.exit_code) == ("duplicate-key", 78)


def test_deleting_names_the_uid(scripted: ScriptedApi, api: Api) -> None:
    scripted.on(CM, Answer(), method="DELETE")
    api.delete(CM, "u1")

    (asked,) = scripted.asked_for(CM, "DELETE")
    assert isinstance(asked, Asked)
    assert asked.json()["preconditions"] == {"uid": "u1"}
