"""
Promise: the report of the june-12 rehearsal is a page that a browser shows as it was meant: in the light, in the dark,
on paper and on a narrow screen; quietly, without the network, readable, and with nothing that runs over or overlaps.

Needs Debian's ``chromium``; without it this fails and says so. Mutants that turn it red: another byte in the style
after its digest; ``--muted`` as pale as the paper; ``min-width`` on a table outside ``.scroll``; ``writing.width``
halved; ``_marks`` with one lane for all; in a picture, a box over its right third; ``clip-path: inset(0 30% 0 0)``;
``.curve`` or ``.link`` without a stroke; a pattern under another id; ``--paper`` light in the dark.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FloatRect, Page

from rekindle.report import html
from tests.chromium import chromium, program
from tests.pictures import june_12
from tests.report.samples import retold, sample
from tests.seen import seen

pytestmark = pytest.mark.system

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
PART: FloatRect = {
    "x": 0,
    "y": 0,
    "width": 380,
    "height": 380,
}  # of the screen: decoding takes its time
READABLE = 4.5  # the contrast of WCAG AA
INKED = 0.3  # of a thin stroke between two pixels, at least
FAR = 0.9  # of its width and of its height: pictures are as large as what is in them
LONG = "kustomization/a-namespace-with-a-long-name/WWWW-an-application-with-a-very-long-name-iiii"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages that are shown: the rehearsal, and a night in which every name is as long as it gets."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "june-12": html.page(june_12()),
        "long": html.page(retold(sample(), lambda text: f"{LONG}-{text}")),
    }
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


class Tab:
    """A page that was opened, with everything that it said and asked for."""

    def __init__(self, browser: Browser, file: Path, look: str, size: dict[str, int]) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        scheme, media = ("dark", "screen") if look == "dark" else ("light", look)
        context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]}, offline=True
        )
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light",
            media="print" if media == "print" else "screen",
        )
        self.page.goto(file.as_uri())
        self.file = file
        self.look = look

    def measure(self, script: str) -> Any:  # noqa: ANN401  what the script returns
        return self.page.evaluate(script)


def test_a_machine_without_a_browser_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(pytest.fail.Exception, match="package `chromium`"):
        program()


LOOKS = [("light", WIDE), ("dark", WIDE), ("print", WIDE), ("light", NARROW), ("dark", NARROW)]


@pytest.fixture(scope="module", params=["june-12", "long"])
def file(request: pytest.FixtureRequest, files: dict[str, Path]) -> Path:
    return files[request.param]


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def tab(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Tab]:
    look, size = request.param
    opened = Tab(browser, file, look, size)
    yield opened
    opened.page.context.close()


def test_it_is_quiet_and_alone(tab: Tab) -> None:
    assert tab.said == []
    assert tab.asked == [tab.file.as_uri()]


def test_nothing_makes_the_page_wider_than_the_screen(tab: Tab) -> None:
    wide, room = tab.measure("[document.documentElement.scrollWidth, window.innerWidth]")

    assert wide <= room


def test_each_picture_is_there_and_is_drawn(tab: Tab) -> None:
    boxes = tab.measure(
        """[...document.querySelectorAll("svg.picture")].map(one => {
            const box = one.getBoundingClientRect(), drawn = one.getBBox();
            return [one.id, box.width, box.height, drawn.width, drawn.height];
        })"""
    )

    assert [name for name, *_ in boxes] == ["pods", "blocked", "gantt"]
    for name, *sizes in boxes:
        assert min(sizes) > 100, (name, sizes)


OVERLAPS = """() => {
    const found = [];
    for (const image of document.querySelectorAll("svg.picture")) {
        const frame = image.viewBox.baseVal;
        const texts = [...image.querySelectorAll("text")].map(one => [one, one.getBBox()]);
        texts.forEach(([one, a], index) => {
            if (a.x < -1 || a.x + a.width > frame.width + 1 || a.y + a.height > frame.height + 1)
                found.push([image.id, "out of the picture", one.textContent]);
            for (const [other, b] of texts.slice(index + 1))
                if (a.x + 0.5 < b.x + b.width && b.x + 0.5 < a.x + a.width
                    && a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height)
                    found.push([image.id, one.textContent, other.textContent]);
        });
    }
    return found;
}"""


def test_no_text_of_a_picture_lies_over_another_or_leaves_it(tab: Tab) -> None:
    assert tab.measure(OVERLAPS) == []


# What is behind a text, from the back to the front; a translucent layer lets through what is behind it.
CONTRASTS = """() => {
    const rgba = text => {
        const found = /rgba?\\(([^)]*)\\)/.exec(text);
        if (!found) return null;
        const [r, g, b, a] = found[1].split(/[,\\/ ]+/).map(Number);
        return [r, g, b, a === undefined ? 1 : a];
    };
    const over = (front, back) => [0, 1, 2].map(i => front[i] * front[3] + back[i] * (1 - front[3]));
    const light = c => {
        const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const layer = one => {
        const style = getComputedStyle(one);
        if (!(one instanceof SVGElement)) return rgba(style.backgroundColor);
        if (one instanceof SVGTextElement || one instanceof SVGSVGElement || style.fill === "none") return null;
        const fill = rgba(style.fill);
        if (fill) fill[3] *= Number(style.fillOpacity);
        return fill;
    };
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode, one = node.parentElement;
        if (!node.textContent.trim() || one.closest("title, desc, style, .skip")) continue;
        if (!one.checkVisibility()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        let box = range.getClientRects()[0];
        if (!box || !box.width) continue;
        one.scrollIntoView({block: "center", inline: "start"});
        box = range.getClientRects()[0];
        const x = Math.min(Math.max(box.x + Math.min(box.width / 2, 9), 1), innerWidth - 2);
        const stack = document.elementsFromPoint(x, box.y + box.height / 2).reverse();
        const style = getComputedStyle(one);
        const ink = rgba(one instanceof SVGElement ? style.fill : style.color);
        let ground = rgba(getComputedStyle(document.body).backgroundColor);
        for (const behind of stack) {
            const colour = layer(behind);
            if (colour && colour[3]) ground = over(colour, ground);
        }
        const [a, b] = [light(ink), light(ground)].sort((p, q) => q - p);
        found.push([(a + 0.05) / (b + 0.05), node.textContent.trim().slice(0, 60)]);
    }
    return found;
}"""


def test_every_text_can_be_read_against_what_is_behind_it(tab: Tab) -> None:
    tab.measure("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = tab.measure(CONTRASTS)
    pale = sorted(item for item in found if item[0] < READABLE)

    assert len(found) > 200
    assert pale == []


def test_what_is_seen_is_no_empty_sheet(tab: Tab) -> None:
    tab.measure("scrollTo(0, 0)")
    shades = colours(tab.page.screenshot(clip=PART))

    assert len(shades) > 20
    dark = sum(count for shade, count in shades.items() if sum(shade) < 128 * 3)
    share = dark / sum(shades.values())
    assert 0.002 < share < 0.998


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """An empty page, in which the pixels of others are read."""
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("pods", {"text", "tick", "curve", "wanted"}),
        ("blocked", {"text", "edge", "inside", "flag", "link"}),
        ("gantt", {"text", "edge", "inside"}),
    ],
)
def test_all_that_is_drawn_in_a_picture_is_painted_to_its_last_corner(
    name: str, kinds: set[str], tab: Tab, reader: Page
) -> None:
    found = seen(tab.page, reader, name)

    assert found.gaps == ()
    assert {probe.what.split()[0] for probe in found.probes} == kinds
    assert max(probe.right for probe in found.probes) > FAR
    assert max(probe.down for probe in found.probes) > FAR
    assert [probe for probe in found.probes if probe.inked < INKED] == []
    assert all(ground < 150 if tab.look == "dark" else ground > 700 for ground in found.grounds)


def test_dark_is_dark_and_light_is_light(browser: Browser, files: dict[str, Path]) -> None:
    grounds = []
    for look in ("light", "dark"):
        tab = Tab(browser, files["june-12"], look, WIDE)
        shades = colours(tab.page.screenshot(clip=PART))
        commonest, _ = max(shades.items(), key=lambda item: item[1])
        grounds.append(sum(commonest))
        tab.page.context.close()

    assert grounds[0] > 700
    assert grounds[1] < 150


def test_it_prints_on_some_sheets_of_paper(browser: Browser, files: dict[str, Path]) -> None:
    tab = Tab(browser, files["june-12"], "light", WIDE)
    printed = tab.page.pdf(format="A4")
    tab.page.context.close()

    assert printed.startswith(b"%PDF-")
    assert 3 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 30


def test_a_script_in_a_name_does_not_run(browser: Browser, tmp_path: Path) -> None:
    evil = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    path = tmp_path / "evil.html"
    path.write_text(html.page(retold(sample(), lambda _: evil)), encoding="utf-8")
    tab = Tab(browser, path, "light", WIDE)

    assert tab.said == []
    assert tab.asked == [path.as_uri()]
    assert tab.page.title() == evil
    tab.page.context.close()


def test_its_policy_stops_what_a_template_of_somebody_else_lets_through(
    browser: Browser, tmp_path: Path
) -> None:
    """The second lock: were the escaping broken, nothing would run and nothing would be asked for."""
    path = tmp_path / "broken.html"
    broken = html.page(sample()).replace(
        "<main>", "<main><script>document.title='run'</script><img src='http://127.0.0.1:9/x.png'>"
    )
    path.write_text(broken, encoding="utf-8")
    tab = Tab(browser, path, "light", WIDE)

    assert tab.page.title() != "run"
    assert len(tab.said) == 2
    assert all("Content Security Policy" in text for text in tab.said)
    tab.page.context.close()


def colours(png: bytes) -> dict[tuple[int, int, int], int]:
    """Count the colours of a PNG as browsers write it: 8 bits a channel, RGB or RGBA, not interlaced."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    packed, wide, high, channels, place = b"", 0, 0, 0, 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            wide, high, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (bits, interlaced) == (8, 0)
            channels = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    raw = zlib.decompress(packed)
    before = bytearray(wide * channels)
    counts: dict[tuple[int, int, int], int] = {}
    for row in range(high):
        start = row * (wide * channels + 1)
        line = unfiltered(
            raw[start], bytearray(raw[start + 1 : start + 1 + wide * channels]), before, channels
        )
        for x in range(0, wide * channels, channels * 4):  # every fourth is enough
            shade = (line[x], line[x + 1], line[x + 2])
            counts[shade] = counts.get(shade, 0) + 1
        before = line
    return counts


def unfiltered(kind: int, line: bytearray, before: bytearray, channels: int) -> bytearray:
    """Undo a row's filter (PNG, chapter 9)."""
    for index in range(len(line)):
        left = line[index - channels] if index >= channels else 0
        corner = before[index - channels] if index >= channels else 0
        up = before[index]
        guess = left + up - corner
        nearest = min(
            (abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner)
        )
        added = (0, left, up, (left + up) // 2, nearest[2])[kind]
        line[index] = (line[index] + added) & 255
    return line
