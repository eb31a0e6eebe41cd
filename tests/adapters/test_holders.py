"""What still holds a namespace or a CRD: by its conditions, and when they name nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from phases.objects import CustomResourceDefinition, Namespace
from phases.snapshot import Seen, Unseen
from rekindle.adapters import holders
from rekindle.adapters.apiserver import HoldersReport
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.discovery import Discovery
from rekindle.adapters.holders import HolderPoller, Holders, Listing
from rekindle.adapters.known import Known
from rekindle.adapters.kubernetes import ResourcePath
from rekindle.adapters.reports import Whole
from tests.adapters.conftest import until_true
from tests.adapters.scripted import Answer, refused

if TYPE_CHECKING:
    from journal.entries import Json
    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

AT = 7.0
REMAINING = "NamespaceContentRemaining"
DELETED = "2026-11-22T20:40:59Z"


def namespace(message: str = "", kind: str = REMAINING) -> dict[str, Namespace]:
    condition = {"type": kind, "message": message}
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


def partial(*items: dict[str, Any], token: str = "") -> Answer:
    body = {"kind": "PartialObjectMetadataList", "items": items, "metadata": {"continue": token}}
    return Answer(json.dumps(body).encode())


def names(found: Listing) -> list[str]:
    return [holder.name for holder in found.holders()]


def looked(api: Api, message: str = "", kind: str = REMAINING) -> Holders:
    """Look as the poller does."""
    poller = HolderPoller(api, Discovery(api), lambda _: None, clock=lambda: AT)
    (what,) = holders.terminating(namespace(message, kind), {})
    return poller._look(what)


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
    (found,) = holders.find(what, api, Discovery(api)).holders()

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

    assert names(holders.find(what, api, Discovery(api))) == ["keep"]


def test_a_pod_is_found_although_no_condition_speaks_of_it(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial(metadata("p", "x/f")))
    (what,) = holders.terminating(namespace(), {})

    assert names(holders.find(what, api, Discovery(api))) == ["p"]
    assert not scripted.asked_for("/apis")


def test_everything_is_listed_when_nothing_is_named_and_no_pod_is_left(
    scripted: ScriptedApi, api: Api
) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    scripted.on("/api/v1/namespaces/held/configmaps", refused(405))
    scripted.on("/apis/example.com/v1/namespaces/held/gadgets", partial(metadata("g", "x/f")))
    (what,) = holders.terminating(namespace(), {})
    found = holders.find(what, api, Discovery(api))

    assert (names(found), found.untold) == (["g"], [])
    assert not scripted.asked_for("/api/v1/namespaces/held/events")


def test_what_cannot_be_told_is_not_empty(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", refused(500))
    assert isinstance(looked(api)["namespace/held"], Unseen)


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/api/v1/namespaces/held/configmaps", refused(403)),
        ("/api/v1/namespaces/held/configmaps", refused(503)),
        ("/api/v1/namespaces/held/configmaps", Answer(b"<html/>")),
        ("/api/v1/namespaces/held/configmaps", partial(token="more")),
        ("/apis/example.com/v1", refused(503)),
        ("/apis/example.com/v1", refused(403)),
    ],
    ids=["denied", "unavailable", "a page", "no end", "dead group", "hidden group"],
)
def test_nothing_found_is_empty_only_if_everything_was_listed(
    path: str, reply: Answer, scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty look proves that a finalizer was released. Mutants: 403 is nothing there; a dead group is skipped."""
    monkeypatch.setattr("rekindle.adapters.kubernetes._PAGES_LIMIT", 3)
    discovery(scripted)
    for resource in ("pods", "configmaps"):
        scripted.on(f"/api/v1/namespaces/held/{resource}", partial())
    scripted.on("/apis/example.com/v1/namespaces/held/gadgets", partial())
    assert looked(api) == {"namespace/held": Seen((), AT)}

    scripted.on(path, reply)
    found = looked(api)
    assert list(found) == ["namespace/held"]
    assert isinstance(found["namespace/held"], Unseen)
    assert path.rpartition("/")[2] in found["namespace/held"].why or "example" in path


def test_what_holds_a_namespace_does_not_hide_behind_a_dead_group(
    scripted: ScriptedApi, api: Api
) -> None:
    """It is shown, and what is missing beside it proves nothing. Mutants: raise at once; call the look complete."""
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    scripted.on("/api/v1/namespaces/held/configmaps", partial(metadata("keep", "a/hold")))
    scripted.on("/apis/example.com/v1", refused(503, "the server is currently unable"))
    reports: list[Holders] = []
    poller = HolderPoller(api, Discovery(api), reports.append, clock=lambda: AT)
    poller.start()
    poller.want(holders.terminating(namespace(), {}))
    until_true(lambda: reports)
    poller.stop()
    poller.join(3.0)
    whole, listed = reports[0]["namespace/held"], reports[0]["namespace/held/listed"]

    assert isinstance(whole, Unseen)
    assert "example.com/v1" in whole.why
    assert isinstance(listed, Seen)
    assert [found.name for found in listed.value] == ["keep"]

    known = Known(())
    known.take(Whole("Namespace", AT, namespace()))
    known.take(HoldersReport(reports[0]))
    assert known.snapshot(AT).holders == reports[0]


def test_what_the_conditions_name_is_all_that_is_listed(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: ``or what.named`` deleted, and every namespace costs a list of everything at each look."""
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    scripted.on("/apis/example.com/v1/namespaces/held/gadgets", partial())
    text = "Some resources are remaining: gadgets.example.com has 1 resource instances"

    assert looked(api, text) == {"namespace/held": Seen((), AT)}
    assert not scripted.asked_for("/api/v1/namespaces/held/configmaps")


def test_a_named_group_that_is_dead_is_not_empty(scripted: ScriptedApi, api: Api) -> None:
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial())
    scripted.on("/apis/example.com/v1", refused(503))
    text = "Some resources are remaining: gadgets.example.com has 1 resource instances"

    assert isinstance(looked(api, text)["namespace/held"], Unseen)


def test_conditions_of_a_controller_that_is_blind_name_not_everything(
    scripted: ScriptedApi, api: Api
) -> None:
    """A pod holds it, and a group that nobody can list may. Mutant: ``what.blind`` ignored."""
    discovery(scripted)
    scripted.on("/api/v1/namespaces/held/pods", partial(metadata("p", "x/f")))
    blind = "Discovery failed for some groups, 1 failing: example.com/v1"
    found = looked(api, blind, kind="NamespaceDeletionDiscoveryFailure")

    assert isinstance(found["namespace/held"], Unseen)
    assert blind in found["namespace/held"].why
    assert isinstance(found["namespace/held/listed"], Seen)


def test_an_api_that_does_not_answer_is_not_asked_for_each_resource() -> None:
    """Mutant: go on after a silence, and a look takes ten seconds a resource."""

    class Silent:
        asked = 0

        def list_metadata(self, path: str) -> Json:
            self.asked += 1
            raise UnansweredError("silent", path, sent=True)

    silent = Silent()
    gadgets = ResourcePath("example.com", "v1", "gadgets")
    what = holders.Terminating("crd/g", places=(gadgets, gadgets, gadgets))
    found = holders.find(what, cast("Api", silent), cast("Discovery", None))

    assert (names(found), found.code(), silent.asked) == ([], "silent", 1)


def test_a_mistake_of_ours_is_unknown_and_not_the_end(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: take ``outliving`` out of the look."""
    discovery(scripted)
    (what,) = holders.terminating(namespace(), {})
    poller = HolderPoller(api, cast("Discovery", None), lambda _: None, clock=lambda: AT)
    scripted.on("/api/v1/namespaces/held/pods", partial())

    found = poller._look(what)["namespace/held"]
    assert isinstance(found, Unseen)
    assert (found.code, found.why) == ("odd", "our own mistake: AttributeError")


def test_a_crd_of_which_no_version_is_served_is_not_known_to_be_empty(api: Api) -> None:
    body = {"metadata": {"name": "a.b", "deletionTimestamp": DELETED}}
    crd = msgspec.convert(body, CustomResourceDefinition)
    (what,) = holders.terminating({}, {"a.b": crd})

    assert holders.find(what, api, Discovery(api)).untold


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
    (found,) = holders.find(what, api, Discovery(api)).holders()

    assert (what.key, found.kind) == ("crd/gadgets.example.com", "Gadget")
