"""``rekindle diff``: where two runs parted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import journal_option, json_option
from rekindle.completing import complete_runs
from rekindle.output import print_json, print_line

if TYPE_CHECKING:
    from journal.entries import Fact
    from rekindle.courses import Course
    from rekindle.runs import Source

SHOWN = 10
NAMED = 3  # of a verb's targets
WIDE = 15  # a column with a duration of some days in it
MARGIN = " " * (2 * WIDE + 4)


@click.command("diff")
@click.argument("run", shell_complete=complete_runs)
@click.argument("other", required=False, shell_complete=complete_runs)
@journal_option()
@click.option(
    "--other",
    "elsewhere",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The journal of OTHER, if it is another one; without OTHER its newest run.",
)
@json_option()
def command(
    run: str, other: str | None, journal: str | None, elsewhere: str | None, *, as_json: bool
) -> int:
    """
    Say where two runs parted: states, attempts, findings, and the first decision with its facts.

    RUN and OTHER are ids, the beginnings of ids, or journal files (their newest runs). 0: both decided the same,
    however long it took; 1: a decision was taken by one of them only.
    """
    from engine.errors import UsageWrong
    from journal.reader import Reader
    from rekindle.courses import course_of
    from rekindle.parting import document, parting
    from rekindle.retold import rows_of
    from rekindle.runs import chosen

    if other is None and elsewhere is None:
        raise UsageWrong(
            "two runs are compared, and one was named",
            reference="diff-what",
            hint="`rekindle diff RUN OTHER`, or RUN and --other FILE; `rekindle history` lists the runs of a journal",
        )
    sources = (chosen(run, journal), _other(other, elsewhere, journal))
    courses: list[Course] = []
    for source in sources:
        with Reader(source.journal) as reader:
            courses.append(course_of(rows_of(reader.rows(source.run_id))))
    a, b = courses
    if as_json:
        print_json(document(a, b, (str(sources[0].journal), str(sources[1].journal))))
    else:
        for line in _lines(a, b):
            print_line(line)
    return int(parting(a, b) is not None)


def _other(other: str | None, elsewhere: str | None, journal: str | None) -> Source:
    from rekindle.paths import newest_journal
    from rekindle.runs import chosen, run_in

    if elsewhere is not None:
        return run_in(newest_journal(elsewhere), other)
    return chosen(other, journal)


def _lines(a: Course, b: Course) -> Iterator[str]:
    from rekindle.parting import parting, seconds, states
    from rekindle.spans import between, exact, span

    for name, course in (("a", a), ("b", b)):
        memory = course.memory
        yield (
            f"{name}  {memory.run_id}  {memory.purpose} of {memory.cluster}: {course.outcome} in {memory.state} "
            f"after {exact(course.took)}"
        )
    yield f"{'a':>{WIDE}}{'b':>{WIDE}}"
    for state in states(a, b):
        times = (seconds(a, state), seconds(b, state))
        said = [span(one) or "-" for one in times]
        visits = [course.stays[state].visits if state in course.stays else 0 for course in (a, b)]
        again = f"  (entered {visits[0]} and {visits[1]} times)" if max(visits) > 1 else ""
        yield f"{said[0]:>{WIDE}}{said[1]:>{WIDE}}  {state}{again}"
        yield from _tried(a, b, state)
    yield from _findings(a, b)
    found = parting(a, b)
    if found is None:
        yield "no decision parted them"
        return
    choice = found.choice
    again = f", entered {choice.visit.number} times by then" if choice.visit.number > 1 else ""
    entered, opened = choice.at - choice.after, choice.at - choice.elapsed
    yield (
        f"first decision that parted: {choice.key}, by {found.run} alone, {exact(between(entered, choice.at))} into "
        f"{choice.state}{again} (entry {choice.seq}, {exact(between(opened, choice.at))} into the run)"
    )
    for subject, (one, two) in found.facts.items():
        yield f"  {subject}: a {_said(one)}, b {_said(two)}"
    if found.more:
        yield f"  and {found.more} more facts"
    if found.instead:
        yield f"  {found.instead}"


def _tried(a: Course, b: Course, state: str) -> Iterator[str]:
    """One line a verb, the first of what one of them began more often, and what ended otherwise: the JSON has all."""
    from rekindle.tries import attempts

    same = 0
    for tried in attempts(a, b, state):
        if not any(tried.more.values()) and not tried.ended:
            same += tried.same
            continue
        often = f"{tried.often[0]:>{WIDE}}{tried.often[1]:>{WIDE}}    attempts: {tried.verb}"
        yield often + (f", {tried.same} targets as often in both" if tried.same else "")
        for name, targets in tried.more.items():
            if targets:
                yield f"{MARGIN}{name} more often: {_first(targets)}"
        if tried.in_all is not None:
            yield f"{MARGIN}ended: a {tried.in_all[0]}; b {tried.in_all[1]}"
        if tried.ended:
            ended = [f"{name} (a {one}; b {two})" for name, (one, two) in tried.ended.items()]
            yield f"{MARGIN}ended otherwise: {_first(ended)}"
    if same:
        actions = "action" if same == 1 else "actions"
        yield f"{MARGIN}{same} {actions} as often in both, with the same outcomes"


def _first(items: Sequence[str]) -> str:
    left = len(items) - NAMED
    return ", ".join(items[:NAMED]) + (f" and {left} more" if left > 0 else "")


def _findings(a: Course, b: Course) -> Iterator[str]:
    for name, mine, theirs in (("a", a, b), ("b", b, a)):
        alone = sorted(mine.findings.keys() - theirs.findings.keys())
        for key in alone[:SHOWN]:
            yield f"only {name} found {key}: {mine.findings[key].message}"
        if len(alone) > SHOWN:
            yield f"only {name} found {len(alone) - SHOWN} more"


def _said(fact: Fact | None) -> str:
    if fact is None:
        return "nothing"
    return f"{fact.code}{f' ({fact.reason})' if fact.reason else ''}"
