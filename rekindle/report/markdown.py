"""
Story → Markdown, by a template that people may replace.

Whatever a template prints is escaped: what a cluster says is text, and no heading, link, image or HTML of its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.errors import UsageWrong
from engine.patience import spoken
from rekindle.report.beforehand import forbade
from rekindle.report.corrections import told
from rekindle.report.happenings import Correction, Dated
from rekindle.report.legend import configured, legend
from rekindle.report.lessons import counted, known_after, since_first_look
from rekindle.report.own import follows
from rekindle.report.phrases import (
    allowed,
    aside,
    because,
    chain,
    done_here,
    ended,
    evidence,
    none_of,
    spent,
    stood,
    unexplained,
)
from rekindle.report.story import Story
from rekindle.spans import between, clock, span, stamp
from rekindle.there import is_folder

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

PACKAGED: Final = "rekindle"  # the name under which an own template finds ours
NAME: Final = "report.md.j2"
_SPACE: Final = re.compile(r"\s+")
_INLINE: Final = re.compile(r"([\\`*_\[\]<>|~&$])")
_LINK: Final = re.compile(r"(?i)(?<=[a-z])(:)(?=//)|(?<=\bwww)(\.)")
_BLOCK: Final = re.compile(r"^( ?\d{1,9})(?=[.)](?: |$))|^( ?)(?=[#+=-])")


class Plain(str):
    """A text that is Markdown already: it is printed as it stands."""

    __slots__ = ()


def escaped(text: object) -> Plain:
    """Write a text so that Markdown shows it as it is, also at the beginning of a line and in a table."""
    if isinstance(text, Plain):
        return text
    line = _SPACE.sub(" ", str(text))
    line = _INLINE.sub(r"\\\1", line)
    line = _LINK.sub(lambda match: f"\\{match[0]}", line)
    return Plain(_BLOCK.sub(lambda match: f"{match[0]}\\", line))


def instant(at: float | None) -> str:
    """Write an instant, in UTC."""
    return "" if at is None else stamp(at)


def moment(at: float | None) -> str:
    """Write the time of day of an instant, in UTC."""
    return "" if at is None else clock(at)


def correction(one: Correction) -> str:
    """Say what a person corrected: what is true, what the journal says, who says so and when it was noted."""
    said = []
    if one.time is not None and one.since:
        cluster = stamp(one.said) if one.said is not None else "nothing"
        said.append(f"it was {stamp(one.time)}; the cluster told {cluster}")
    elif one.time is not None:
        instead = f", not {stamp(one.said)}" if one.said is not None else ""
        said.append(f"it was {stamp(one.time)}{instead}")
    if one.cause:
        said.append(f"the cause was: {one.cause}")
    what = "; ".join(said)
    return f"{what} ({one.actor}, noted {stamp(one.written)}, of entry {one.entry})"


def when(row: Dated, name: str) -> float | None:
    """Return an instant of a row: as people corrected it, else as the journal says; None: it has none."""
    return None if getattr(row, name) is None else row.when(name)


def page(story: Story, template: Path | None = None) -> str:
    """
    Write a report. *template*: a file in place of ours, or a folder with a ``report.md.j2``.

    :raises UsageWrong: when the template cannot be read, or does not fit the story.
    """
    return rendered(story, NAME, template, environment_for(template, NAME))


def rendered(story: Story, name: str, template: Path | None, environment: Environment) -> str:
    """Render, and say whose mistake it is if that fails."""
    from jinja2 import TemplateError

    try:
        text: str = environment.get_template(name).render(story=story)
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        if template is None:
            raise
        raise UsageWrong(
            f"{template}: {type(error).__name__}: {error}",
            reference="template-invalid",
            hint="docs/explanation/postmortem.md says what a template may name; without --template ours is used",
        ) from error
    return text


def environment_for(template: Path | None, name: str) -> Environment:
    """Make the environment of Markdown: every expression is escaped, an unknown name is an error."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=loader_for(template, name),
        autoescape=False,
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters())
    return environment


def filters() -> dict[str, Any]:
    """Name what a template may write times with."""
    return {
        "instant": instant,
        "moment": moment,
        "span": span,
        "to": between,
        "aside": aside,
        "chain": chain,
        "ended": ended,
        "allowed": allowed,
        "because": because,
        "spent": spent,
        "stood": stood,
        "done_here": done_here,
        "evidence": evidence,
        "none_of": none_of,
        "follows": follows,
        "explained": unexplained,
        "forbade": forbade,
        "legend": legend,
        "configured": configured,
        "spoken": spoken,
        "correction": correction,
        "after_first_look": since_first_look,
        "known_after": known_after,
        "told": told,
        "when": when,
        "entries": lambda count: f"{count} {'entry' if count == 1 else 'entries'}",
        "objects": lambda count: counted(count, "object") if count else "nothing that was seen",
    }


def loader_for(template: Path | None, name: str) -> BaseLoader:
    """
    Find *name* in the operator's folder, or take the operator's file for it; ours is ``rekindle/NAME`` to both.

    :raises UsageWrong: when there is no such template.
    """
    from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader, PackageLoader, PrefixLoader

    ours = PackageLoader("rekindle.report", "templates")
    named = PrefixLoader({PACKAGED: ours})
    if template is None:
        return ChoiceLoader([ours, named])
    if is_folder(template):
        return ChoiceLoader([FileSystemLoader(template), named, ours])
    try:
        source = template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageWrong(
            f"{template}: {getattr(error, 'strerror', None) or error}",
            reference="template-invalid",
            hint="--template names a Jinja template, or a folder with report.md.j2 in it",
        ) from error
    return ChoiceLoader([DictLoader({name: source}), named, ours])
