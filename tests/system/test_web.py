"""
Promise: in a real browser a run is watched live, a cut connection comes back, the slider goes by keyboard to the moment
of the accident, and neither the console nor the policy has anything to say.

Needs Debian's ``chromium``. Mutants that turn it red: no ``Last-Event-ID`` and no ``after``; no timer in ``live.js``;
``SILENCE_SECONDS`` of a day; ``aria-valuetext`` not set; an inline style; ``connect-src`` left away; a script that
writes HTML.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from journal import entries as e
from journal.errors import Diagnosed
from journal.reader import Reader
from journal.store import Journal
from tests.chromium import chromium
from tests.web.conftest import ALICE, OPENED, QUICK, opened

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SECOND = 1_000.0  # as playwright counts
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
WATCHER = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@dataclass
class Desk:
    """A person's machine: processes of the program, and what the browser complained of."""

    folder: Path
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    requested: set[str] = field(default_factory=set)
    running: ExitStack = field(default_factory=ExitStack)

    @property
    def journal(self) -> Path:
        return self.folder / "night.db"

    @property
    def run_id(self) -> str:
        with Reader(self.journal) as reader:
            return reader.runs()[-1].run_id

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "rekindle", *words, "--journal", str(self.journal), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state")},
        )
        self.running.callback(process.communicate)
        self.running.callback(process.kill)
        return process

    def serve(self, *words: str) -> tuple[subprocess.Popen[str], str]:
        token = str(self.folder / "token")
        process = self.start("serve", "--token-file", token, *words)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, json.loads(line)["address"]

    def rehearse(self, scenario: str, speed: int) -> subprocess.Popen[str]:
        """Start a rehearsal, and return once its first findings are written."""
        process = self.start("rehearse", scenario, "--speed", str(speed))
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            try:
                with Reader(self.journal) as reader:
                    if any(row.kind == "decided" for row in reader.rows()):
                        return process
            except Diagnosed:
                pass  # not there yet
            time.sleep(0.05)
        pytest.fail(process.communicate()[1])

    def page(self, address: str) -> Page:
        page = self.context.new_page()
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requested.add(request.url))
        page.goto(address)
        return page

    def quiet(self, page: Page) -> None:
        """Nothing was refused, nothing complained, and nothing came from elsewhere."""
        assert page.evaluate("window.violations") == []
        # A browser writes down that a server was away; that is not ours to say.
        assert [text for text in self.complaints if "net::ERR" not in text] == []
        assert {url.split("/")[2].partition(":")[0] for url in self.requested if "//" in url} == {
            "127.0.0.1"
        }


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    context = browser.new_context()
    context.add_init_script(WATCHER)
    found = Desk(tmp_path, context)
    with found.running:
        yield found
    context.close()


def said(page: Page, name: str) -> str:
    return page.locator(f'[data-said="{name}"] dd').first.inner_text()


def log_numbers(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#log .seq").all_inner_texts()]


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_rehearsal_is_watched_live_to_done_over_a_cut_connection(desk: Desk) -> None:
    run = desk.rehearse("june-12", 30)  # it has to outlive a server that starts anew
    server, address = desk.serve()
    port = address.split(":")[2].partition("/")[0]
    page = desk.page(address)
    page.get_by_role("link", name=desk.run_id, exact=True).click()
    connection = page.get_by_role("status")
    expect(connection).to_have_text("connected")
    expect(page.locator(".states .here")).to_have_count(1)
    assert "token" not in page.url

    stop(server)
    expect(connection).to_have_text("connection lost, trying again", timeout=5 * SECOND)
    before = log_numbers(page)
    server, again = desk.serve("--port", port)
    assert again == address
    expect(connection).to_have_text("connected", timeout=15 * SECOND)

    expect(connection).to_have_text(
        "this run is closed; nothing more will come", timeout=120 * SECOND
    )
    run.communicate(timeout=60)
    assert run.returncode == 0
    expect(page.locator("[data-state]")).to_have_text("done")
    expect(page.locator(".states .reached")).to_have_count(6)
    assert said(page, "waits_for") == "nothing: everything that should run, runs"
    assert page.locator('[data-counts] tr:has(th:text-is("pods")) td').all_inner_texts()[:2] == [
        "104",
        "104",
    ]
    assert page.title().startswith("done - ")
    numbers = log_numbers(page)
    assert numbers == sorted(set(numbers))
    with Reader(desk.journal) as reader:
        told = [row.seq for row in reader.rows(desk.run_id) if row.seq >= numbers[0]]
        quiet = {"observed", "decided", "timer.set", "timer.cancelled", "timer.fired"}
        kinds = {row.seq: row.kind for row in reader.rows(desk.run_id)}
    assert numbers == [seq for seq in told if kinds[seq] not in quiet]  # nothing was missed
    assert before
    desk.quiet(page)


def test_a_server_that_hangs_is_noticed_and_so_is_that_it_is_back(desk: Desk) -> None:
    with Journal.open_run(desk.journal, opened(), holder=ALICE, options=QUICK) as journal:
        server, address = desk.serve()
        page = desk.page(address)
        page.goto(page.url + "runs/run-1")
        connection = page.get_by_role("status")
        expect(connection).to_have_text("connected")

        server.send_signal(signal.SIGSTOP)
        expect(connection).to_have_text("connection lost, trying again", timeout=20 * SECOND)
        journal.append([e.Note(at=OPENED + 5, text="written meanwhile", actor="alice")])
        server.send_signal(signal.SIGCONT)

        expect(connection).to_have_text("connected", timeout=20 * SECOND)
        expect(page.locator("#log li").last).to_contain_text("written meanwhile")
        assert log_numbers(page) == [1, 2, 3]
        desk.quiet(page)


def test_another_token_is_said_and_not_waited_for_in_silence(desk: Desk) -> None:
    with Journal.open_run(desk.journal, opened(), holder=ALICE, options=QUICK):
        server, address = desk.serve()
        port = address.split(":")[2].partition("/")[0]
        page = desk.page(address)
        page.goto(page.url + "runs/run-1")
        connection = page.get_by_role("status")
        expect(connection).to_have_text("connected")

        stop(server)
        (desk.folder / "token").unlink()
        desk.serve("--port", port)

        expect(connection).to_have_text(
            "the server has another token now: open the address that it printed",
            timeout=15 * SECOND,
        )


def test_the_slider_goes_by_keyboard_to_the_moment_of_the_accident(desk: Desk) -> None:
    desk.start("rehearse", "june-12").communicate(timeout=60)
    server, address = desk.serve()
    page = desk.page(address)
    page.get_by_role("link", name=f"Through time: {desk.run_id}").click()
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible()
    first_cause = slider.get_attribute("aria-valuetext") or ""
    assert said(page, "because") in page.content()

    # By Tab and arrow keys alone, from the top of the page.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(8):
        if page.evaluate("document.activeElement.id") == "time":
            break
        page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", beginning(desk))
    expect(page.locator('[data-said="because"]')).to_be_hidden()
    for _ in range(10):
        if slider.get_attribute("aria-valuetext") == first_cause:
            break
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", first_cause)
    expect(page.locator('[data-said="because"]')).to_be_visible()
    expect(page.locator('[data-said="can_succeed"] dd').first).to_contain_text(
        "not by waiting alone: "
    )
    assert page.url.endswith(f"?seq={page.evaluate('document.body.dataset.seq')}")

    page.keyboard.press("PageUp")
    ten_on = int(slider.input_value())
    page.keyboard.press("ArrowLeft")
    assert int(slider.input_value()) == ten_on - 1
    page.keyboard.press("End")
    expect(page.locator("[data-state]")).to_have_text("done")
    expect(page.locator("#later")).not_to_have_attribute("href", "")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "First"
    page.keyboard.press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", beginning(desk))
    desk.quiet(page)

    stop(server)
    slider.press("ArrowRight")
    expect(page.locator("#trouble")).to_contain_text("This moment cannot be shown")


def beginning(desk: Desk) -> str:
    """What the first mark says."""
    from rekindle.lines import describe
    from rekindle.spans import stamp

    with Reader(desk.journal) as reader:
        row = next(iter(reader.rows(desk.run_id)))
    return f"{stamp(row.at)}: {describe(row.entry)}"


def test_a_hostile_name_is_text_in_a_real_browser(desk: Desk) -> None:
    first = opened(cluster=HOSTILE)
    with Journal.open_run(desk.journal, first, holder=ALICE, options=QUICK) as journal:
        _, address = desk.serve()
        page = desk.page(address)
        page.goto(page.url + "runs/run-1")
        expect(page.get_by_role("status")).to_have_text("connected")
        cause = e.Finding(subject="x", cause="x", message=HOSTILE, root=True)
        waits = {"pod/x": {"answer": "wait", "reason": HOSTILE}}
        journal.append(
            [
                e.FindingsChanged(at=OPENED + 1, changed={HOSTILE: cause}),
                e.Decided(at=OPENED + 1, state="node-maintenance", answers=waits),
                e.Note(at=OPENED + 2, text=HOSTILE, actor=HOSTILE),
            ]
        )
        expect(page.locator("#log li").last).to_contain_text("<script>")
        expect(page.locator('[data-said="because"] dd').first).to_contain_text("<img src=x")
        assert page.locator("main img, main script").count() == 0

        page.goto(page.url + "/at?seq=3")
        expect(page.get_by_role("slider")).to_be_visible()
        page.get_by_role("slider").press("End")
        expect(page.locator("#mark")).to_contain_text("<script>")
        assert "owned" not in page.evaluate("document.title").split("'")[0]
        assert page.locator("main img, main script").count() == 0
        desk.quiet(page)


def test_without_a_script_everything_is_there(desk: Desk, browser: Browser) -> None:
    desk.start("rehearse", "node-lost").communicate(timeout=60)
    _, address = desk.serve()
    desk.context.close()
    desk.context = browser.new_context(java_script_enabled=False)
    page = desk.context.new_page()
    page.goto(address)

    page.get_by_role("link", name=f"Through time: {desk.run_id}").click()
    before = page.locator("#mark").inner_text()
    page.get_by_role("link", name="Next", exact=True).click()
    assert page.locator("#mark").inner_text() != before
    page.get_by_role("link", name="Last", exact=True).click()
    assert page.locator("[data-state]").inner_text() == "done"
    assert not page.get_by_role("slider").is_visible()
    page.get_by_role("link", name="Now", exact=True).click()
    assert said(page, "can_succeed") == "it has"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_and_can_be_read(desk: Desk, browser: Browser, scheme: str, width: int) -> None:
    desk.start("rehearse", "june-12").communicate(timeout=60)
    _, address = desk.serve()
    desk.context.close()
    desk.context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
    )
    desk.context.add_init_script(WATCHER)
    page = desk.page(address)

    for path in ("", f"runs/{desk.run_id}", f"runs/{desk.run_id}/at"):
        page.goto(f"{address.partition('?')[0]}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) >= 4.5
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("anton")
    assert page.locator("svg").count() > 0
    desk.quiet(page)


# The lowest contrast of a text to the page behind it, as WCAG counts.
CONTRAST = """
() => {
  const light = (css) => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = light(getComputedStyle(document.body).backgroundColor);
  const texts = [...document.querySelectorAll("body *")].filter((one) => one.innerText && one.checkVisibility());
  return Math.min(...texts.map((one) => {
    const front = light(getComputedStyle(one).color);
    return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  }));
}
"""
