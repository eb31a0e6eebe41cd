"""
What outlived its backend, on a real control plane: a webhook that must be asked, and an aggregated API.

Promise: the run names both before either refuses anybody, asks with their UID and with what is lost, removes exactly
these once a person typed their names, wakes what they had refused, and arrives. What is just as dead and in nobody's
way is named and stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from engine.memory import Approval
from engine.world import CONFLICT, Intent
from journal.entries import Outcome
from phases.verbs import UNHOOK, UNSERVE
from rekindle.adapters.connection import Connection
from rekindle.adapters.kubernetes import Api
from rekindle.adapters.removals import remove
from rekindle.folding import newest
from tests.system.conftest import Operator, until
from tests.system.small import (
    config_map,
    deeds,
    inventory,
    kustomization,
    namespace,
    nudges,
    operating,
    ready,
    write_tree,
)
from tests.testbed.recovery import Recovery

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
# The webhook refuses what GUARDED applies; LEFT's namespace cannot go, and so cannot come back.
GUARDED, LEFT, BESIDE = "guarded", "left", "beside"
HOOK, IDLE = "policy-engine", "idle-engine"
API = "v1beta1.metrics.example.com"
CONFIGURATION = "validatingwebhookconfiguration"


def webhook(name: str, space: str) -> dict[str, Any]:
    """A webhook for the ConfigMaps of a namespace; the chart that served it went with its own namespace."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": f"{name}.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {"service": {"namespace": "policy", "name": name}},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}},
                "rules": [{**rule, "operations": ["CREATE", "UPDATE"]}],
            }
        ],
    }


def api_service() -> dict[str, Any]:
    version, _, group = API.partition(".")
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": API},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": 10,
            "versionPriority": 10,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "metrics", "name": "adapter"},
        },
    }


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("bed")
    children = [kustomization(name) for name in (GUARDED, LEFT, BESIDE)]
    brought = {
        GUARDED: [namespace(GUARDED), config_map(GUARDED, GUARDED)],
        LEFT: [namespace(LEFT), config_map(LEFT, LEFT)],
        BESIDE: [config_map(BESIDE, "default")],
    }
    write_tree(folder / "tree", children, brought)
    with operating(folder, inventory(children, [GUARDED, LEFT])) as operator:
        by_hand = Recovery(operator.bed)
        by_hand.configure()
        by_hand.bootstrap()
        objects = [api_service(), webhook(HOOK, GUARDED), webhook(IDLE, "nowhere"), namespace(LEFT)]
        operator.bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
        until(
            "nobody serves the API",
            30,
            lambda: "ServiceNotFound" in whole(operator, "apiservice", API),
        )
        operator.bed.kubectl("delete", "namespace", LEFT, "--wait=false")
        yield operator


def whole(operator: Operator, kind: str, name: str) -> str:
    """An object as JSON; empty: there is none."""
    return operator.bed.kubectl("get", kind, name, "--ignore-not-found", "-o", "json")


def uid(operator: Operator, kind: str, name: str) -> str:
    return str(json.loads(whole(operator, kind, name))["metadata"]["uid"])


def test_an_api_server_deletes_nothing_whose_uid_is_another(operator: Operator) -> None:
    """Without the precondition in ``kubernetes.Api.delete`` the object is gone."""
    connection = Connection(operator.bed.kubeconfig)
    arguments = {"kind": "ValidatingWebhookConfiguration", "name": IDLE, "uid": "another"}
    try:
        settled = remove(
            Intent("a1", UNHOOK, f"{CONFIGURATION}/{IDLE}", 1, 1, 30.0, 0.0, arguments),
            Api(connection),
        )
    finally:
        connection.close()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, CONFLICT)
    assert whole(operator, CONFIGURATION, IDLE)


def question(operator: Operator) -> Approval:
    """The one question that is open."""
    found = newest(operator.journal)
    assert found is not None
    (asked,) = [a for a in found.memory.approvals.values() if not a.answer]
    return asked


def uncalled(operator: Operator) -> dict[str, tuple[str, ...]]:
    """Each webhook that nobody would answer, with whom it has refused; only the Services of the look can tell."""
    found = newest(operator.journal)
    assert found is not None
    rule = [one for one in found.memory.findings.values() if one.rule == "WH1"]
    assert all("Service policy/" in one.message for one in rule)
    return {one.subject: one.blocks for one in rule}


def test_what_nobody_serves_is_asked_about_removed_once_and_the_run_arrives(
    operator: Operator,
) -> None:
    """
    The API first: nothing is applied again before the namespace that it keeps is gone, so nobody asks the webhook.
    """
    uids = {HOOK: uid(operator, CONFIGURATION, HOOK), API: uid(operator, "apiservice", API)}

    code, document = operator.run()

    assert (code, document["outcome"]) == (4, "waiting"), operator.told()[-4000:]
    asked = question(operator)
    assert (asked.typed, asked.evidence["uid"]) == (API, uids[API])
    assert uncalled(operator) == {f"{CONFIGURATION}/{name}": () for name in (HOOK, IDLE)}
    assert "metrics.example.com/v1beta1" in asked.consequence
    assert whole(operator, "apiservice", API)
    assert operator.call("approve", asked.approval, "--type", API)[0] == 0

    code, document = operator.resume()

    assert (code, document["outcome"]) == (4, "waiting"), operator.told()[-4000:]
    asked = question(operator)
    assert (asked.typed, asked.evidence["uid"]) == (HOOK, uids[HOOK])
    assert f"{HOOK}.example.com" in asked.consequence
    assert operator.call("approve", asked.approval, "--type", IDLE)[0] != 0
    assert whole(operator, CONFIGURATION, HOOK)
    assert operator.call("approve", asked.approval, "--type", HOOK)[0] == 0

    code, document = operator.resume()

    assert (code, document["outcome"]) == (0, "done"), operator.told()[-4000:]
    removed = [*deeds(operator, UNHOOK), *deeds(operator, UNSERVE)]
    assert {str(d.arguments["name"]): d.arguments["uid"] for d in removed} == uids
    assert len(removed) == len(uids)
    assert not whole(operator, CONFIGURATION, HOOK)
    assert not whole(operator, "apiservice", API)
    assert whole(operator, CONFIGURATION, IDLE)
    for name in (GUARDED, LEFT, BESIDE):
        assert ready(operator, name).startswith("True")
    woken = nudges(operator)
    assert [cause for whom, cause in woken if whom == GUARDED] == [f"webhook:{HOOK}.example.com"]
    assert BESIDE not in {whom for whom, _ in woken}
    assert operator.call("log", "--verify")[1].startswith("whole")
