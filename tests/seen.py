"""
What a browser really painted of a picture, held against what is drawn in it: by screenshots, piece by piece.

A probe is a place and the ink that has to be there: of both ends of a text, of a bar or a box and what fills it, and of
points all along a curve. A picture that is broken anywhere (covered, cut off, without its style or its patterns) lacks
the ink of a probe.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

from playwright.sync_api import Page

# Wide pictures scroll sideways in their frame: each place of it shows a part.
STOPS = """name => {
    const frame = document.getElementById(name).closest(".scroll");
    const stops = [], last = frame.scrollWidth - frame.clientWidth;
    if (!["auto", "scroll"].includes(getComputedStyle(frame).overflowX)) return [0];
    for (let at = 0; at < last; at += frame.clientWidth - 40) stops.push(at);
    return [...stops, Math.max(0, last)];
}"""
# The part of a picture that is shown there, with its probes; places are those of the document, in CSS pixels.
SHOWN = """([name, stop]) => {
    const image = document.getElementById(name), frame = image.closest(".scroll");
    frame.scrollLeft = stop;
    const whole = image.getBoundingClientRect(), hole = frame.getBoundingClientRect();
    const open = getComputedStyle(frame).overflowX === "visible";
    const left = open ? whole.left : Math.max(whole.left, hole.left);
    const right = open ? whole.right : Math.min(whole.right, hole.left + frame.clientWidth);
    const probes = [];
    const probe = (what, ink, x, y, width, height) => {
        if (ink && ink !== "none" && width >= 1 && height >= 1)
            probes.push({what, ink, x: x + scrollX, y: y + scrollY, width, height});
    };
    const ink = one => {
        const style = getComputedStyle(one);
        return style.fill.startsWith("rgb") && style.stroke === "none" ? style.fill : style.stroke;
    };
    for (const one of image.querySelectorAll("text, rect, path")) {
        if (one.closest("defs")) continue;
        const kind = one.classList[0] || one.tagName, style = getComputedStyle(one);
        const box = one.getBoundingClientRect();
        const {x, y, width, height} = box;
        if (one.tagName === "text") {
            const said = `text ${one.textContent}`, end = Math.min(width, 16);
            probe(said, style.fill, x, y, end, height);
            probe(said, style.fill, x + width - end, y, end, height);
        } else if (["bar", "box"].includes(kind)) {
            probe(`edge of ${one.classList}`, style.stroke, x - 1, y - 1, width + 2, height + 2);
            const pattern = /url\\("#([^"]*)"\\)/.exec(style.fill);
            const inside = pattern ? document.getElementById(pattern[1])?.querySelector("path") : one;
            const filling = !inside ? "rgb(255, 0, 255)" : pattern ? ink(inside) : style.fill;
            if (width > 16)
                probe(`inside of ${one.classList}`, filling, x + 3, y + 3, width - 6, height - 6);
        } else if (["tick", "flag"].includes(kind))
            probe(kind, style.fill, x - 1, y - 1, width + 2, height + 2);
        else if (["curve", "wanted", "link"].includes(kind)) {
            const length = one.getTotalLength(), place = one.getScreenCTM();
            for (let part = 0.5; part < 24; part++) {
                const at = one.getPointAtLength(length * part / 24).matrixTransform(place);
                probe(`${kind} at ${part} of 24`, style.stroke, at.x - 7, at.y - 7, 14, 14);
            }
        }
    }
    return {
        clip: {x: left + scrollX, y: whole.top + scrollY, width: right - left, height: whole.height},
        picture: {
            x: whole.left + scrollX, y: whole.top + scrollY, width: whole.width, height: whole.height
        },
        paper: getComputedStyle(image).backgroundColor,
        probes,
    };
}"""
# How much of its ink the best pixel of each place has, 1: all; and which colour is the commonest of all.
READ = """async ([png, paper, probes, distinct]) => {
    const picture = new Image();
    picture.src = "data:image/png;base64," + png;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height), paint = canvas.getContext("2d");
    paint.drawImage(picture, 0, 0);
    const {data, width, height} = paint.getImageData(0, 0, picture.width, picture.height);
    const rgb = text => /\\(([^)]*)\\)/.exec(text)[1].split(/[, ]+/).slice(0, 3).map(Number);
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    const ground = rgb(paper), counts = new Map();
    for (let at = 0; at < data.length; at += 4) {
        const shade = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
        counts.set(shade, (counts.get(shade) || 0) + 1);
    }
    const inked = probes.map(({what, ink, x, y, width: wide, height: high}) => {
        const wanted = rgb(ink), far = apart(wanted, ground);
        const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
        const [right, bottom] = [Math.min(width, Math.ceil(x + wide)), Math.min(height, Math.ceil(y + high))];
        let nearest = Infinity;
        for (let row = top; row < bottom; row++)
            for (let column = left; column < right; column++) {
                const at = (row * width + column) * 4;
                nearest = Math.min(nearest, apart([data[at], data[at + 1], data[at + 2]], wanted));
            }
        return far > distinct ? 1 - nearest / far : what.startsWith("inside") ? 1 : 0;
    });
    const [commonest] = [...counts].sort((a, b) => b[1] - a[1])[0];
    return {inked, ground: [commonest >> 16, (commonest >> 8) & 255, commonest & 255]};
}"""
# Of 441: what is nearer to the paper cannot be told from it. Only the inside of something may be as white as that.
DISTINCT = 24.0


class Probe(NamedTuple):
    """Something drawn: how far right and down in its picture it ends (1: at the edge), and its ink (1: all of it)."""

    what: str
    right: float
    down: float
    inked: float


class Seen(NamedTuple):
    """All that was seen of a picture. *gaps*: parts of its width, in pixels, that nothing showed."""

    probes: tuple[Probe, ...]
    gaps: tuple[tuple[float, float], ...]
    grounds: tuple[int, ...]  # of each part: the commonest colour, red + green + blue


def seen(page: Page, reader: Page, name: str) -> Seen:
    """Take the whole of picture *name*, part by part; *reader* is an empty page in which the pixels are read."""
    best: dict[int, tuple[float, Probe]] = {}
    shown: list[tuple[float, float]] = []
    grounds = []
    for stop in page.evaluate(STOPS, name):
        part = page.evaluate(SHOWN, [name, stop])
        clip, whole = part["clip"], part["picture"]
        png = base64.b64encode(page.screenshot(clip=clip, full_page=True)).decode()
        near = [
            {**one, "x": one["x"] - clip["x"], "y": one["y"] - clip["y"]} for one in part["probes"]
        ]
        read = reader.evaluate(READ, [png, part["paper"], near, DISTINCT])
        grounds.append(sum(read["ground"]))
        shown.append((clip["x"] - whole["x"], clip["x"] - whole["x"] + clip["width"]))
        for number, (one, inked) in enumerate(zip(part["probes"], read["inked"], strict=True)):
            share = _share(one, clip)
            probe = Probe(
                one["what"],
                (one["x"] + one["width"] - whole["x"]) / whole["width"],
                (one["y"] + one["height"] - whole["y"]) / whole["height"],
                inked,
            )
            if share > best.get(number, (0.0, probe))[0]:
                best[number] = share, probe
    probes = tuple(probe for _, probe in best.values())
    return Seen(probes, tuple(_gaps(shown, whole["width"])), tuple(grounds))


def _share(one: dict[str, Any], clip: dict[str, float]) -> float:
    """How much of a place is in a part."""
    left, wide = float(one["x"]), float(one["width"])
    right = min(left + wide, clip["x"] + clip["width"])
    return max(0.0, right - max(left, clip["x"])) / wide


def _gaps(shown: list[tuple[float, float]], width: float) -> Iterator[tuple[float, float]]:
    reach = 0.0
    for left, right in sorted(shown):
        if left > reach + 1:
            yield reach, left
        reach = max(reach, right)
    if reach < width - 1:
        yield reach, width
