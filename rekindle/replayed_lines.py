"""What a replay came to, in lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.parted import Difference, What
from journal.redactor import redact
from phases.diagnosis.words import counted as number_of
from rekindle.replaying import Replayed
from rekindle.spans import stamp

SUBJECTS = 5
TEXT = 200
SAYS = {
    What.DECISION: "decides",
    What.MOVE: "moves",
    What.FACTS: "sees",
    What.FINDINGS: "finds",
}


def lines(result: Replayed, shown: int | None) -> Iterator[str]:
    """Say it; *shown* limits the differences."""
    counted = result.replayer.counted
    listed = result.differences if shown is None else result.differences[:shown]
    for one in listed:
        yield from _difference(one)
    left = result.count - len(listed)
    if left > 0:
        yield f"and {left} more: --all prints them, --json has their whole bodies"
    if counted.withdrawn:
        yield f"{counted.withdrawn} entries were withdrawn: what rested on them cannot be decided again"
    beside = f", {counted.looks} looks and {counted.diagnoses} diagnoses" if result.film else ""
    compared = (
        f"{counted.turns} turns, {counted.decisions} decisions and {counted.moves} moves "
        f"on {counted.facts} facts{beside}"
    )
    verdict = "the same today" if result.same else f"{result.count} differences today"
    yield f"{verdict}: run {result.source.run_id}, {compared}"
    for why, count in counted.left.items():
        yield f"{number_of(count, 'turn')} not compared: {why}"
    if counted.unlooked and result.film is not None:
        yield (
            f"{number_of(counted.unlooked, 'turn')} without a recorded look: there the facts are the journal's own"
        )
    if result.film is None:
        yield "no looks were recorded (--record): the facts are the journal's own"
    yield from result.phases
    if result.unasked:
        yield (
            f"not compared: {', '.join(result.unasked)} in that plan; when an action was tried again, and how long it "
            "took, is as the journal has it"
        )
    for what in result.said:
        yield f"recording {result.film}: {what}"


def _difference(one: Difference) -> Iterator[str]:
    said = SAYS[one.what]
    yield f"{one.position:6}  {stamp(one.at)}  {one.state}: {said} otherwise, because of the {one.why.value}"
    for reason in one.because:
        yield f"{'':8}because {reason}"
    subjects = list(one.journaled)
    for subject in subjects[:SUBJECTS]:
        yield f"{'':8}{subject}"
        yield f"{'':10}then   {_body(one.journaled[subject])}"
        yield f"{'':10}today  {_body(one.today[subject])}"
    if len(subjects) > SUBJECTS:
        yield f"{'':8}and {len(subjects) - SUBJECTS} more subjects"


def _body(body: Any) -> str:  # noqa: ANN401  JSON
    if body is None:
        return "nothing"
    text = json.dumps(redact(body), ensure_ascii=False, sort_keys=True)
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
