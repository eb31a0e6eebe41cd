"""Dead APIs and dead webhooks, in the words of a real API server, and only their end helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rekindle.simulator.api import Refused
from rekindle.simulator.scenario import AdmissionWebhook, AggregatedApi, load_scenario
from rekindle.simulator.shapes import Plain, meta_of
from rekindle.simulator.tree import Item
from rekindle.simulator.world import SimWorld
from tests.simulator.worlds import DATA, do, messages, objects, run_for

API = "v1beta1.metrics.k8s.io"
HOOK = "ValidatingWebhookConfiguration"
CAPTURES = Path(__file__).parents[1] / "phases" / "data" / "captures"
WORKING = "kube-system/coredns"


def world_with(*, api_backend: str | None = None, **hook: Any) -> SimWorld:  # noqa: ANN401
    found = load_scenario(DATA / "small-healthy.yaml")
    service = "kube-system/metrics-server"
    apis = () if api_backend is None else (AggregatedApi(API, service, api_backend),)
    given = {
        "configuration": "guard",
        "name": "guard.example.com",
        "service": "policy/guard",
        "resources": ("configmaps", "externalsecrets.external-secrets.io"),
        **hook,
    }
    hooks = (AdmissionWebhook(**given),) if hook else ()
    return SimWorld(replace(found, initial=replace(found.initial, apis=apis, webhooks=hooks)))


def recorded(name: str) -> dict[str, tuple[str, str, str]]:
    body = json.loads((CAPTURES / f"{name}.json").read_text())
    return {
        c["type"]: (c["status"], c["reason"], c["message"]) for c in body["status"]["conditions"]
    }


def test_a_dead_api_says_what_a_real_one_says() -> None:
    world = world_with(api_backend="")

    assert messages(world, "APIService", API) == recorded("apiservice-servicenotfound")


def test_no_namespace_goes_while_an_api_is_dead_and_all_is_as_recorded() -> None:
    world = world_with(api_backend="")
    world.cluster.api.delete("Namespace", "apps")
    run_for(world, 36_000)

    assert messages(world, "Namespace", "apps") == recorded("namespace-terminating-dead-apiservice")
    assert world.cluster.api.within("apps") == []

    uid = objects(world, "APIService")[API].metadata.uid
    settled = do(world, "a1", "apiservice.remove", API, kind="APIService", name=API, uid=uid)
    assert settled.outcome == "done"
    run_for(world, 120)
    assert "apps" not in objects(world, "Namespace")


def test_an_api_is_served_as_long_as_its_backend_is() -> None:
    world = world_with(api_backend=WORKING)
    assert messages(world, "APIService", API)["Available"][0] == "True"

    for key in [key for key in world.cluster.api.all("Pod") if key.startswith(WORKING)]:
        world.cluster.api.remove("Pod", key)
    run_for(world, 3)
    assert messages(world, "APIService", API)["Available"][1] == "MissingEndpoints"

    run_for(world, 300)
    assert messages(world, "APIService", API)["Available"][0] == "True"


def refused(world: SimWorld, kind: str = "ConfigMap", key: str = "apps/x") -> str:
    try:
        world.cluster.api.create(kind, Plain(meta_of(key)))
    except Refused as error:
        return error.message
    return ""


def test_a_dead_webhook_refuses_what_it_matches_in_the_api_servers_words() -> None:
    world = world_with(policy="Fail")

    assert refused(world) == (
        'Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: '
        'Post "https://guard.policy.svc:443/admit?timeout=10s": service "guard" not found'
    )
    dry_run = world.cluster.maker.dry_run
    # What is there already is asked about as well: an apply is an update.
    for kind, key in (("ExternalSecret", "apps/web"), ("ConfigMap", "apps/x")):
        text = dry_run(Item(kind, key=key))
        assert text.startswith(
            f"{kind}/{key} dry-run failed (InternalError): Internal error occurred: "
        )
        assert text.endswith("\n")
    assert dry_run(Item("Deployment", key="apps/web")) == ""


@pytest.mark.parametrize(
    "hook",
    [
        {"policy": "Ignore"},
        {"backend": WORKING},
        {"namespaces": ("kube-system",)},
        {"operations": ("DELETE",)},
        {"resources": ("secrets",)},
    ],
)
def test_a_webhook_that_need_not_be_asked_or_answers_is_in_nobodys_way(
    hook: dict[str, Any],
) -> None:
    assert refused(world_with(**hook)) == ""


def test_a_backend_without_ready_pods_has_no_endpoints() -> None:
    world = world_with(backend=WORKING)
    for key in [key for key in world.cluster.api.all("Pod") if key.startswith(WORKING)]:
        world.cluster.api.remove("Pod", key)
    run_for(world, 1)

    assert refused(world).endswith('no endpoints available for service "guard"')


def test_a_removal_is_of_this_object_and_of_no_other() -> None:
    world = world_with(policy="Fail")
    found = objects(world, HOOK)["guard"]

    other = do(world, "a1", "webhook.remove", "x", kind=HOOK, name="guard", uid="another")
    done = do(world, "a2", "webhook.remove", "x", kind=HOOK, name="guard", uid=found.metadata.uid)
    again = do(world, "a3", "webhook.remove", "x", kind=HOOK, name="guard", uid=found.metadata.uid)

    assert (other.outcome, other.code) == ("failed", "conflict")
    assert (done.outcome, done.code) == ("done", "")
    assert (again.outcome, again.code) == ("done", "not-found")
    assert refused(world) == ""


def test_a_nudge_passes_admission_as_everything_does() -> None:
    world = world_with(resources=("kustomizations.kustomize.toolkit.fluxcd.io",))
    found = objects(world, "Kustomization")["apps/web"]

    named = {"kind": "Kustomization", "namespace": "apps", "name": "web", "uid": found.metadata.uid}
    settled = do(world, "a1", "flux.nudge", "x", requested_at="T#1", ready=True, **named)

    assert (settled.outcome, settled.code) == ("failed", "transient")
    assert "failed calling webhook" in str(settled.evidence)
