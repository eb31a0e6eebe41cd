"""The pictures of a story, each with the table that says the same in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from rekindle.report.drawing import blocked, gantt, pods
from rekindle.report.drawing.shapes import Bar, Edge, Level, Look, Mark, Node, Phase, Row
from rekindle.report.drawing.svg import Markup
from rekindle.report.happenings import Action, Approval, Dated, Session, Stay
from rekindle.report.reasons import Cause
from rekindle.report.story import Story
from rekindle.spans import between, clock, exact

LOOKS = {"done": Look.DONE, "failed": Look.FAILED, "unsettled": Look.DOUBT, "open": Look.OPEN}
MOST_ROWS = 300
CORRECTED = " (corrected)"


@dataclass(frozen=True, slots=True)
class Drawn:
    """*svg* is markup already; *told* says in a sentence what it shows, *rows* in a table, under *heads*."""

    name: str
    title: str
    told: str
    svg: Markup
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pods_of(story: Story) -> Drawn | None:
    """Draw the pods over time; None where none were ever counted."""
    if not story.pods:
        return None
    end = story.run.when("ended", story.run.last)
    levels = [Level(point.when("at"), point.ready, point.expected) for point in story.pods]
    levels.sort(key=lambda level: level.at)
    phases = [
        Phase(f"{stay.state}{_mark(stay)}", stay.when("begun"), stay.when("ended", end))
        for stay in _stays(story)
    ]
    marks = [
        Mark(one.when("intended"), f"{one.verb}{_mark(one)}", _sentence(one))
        for one in story.actions
    ]
    marks += [
        Mark(deed.when("at"), f"by hand: {deed.verb}{_mark(deed)}", f"{deed.name}{_instead(deed)}")
        for deed in story.by_hand
    ]
    rows = tuple(
        (clock(at), what, str(level.ready), str(level.expected))
        for at, what, level in pods.changes(levels, phases)
    )
    note = _note(story, [*story.pods, *_stays(story), *story.actions, *story.by_hand])
    return Drawn(
        "pods",
        "Pods over time",
        pods.told(levels, phases, note),
        pods.pods_over_time(levels, phases, marks, note=note),
        ("Time (UTC)", "What", "Pods Ready", "Pods wanted"),
        rows,
    )


def gantt_of(story: Story) -> Drawn:
    """Draw sessions where there were several, states, questions, and a row for each verb."""
    end = story.run.when("ended", story.run.last)
    rows = _rows(story, end)
    told = [*story.sessions, *_stays(story), *story.approvals, *story.actions]
    moved = [at for row in told for at in row.true.values()]
    moved += [story.run.when("opened"), end]
    begun, ended = min(moved), max(moved)
    table = tuple(
        (row.label, bar.label or row.label, clock(bar.begun), clock(bar.ended), bar.hint)
        for row in rows
        for bar in row.bars
    )
    note = _note(story, [story.run, *told])
    return Drawn(
        "gantt",
        "States and actions over time",
        gantt.told(rows, begun, ended, note),
        gantt.gantt(rows, begun, ended, note=note),
        ("Row", "Bar", "From (UTC)", "To (UTC)", "What it was"),
        _cut(table),
    )


def _mark(row: Dated) -> str:
    """Mark what stands where people say that it was, and not where the journal has it."""
    return CORRECTED if row.true else ""


def _instead(row: Dated) -> str:
    """Say what the journal has in the place of what was corrected."""
    if not row.true:
        return ""
    said = ", ".join(f"{name} {clock(getattr(row, name))}" for name in row.true)
    return f" (corrected; the journal says: {said} UTC)"


def _note(story: Story, rows: Iterable[Dated]) -> str:
    """Say that a picture goes by what people corrected, and how its axis goes on past a clock set back."""
    count = len({row.of[name] for row in rows for name in row.true})
    were, them = ("1 instant is", "it") if count == 1 else (f"{count} instants are", "them")
    said = f" {were} drawn as people corrected {them}, and not as the journal says."
    axis = " The clock was set back: the axis goes on as before, with the time that passed."
    return (said if count else "") + (axis if story.set_back else "")


def blocked_of(story: Story) -> Drawn | None:
    """Draw what blocked what when the verdict was known, or when most was; None where nothing was."""
    verdict = story.verdict
    if not verdict.roots and not verdict.edges:
        return None
    causes = {cause.id: cause for cause in story.causes}
    roots = [causes[key] for key in verdict.roots if key in causes]
    said = {cause.subject: cause for cause in roots}
    subjects = {end for edge in verdict.edges for end in (edge.blocker, edge.blocked)} | set(said)
    at_root = {edge.blocker for edge in verdict.edges if edge.root} | set(said)
    named = {cause.subject: cause.name for cause in story.causes}
    nodes = [
        _node(one, named.get(one, one), said.get(one), root=one in at_root) for one in subjects
    ]
    edges = [Edge(edge.blocker, edge.blocked) for edge in verdict.edges]
    rows = tuple((edge.blocker, edge.blocked) for edge in verdict.edges)
    return Drawn(
        "blocked",
        "What blocked what",
        blocked.told(nodes, edges),
        blocked.blocked_by(nodes, edges),
        ("Blocker", "Blocked"),
        _cut(rows) or tuple((root.name, "nothing else") for root in roots),
    )


def _cut(rows: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Keep a table readable; every action has a line of its own elsewhere in the page."""
    if len(rows) <= MOST_ROWS:
        return rows
    more = f"and {len(rows) - MOST_ROWS} more"
    return (*rows[:MOST_ROWS], (more, *([""] * (len(rows[0]) - 1))))


def _node(subject: str, name: str, cause: Cause | None, *, root: bool) -> Node:
    kind, rest = _split(name)
    if cause is None:
        return Node(subject, rest, kind, root=root)
    said = cause.verdict_message or cause.message
    return Node(subject, rest, kind, said, root=root, held=cause.victim_count)


def _split(name: str) -> tuple[str, str]:
    """Part the kind from the name: of ``kustomization/apps/web`` as well as of ``CephBlockPool storage/scratch``."""
    blank, slash = name.find(" "), name.find("/")
    cut = blank if 0 <= blank < slash else slash
    return (name[:cut], name[cut + 1 :]) if cut > 0 else ("", name)


def _stays(story: Story) -> list[Stay]:
    """Return the stays that are worth a band: the last one of a closed run has no length."""
    end = story.run.when("ended", story.run.last)
    return [stay for stay in story.stays if stay.when("begun") < end or len(story.stays) == 1]


def _sentence(one: Action) -> str:
    code = f" ({one.code})" if one.code else ""
    again = f", attempt {one.attempt}" if one.attempt > 1 else ""
    return f"{one.verb} {one.name}{again}: {one.outcome}{code}{_instead(one)}"


def _rows(story: Story, end: float) -> list[Row]:
    rows = _sessions(story.sessions, end)
    states: dict[str, list[Bar]] = {}
    for stay in _stays(story):
        begun, till = stay.when("begun"), stay.when("ended", end)
        why = f": {stay.why}" if stay.why else ""
        took = f"{exact(between(begun, till))}{_mark(stay)}"
        bar = Bar(begun, till, took, f"{stay.state}{why}{_instead(stay)}", Look.STATE)
        states.setdefault(stay.state, []).append(bar)
    rows += [Row(state, tuple(bars)) for state, bars in states.items()]
    if story.approvals:
        rows.append(Row("questions", tuple(_question(one, end) for one in story.approvals)))
    verbs: dict[str, list[Bar]] = {}
    for one in story.actions:
        look, name = LOOKS.get(one.outcome, Look.OPEN), f"{_split(one.name)[1]}{_mark(one)}"
        bar = Bar(one.when("intended"), one.when("settled", end), name, _sentence(one), look)
        verbs.setdefault(one.verb, []).append(bar)
    return rows + [Row(verb, tuple(bars)) for verb, bars in verbs.items()]


def _sessions(sessions: Iterable[Session], end: float) -> list[Row]:
    """Show when nobody held the run; a single session is no news."""
    held = sorted(sessions, key=lambda one: one.when("begun"))
    gaps = []
    for before, after in itertools.pairwise(held):
        left, came = before.when("ended"), after.when("begun")
        if before.ended is not None and came > left:
            moved = "ended" in before.true or "begun" in after.true
            span = f"{exact(between(left, came))}{CORRECTED if moved else ''}"
            hint = f"no session: the one before was {before.ended_as or 'ended'}"
            gaps.append(Bar(left, came, span, hint, Look.NOBODY))
    last = held[-1] if held else None
    if last is not None and last.ended is not None and last.when("ended") < end:
        gaps.append(Bar(last.when("ended"), end, "", "no session", Look.NOBODY))
    return [Row("no session", tuple(gaps))] if gaps else []


def _question(one: Approval, end: float) -> Bar:
    answer = f"{one.answer} by {one.actor}" if one.answer else "not answered"
    return Bar(
        one.when("asked"),
        one.when("answered", end),
        f"{one.name}{_mark(one)}",
        f"{one.question} {answer}{_instead(one)}",
        Look.PERSON,
    )
