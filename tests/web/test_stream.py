"""
Promise: a stream says what is new, from where a browser was cut off, and always something; it ends when the run does,
when the browser has left, or when the server ends.

Mutants that turn it red: no ``Last-Event-ID``; ``after`` not handed on; no ``alive``; ``_closed`` that says False; no
``let_go``; ``looked`` set without a look; ``HEAD`` that streams.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any

import pytest
from werkzeug.test import Client

from journal import entries as e
from journal.store import Journal
from rekindle.web import application
from rekindle.web.stream import HostPace, event
from tests.web.conftest import HOST, OPENED, TOKEN, Browser, browser_of

EVENTS = "/runs/run-1/events"


@dataclass(frozen=True)
class Sent:
    kind: str
    identity: str
    data: Any

    @property
    def lines(self) -> list[str]:
        return [line["text"] for line in self.data["lines"]]


def sent(text: str) -> list[Sent]:
    """Read a stream as the HTML standard has it, as far as we use it."""
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in fields:
            found.append(Sent(fields["event"], fields.get("id", ""), json.loads(fields["data"])))
    return found


def note(text: str, at: float = 1.0) -> e.Note:
    return e.Note(at=OPENED + at, text=text, actor="alice")


def nothing() -> None:
    pass


def listened(browser: Browser, path: str = EVENTS, **headers: str) -> list[Sent]:
    answer = browser.get(path, headers=headers)
    assert answer.mimetype == "text/event-stream"
    assert answer.text.startswith("retry: 1000\n\n")
    return sent(answer.text)


def test_what_is_written_is_told_with_its_number(writing: Journal) -> None:
    browser = browser_of(writing.path)
    browser.pace.happens = [nothing, lambda: writing.append([note("one")]), nothing]

    first, second = listened(browser)

    assert (first.kind, first.identity) == ("news", "2")
    assert first.lines == ["run run-1 opened: run of lab", "lease 1 taken by alice@desk (pid 101)"]
    assert first.data["moment"]["state"] == "node-maintenance"
    assert (second.kind, second.identity) == ("news", "3")
    assert second.lines == ["note by alice: one"]
    assert second.data["moment"]["seq"] == 3


def test_a_browser_that_was_cut_off_gets_what_it_missed_and_nothing_twice(writing: Journal) -> None:
    writing.append([note("one"), note("two"), note("three")])
    browser = browser_of(writing.path)

    (again,) = listened(browser, **{"Last-Event-ID": "3"})
    (asked,) = listened(browser, f"{EVENTS}?after=4")
    (both,) = listened(browser, f"{EVENTS}?after=1", **{"Last-Event-ID": "5"})
    (odd,) = listened(browser, **{"Last-Event-ID": "one"})

    assert again.lines == ["note by alice: two", "note by alice: three"]
    assert again.identity == "5"
    assert asked.lines == ["note by alice: three"]
    assert both.lines == []
    assert len(odd.lines) == 5


def test_something_is_said_every_few_seconds(writing: Journal) -> None:
    browser = browser_of(writing.path)
    browser.pace.happens = [nothing] * 25

    first, *rest = listened(browser)

    assert first.kind == "news"
    assert [one.kind for one in rest] == ["alive", "alive"]
    assert {one.identity for one in rest} == {""}  # they must not move the place to go on from


def test_a_stream_ends_with_its_run(writing: Journal) -> None:
    browser = browser_of(writing.path)
    closed = e.RunClosed(at=OPENED + 9, outcome=e.RunOutcome.DONE, state="done")
    browser.pace.happens = [lambda: writing.append([closed]), *[nothing] * 50]

    found = listened(browser)

    assert [one.kind for one in found] == ["news", "news", "end"]
    assert found[1].data["moment"]["closed"].startswith("done at ")
    assert len(browser.pace.happens) == 50  # nothing was waited for any more


def test_who_holds_the_run_is_told_though_nothing_is_written(writing: Journal) -> None:
    browser = browser_of(writing.path)
    browser.pace.happens = [writing.close, *[nothing] * 12]

    found = listened(browser)

    told = [one.data["moment"]["said"]["held_by"][0] for one in found if one.kind == "news"]
    assert told[0].startswith("alice@desk (pid 101) since ")
    assert told[-1].startswith("nobody: ")


def test_a_plan_that_changed_is_folded_on(writing: Journal) -> None:
    browser = browser_of(writing.path)
    moved = e.Moved(at=OPENED + 2, source="node-maintenance", target="cni-up", why="x")
    browser.pace.happens = [lambda: writing.append([moved])]

    found = listened(browser)

    assert [one.data["moment"]["state"] for one in found] == ["node-maintenance", "cni-up"]


def test_trouble_with_the_file_is_told_and_tried_again(writing: Journal) -> None:
    browser = browser_of(writing.path)
    away = writing.path.with_name("away")

    def back() -> None:
        away.rename(writing.path)
        writing.append([note("there again")])

    browser.pace.happens = [lambda: writing.path.rename(away), back]

    found = listened(browser)

    assert [one.kind for one in found] == ["news", "trouble", "news"]
    assert "there is no journal" in found[1].data["text"]
    assert found[2].lines == ["note by alice: there again"]


def test_a_stream_ends_when_its_browser_has_left(writing: Journal) -> None:
    browser = browser_of(writing.path)
    browser.pace.happens = [nothing] * 100
    gone: Iterator[bool] = iter([False, False, True])

    overrides = {"waitress.client_disconnected": lambda: next(gone)}
    assert browser.get(EVENTS, environ_overrides=overrides).text

    assert len(browser.pace.happens) == 97


def test_no_more_than_so_many_watch_at_once_and_each_place_is_given_back(
    writing: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "STREAMS", 2)
    browser = browser_of(writing.path)
    held = [browser.get(EVENTS, buffered=False) for _ in range(2)]

    refused = browser.get(EVENTS)

    assert refused.status_code == 503
    assert "2 pages are watching already" in refused.text
    for answer in held:
        answer.close()  # never read: nothing was begun, the place is free all the same
        answer.close()
    again = [browser.get(EVENTS, buffered=False) for _ in range(2)]
    assert [answer.status_code for answer in again] == [200, 200]
    for answer in again:
        answer.close()


def test_a_head_of_a_stream_is_no_stream(writing: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "STREAMS", 0)
    client = Client(browser_of(writing.path).application)
    client.set_cookie("rekindle", TOKEN, domain="127.0.0.1")

    answer = client.head(EVENTS, base_url=f"http://{HOST}")

    assert (answer.status_code, answer.text) == (200, "")


def test_an_event_is_one_line_of_data_whatever_is_in_it() -> None:
    text = event("news", {"text": "a\nb\r\u2028c\nid: 9"}, 7).decode()

    assert text.count("\n") == 4
    assert "\r" not in text
    assert sent(text) == [Sent("news", "7", {"text": "a\nb\r\u2028c\nid: 9"})]


def test_the_hosts_time_waits_until_it_is_stopped() -> None:
    stop = Event()
    pace = HostPace(stop)
    before = pace.now()

    assert pace.wait(0.01) is False
    Timer(0.05, stop.set).start()
    assert pace.wait(60.0) is True
    assert pace.now() - before < 30.0
