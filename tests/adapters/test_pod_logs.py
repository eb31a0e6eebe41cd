"""The ends of a few logs: asked seldom and within bounds, and no word of them goes on."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from phases.objects import Pod
from phases.pod_logs import Lack, LogLook, wanted
from phases.snapshot import Seen, Unseen
from rekindle.adapters import pod_logs
from rekindle.adapters.known import Known
from rekindle.adapters.listing import list_all
from rekindle.adapters.pod_logs import LogPoller, Logs, LogsReport, look_at_all
from rekindle.adapters.resources import RESOURCES
from rekindle.cli import diagnose
from rekindle.looks.frames import Differ, Joiner
from tests.adapters.conftest import until_true, write_kubeconfig
from tests.adapters.scripted import Answer, Streamed, refused

if TYPE_CHECKING:
    from pathlib import Path

    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

AT = 7.0
PATH = "/api/v1/namespaces/net/pods/cloudflared-1/log"
KEY = "net/cloudflared-1"
TOKEN = "eyJhIjoiMDEyMzQ1Njc4OWFiY2RlZiIsInQiOiJ0dW5uZWwiLCJzIjoic2VjcmV0In0="
STAMP = "2027-01-15T08:00:00.5Z 2027-01-15T08:00:00Z"
REFUSED_BY_EDGE = (
    f"{STAMP} INF Settings: map[token:{TOKEN}]\n"
    f'{STAMP} ERR Register tunnel error from server side error="Unauthorized: {TOKEN}"\n'
)
SAID = LogLook("u-1", unconnected_since=1_800_000_000.5, lacks=(Lack.UNAUTHORIZED,))


def body(uid: str = "u-1", name: str = "cloudflared-1") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "net", "name": name, "uid": uid},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app"}]},
    }


def pods(*given: dict[str, Any]) -> dict[str, Pod]:
    found = [msgspec.convert(one, Pod) for one in given or (body(),)]
    return {f"{one.metadata.namespace}/{one.metadata.name}": one for one in found}


def looked(api: Api) -> Seen[LogLook] | Unseen:
    (look,) = look_at_all(api, pods(), lambda: AT).values()
    return look


def test_the_end_of_a_log_is_asked_for_and_reduced(scripted: ScriptedApi, api: Api) -> None:
    scripted.on(PATH, Answer(REFUSED_BY_EDGE.encode()))

    assert looked(api) == Seen(SAID, AT)
    (asked,) = scripted.asked
    assert asked.query == {
        "container": "app",
        "tailLines": "400",
        "limitBytes": "131072",
        "timestamps": "true",
    }


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refused(403, 'pods "cloudflared-1" is forbidden: cannot get resource "pods/log"'), "denied"),
        (refused(404), "odd"),
        (refused(400, "container is waiting to start"), "odd"),
        (Answer(REFUSED_BY_EDGE.encode(), 500), "odd"),
        (Answer(REFUSED_BY_EDGE.encode(), delay=3.0), "silent"),
        (Streamed((REFUSED_BY_EDGE.encode(),), end="hang"), "silent"),
        (Streamed((REFUSED_BY_EDGE.encode(),), end="cut"), "odd"),
    ],
    ids=["denied", "gone", "not begun", "no Status", "slow", "without end", "broken off"],
)  # fmt: skip
def test_what_cannot_be_read_is_unknown_and_says_why(
    reply: Answer, code: str, scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: half a log is one; an error's body is a log, or is quoted; a log has all the time that it wants."""
    monkeypatch.setattr(pod_logs, "ANSWER_SECONDS", 0.5)
    scripted.on(PATH, reply)
    began = time.monotonic()

    look = looked(api)

    assert isinstance(look, Unseen)
    assert (look.since, time.monotonic() - began < 2.5) == (0.0, True)
    assert look.code == code
    assert TOKEN not in look.why


def test_a_log_as_long_as_the_limit_is_cut_at_its_end_and_a_longer_one_is_refused(
    scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server counts from the first line of the tail. Mutants: what is cut is whole; any length is read."""
    text = REFUSED_BY_EDGE.encode()
    monkeypatch.setattr(pod_logs, "LIMIT_BYTES", len(text))
    scripted.on(PATH, Answer(text), Answer(text + b"\n"))

    assert looked(api) == Seen(msgspec.structs.replace(SAID, cut=True), AT)
    assert scripted.asked[0].query["limitBytes"] == str(len(text))
    longer = looked(api)
    assert isinstance(longer, Unseen)
    assert f"more than {len(text)} bytes" in longer.why


def test_a_mistake_of_ours_is_unknown_and_quotes_nothing(
    scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: take ``outliving`` out of the look."""

    def broken(*_given: object, **_named: object) -> LogLook:
        raise ValueError(TOKEN)

    monkeypatch.setattr(pod_logs, "reduced", broken)
    scripted.on(PATH, Answer(REFUSED_BY_EDGE.encode()))

    assert looked(api) == Unseen(0.0, "odd", "our own mistake: ValueError")


def test_all_logs_together_have_one_deadline(
    scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: each has its own time, and sixteen that hang cost more than a minute."""
    monkeypatch.setattr(pod_logs, "ROUND_SECONDS", 0.3)
    many = pods(*(body(f"u-{n}", f"cloudflared-{n}") for n in range(8)))
    for key in many:
        scripted.on(f"/api/v1/namespaces/net/pods/{key[4:]}/log", Answer(b"", delay=3.0))
    began = time.monotonic()

    looks = look_at_all(api, many, lambda: AT)

    assert time.monotonic() - began < 2.0
    assert [look.code for look in looks.values() if isinstance(look, Unseen)] == ["silent"] * 8


def test_a_diagnosis_reads_them_and_holds_no_word_of_them(
    scripted: ScriptedApi, tmp_path: Path
) -> None:
    """Mutants: leave the logs out of ``list_all``, or read them for whoever lists; ask for none in ``diagnose``."""
    for kind, places in RESOURCES.items():
        items = [body(), body("u-2", "other")] if kind == "Pod" else []
        listed = {"kind": f"{kind}List", "metadata": {"resourceVersion": "7"}, "items": items}
        scripted.on(places[0].path(), Answer(json.dumps(listed).encode()))
    scripted.on(PATH, Answer(REFUSED_BY_EDGE.encode()))

    kubeconfig = write_kubeconfig(tmp_path / "k", scripted.url)
    assert list_all(kubeconfig).logs == {}
    assert not scripted.asked_for(PATH)

    snapshot = diagnose.listed(kubeconfig)

    (look,) = snapshot.logs.values()
    assert isinstance(look, Seen)
    assert look.value == SAID
    assert [one.path for one in scripted.asked if one.path.endswith("/log")] == [PATH]
    assert TOKEN not in msgspec.json.encode(snapshot).decode()
    frame = Differ().frame(snapshot, 1)
    assert TOKEN not in msgspec.json.encode(frame).decode()
    assert Joiner().snapshot(frame).logs == snapshot.logs


# --- the poller ----------------------------------------------------------------------------------


def made(api: Api, reports: list[Logs]) -> LogPoller:
    return LogPoller(api, lambda one: reports.append(one.logs), clock=lambda: AT, poll_seconds=0.02)


def test_a_log_is_asked_once_a_minute_and_a_new_pods_at_once(
    scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: ask at each round; know a pod by its name alone; keep what is said of a pod that is gone."""
    scripted.on(PATH, Answer(REFUSED_BY_EDGE.encode()))
    reports: list[Logs] = []
    poller = made(api, reports)
    poller.start()
    poller.want(pods())
    until_true(lambda: reports)
    time.sleep(0.2)
    assert (reports, len(scripted.asked)) == ([{KEY: Seen(SAID, AT)}], 1)

    poller.want(pods(body("u-new")))
    until_true(lambda: len(reports) == 2)
    look = reports[1][KEY]
    assert isinstance(look, Seen)
    assert look.value.uid == "u-new"

    monkeypatch.setattr(pod_logs, "EVERY_SECONDS", 0.0)
    scripted.on(PATH, refused(403))
    until_true(lambda: isinstance(reports[-1].get(KEY), Unseen))
    assert cast("Unseen", reports[-1][KEY]).since == AT

    poller.want({})
    until_true(lambda: reports[-1] == {})
    poller.stop()
    poller.join(3.0)


def test_the_poller_goes_on_after_a_mistake_and_says_that_nothing_is_known(
    scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: take ``outliving`` out of the loop."""
    scripted.on(PATH, Answer(REFUSED_BY_EDGE.encode()))
    reports: list[Logs] = []
    used = 0

    def failing(given: dict[str, Pod]) -> object:
        nonlocal used
        used += 1
        if used == 2:
            raise RecursionError(TOKEN)
        return wanted(given)

    monkeypatch.setattr(pod_logs, "wanted", failing)
    poller = made(api, reports)
    poller.want(pods())
    poller.start()
    until_true(lambda: len(reports) >= 3)
    poller.stop()
    poller.join(3.0)

    seen = {KEY: Seen(SAID, AT)}
    odd = {KEY: Unseen(AT, "odd", "our own mistake: RecursionError")}
    assert reports[:3] == [seen, odd, seen]


def test_what_does_not_fit_into_a_round_comes_in_the_next(
    scripted: ScriptedApi, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: note as asked what no time was left for; it would be unknown for a minute."""
    monkeypatch.setattr(pod_logs, "ROUND_SECONDS", 0.2)
    both = pods(body(), body("u-2", "cloudflared-2"))
    other = "/api/v1/namespaces/net/pods/cloudflared-2/log"
    scripted.on(PATH, Answer(b"", delay=3.0))
    scripted.on(other, Answer(REFUSED_BY_EDGE.encode()))
    reports: list[Logs] = []
    poller = made(api, reports)
    poller.want(both)
    poller.start()
    until_true(lambda: len(reports) >= 2)
    poller.stop()
    poller.join(5.0)

    assert list(reports[0]) == [KEY]
    assert isinstance(reports[1]["net/cloudflared-2"], Seen)


def test_a_report_is_in_the_next_look_and_wakes_no_turn() -> None:
    """Mutants: drop the report; call it a change."""
    known = Known(())

    assert known.take(LogsReport({KEY: Seen(SAID, AT)})) is False
    assert known.snapshot(AT).logs == {KEY: Seen(SAID, AT)}
