"""
What stands in a table adds up: a printed span is the difference of the instants printed beside it.

Mutants: write a span as the rounded difference of instants; round the rows of the ledger each by itself; let ``clock``
round; say a time of ten minutes and more without its seconds.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rekindle.ledger import rounded, sentence
from rekindle.report.markdown import page
from rekindle.report.phrases import chain
from rekindle.spans import between, clock, exact, shares, span, stamp, whole
from tests.report.conftest import Night
from tests.report.samples import sample

INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ")
SPAN = re.compile(r"(?:(\d+) h )?(?:(\d+) m )?(\d+) s")


def second(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S%z").timestamp())


def seconds(text: str) -> int:
    found = SPAN.fullmatch(text)
    assert found is not None, text
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the rows below the table's head that begins so."""
    lines = text.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(head))
    found = []
    for line in lines[place + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_every_printed_row_of_states_and_of_the_path_adds_up(night: Night) -> None:
    text = page(night.story)
    states = [row[1:4] for row in rows(text, "| state | begun")]
    path = [row[:3] for row in rows(text, "| from | to | took")]

    for table in (states, path):
        for begun, ended, took in table:
            assert second(ended) - second(begun) == seconds(took)
        for before, after in pairwise(table):
            assert before[1] == after[0]
        total = second(table[-1][1]) - second(table[0][0])
        assert sum(seconds(row[2]) for row in table) == total

    (value,) = (row[1] for row in rows(text, "| metric | value") if row[0] == "Time of the run")
    assert value == f"{sum(seconds(row[2]) for row in states)} s"


def test_the_rows_of_the_ledger_add_up_to_the_time_of_the_run(night: Night) -> None:
    text = page(night.story)
    ledger = rows(text, "| what | class | time")
    on_path = sum(seconds(row[2]) for row in ledger if row[3] == "yes")
    (took,) = re.findall(r"The run took ([^;:.]+?)[;:.]", text)

    assert on_path == seconds(took)
    run = night.story.run
    assert run.ended is not None
    assert on_path == second(stamp(run.ended)) - second(stamp(run.opened))


def test_every_span_between_two_printed_instants_of_a_cause_adds_up(night: Night) -> None:
    found = re.findall(
        rf"found ({INSTANT.pattern}); gone ({INSTANT.pattern}), (.+?) after it was found",
        page(night.story),
    )

    assert len(found) == len(night.story.causes)
    for begun, ended, after in found:
        assert second(ended) - second(begun) == seconds(after)


def test_the_closing_line_and_the_report_say_one_time(night: Night) -> None:
    closed = night.cluster.loop.now
    run, ledger = night.story.run, night.story.ledger
    assert run.ended is not None
    assert ledger is not None
    assert abs(closed - run.ended) < 0.001
    took = exact(between(run.opened, run.ended))
    said = {"seconds": ledger.seconds, "critical_path_seconds": ledger.critical_path}

    assert sentence({"ledger": said}, run.ended).startswith(f"{took}; the work alone")
    assert any(f", {took} later" in one for one in night.story.summary)


def test_changes_of_the_configuration_stand_in_the_order_of_their_instants(night: Night) -> None:
    """Mutant: in that of their beginnings; the command that brings the network ends long after the next began."""
    text = page(night.story)
    begun = text.index("### Configuration Changes")
    listed = text[begun : text.index("- Changes of the plan", begun)].splitlines()

    told = [
        line.split(": ", 1)[0] for line in listed if re.match(r"- \d{4}.* [a-z]+\.[a-z-]+ ", line)
    ]

    assert len(told) > 4
    assert told == sorted(told)


def test_the_longest_chain_of_work_is_never_longer_than_the_run() -> None:
    """Mutant: round it, where the run's own seconds are cut off."""
    story = sample()
    assert story.ledger is not None
    ledger = replace(story.ledger, critical_path=story.run.took + 0.7, ratio=1.0)

    shown = page(replace(story, ledger=ledger))

    took = span(story.run.took)
    assert f"The run took {took}: 1.0 times its longest chain of work, {took} " in shown
    assert chain(story.ledger, story.run.took) == round(story.ledger.critical_path)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (0.4, "0 s"),
        (45, "45 s"),
        (60, "1 m"),
        (639, "10 m 39 s"),
        (600, "10 m"),
        (7562, "2 h 6 m 2 s"),
        (7560, "2 h 6 m"),
    ],
)
def test_a_time_in_a_sentence_has_its_seconds_however_long_it_is(length: float, said: str) -> None:
    assert exact(length) == said


@given(st.lists(st.floats(0, 50_000), min_size=1, max_size=40))
def test_printed_spans_between_printed_instants_add_up(steps: list[float]) -> None:
    instants = [1_749_716_160.0]
    for step in steps:
        instants.append(instants[-1] + step)

    printed = sum(between(one, two) for one, two in pairwise(instants))

    assert printed == second(stamp(instants[-1])) - second(stamp(instants[0]))


@given(st.lists(st.floats(0, 5_000), min_size=1, max_size=12), st.floats(0, 1))
def test_rounded_shares_add_up_and_none_is_a_second_away(parts: list[float], shift: float) -> None:
    total = round(sum(parts)) if shift < 0.5 else whole(sum(parts))

    found = shares(total, parts)

    assert sum(found) == total
    assert all(abs(one - part) < 1.001 for one, part in zip(found, parts, strict=True))
    assert all(one >= 0 for one in found)


def test_what_is_no_whole_is_not_made_one() -> None:
    assert shares(100, (3.6, 4.2)) == (4, 4)
    assert rounded({"seconds": 960.0, "useful": 3.6, "unknown": 4.2}).useful == 4


def test_a_sum_that_floats_miss_by_a_hair_is_that_second() -> None:
    assert clock(1_749_716_160.0 - 1e-8) == "08:16:00"
    assert span(between(1_749_716_159.6, 1_749_716_160.1)) == "1 s"
