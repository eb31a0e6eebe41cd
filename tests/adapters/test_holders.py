"""What still holds a namespace or a CRD: by its conditions, and when they name nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from phases.objects import CustomResourceDefinition, Namespace
from rekindle.adapters import holders
from rekindle.adapters.discovery import Discovery
from rekindle.adapters.kubernetes import RefusedError
from tests.adapters.scripted import Answer, refused

if TYPE_CHECKING:
    from journal.entries import Json
    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

DELETED = "2026-11-22T20:40:59Z"


def namespace(message: str = "") -> dict[str, Namespace]:
    condition = {"type": "NamespaceContentRemaining", "message": message}
    condition["status"] = "True" if message else "False"
    body = {
        "metadata": {"name": "held", "deletionTimestamp": DELETED},
        "status": {"phase": "Terminating", "conditions": [condition]},
    }
    return {"held": msgspec.convert(body, Namespace)}


def metadata(name: str, *finalizers: str, **more: Json) -> dict[str, Any]:
    given = {"name": name, "namespace": "held", "uid": f"u-{name}", "finalizers": list(finalizers)}
    return {
        "kind": "PartialObjectMetadata",
        "metadata": {**given, "deletionTimestamp": DELETED, **more},
    }


def partial(*items: dict[str, Any]) -> Answer:
    return Answer(json.dumps({"kind": "PartialObjectMetadataList", "items": items}).encode())


def discovery(scripted: ScriptedApi) -> None:
    def served(*names: str) -> Answer:
        found = [
            {"name": n, "kind": n.title(), "namespaced": True, "verbs": ["list"]} for n in names
        ]
        return Answer(json.dumps({"resources": found}).encode())

    version = {"groupVersion": "example.com/v1", "version": "v1"}
    group = {"name": "example.com", "preferredVersion": version, "versions": [version]}
    scripted.on("/apis", Answer(json.dumps({"groups": [group]}).encode()))
    scripted.on("/api/v1", served("pods", "configmaps", "events"))
    scripted.on("/apis/example.com/v1", served("gadgets"))


def test_conditions_name_what_remains(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    path = "/apis/example.com/v1/namespaces/held/gadgets"
    scripted.on(path, partial(metadata("g", "example.com/operator"), metadata("free")))
    text = "Some resources are remaining: gadgets.example.com has 1 resource instances"
    (what,) = holders.terminating(namespace(text), {})
    (found,) = holders.find(what, api, Discovery(api))

    assert what.key == "namespace/held"
    assert (found.kind, found.name, found.finalizers) == ("Gadgets", "g", ("example.com/operator",))
    assert (found.group, found.version, found.resource) == ("example.com", "v1", "gadgets")
    assert found.deletion is not None
    assert "PartialObjectMetadataList" in scripted.asked_for(path)[0].headers["accept"]


def test_a_core_resource_is_named_with_a_bare_dot(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    scripted.on("/api/v1/namespaces/held/configmaps", partial(metadata("keep", "a/hold")))
    text = "Some resources are remaining: configmaps. has 1 resource instances"
    (what,) = holders.terminating(namespace(text), {})

    assert [found.name for found in holders.find(what, api, Discovery(api))] == ["keep"]


def test_a_pod_is_found_although_no_condition_speaks_of_it(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial(metadata("p", "x/f")))
    (what,) = holders.terminating(namespace(), {})

    assert [found.name for found in holders.find(what, api, Discovery(api))] == ["p"]
    assert not scripted.asked_for("/apis")


def test_everything_is_listed_when_nothing_is_named_and_no_pod_is_left(
    scripted: ScriptedApi, api: Api
) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    scripted.on("/api/v1/namespaces/held/configmaps", refused(403))
    scripted.on("/apis/example.com/v1/namespaces/held/gadgets", partial(metadata("g", "x/f")))
    (what,) = holders.terminating(namespace(), {})

    assert [found.name for found in holders.find(what, api, Discovery(api))] == ["g"]
    assert not scripted.asked_for("/api/v1/namespaces/held/events")


def test_what_cannot_be_told_is_not_empty(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", refused(500))
    (what,) = holders.terminating(namespace(), {})
    with pytest.raises(RefusedError):
        holders.find(what, api, Discovery(api))


def test_a_crd_is_held_by_its_objects(scripted: ScriptedApi, api: Api) -> None:
    body = {
        "metadata": {"name": "gadgets.example.com", "deletionTimestamp": DELETED},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [{"name": "v1alpha1"}, {"name": "v1", "served": True}],
        },
    }
    crd = msgspec.convert(body, CustomResourceDefinition)
    scripted.on("/apis/example.com/v1/gadgets", partial(metadata("g", "x/f")))
    (what,) = holders.terminating({}, {"gadgets.example.com": crd})
    (found,) = holders.find(what, api, Discovery(api))

    assert (what.key, found.kind) == ("crd/gadgets.example.com", "Gadget")
