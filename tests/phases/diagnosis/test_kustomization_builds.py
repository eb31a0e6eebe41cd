"""Builds that break, by what broke them; and missing Secrets, each once."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.graph import roots_of
from tests.phases.diagnosis.flux_objects import (
    OLDER,
    REVISION,
    SINCE,
    deployment,
    hr,
    ks,
    said,
    source,
)
from tests.phases.diagnosis.scenes import found_by, made, recorded, rules_of, scene

RETRY = ("True", "ProgressingWithRetry", "Building manifests for revision x")
BUILD, APPLY = "BuildFailed", "ReconciliationFailed"
SUBSTITUTE = (
    "post build failed for 'v1/ConfigMap/x': substitute from 'Secret/cluster-secrets' error: "
    'secrets "cluster-secrets" not found'
)
UNSET = "post build failed for 'v1/Secret/x': envsubst error: variable substitution failed: "
UNSET += 'variable not set (strict mode): "SECRET_DOMAIN"'
NO_AGE = "cannot get sops decryption Secret 'flux-system/sops-age': secrets \"sops-age\" not found"
IMMUTABLE = (
    'Deployment/apps/web dry-run failed (Invalid): Deployment.apps "web" is invalid: spec.selector: '
    'Invalid value: {"matchLabels":{"a":"hunter2"}}: field is immutable'
)
DENIED = (
    'Deployment/apps/web dry-run failed (Forbidden): deployments.apps "web" is forbidden: '
    'User "system:serviceaccount:apps:flux" cannot patch resource "deployments"'
)


def broken(reason: str, message: str, name: str = "a") -> dict[str, Any]:
    return ks(name, ready=("False", reason, message), reconciling=RETRY)


CASES: list[tuple[str, str, str, str]] = [
    ("ArtifactFailed", "kustomization path not found: stat /tmp/x", "K6", "path"),
    (
        BUILD,
        "cannot get sops data key: no identity matched any of the recipients",
        "K7",
        "wrong-key",
    ),
    (BUILD, "Error getting data key: 0 successful groups required, got 0", "K7", "wrong-key"),
    (BUILD, "failed to verify sops data integrity: expected mac 'A', got 'B'", "K7", "wrong-key"),
    (BUILD, NO_AGE, "K8", "missing"),
    (BUILD, 'secrets "sops-age" not found', "K8", "missing"),
    (
        APPLY,
        "Secret/a/x is SOPS encrypted, configuring decryption is required for",
        "K8",
        "undecrypted",
    ),
    (BUILD, SUBSTITUTE, "K9", "missing"),
    (BUILD, UNSET, "K9", "variable"),
    (BUILD, "kustomize build failed: accumulating resources: x", "K10", "build"),
    (BUILD, 'kustomize build failed: mapping key "x" already defined at line 7', "K10", "build"),
    (APPLY, IMMUTABLE, "K11", "immutable"),
    (APPLY, DENIED, "K12", "forbidden"),
]


@pytest.mark.parametrize(("reason", "message", "rule", "cause"), CASES)
def test_exactly_one_rule_knows_what_broke(
    reason: str, message: str, rule: str, cause: str
) -> None:
    looked_at = scene(broken(reason, message), unlisted=("Deployment",))

    assert rules_of(looked_at) == [rule]
    assert [found.cause for found in found_by(rule, looked_at)] == [cause]


@pytest.mark.parametrize(("reason", "message", "rule", "cause"), CASES)
def test_the_same_words_under_another_reason_are_something_else(
    reason: str, message: str, rule: str, cause: str
) -> None:
    other = "DependencyNotReady"

    assert found_by(rule, scene(broken(other, message))) == [], (reason, cause)


@pytest.mark.parametrize(
    "message",
    [
        "unable to create new content in namespace apps because it is being terminated (Forbidden)",
        "Deployment/apps/web dry-run failed (Forbidden): unable to create new content in namespace apps",
        'Pod/apps/x dry-run failed (Forbidden): pods "x" is forbidden: exceeded quota: cpu',
        'Widget/default/w dry-run failed: no matches for kind "Widget" in version "example.com/v1"',
    ],
)
def test_what_the_api_refuses_for_other_reasons_is_no_matter_of_rights(message: str) -> None:
    found = rules_of(scene(broken(APPLY, message), unlisted=("Deployment",)))

    assert [name for name in found if name.startswith("K")] == []


@pytest.mark.parametrize(
    ("name", "rule", "words"),
    [
        ("kustomization-bad-build-false-buildfailed", "K10", "accumulating resources"),
        ("kustomization-bad-path-false-artifactfailed", "K6", "no-such-folder"),
    ],
)
def test_recorded_builds(name: str, rule: str, words: str) -> None:
    (found,) = found_by(rule, scene(recorded(name)))

    assert words in found.message
    assert "next attempt was due at 2026-11-22T20:49:5" in found.message
    assert found.clears_itself == "no"


def test_to_delete_a_kustomization_is_no_harmless_remedy() -> None:
    (found,) = found_by("K10", scene(broken(BUILD, "kustomize build failed: x")))

    assert [r.danger for r in found.remedies if "delete the Kustomization" in r.text] == [
        "destructive"
    ]


def test_values_of_a_manifest_are_not_quoted() -> None:
    (found,) = found_by("K11", scene(broken(APPLY, IMMUTABLE)))

    assert "hunter2" not in str(found)
    assert "a field of Deployment/apps/web" in found.message


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (UNSET, "uses the variable SECRET_DOMAIN, which nothing sets, in v1/Secret/x"),
        ("variable not set (strict mode)", "uses the variable ?, which nothing sets; next"),
    ],
)
def test_the_variable_is_named(message: str, words: str) -> None:
    assert words in found_by("K9", scene(broken(BUILD, message)))[0].message


def test_a_missing_secret_is_one_cause_for_all_who_ask_for_it() -> None:
    looked_at = scene(
        broken(BUILD, SUBSTITUTE), broken(BUILD, SUBSTITUTE, "b"), unlisted=("ExternalSecret",)
    )

    (found,) = found_by("K9", looked_at)

    assert found.subject == "secret/flux-system/cluster-secrets"
    assert found.blocks == ("kustomization/flux-system/a", "kustomization/flux-system/b")
    assert (found.since, found.clears_itself) == (SINCE, "unknown")
    assert "ExternalSecret" not in found.message, "whether one makes it is not known"


DONE, FAILED = ("True", "Succeeded", ""), ("False", "ReconciliationFailed", "no")
WORKS = ("Unknown", "Progressing", "")
WAITS = ("False", "DependencyNotReady", "dependency 'flux-system/a' is not ready")
ON_DONE = {"dependsOn": [{"name": "done"}]}  # it has not looked at it again yet


@pytest.mark.parametrize(
    ("others", "clears"),
    [
        ([], "no"),
        ([ks("done", ready=DONE)], "no"),
        ([ks("behind", ready=WAITS, spec={"dependsOn": [{"name": "a"}]})], "no"),
        ([ks("done", ready=DONE), ks("next", ready=WAITS, spec=ON_DONE)], "unknown"),
        ([hr("done", ready=DONE)], "no"),
        ([ks("off", ready=FAILED, spec={"suspend": True})], "no"),
        ([ks("coming", ready=WORKS)], "unknown"),
        ([ks("fails", ready=FAILED)], "unknown"),
        ([ks("going", ready=DONE, deleted=SINCE)], "unknown"),
        ([hr("coming", ready=WORKS)], "unknown"),
        ([hr("before", ready=DONE, since=SINCE - 5)], "no"),
        (
            [hr("after", ready=DONE, since=SINCE + 5)],
            "unknown",
        ),  # what Helm made is in nobody's status
        ([deployment("sealed-secrets", available=0)], "unknown"),
    ],
)
def test_what_git_should_have_brought_comes_no_more_once_git_is_through(
    others: list[dict[str, Any]], clears: str
) -> None:
    (found,) = found_by("K9", scene(broken(BUILD, SUBSTITUTE), *others))

    assert (found.cause, found.clears_itself) == ("missing", clears)


def test_the_key_of_sops_is_looked_for_beside_its_kustomization() -> None:
    assert [f.subject for f in found_by("K8", scene(broken(BUILD, 'Secret "age" not found')))] == [
        "secret/flux-system/age"
    ]


def values(text: str, name: str = "web") -> dict[str, Any]:
    message = (
        f"could not resolve Secret chart values reference 'apps/db' with key 'values.yaml': {text}"
    )
    return hr(name, ready=("False", "ValuesError", message))


@pytest.mark.parametrize(
    ("text", "subject", "cause"),
    [
        ('secrets "db" not found', "secret/apps/db", "missing"),
        ("resource not found", "secret/apps/db", "missing"),
        ("key not found", "secret/apps/db", "key-missing"),
        (
            "yaml: line 2: password hunter2: mapping values",
            "helmrelease/apps/web",
            "values-unreadable",
        ),
    ],
)
def test_values_of_a_release(text: str, subject: str, cause: str) -> None:
    (found,) = found_by("H5", scene(values(text)))

    assert (subject, cause) == (found.subject, found.cause)
    assert "hunter2" not in str(found)


def test_values_are_read_from_their_own_reason_only() -> None:
    given = values('secrets "db" not found')
    given["status"]["conditions"][0]["reason"] = "InstallFailed"

    assert found_by("H5", scene(given)) == []


def pod(name: str, message: str, reason: str = "CreateContainerConfigError") -> dict[str, Any]:
    waiting = {"name": "app", "state": {"waiting": {"reason": reason, "message": message}}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "apps"},
        "status": {
            "containerStatuses": [waiting],
            "conditions": [said("ContainersReady", ("False", "ContainersNotReady", ""))],
        },
    }


@pytest.mark.parametrize(
    ("message", "subject", "cause"),
    [
        ('secret "db" not found', "secret/apps/db", "missing"),
        ('configmap "cfg" not found', "configmap/apps/cfg", "missing"),
        ("couldn't find key password in Secret apps/db", "secret/apps/db", "key-missing"),
    ],
)
def test_pods_that_cannot_be_made(message: str, subject: str, cause: str) -> None:
    (found,) = found_by("E7", scene(pod("a", message), pod("b", message)))

    assert (found.subject, found.cause) == (subject, cause)
    assert found.blocks == ("pod/apps/a", "pod/apps/b")
    assert found.since == SINCE


def test_other_pods_ask_for_nothing() -> None:
    assert found_by("E7", scene(pod("a", 'secret "db" not found', "CrashLoopBackOff"))) == []
    assert found_by("E7", scene(pod("a", "container has runAsNonRoot"))) == []


def test_who_comes_first_in_the_tree_speaks_for_all() -> None:
    looked_at = scene(values('secrets "db" not found'), pod("a", 'secret "db" not found'))

    assert found_by("E7", looked_at) == []
    assert [f.blocks for f in found_by("H5", looked_at)] == [("helmrelease/apps/web", "pod/apps/a")]


def external(
    name: str, status: str = "False", target: str = "", reason: str = "SecretSyncedError"
) -> dict[str, Any]:
    ready = (status, reason, "could not get secret data from provider")
    return {
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "apps"},
        "spec": {
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
            "target": {"name": target},
        },
        "status": {"conditions": [said("Ready", ready)]},
    }


@pytest.mark.parametrize(
    ("objects", "maker"),
    [
        ([external("db")], "externalsecret/apps/db"),
        ([external("login", target="db")], "externalsecret/apps/login"),
        ([external("db", target="other")], ""),
        ([], ""),
    ],
)
def test_who_would_make_a_missing_secret(objects: list[dict[str, Any]], maker: str) -> None:
    (found,) = found_by("E7", scene(pod("a", 'secret "db" not found'), *objects))

    assert found.message.endswith(
        f"{maker} would make it" if maker else "no ExternalSecret makes it"
    )
    assert (f"why {maker} has not made it" in found.remedies[0].text) == bool(maker)
    assert found.clears_itself == "unknown", "it may come from elsewhere"


def test_only_the_operator_has_the_key_to_decrypt_with() -> None:
    (found,) = found_by("K8", scene(broken(BUILD, NO_AGE)))

    assert found.clears_itself == "no"
    assert "ExternalSecret" not in found.message
    assert [r.danger for r in found.remedies] == ["reversible", "never"]


@pytest.mark.parametrize("there", [True, False], ids=["there", "to come"])
def test_a_key_that_somebody_makes_may_come(*, there: bool) -> None:
    """Mutants: a key to decrypt with never comes; only what is there already may make it."""
    maker = made("ExternalSecret", "flux-system/age", spec={"target": {"name": "sops-age"}})
    inventory = {"externalsecrets": [{"key": "flux-system/sops-age"}]}
    given = None if there else inventory
    looked_at = scene(broken(BUILD, NO_AGE), *[maker] * there, inventory=given)

    (found,) = found_by("K8", looked_at)

    assert found.clears_itself == "unknown"
    assert f"externalsecret/flux-system/{'age' if there else 'sops-age'} would" in found.message
    assert [r.danger for r in found.remedies] == ["look", "reversible", "never"]


def test_a_store_is_the_root_of_a_pod_without_its_secret() -> None:
    store = {
        "kind": "ClusterSecretStore",
        "metadata": {"name": "vault"},
        "status": {
            "conditions": [
                said("Ready", ("False", "InvalidProviderConfig", "unable to create client"))
            ]
        },
    }
    looked_at = scene(store, external("db"), pod("a", 'secret "db" not found'))
    findings = {f.rule: f for rule in ("E1", "E7") for f in found_by(rule, looked_at)}

    (root,) = roots_of(findings, {})

    assert (root.id, root.victims) == (
        "E1",
        ("externalsecret/apps/db", "pod/apps/a", "secret/apps/db"),
    )


def test_values_that_cannot_be_read_are_named_and_not_quoted() -> None:
    (found,) = found_by("H5", scene(values("yaml: line 2: hunter2")))
    (other,) = found_by("H5", scene(hr("web", ready=("False", "ValuesError", "hunter2 is odd"))))

    assert "Secret apps/db, key values.yaml, is not YAML" in found.message
    assert "what it refers to is not YAML" in other.message
    assert "hunter2" not in f"{found}{other}"


def test_containers_that_run_ask_for_nothing() -> None:
    given = pod("a", 'secret "db" not found')
    given["status"]["containerStatuses"].insert(0, {"name": "sidecar", "state": {}})
    given["status"]["conditions"] = []

    (found,) = found_by("E7", scene(given))

    assert (found.blocks, found.since) == (("pod/apps/a",), None)


def test_an_external_secret_makes_no_config_map() -> None:
    (found,) = found_by("E7", scene(pod("a", 'configmap "db" not found'), external("db")))

    assert "ExternalSecret" not in found.message


def test_the_missing_keys_are_named() -> None:
    (found,) = found_by("E7", scene(pod("a", "couldn't find key b in Secret apps/db")))

    assert found.message.startswith("Secret apps/db has no key b: 1 wait for it")


@pytest.mark.parametrize(
    ("served", "attempted", "clears"),
    [
        ({"revision": REVISION, "updated": SINCE + 1}, OLDER, "unknown"),
        ({"revision": REVISION, "updated": SINCE + 1}, "", "unknown"),
        ({"revision": REVISION, "updated": SINCE + 1}, REVISION, "no"),
        ({"revision": REVISION, "updated": SINCE}, OLDER, "no"),
        ({}, OLDER, "no"),
        (None, OLDER, "no"),
    ],
    ids=[
        "later",
        "no attempt is noted",
        "fetched anew",
        "not since",
        "serves nothing",
        "no source",
    ],
)
def test_a_later_revision_may_have_put_it_right(
    served: dict[str, Any] | None, attempted: str, clears: str
) -> None:
    """Else a run would end for it in the second before the next attempt."""
    given = ks("a", ready=("False", BUILD, "kustomize build failed: x"))
    given["status"]["lastAttemptedRevision"] = attempted
    sources = [] if served is None else [source("GitRepository", **served)]

    (found,) = found_by("K10", scene(given, *sources))

    assert found.clears_itself == clears
    assert ("serves a later revision by now" in found.message) == (clears == "unknown")
