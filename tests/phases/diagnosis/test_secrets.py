"""Stores, and ExternalSecrets that tell the same words for different causes."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.graph import roots_of
from phases.diagnosis.secrets import RETRIED_SECONDS
from tests.phases.diagnosis.flux_objects import SINCE, Said, hr, ks, said
from tests.phases.diagnosis.scenes import (
    AT,
    endpoints,
    found_by,
    made,
    pod,
    rules_of,
    scene,
    stamp,
    waits,
)

VALID: Said = ("True", "Valid", "store validated")
WEAK: Said = ("True", "ValidationUnknown", "could not determine validation status")
BROKEN: Said = ("False", "InvalidProviderConfig", "unable to create client")
SYNCED: Said = ("True", "SecretSynced", "secret synced")
UNSERVED: Said = ("False", "SecretSyncedError", "could not get secret data from provider")
OWNED: Said = ("False", "SecretSyncedError", "target is owned by another ExternalSecret")


def store(
    ready: Said | None = VALID, name: str = "vault", namespace: str = "", at: float = SINCE - 60
) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "kind": "SecretStore" if namespace else "ClusterSecretStore",
        "metadata": metadata,
        "status": {"conditions": [] if ready is None else [said("Ready", ready, at)]},
    }


def secret(name: str, ready: Said | None, at: float = SINCE, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    ref = more.get("store", {"kind": "ClusterSecretStore", "name": "vault"})
    return {
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "apps", **more.get("metadata", {})},
        "spec": {"secretStoreRef": ref},
        "status": {"conditions": [] if ready is None else [said("Ready", ready, at)]},
    }


@pytest.mark.parametrize(
    "reason", ["InvalidProviderConfig", "ValidationFailed", "InvalidStoreConfiguration"]
)
def test_a_broken_store_is_the_one_cause_of_all_that_read_it(reason: str) -> None:
    looked_at = scene(
        store(("False", reason, "unable to create client")),
        secret("a", UNSERVED),
        secret("new", None),
        secret("old", SYNCED),
        secret(
            "leaving",
            UNSERVED,
            metadata={"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/y"]},
        ),
    )

    assert rules_of(looked_at) == ["E1"]
    (found,) = found_by("E1", looked_at)
    assert (found.subject, found.cause, found.since) == ("store/vault", reason, SINCE - 60)
    assert found.blocks == ("externalsecret/apps/a", "externalsecret/apps/new")


def test_a_store_of_a_namespace_serves_that_namespace_only() -> None:
    mine = {"name": "vault"}
    looked_at = scene(
        store(BROKEN, namespace="apps"),
        secret("a", UNSERVED, store=mine),
        store(),
        secret("b", SYNCED),
    )

    (found,) = found_by("E1", looked_at)

    assert (found.subject, found.blocks) == ("secretstore/apps/vault", ("externalsecret/apps/a",))


@pytest.mark.parametrize("ready", [VALID, WEAK, None, ("Unknown", "x", "")])
def test_a_store_that_is_not_refused_is_not_broken(ready: Said | None) -> None:
    assert found_by("E1", scene(store(ready), secret("a", UNSERVED))) == []


def test_a_store_that_does_not_exist() -> None:
    looked_at = scene(secret("a", UNSERVED), secret("b", SYNCED), store(VALID, name="vaults"))

    (found,) = found_by("E1", looked_at)

    assert found.blocks == ("externalsecret/apps/a",)

    assert found.message == "ClusterSecretStore vault does not exist; did it mean vaults?"
    assert found.clears_itself == "no"
    foreign = {"kustomizations": [{"key": "x/other"}], "unknown": ["x/other"]}
    for inventory in ({"stores": ["vault"]}, foreign):
        expected = scene(secret("a", UNSERVED), inventory=inventory)
        assert [f.clears_itself for f in found_by("E1", expected)] == ["unknown"]


def test_absence_counts_only_where_it_was_looked_for_and_hurts() -> None:
    assert found_by("E1", scene(secret("a", UNSERVED), unlisted=("ClusterSecretStore",))) == []
    assert found_by("E1", scene(secret("a", SYNCED))) == []


def test_a_store_that_nobody_could_ask_is_not_verified() -> None:
    (found,) = found_by("E2", scene(store(WEAK), secret("a", UNSERVED), secret("b", SYNCED)))

    assert found.blocks == ("externalsecret/apps/a",)
    assert "not verified" in found.message
    assert found_by("E2", scene(store(VALID))) == found_by("E2", scene(store(BROKEN))) == []


@pytest.mark.parametrize("rule", ["E3", "E4"])
@pytest.mark.parametrize("ready", [WEAK, BROKEN, None])
def test_where_the_store_is_in_doubt_its_secrets_are_no_causes(
    rule: str, ready: Said | None
) -> None:
    assert found_by(rule, scene(store(ready), secret("a", UNSERVED), secret("b", UNSERVED))) == []
    assert found_by(rule, scene(store(ready), secret("a", UNSERVED))) == []


def test_a_valid_store_of_which_all_fail_has_an_outage() -> None:
    looked_at = scene(store(), secret("a", UNSERVED), secret("b", UNSERVED, AT - 7))

    (found,) = found_by("E3", looked_at)

    assert (found.subject, found.since) == ("store/vault", AT - 7)
    assert found.blocks == ("externalsecret/apps/a", "externalsecret/apps/b")
    assert found_by("E4", looked_at) == []


@pytest.mark.parametrize(
    "others", [[], [secret("b", SYNCED)], [secret("b", SYNCED), secret("c", OWNED)]]
)
def test_one_that_fails_beside_others_that_do_not_lacks_its_item(
    others: list[dict[str, Any]],
) -> None:
    looked_at = scene(store(), secret("a", UNSERVED), *others)

    assert found_by("E3", looked_at) == []
    assert {f.subject: f.cause for f in found_by("E4", looked_at)}[
        "externalsecret/apps/a"
    ] == "item"


@pytest.mark.parametrize("ref", [None, {"kind": "ClusterSecretStore", "name": ""}])
def test_a_secret_without_a_store_of_its_own_accuses_none(ref: dict[str, str] | None) -> None:
    """Each of its items may name another store, or a generator."""
    looked_at = scene(store(), secret("a", UNSERVED, store=ref))

    assert rules_of(looked_at) == ["X1"]


def test_two_of_three_lack_their_items() -> None:
    looked_at = scene(store(), secret("a", UNSERVED), secret("b", UNSERVED), secret("c", SYNCED))

    assert [f.cause for f in found_by("E4", looked_at)] == ["item", "item"]


def test_what_its_vault_did_not_give_may_come() -> None:
    """A quota passes, an item is written; the condition is the same for both. Mutant: call it missing for good."""
    looked_at = scene(store(), secret("a", UNSERVED), secret("b", SYNCED))

    assert [f.clears_itself for f in found_by("E4", looked_at)] == ["unknown"]


@pytest.mark.parametrize(
    ("failed", "ready", "cause"),
    [
        (AT - 120, AT - 20, "store"),
        (AT - 20, AT - 20, "store"),  # of one second nobody knows the order
        (AT - 19, AT - 20, "item"),
        (AT - 9000, AT - RETRIED_SECONDS + 1, "store"),
        (AT - 9000, AT - RETRIED_SECONDS, "item"),
    ],
    ids=["before", "in the same second", "since", "its pause is not over", "asked again"],
)
def test_a_secret_that_failed_before_its_store_was_ready_is_tried_again_by_its_controller(
    failed: float, ready: float, cause: str
) -> None:
    """Mutants: the instants are not compared; nor is the longest pause of its controller."""
    looked_at = scene(store(at=ready), secret("a", UNSERVED, failed), secret("b", SYNCED, AT - 5))

    told = [(f.cause, f.clears_itself) for f in found_by("E4", looked_at)]

    assert told == [(cause, "yes" if cause == "store" else "unknown")]
    assert found_by("E4", scene(secret("a", UNSERVED, failed))) == []  # its store is the cause


def test_a_store_that_is_ready_again_is_not_accused_of_what_failed_before() -> None:
    """Mutant: count every failure. Once all were asked again, or two were, it serves nobody."""

    def told(ready: float, *failed: float) -> list[tuple[str, str]]:
        secrets = [secret(f"s{n}", UNSERVED, at) for n, at in enumerate(failed)]
        looked_at = scene(store(at=ready), *secrets)
        return [(f.rule, f.cause) for r in ("E3", "E4") for f in found_by(r, looked_at)]

    assert told(AT - 20, AT - 120, AT - 110) == [("E4", "store")] * 2
    assert told(AT - 20, AT - 120, AT - 10) == [("E4", "store"), ("E4", "item")]
    assert told(AT - 20, AT - 120, AT - 10, AT - 9) == [("E3", "outage")]
    assert told(AT - RETRIED_SECONDS, AT - 900, AT - 900) == [("E3", "outage")]


@pytest.mark.parametrize(
    ("words", "clears"),
    [
        ("failed to take ownership of target secret", "no"),
        ("target is owned by another ExternalSecret", "no"),
        ("could not update secret, target is immutable", "no"),
        ("invalid generic target", "no"),
        ("could not update secret", "unknown"),
        ("could not delete orphaned secrets", "unknown"),
    ],
)
def test_a_target_that_is_not_tried_again_is_final_and_no_other(words: str, clears: str) -> None:
    """
    The words of external-secrets 2.9.0; "could not update secret" is also a templateFrom whose ConfigMap is to come.

    Mutants: every target is final; a row of ``FINAL`` left out.
    """
    looked_at = scene(store(), secret("a", ("False", "SecretSyncedError", words), AT - 3))

    told = [(f.cause, f.clears_itself) for f in found_by("E4", looked_at)]

    assert told == [("target", clears)]


def test_a_secret_that_refuses_to_be_written_is_no_matter_of_the_store() -> None:
    both = scene(store(), secret("a", OWNED), secret("b", OWNED))

    assert [f.cause for f in found_by("E4", both)] == ["target", "target"]
    assert found_by("E3", both) == []


@pytest.mark.parametrize("ready", [SYNCED, None, ("Unknown", "x", "")])
def test_a_secret_that_did_not_fail(ready: Said | None) -> None:
    assert found_by("E4", scene(store(), secret("a", ready))) == []


@pytest.mark.parametrize("reason", ["SecretDeleted", "SecretMissing"])
def test_ready_without_a_secret(reason: str) -> None:
    (found,) = found_by("E5", scene(store(), secret("a", ("True", reason, "x"))))

    assert (found.cause, found.since) == (reason, SINCE)
    assert found_by("E5", scene(secret("a", SYNCED))) == []
    assert found_by("E5", scene(secret("a", ("False", reason, "x")))) == []


def test_what_somebody_misses_is_blocked_by_who_should_make_it() -> None:
    message = "could not resolve Secret chart values reference 'apps/a' with key 'v': secrets \"a\" not found"
    looked_at = scene(
        store(), secret("a", UNSERVED), hr("web", ready=("False", "ValuesError", message))
    )
    findings = {f.rule: f for rule in ("E4", "H5") for f in found_by(rule, looked_at)}

    (root,) = roots_of(findings, {})

    assert (root.id, root.victims) == ("E4", ("helmrelease/apps/web", "secret/apps/a"))


HOOK = "validate.externalsecret.external-secrets.io"
REFUSED = (
    f'ExternalSecret/apps/a dry-run failed (InternalError): Internal error occurred: failed calling webhook "{HOOK}": '
    'failed to call webhook: Post "https://external-secrets-webhook.eso.svc:443/validate": dial tcp 10.0.0.1:443: '
    "connect: connection refused"
)


def test_the_webhook_of_external_secrets_is_one_cause() -> None:
    hook = {
        "name": HOOK,
        "clientConfig": {"service": {"name": "external-secrets-webhook", "namespace": "eso"}},
    }
    config = {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "x"},
        "webhooks": [hook],
    }
    refused = ("False", "ReconciliationFailed", REFUSED)

    service = made("Service", "eso/external-secrets-webhook")

    (found,) = found_by(
        "E6", scene(ks("a", ready=refused), ks("b", ready=refused), config, service)
    )

    assert found.subject == "service/eso/external-secrets-webhook"
    assert found.blocks == ("kustomization/flux-system/a", "kustomization/flux-system/b")
    assert [f.subject for f in found_by("E6", scene(ks("a", ready=refused)))] == [f"webhook/{HOOK}"]


def test_only_the_hook_of_that_name_tells_where_it_is_served() -> None:
    def hook(name: str, service: str) -> dict[str, Any]:
        config = (
            {"service": {"name": service, "namespace": "eso"}} if service else {"url": "https://x"}
        )
        return {"name": name, "clientConfig": config}

    hooks = [hook("guard.example.com", "other"), hook(HOOK, ""), hook(HOOK, "right")]
    config = {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "x"},
        "webhooks": hooks,
    }
    called = REFUSED.replace("external-secrets-webhook.eso.svc", "right.eso.svc")
    refused = ks("a", ready=("False", "ReconciliationFailed", called))
    del refused["status"]["conditions"][0]["lastTransitionTime"]

    (found,) = found_by("E6", scene(refused, config))

    assert (found.subject, found.since) == ("service/eso/right", None)


def eso(name: str) -> dict[str, Any]:
    client = {"service": {"name": "external-secrets-webhook", "namespace": name}}
    hook = {"name": HOOK, "clientConfig": client}
    return {**made("ValidatingWebhookConfiguration", name), "webhooks": [hook]}


SERVICES = {name: made("Service", f"{name}/external-secrets-webhook") for name in ("eso", "test")}


@pytest.mark.parametrize("order", [("eso", "test"), ("test", "eso")])
@pytest.mark.parametrize("dead", ["eso", "test"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "by its backend"])
def test_of_two_external_secrets_the_dead_one_is_the_cause(
    order: tuple[str, str], dead: str, *, told: bool
) -> None:
    """Mutant: the first configuration with a webhook of that name."""
    (serves,) = {"eso", "test"} - {dead}
    message = REFUSED.replace(".eso.svc", f".{dead}.svc")
    message = message if told else f'failed calling webhook "{HOOK}": connection refused'
    answering = endpoints(f"{serves}/external-secrets-webhook", True)
    refused = ks("a", ready=("False", "ReconciliationFailed", message))

    (found,) = found_by("E6", scene(refused, *map(eso, order), *SERVICES.values(), answering))

    assert found.subject == f"service/{dead}/external-secrets-webhook"


@pytest.mark.parametrize("order", [("eso", "test"), ("test", "eso")])
def test_of_two_external_secrets_that_nothing_tells_apart_both_are_named(
    order: tuple[str, str],
) -> None:
    """Mutant: the first of them."""
    message = f'failed calling webhook "{HOOK}": connection refused'
    refused = ks("a", ready=("False", "ReconciliationFailed", message))

    (found,) = found_by("E6", scene(refused, *map(eso, order), *SERVICES.values()))

    assert (found.subject, found.blocks) == (f"webhook/{HOOK}", ("kustomization/flux-system/a",))
    assert all(f"service/{name}/external-secrets-webhook" in found.message for name in order)


@pytest.mark.parametrize(
    "message",
    [
        REFUSED.replace(HOOK, "guard.example.com"),
        f'admission webhook "{HOOK}" denied the request: no',
        REFUSED.replace("connection refused", "x509: certificate signed by unknown authority"),
    ],
    ids=["another webhook", "denies", "another failure"],
)
def test_another_matter_of_webhooks(message: str) -> None:
    assert found_by("E6", scene(ks("a", ready=("False", "ReconciliationFailed", message)))) == []


def synced(at: float, **metadata: str) -> dict[str, Any]:
    found = secret("creds", SYNCED, at, metadata=metadata)
    found["status"]["refreshTime"] = stamp(at)
    return found


def misses(at: float) -> dict[str, Any]:
    text = 'secret "creds" not found'
    status = {"containerStatuses": [waits("CreateContainerConfigError", text)]}
    unready = said("ContainersReady", ("False", "ContainersNotReady", ""), at)
    return pod("apps/web", unready, status=status)


@pytest.mark.parametrize(
    ("objects", "causes"),
    [
        ([synced(AT - 100), misses(AT - 50)], ["target-gone"]),
        ([synced(AT - 200), misses(AT - 900)], ["target-gone"]),
        ([synced(AT - 100), misses(AT - 150)], []),
        ([synced(AT - 100)], []),
        ([synced(AT - 100, creationTimestamp=stamp(AT - 50))], ["restored"]),
        ([synced(AT - 100, creationTimestamp=stamp(AT - 150))], []),
        ([secret("other", SYNCED), misses(AT - 50)], []),
    ],
    ids=[
        *("missed since", "the kubelet still asks", "it will be read", "nobody misses it"),
        *("older than itself", "its own status", "another's"),
    ],
)
def test_what_ready_was_worth(objects: list[dict[str, Any]], causes: list[str]) -> None:
    found = found_by("E5", scene(*objects))

    assert [f.cause for f in found] == causes
    assert all(f.blocks == (("secret/apps/creds",) * (f.cause != "restored")) for f in found)


def test_a_release_that_missed_it_before_it_was_written_proves_nothing() -> None:
    """Recipe: without the comparison with refreshTime a Secret that came a moment ago is called gone."""
    text = "could not resolve Secret chart values reference 'apps/creds' with key 'v': secrets \"creds\" not found"
    before, after = (hr("w", ready=("False", "ValuesError", text), since=AT - n) for n in (150, 50))

    assert found_by("E5", scene(synced(AT - 100), before)) == []
    assert [f.cause for f in found_by("E5", scene(synced(AT - 100), after))] == ["target-gone"]
