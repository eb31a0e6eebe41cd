"""
The report as one page: it needs no script, no network and no other file, and allows itself none.

Its policy names the style sheet by its digest; whatever a name in the journal tried to bring along would not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rekindle.report.drawing import svg
from rekindle.report.drawn import Drawn, blocked_of, gantt_of, pods_of
from rekindle.report.happenings import Action
from rekindle.report.legend import meaning
from rekindle.report.markdown import filters, loader_for, rendered
from rekindle.report.story import Story

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")
NAME = "report.html.j2"
SHEETS = ("picture.css", "report.css")
CLEARS = {"yes": "clears", "no": "never clears"}
MARKS = {  # outcome or verdict: class and sign, so that colour is not all there is
    "done": ("good", "✓"),
    "proven": ("good", "✓"),
    "whole": ("good", "✓"),
    "given": ("good", "✓"),
    "failed": ("bad", "✗"),
    "broken": ("bad", "✗"),
    "refused": ("bad", "✗"),
    "red": ("bad", "✗"),
}
IN_DOUBT = ("doubt", "?")


def page(story: Story, template: Path | None = None) -> str:
    """
    Write a report. *template*: a file in place of ours, or a folder with a ``report.html.j2``.

    :raises UsageWrong: when the template cannot be read, or does not fit the story.
    """
    environment = environment_for(template)
    style = style_sheet()
    environment.globals |= {
        "style": _ours(style),
        "policy": policy(style),
        "pictures": _pictures(story),
    }
    return rendered(story, NAME, template, environment)


def environment_for(template: Path | None) -> Environment:
    """Make the environment of HTML: all is escaped that is not markup of ``drawing``, an unknown name is an error."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=loader_for(template, NAME),
        autoescape=True,
        finalize=_cleaned,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    ours: dict[str, Any] = {
        "mark": lambda word: MARKS.get(word, IN_DOUBT),
        "clears": lambda word: CLEARS.get(word, "may clear"),
        "outcomes": outcomes,
        "meaning": meaning,
    }
    environment.filters |= filters() | ours
    return environment


def _cleaned(value: object) -> object:
    return svg.clean(value) if type(value) is str else value


def _ours(text: str) -> Markup:
    """Say that a text is markup: it is of our own files, or has been escaped where it was drawn."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  see above


def style_sheet() -> str:
    """Return the style of the page and of its pictures."""
    sheets = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SHEETS]
    return "\n" + "".join(sheets)


def policy(style: str) -> str:
    """Allow exactly this style and nothing else: no script, no image, no font, no request of any kind."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def outcomes(actions: Sequence[Action]) -> str:
    """Count actions by what came of them."""
    counts = Counter(one.outcome for one in actions)
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def _pictures(story: Story) -> dict[str, tuple[Drawn, Markup]]:
    drawn = [pods_of(story), gantt_of(story), blocked_of(story)]
    return {one.name: (one, _ours(one.svg)) for one in drawn if one is not None}
