"""
Promise: the page is one file that asks for nothing and runs nothing, and what a name says never becomes markup.

Method: the page is read with the parser of the standard library. Hostile texts must leave its structure exactly as
harmless ones do. Mutants that turn it red: ``autoescape=False``; ``finalize`` taken out; a script in the template; one
byte of the style changed after its digest was taken.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rekindle.report import html
from rekindle.report.drawing import svg
from tests.report.samples import retold, sample
from tests.report.test_drawing import TEXTS

VOID = {"meta", "link", "br", "img", "input", "hr"}
NEVER = {
    "script",
    "link",
    "img",
    "iframe",
    "object",
    "embed",
    "form",
    "base",
    "video",
    "audio",
    "a:href",
}
SHAPE = ("title", "desc")  # a text that was cut has its whole as a hint, so these may come and go


class Seen(HTMLParser):
    """Notes elements with their attributes, and the text between."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.stack: list[str] = []
        self.text: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append((self.stack[-1] if self.stack else "", data))


def read(page: str) -> Seen:
    seen = Seen()
    seen.feed(page)
    seen.close()
    assert seen.stack == []
    return seen


def structure(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements outside the pictures, with the names of their attributes."""
    bare = re.sub(r"<svg.*?</svg>", "<svg></svg>", page, flags=re.DOTALL)
    return [(tag, tuple(name for name, _ in attrs)) for tag, attrs in read(bare).tags]


@cache
def harmless() -> list[tuple[str, tuple[str, ...]]]:
    return structure(html.page(retold(sample(), lambda _: "x")))


@settings(max_examples=25)  # a page takes a tenth of a second
@given(TEXTS.filter(lambda text: text.strip() != ""))
def test_a_hostile_text_leaves_the_page_as_it_was(text: str) -> None:
    hostile = html.page(retold(sample(), lambda _: text))

    hostile.encode()
    assert structure(hostile) == harmless()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", hostile)


@given(st.sampled_from(["<b>", "&", '"', "'", "</style>", "{{ 7*7 }}", "{% raw %}"]))
def test_a_text_is_shown_as_it_is(text: str) -> None:
    seen = read(html.page(replace(sample(), summary=(f"begin {text} end",))))

    assert f"begin {text} end" in "".join(data for _, data in seen.text)


def test_the_page_runs_nothing_and_asks_for_nothing() -> None:
    page = html.page(sample())
    tags = read(page).tags

    assert not {tag for tag, _ in tags} & NEVER
    for _, attrs in tags:
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "style", "action", "background"}
            assert name != "href" or (value or "").startswith("#")
    assert re.findall(r"https?://[^\"\s<]+", page) == ["http://www.w3.org/2000/svg"] * 3
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    page = html.page(sample())
    assert page.startswith("<!DOCTYPE html>")
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    seen = dict(
        next(
            attrs
            for _, attrs in read(page).tags
            if ("http-equiv", "Content-Security-Policy") in attrs
        )
    )

    assert len(style) == 1
    assert seen["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_a_reader_that_cannot_see_it_finds_its_way() -> None:
    tags = read(html.page(sample())).tags
    names = [tag for tag, _ in tags]
    ids = [value for _, attrs in tags for name, value in attrs if name == "id"]
    tables = names.count("table")

    assert dict(tags)["html"] == (("lang", "en"),)
    assert [names.count(tag) for tag in ("h1", "main", "header", "footer", "nav")] == [1] * 5
    assert names.count("caption") == tables
    assert all(
        ("scope", "col") in attrs or ("scope", "row") in attrs for tag, attrs in tags if tag == "th"
    )
    assert len(ids) == len(set(ids))
    for _, attrs in tags:
        given_ = dict(attrs)
        for key in ("aria-labelledby", "href"):
            for name in (given_.get(key) or "").split():
                assert name.removeprefix("#") in ids
    levels = [int(tag[1]) for tag in names if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_each_picture_has_a_table_that_says_the_same() -> None:
    page = html.page(sample())

    assert page.count("<svg") == 3
    assert page.count("the same as a table</summary>") == 3
    assert (
        len(re.findall(r"</figure>\s*<details>\s*<summary>[^<]+: the same as a table", page)) == 3
    )


@pytest.mark.parametrize(
    "said",
    [
        "What broke first",
        "2025-06-11 22:00:00Z namespace/storage: held by a finalizer",
        "namespace",
        "a-2, finalizer.release kustomization/ns/app-2 (given by ada at 2025-06-12 00:00:48Z, who typed storage)",
        "A store was never validated.",
        "16 m 0 s",
        "T/CP 1.37",
        "its end was never learned",
        "ada, correcting a time: The age was misread.",
    ],
)
def test_the_page_answers_what_is_asked_the_next_morning(said: str) -> None:
    seen = read(html.page(sample()))

    assert said in " ".join("".join(data for _, data in seen.text).split())


def test_an_empty_night_is_a_page_too() -> None:
    bare = replace(
        sample(),
        sessions=(),
        stays=(),
        pods=(),
        actions=(),
        approvals=(),
        by_hand=(),
        causes=(),
        verdict=type(sample().verdict)(looked_at=1.0),
        ledger=None,
        validation=(),
        metrics=(),
        changes=(),
        remarks=(),
        went_well=(),
        challenges=(),
        next_steps=(),
        unproven=(),
        references=(),
    )

    page = html.page(bare)

    assert page.count("<svg") == 1
    assert "No cause was found" in page
    assert structure(page)


def test_a_template_of_ones_own_stands_in(tmp_path: Path) -> None:
    (tmp_path / html.NAME).write_text("<p>{{ story.title }}</p>")

    assert html.page(replace(sample(), title="<ours>"), tmp_path) == "<p>&lt;ours&gt;</p>"


def test_a_template_that_extends_ours_changes_one_part(tmp_path: Path) -> None:
    own = tmp_path / html.NAME
    own.write_text(
        '{% extends "rekindle/report.html.j2" %}'
        "{% block next_steps %}<p>Ring {{ story.run.cluster }}</p>{% endblock %}"
    )

    page = html.page(sample(), own)

    assert "<p>Ring anton</p>" in page
    assert "Rotate the token." not in page
    assert page.count("<svg") == 3


def test_the_pictures_are_markup_of_ours_and_escaped_inside() -> None:
    page = html.page(retold(sample(), lambda _: "<b>"))

    assert "<b>" not in page
    assert svg.escaped("<b>") in page
