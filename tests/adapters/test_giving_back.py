"""
``apply.give-back``: our field manager comes off where the owner owns the same, and nowhere else.

Mutants: give back what only we own (it would be removed); no resourceVersion; take another manager's entry for ours;
call it over where its owner had not taken it up yet, or owed where everybody was through.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from journal.entries import Outcome
from rekindle.adapters.discovery import Discovery
from rekindle.adapters.giving_back import give_back, only_ours
from tests.adapters.conftest import make_intent
from tests.adapters.scripted import Answer, Reply, refused
from tests.adapters.test_writes import resources

if TYPE_CHECKING:
    from engine.world import Settlement
    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

PATH = "/api/v1/namespaces/apps/configmaps/one"
DOCUMENT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "one", "namespace": "apps"},
}
DATA: dict[str, Any] = {"f:data": {".": {}, "f:a": {}}}


def entry(manager: str, fields: dict[str, Any], operation: str = "Apply") -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def found(*managed: dict[str, Any]) -> Answer:
    metadata = {"name": "one", "namespace": "apps", "resourceVersion": "41"}
    body = {"kind": "ConfigMap", "metadata": {**metadata, "managedFields": list(managed)}}
    return Answer(json.dumps(body).encode())


def given_back(scripted: ScriptedApi, api: Api, reply: Reply) -> Settlement:
    scripted.on("/api/v1", resources(("configmaps", "ConfigMap", True)))
    scripted.on(PATH, reply)
    scripted.on(PATH, Answer(), method="PATCH")
    return give_back(make_intent("apply.give-back"), api, Discovery(api), [DOCUMENT])


def test_what_its_owner_owns_as_well_is_given_back_in_the_version_that_was_seen(
    scripted: ScriptedApi, api: Api
) -> None:
    more: dict[str, Any] = {"f:data": {".": {}, "f:a": {}, "f:b": {}}}
    settled = given_back(
        scripted, api, found(entry("rekindle", DATA), entry("kustomize-controller", more))
    )

    (patch,) = scripted.asked_for(PATH, "PATCH")
    metadata = {"name": "one", "resourceVersion": "41", "namespace": "apps"}
    assert patch.json() == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    assert patch.query["fieldManager"] == "rekindle"
    assert patch.headers["content-type"] == "application/apply-patch+yaml"
    assert settled.outcome is Outcome.DONE
    assert settled.evidence == {"released": ["ConfigMap one"], "kept": []}


def test_what_only_we_own_stays_and_is_named(scripted: ScriptedApi, api: Api) -> None:
    ours: dict[str, Any] = {"f:data": {".": {}, "f:a": {}, "f:only": {}}}
    settled = given_back(
        scripted, api, found(entry("rekindle", ours), entry("kustomize-controller", DATA))
    )

    assert not scripted.asked_for(PATH, "PATCH")
    assert settled.outcome is Outcome.DONE
    assert settled.evidence["kept"] == ["ConfigMap one: .data.only"]


@pytest.mark.parametrize(
    ("owner", "kept", "code"),
    [("helmrelease/a/b", True, "owed"), ("helmrelease/a/b", False, ""), ("", True, "")],
    ids=["early", "taken up", "at the end"],
)
def test_what_an_owner_has_not_taken_up_yet_is_owed_until_the_end(
    scripted: ScriptedApi, api: Api, *, owner: str, kept: bool, code: str
) -> None:
    scripted.on("/api/v1", resources(("configmaps", "ConfigMap", True)))
    theirs: dict[str, Any] = {} if kept else DATA
    scripted.on(PATH, found(entry("rekindle", DATA), entry("helm", theirs, "Update")))
    scripted.on(PATH, Answer(), method="PATCH")
    arguments: dict[str, Any] = {"owner": owner} if owner else {}
    intent = make_intent("apply.give-back", **arguments)

    settled = give_back(intent, api, Discovery(api), [DOCUMENT])

    assert (settled.outcome, settled.code) == (Outcome.DONE, code)
    assert len(scripted.asked_for(PATH, "PATCH")) == (0 if kept else 1)


@pytest.mark.parametrize(
    "reply", [found(entry("helm", DATA)), found(), refused(404)], ids=["other", "nobody", "gone"]
)
def test_what_is_not_ours_is_left_alone(scripted: ScriptedApi, api: Api, reply: Reply) -> None:
    settled = given_back(scripted, api, reply)

    assert not scripted.asked_for(PATH, "PATCH")
    assert settled.outcome is Outcome.DONE
    assert settled.evidence["not_ours"] == 1


@pytest.mark.parametrize(
    ("status", "code"), [(409, "conflict"), (403, "denied"), (503, "transient")]
)
def test_a_refusal_promises_that_nothing_happened(
    scripted: ScriptedApi, api: Api, status: int, code: str
) -> None:
    scripted.on("/api/v1", resources(("configmaps", "ConfigMap", True)))
    scripted.on(PATH, found(entry("rekindle", DATA), entry("flux", DATA)))
    scripted.on(PATH, refused(status), method="PATCH")
    settled = give_back(make_intent("apply.give-back"), api, Discovery(api), [DOCUMENT])

    assert (settled.outcome, settled.code) == (Outcome.FAILED, code)


@pytest.mark.parametrize(
    ("managed", "alone"),
    [
        ([], None),
        ([entry("rekindle", DATA, "Update")], None),
        ([entry("rekindle", DATA)], {".data", ".data.a"}),
        ([entry("rekindle", DATA), entry("helm", DATA, "Update")], set()),
        (
            [
                entry("rekindle", {"f:spec": {'k:{"name":"x"}': {".": {}, "f:name": {}}}}),
                entry("flux", {"f:spec": {'k:{"name":"y"}': {".": {}, "f:name": {}}}}),
            ],
            {'.spec.k:{"name":"x"}', '.spec.k:{"name":"x"}.name'},
        ),
    ],
)
def test_ownership_is_read_field_by_field(
    managed: list[dict[str, Any]], alone: set[str] | None
) -> None:
    assert only_ours(managed) == alone
