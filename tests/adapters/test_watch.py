"""The list/watch against a server that misbehaves in every way that was thought of."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from phases.objects import Pod
from phases.snapshot import Seen, Unseen
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.decoding import Decoder, EventFailedError
from rekindle.adapters.reports import Cache, Changes, Report, Silence, Whole
from rekindle.adapters.watch import Watcher
from tests.adapters.conftest import until_true
from tests.adapters.scripted import (
    Answer,
    Asked,
    Reply,
    Streamed,
    event,
    listed,
    node,
    refused,
    status_object,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.entries import Json
    from rekindle.adapters.connection import Connection
    from tests.adapters.scripted import ScriptedApi

NODES = "/api/v1/nodes"
WATCH = "/api/v1/nodes?watch"
BOOKMARK = event("BOOKMARK", {"kind": "Node", "metadata": {"resourceVersion": "77"}})


class Watched:
    """A watcher and the cache that its reports make."""

    def __init__(self, connection: Connection, kind: str, **options: Json) -> None:
        self.cache = Cache((kind,))
        self.reports: list[Report] = []
        self.kind = kind
        self.watcher = Watcher(connection, kind, self._take, **options)
        self.watcher.start()

    def _take(self, report: Report) -> None:
        self.cache.take(report)
        self.reports.append(report)

    def names(self) -> set[str]:
        return set(self.cache.of(self.kind))

    def heard(self, kind: type[Report]) -> list[Report]:
        return [report for report in list(self.reports) if isinstance(report, kind)]

    def look(self, later: float = 0.0) -> Json:
        return self.cache.objects(time.time() + later)[self.kind]


Watch = "Callable[..., Watched]"


@pytest.fixture
def watch(connection: Connection) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def start(kind: str = "Node", **options: Json) -> Watched:
        made.append(Watched(connection, kind, **options))
        return made[-1]

    yield start
    for watched in made:
        watched.watcher.stop()
    for watched in made:
        watched.watcher.join(3.0)


def test_pages_are_put_together(scripted: ScriptedApi, watch: Callable[..., Watched]) -> None:
    scripted.on(NODES, listed("Node", [node("a")], token="t1"), listed("Node", [node("b")]))
    scripted.on(WATCH, Streamed())
    watched = watch(page_size=1)
    until_true(lambda: watched.names() == {"a", "b"})

    first, second = scripted.asked_for(NODES)[:2]
    assert (first.query["limit"], second.query["continue"]) == ("1", "t1")
    assert first.headers["authorization"] == "Bearer a-token"


def test_changes_arrive(scripted: ScriptedApi, watch: Callable[..., Watched]) -> None:
    scripted.on(NODES, listed("Node", [node("a"), node("b")]))
    lines = event("ADDED", node("c", 11)) + event("DELETED", node("a", 12))
    scripted.on(WATCH, Streamed((lines[:40], lines[40:])))
    watched = watch()
    until_true(lambda: watched.names() == {"b", "c"})


def test_a_bookmark_is_where_the_next_watch_begins(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, listed("Node", [node("a")]))
    scripted.on(WATCH, Streamed((BOOKMARK,), end="clean"), Streamed())
    watched = watch()
    until_true(lambda: len(scripted.asked_for(NODES)) >= 3)

    assert scripted.asked_for(NODES)[2].query["resourceVersion"] == "77"
    assert scripted.asked_for(NODES)[1].query["allowWatchBookmarks"] == "true"
    assert watched.names() == {"a"}


def test_as_long_as_nothing_breaks_a_kind_is_listed_once(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """Mutant: forget the version when a watch ends as it should; fifty thousand pods would come every four minutes."""
    scripted.on(NODES, listed("Node", [node("a")]))
    quiet = Streamed((BOOKMARK,), end="clean")
    change = Streamed((event("MODIFIED", node("a", 80)),), end="clean")
    scripted.on(WATCH, quiet, Streamed((), end="clean"), change, quiet, Streamed())
    watched = watch()
    until_true(lambda: len([a for a in scripted.asked_for(NODES) if "watch" in a.query]) == 5)

    assert [a.query.get("resourceVersion") for a in scripted.asked_for(NODES)] == [
        *(None, "10", "77", "77", "80", "77"),
    ]
    assert len(watched.heard(Whole)) == 1


def test_a_cut_in_the_middle_of_a_line_loses_nothing(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    line = event("ADDED", node("b", 20))
    scripted.on(NODES, listed("Node", [node("a")], version=10))
    cut = Streamed((event("MODIFIED", node("a", 15)), line[: len(line) // 2]), end="cut")
    scripted.on(WATCH, cut, Streamed((line,)))
    watched = watch()
    until_true(lambda: watched.names() == {"a", "b"})

    assert [a.query.get("resourceVersion") for a in scripted.asked_for(NODES)][1:3] == ["10", "15"]
    assert len(watched.heard(Whole)) == 1


@pytest.mark.parametrize(
    "gone",
    [
        Streamed((event("ERROR", json.loads(status_object(410, "too old"))),)),
        refused(410, "too old"),
    ],
    ids=["in the stream", "by status"],
)
def test_a_forgotten_version_means_to_list_again_and_see_what_went(
    gone: Answer | Streamed, scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    first, second = listed("Node", [node("a"), node("b")]), listed("Node", [node("b")], version=99)
    scripted.on(NODES, first, second)
    scripted.on(WATCH, gone, Streamed())
    watched = watch()
    until_true(lambda: watched.names() == {"b"})

    versions = [a.query["resourceVersion"] for a in scripted.asked_for(NODES) if "watch" in a.query]
    until_true(lambda: len([a for a in scripted.asked_for(NODES) if "watch" in a.query]) >= 2)
    versions = [a.query["resourceVersion"] for a in scripted.asked_for(NODES) if "watch" in a.query]
    assert versions[:2] == ["10", "99"]
    assert watched.heard(Silence) == [], "what was seen is whole again: nothing was unseen"


def test_a_forgotten_first_page_is_asked_for_again_at_once_and_nobody_hears_of_it(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """Mutant: take 410 for any refusal; the kind is unseen until the pause after it is over."""
    scripted.on(NODES, refused(410), listed("Node", [node("a")]))
    scripted.on(WATCH, Streamed())
    watched = watch()
    until_true(lambda: watched.names() == {"a"})

    assert isinstance(watched.reports[0], Whole)


def test_a_forgotten_page_means_to_begin_the_list_again(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    page = listed("Node", [node("a")], token="t")
    scripted.on(NODES, page, refused(410), page, listed("Node", [node("b")]))
    scripted.on(WATCH, Streamed())
    watched = watch()
    until_true(lambda: watched.names() == {"a", "b"})


def versions_watched(scripted: ScriptedApi) -> list[str]:
    return [a.query["resourceVersion"] for a in scripted.asked_for(NODES) if "watch" in a.query]


@pytest.mark.parametrize(
    "refusal",
    [
        refused(400, "Too large resource version"),
        refused(504, "Too large resource version"),
        refused(429),
        Streamed((event("ERROR", json.loads(status_object(504, "Too large"))),)),
        None,
    ],
    ids=["400", "504", "429", "504 in the stream", "silence"],
)
def test_a_version_that_a_watch_is_refused_from_is_never_asked_for_again(
    refusal: Reply, scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """Etcd is another one and counts from the beginning. Mutant: keep the version when a watch is refused."""
    old = listed("Node", [node("old")], version=100_000)
    scripted.on(NODES, old, listed("Node", [node("new")], version=6))
    scripted.on(WATCH, refusal, Streamed())
    watched = watch(idle_seconds=0.3)
    until_true(lambda: watched.names() == {"new"})
    until_true(lambda: len(versions_watched(scripted)) >= 2)

    assert versions_watched(scripted)[:2] == ["100000", "6"]


def test_after_the_api_was_away_the_kind_is_listed_again(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """The new server says nothing up to the old version. Mutant: hurry without forgetting the version."""
    old = listed("Node", [node("old")], version=100_000)
    scripted.on(NODES, old, listed("Node", [node("new")], version=6))
    scripted.on(WATCH, Streamed())
    watched = watch()
    until_true(lambda: watched.heard(Changes))
    watched.watcher.hurry()
    until_true(lambda: watched.names() == {"new"})
    until_true(lambda: len(versions_watched(scripted)) >= 2)

    assert versions_watched(scripted)[:2] == ["100000", "6"]


def test_a_hurry_is_not_lost_while_a_watch_is_being_opened(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """Mutant: do not look at the hurry once the stream is there."""
    begun: list[Watched] = []

    def hurried(asked: Asked) -> Reply:
        del asked
        begun[0].watcher.hurry()
        return Streamed()

    scripted.on(NODES, listed("Node", [node("old")]), listed("Node", [node("new")], version=6))
    scripted.on(WATCH, hurried, Streamed())
    begun.append(watch())
    until_true(lambda: begun[0].names() == {"new"})


ODD_POD = {
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "finalizers": None},
    "spec": {"odd": "DIGITS"},
}


def with_digits(text: bytes) -> bytes:
    return text.replace(b'"DIGITS"', b"1" * 5000)


def test_one_odd_object_in_a_list_does_not_end_the_watch(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """An integer of 5000 digits, and a null that makes us decode it at leisure. Mutant: ``json.loads`` as it was."""
    odd = Answer(with_digits(listed("Pod", [ODD_POD]).body))
    fine = {**ODD_POD, "metadata": {"name": "fine", "namespace": "n", "uid": "f"}, "spec": {}}
    scripted.on("/api/v1/pods", odd, listed("Pod", [fine]))
    scripted.on("/api/v1/pods?watch", Streamed())
    watched = watch("Pod")
    until_true(lambda: watched.names() == {"n/fine"})
    (silence, *_) = watched.heard(Silence)

    assert isinstance(silence, Silence)
    assert "no list of Pod" in silence.why


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"kind": "\xff"}',
        b'{"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": [{"kind": "\xff"}]}',
        b'{"type": "ADDED", "object": {"kind": "Pod", "metadata": ' + b"[" * 100_000 + b"}}",
        b'{"type": "ERROR", "object": ' + b'{"a":' * 100_000 + b"}}",
    ],
    ids=["deep", "no text", "no text inside", "deep object", "deep error"],
)
def test_what_cannot_be_decoded_is_said_in_our_own_words(body: bytes) -> None:
    """Mutant: catch MsgspecError alone."""
    decoder = Decoder("Pod", Pod)
    with pytest.raises(UnansweredError):
        decoder.page([body])
    with pytest.raises(EventFailedError):
        decoder.event(body)


def test_one_odd_event_does_not_end_the_watch(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on("/api/v1/pods", listed("Pod", []))
    fine = {**ODD_POD, "metadata": {"name": "fine", "namespace": "n", "uid": "f"}, "spec": {}}
    odd = Streamed((with_digits(event("ADDED", ODD_POD)),), end="clean")
    scripted.on("/api/v1/pods?watch", odd, Streamed((event("ADDED", fine),)))
    watched = watch("Pod")
    until_true(lambda: "n/fine" in watched.names())


def test_a_mistake_of_ours_is_a_silence_and_not_the_end(
    scripted: ScriptedApi, connection: Connection
) -> None:
    """Mutant: take ``outliving`` out of the loop. The text of the mistake might quote a Secret."""
    reports: list[Report] = []

    def report(found: Report) -> None:
        reports.append(found)
        if len(reports) == 1:
            raise KeyError("hunter2")

    scripted.on(NODES, listed("Node", [node("a")]))
    scripted.on(WATCH, Streamed())
    watcher = Watcher(connection, "Node", report)
    watcher.start()
    until_true(lambda: len(reports) >= 4)
    watcher.stop()
    watcher.join(3.0)

    assert [type(found) for found in reports[:4]] == [Whole, Silence, Whole, Changes]
    assert isinstance(reports[1], Silence)
    assert (reports[1].code, reports[1].why) == ("odd", "our own mistake: KeyError")


def test_a_list_that_goes_round_in_circles_is_given_up(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """Mutant: do not compare the tokens; then it is listed for ever and nothing is ever said."""
    scripted.on(NODES, listed("Node", [node("a")], token="t1"))
    watched = watch(page_size=1)
    until_true(lambda: watched.heard(Silence))

    (silence, *_) = watched.heard(Silence)
    assert isinstance(silence, Silence)
    assert "circles" in silence.why
    assert not watched.heard(Whole)


def test_half_a_line_is_no_sign_of_life(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    """Bytes keep coming, lines do not. Mutant: delete the check of the last line's age in ``_follow``."""
    scripted.on(NODES, listed("Node", [node("a")]))
    scripted.on(WATCH, Streamed(tuple(b"x" for _ in range(3000))), Streamed())
    watch(idle_seconds=0.3)
    until_true(lambda: len(versions_watched(scripted)) >= 2, seconds=5)


def test_garbage_in_the_stream_means_to_list_again(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, listed("Node", [node("a")]), listed("Node", [node("b")]))
    scripted.on(WATCH, Streamed((b"<html>\n",)), Streamed())
    watched = watch()
    until_true(lambda: watched.names() == {"b"})

    assert watched.heard(Silence)


def test_an_event_about_another_kind_is_not_taken(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, listed("Node", [node("a")]))
    stranger = {**node("x"), "kind": "Pod"}
    scripted.on(WATCH, Streamed((event("ADDED", stranger),)), Streamed())
    watched = watch()
    until_true(lambda: len(watched.heard(Whole)) >= 2)

    assert watched.names() == {"a"}


@pytest.mark.parametrize(
    "lie",
    [
        listed("Pod", []),
        Answer(b'{"kind": "Status", "metadata": {}}'),
        Answer(b"<html>it works</html>"),
        Answer(b""),
        Answer(b"[" * 100_000),
        refused(500, "etcd"),
    ],
    ids=["another kind", "a status", "a page", "nothing", "deep", "500"],
)
def test_a_lie_is_no_empty_list(
    lie: Answer, scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, lie)
    watched = watch()
    until_true(lambda: watched.heard(Silence))

    assert isinstance(watched.look(), Unseen)
    assert watched.look().code == "odd"


def test_what_was_seen_is_unknown_only_after_ten_seconds(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, listed("Node", [node("a")]), refused(500))
    scripted.on(WATCH, refused(500))
    watched = watch()
    until_true(lambda: watched.heard(Silence))

    assert isinstance(watched.look(later=5), Seen)
    assert isinstance(watched.look(later=15), Unseen)


def test_denied_is_said_to_be_denied(scripted: ScriptedApi, watch: Callable[..., Watched]) -> None:
    scripted.on(NODES, refused(403))
    watched = watch()
    until_true(lambda: watched.heard(Silence))

    assert watched.look().code == "denied"


def test_a_kind_that_is_not_installed_is_seen_and_empty_until_it_is(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    watched = watch("HelmRelease")
    until_true(lambda: isinstance(watched.look(), Seen))
    assert watched.look().value == {}

    release = {"kind": "HelmRelease", "metadata": {"name": "r", "namespace": "n", "uid": "u"}}
    path = "/apis/helm.toolkit.fluxcd.io/v2beta2/helmreleases"
    scripted.on(path, listed("HelmRelease", [release]))
    scripted.on(f"{path}?watch", Streamed())
    watched.watcher.look_for_crd()
    until_true(lambda: watched.names() == {"n/r"}, seconds=3)


def test_an_idle_stream_is_opened_again(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, listed("Node", [node("a")]))
    scripted.on(WATCH, Streamed())
    watched = watch(idle_seconds=0.3)
    until_true(lambda: len(scripted.asked_for(NODES)) >= 4)

    assert not watched.heard(Silence)
    assert len(watched.heard(Whole)) == 1


def test_stopping_does_not_wait_for_a_silent_server(
    scripted: ScriptedApi, watch: Callable[..., Watched]
) -> None:
    scripted.on(NODES, listed("Node", [node("a")]))
    scripted.on(WATCH, Streamed())
    watched = watch()
    until_true(lambda: watched.heard(Changes))
    began = time.monotonic()
    watched.watcher.stop()
    watched.watcher.join(5.0)

    assert time.monotonic() - began < 2.0


def test_nulls_stand_for_nothing(scripted: ScriptedApi, watch: Callable[..., Watched]) -> None:
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "finalizers": None},
        "status": {"phase": "Running", "conditions": None, "containerStatuses": [{"name": "c"}]},
    }
    scripted.on("/api/v1/pods", listed("Pod", [pod]))
    scripted.on("/api/v1/pods?watch", Streamed())
    watched = watch("Pod")
    until_true(lambda: watched.names() == {"n/p"})

    found = watched.look().value["n/p"]
    assert isinstance(found, Pod)
    assert found.status.container_statuses[0].name == "c"


def test_snapshots_that_were_given_away_do_not_change() -> None:
    cache = Cache(("Node",))
    cache.take(Whole("Node", 1.0, {}))
    before = cache.objects(1.0)["Node"]
    assert cache.take(Changes("Node", 2.0, (("a", object()),)))

    assert isinstance(before, Seen)
    assert before.value == {}


def test_a_sign_of_life_is_no_change() -> None:
    cache = Cache(("Node",))
    cache.take(Whole("Node", 1.0, {}))

    assert not cache.take(Changes("Node", 2.0, ()))
