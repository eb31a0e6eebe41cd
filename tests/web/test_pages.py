"""
Promise: each page is complete without a script, says what ``status`` says, and shows a hostile name as text.

Mutants that turn it red: ``autoescape=False``; ``plain`` without ``_HIDDEN`` or without ``redact_text``; ``_states``
that never says reached; ``_known`` by prefix; ``reversed`` left away.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from journal import entries as e
from journal.store import Journal
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.web import words
from tests.web.conftest import ALICE, OPENED, QUICK, Browser, browser_of, opened

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e\x1b[31m"
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """What is on a page: its elements, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(browser: Browser, path: str) -> Page:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    found = Page(answer.text)
    assert found.open == []
    return found


def every_page(run_id: str) -> tuple[str, ...]:
    return ("/", f"/runs/{run_id}", f"/runs/{run_id}/at")


def test_the_first_page_lists_runs_newest_first(writing: Journal) -> None:
    writing.append([e.RunClosed(at=OPENED + 90, outcome=e.RunOutcome.CANCELLED, state="x")])
    writing.close()
    Journal.open_run(
        writing.path, opened("run-2", at=OPENED + 100), holder=ALICE, options=QUICK
    ).close()

    text = page(browser_of(writing.path), "/").text

    assert text.index("run-2") < text.index("run-1")
    assert "lab run 2026-05-28 20:28:20Z" in text
    assert re.search(r"run-1 lab run \S+ \S+ 1 m 30 s \d+ cancelled", text), text
    assert re.search(r"run-2 lab run \S+ \S+ 0 s \d+ open", text), text


def test_a_journal_may_be_empty_of_runs_that_are_asked_for(browser: Browser, run_id: str) -> None:
    for path in ("/runs/none", f"/runs/{run_id[:-1]}", "/runs/none/events", "/runs/none/at"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "has no run" in answer.text


def test_a_run_is_said_as_status_says_it(browser: Browser, rehearsed: Path, run_id: str) -> None:
    program = [sys.executable, "-m", "rekindle", "status", "--journal", str(rehearsed), "--json"]
    ended = subprocess.run(program, check=False, capture_output=True, text=True)
    status = json.loads(ended.stdout)

    found = page(browser, f"/runs/{run_id}")

    for name in ("waits_for", "can_succeed", "must_do", "closed"):
        assert status[name] in found.text
    for family, count in status["counts"].items():
        assert f"{family}{count['good']}{count['all']}" in "".join(found.said).replace("\n", "")
    assert found.text.count(" reached") == len(status["states"])
    assert "run closed: done" in found.text
    assert found.all("script") == []  # nothing more will come, so that nothing has to run


def test_spans_are_between_the_seconds_that_are_shown(tmp_path: Path) -> None:
    """47.3 s of which a clock shows 48. Mutants: round that of the run, or of the state."""
    path = tmp_path / "j.db"
    with Journal.open_run(path, opened(at=OPENED + 0.9), holder=ALICE, options=QUICK) as journal:
        journal.append([e.Observed(at=OPENED + 48.2, changed={"node/a": e.Fact("running")})])

    assert re.search(r"run-1 lab run \S+ \S+ 48 s \d+ open", page(browser_of(path), "/").text)
    assert "48 s in node-maintenance" in page(browser_of(path), "/runs/run-1").text


def test_an_open_run_says_where_it_is_without_a_script(writing: Journal) -> None:
    moved = e.Moved(
        at=OPENED + 5, source="node-maintenance", target="talos-ready", why="goal holds"
    )
    asked = e.ApprovalAsked(
        at=OPENED + 6,
        approval="ap-1",
        digest="d",
        subject="namespace/x",
        question="take off the finalizer?",
        consequence="what it kept is lost.",
        typed="x",
    )
    answers = {"namespace/x": {"answer": "ask", "question": "take off the finalizer?"}}
    decided = e.Decided(at=OPENED + 6, state="talos-ready", answers=answers)
    writing.append([moved, asked, decided])

    found = page(browser_of(writing.path), "/runs/run-1")

    assert "node-maintenance reached talos-ready here cni-up ahead" in found.text
    assert "ap-1: take off the finalizer? what it kept is lost.; to type: x" in found.text
    assert "node-maintenance → talos-ready: goal holds" in found.text
    here = [item for item in found.all("li") if item.get("aria-current") == "step"]
    assert len(here) == 1


def hostile_journal(writing: Journal) -> None:
    cause = e.Finding(subject=HOSTILE, cause="x", message=HOSTILE, root=True, victims=(HOSTILE,))
    answers = {HOSTILE: {"answer": "wait", "reason": HOSTILE, "can_clear": "no"}}
    asked = {
        "namespace/y": {"answer": "ask", "question": HOSTILE, "consequence": HOSTILE},
    }
    writing.append(
        [
            e.FindingsChanged(at=OPENED + 1, changed={"f": cause}),
            e.Note(at=OPENED + 2, text=HOSTILE, actor=HOSTILE),
            e.Decided(at=OPENED + 3, state=HOSTILE, answers={**answers, **asked}),
            e.ApprovalAsked(
                at=OPENED + 3,
                approval="ap-1",
                digest="d",
                subject="namespace/y",
                question=HOSTILE,
                consequence=HOSTILE,
                typed=HOSTILE,
            ),
            e.ActionIntended(
                at=OPENED + 4,
                action="a1",
                verb="command.run",
                target=HOSTILE,
                attempt=1,
                epoch=1,
                deadline_seconds=60.0,
            ),
            e.Moved(at=OPENED + 5, source="node-maintenance", target=HOSTILE, why=HOSTILE),
        ]
    )


@pytest.mark.parametrize("path", every_page("run-1"))
def test_a_hostile_name_is_text_wherever_it_stands(tmp_path: Path, path: str) -> None:
    first = opened(cluster=HOSTILE, purpose=HOSTILE)
    with Journal.open_run(tmp_path / "j.db", first, holder=ALICE, options=QUICK) as writing:
        hostile_journal(writing)
        browser = browser_of(writing.path)

        raw = browser.get(path).text
        found = page(browser, path)

    assert "alert(1)" in found.text
    assert all("/static/" in str(script.get("src")) for script in found.all("script"))
    assert found.all("img") == []
    assert "<script>alert" not in raw
    assert "\u202e" not in raw
    assert "\x1b" not in raw
    for _, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_what_the_script_gets_is_text_of_the_same_kind(writing: Journal) -> None:
    hostile_journal(writing)
    browser = browser_of(writing.path)

    for path in ("/runs/run-1/moment", "/runs/run-1/marks"):
        answer = browser.get(path)
        assert answer.mimetype == "application/json"
        assert "\u202e" not in answer.text
        assert "<script>alert(1)</script>" in json.dumps(answer.json)


def test_secrets_are_nowhere_even_if_a_journal_had_them() -> None:
    token = "ghp_" + "a1B2" * 9

    assert token not in words.plain(f"could not clone https://x:{token}@git.example/: {token}")
    assert "[redacted:github-token]" in words.plain(token)


def test_the_report_is_shown_under_a_policy_that_names_its_own_style(
    browser: Browser, rehearsed: Path, run_id: str
) -> None:
    answer = browser.get(f"/runs/{run_id}/report")

    assert answer.text == html.page(gather(rehearsed, run_id))
    policy = answer.headers["Content-Security-Policy"]
    style = re.search("<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in policy


def test_trouble_is_a_page_with_its_reference(writing: Journal) -> None:
    browser = browser_of(writing.path)
    writing.close()
    writing.path.unlink()

    answer = browser.get("/")

    assert answer.status_code == 500
    assert "journal-missing" in answer.text
    assert Page(answer.text).open == []


def test_a_mistake_of_ours_is_said_and_does_not_show_more_than_its_kind(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in the middle of the night")

    monkeypatch.setattr(words, "run_line", broken)

    answer = browser.get("/")

    assert answer.status_code == 500
    assert "our-bug" in answer.text
    assert "middle of the night" not in answer.text
    assert "middle of the night" in capsys.readouterr().err


def test_pages_are_made_for_keyboards_and_screen_readers(browser: Browser, run_id: str) -> None:
    for path in every_page(run_id):
        found = page(browser, path)
        assert found.all("html")[0]["lang"] == "en"
        assert len(found.all("h1")) == 1
        assert len(found.all("main")) == 1
        assert found.all("a")[0]["href"] == "#main"
        assert all(nav.get("aria-label") for nav in found.all("nav"))
        assert len(found.all("table")) == len(found.all("caption"))
        labels = {label.get("for") for label in found.all("label")}
        assert {given.get("id") for given in found.all("input")} <= labels
