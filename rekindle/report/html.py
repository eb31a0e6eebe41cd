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
from typing import TYPE_CHECKING

from rekindle.lines import clock, stamp
from rekindle.report.drawing import svg
from rekindle.report.drawn import Drawn, blocked_of, gantt_of, pods_of
from rekindle.report.story import Action, Approval, Cause, Story

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
NAME = "report.html.j2"
SHEETS = ("picture.css", "report.css")
DAY = 86_400
CLEARS = {"yes": "clears by itself", "no": "never clears by itself"}
MARKS = {  # outcome or verdict: class and sign, so that colour is not all there is
    "done": ("good", "✓"),
    "proven": ("good", "✓"),
    "whole": ("good", "✓"),
    "given": ("good", "✓"),
    "failed": ("bad", "✗"),
    "broken": ("bad", "✗"),
    "refused": ("bad", "✗"),
}
IN_DOUBT = ("doubt", "?")


def page(story: Story, templates: Path | None = None) -> str:
    """Return the whole document. A template of the same name in *templates* stands in for ours."""
    from markupsafe import Markup

    style = style_sheet()
    causes = sorted(story.causes, key=lambda cause: (not cause.at_verdict, _began(cause)))
    return (
        environment(templates)
        .get_template(NAME)
        .render(
            story=story,
            style=Markup(style),  # noqa: S704  our own files
            policy=policy(style),
            pictures=_pictures(story),
            causes=causes,
            first=[cause for cause in causes if cause.at_verdict] or causes[:1],
            done=_done(story.actions),
            destroyed=[one for one in story.actions if one.destroys and one.outcome != "failed"],
            doubtful=[one for one in story.actions if one.doubtful],
            answers={one.approval: one for one in story.approvals},
        )
    )


def environment(templates: Path | None) -> Environment:
    """Make what renders: everything is escaped that is not markup of ``drawing``; what is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folders = [folder for folder in (templates, TEMPLATES) if folder is not None]
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "clock": clock,
        "stamp": stamp,
        "took": took,
        "mark": lambda word: MARKS.get(word, IN_DOUBT),
        "allowed": allowed,
        "clears": lambda word: CLEARS.get(word, "may clear by itself"),
    }
    return made


def _cleaned(value: object) -> object:
    return svg.clean(value) if type(value) is str else value


def style_sheet() -> str:
    """Return the style of the page and of its pictures."""
    sheets = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SHEETS]
    return "\n" + "".join(sheets)


def policy(style: str) -> str:
    """Allow exactly this style and nothing else: no script, no image, no font, no request of any kind."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def took(seconds: float | None) -> str:
    """Write a duration to the second, as people add durations up: ``1:02:07``."""
    if seconds is None:
        return "-"
    whole = max(0, round(seconds))
    days, rest = divmod(whole, DAY)
    minutes, left = divmod(rest, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{days} d ' if days else ''}{hours}:{minutes:02}:{left:02}"


def allowed(one: Action, answers: dict[str, Approval]) -> str:
    """Say who allowed an action and when; or that nobody had to."""
    answer = answers.get(one.approval)
    if answer is None:
        return "no question was needed" if not one.approval else f"question {one.approval}"
    if answer.answered is None:
        return f"asked at {clock(answer.asked)}, not answered"
    return f"{answer.answer} by {answer.actor} at {clock(answer.answered)}"


def _pictures(story: Story) -> dict[str, tuple[Drawn, object]]:
    from markupsafe import Markup

    drawn = [pods_of(story), gantt_of(story), blocked_of(story)]
    return {one.name: (one, Markup(one.svg)) for one in drawn if one is not None}  # noqa: S704


def _began(cause: Cause) -> float:
    return cause.found if cause.since is None else cause.since


def _done(actions: Sequence[Action]) -> list[tuple[str, int, str]]:
    """Count actions by verb and outcome, in the order in which the verbs were first used."""
    verbs = list(dict.fromkeys(one.verb for one in actions))
    outcomes = {verb: Counter(one.outcome for one in actions if one.verb == verb) for verb in verbs}
    return [
        (
            verb,
            outcomes[verb].total(),
            ", ".join(f"{n} {what}" for what, n in sorted(outcomes[verb].items())),
        )
        for verb in verbs
    ]
