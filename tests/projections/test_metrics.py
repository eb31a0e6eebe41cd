"""
Promise: what `rekindle metrics` writes is read by Prometheus' own parser, and no counter ever falls within a run.

Mutants, each tried: count every settlement as done; count no time for a state, or not up to the heartbeat; write a
verdict of zero where there was none; do not escape labels; take every question for an open one; count a cause each time
that it changes; leave the pods' fact out of a look; do not count withdrawn entries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from journal import entries as e
from journal.row import Row
from rekindle.projections.exposition import Family, text
from rekindle.projections.metrics import metrics
from tests.projections.making import FOUND, LEASE, STORY, opened, rows

Sample = tuple[str, frozenset[tuple[str, str]]]
COMMON = {"cluster": "lab", "purpose": "run"}
SAMPLE = re.compile(r"^([a-z_]+)\{[^{}]*\} [^ ]+$")
UNITS = ("_seconds", "_ratio", "_info", "_total")
COUNTED = (  # numbers of things: their name is their unit
    "rekindle_actions_open",
    "rekindle_findings",
    "rekindle_pods_expected",
    "rekindle_pods_ready",
    "rekindle_questions_open",
    "rekindle_root_causes",
    "rekindle_run_held",
    "rekindle_run_outcome",
    "rekindle_state",
)


def parsed(made: str) -> dict[Sample, float]:
    """Read it as Prometheus does."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(made)
        for sample in family.samples
    }


def of(found: dict[Sample, float], name: str, **labels: str) -> float:
    return found[f"rekindle_{name}", frozenset({**COMMON, **labels}.items())]


def told(upto: int = len(STORY)) -> dict[Sample, float]:
    return parsed(metrics(rows(STORY[:upto])))


def counters_never_fall(all_rows: Sequence[Row], step: int = 1) -> None:
    known: dict[Sample, float] = {}
    for end in range(1, len(all_rows) + 1, step):
        found = parsed(metrics(all_rows[:end]))
        counters = {key: value for key, value in found.items() if key[0].endswith("_total")}
        assert known.keys() <= counters.keys()
        assert all(counters[key] >= value for key, value in known.items())
        known = counters
    assert known


def test_a_run_is_counted() -> None:
    found = told()

    assert of(found, "run_info", run_id="run-1", version="0.1.0", simulated="false") == 1
    assert of(found, "run_outcome", outcome="done") == 1
    assert of(found, "run_outcome", outcome="open") == 0
    assert of(found, "state", state="done") == 1
    assert of(found, "state_entries_total", state="ground") == 2
    assert of(found, "state_entries_total", state="roof") == 2
    assert of(found, "state_seconds_total", state="ground") == 120
    assert of(found, "state_seconds_total", state="roof") == 80
    assert of(found, "pods_ready") == of(found, "pods_expected") == 3
    assert of(found, "time_to_verdict_seconds") == 3.5
    assert of(found, "by_hand_total", verb="flux.nudge") == 1
    assert of(found, "journal_entries_total", kind="moved") == 4
    assert of(found, "run_opened_timestamp_seconds") == 1_000
    assert of(found, "run_last_timestamp_seconds") == 1_200


def test_actions_are_counted_by_verb_and_outcome() -> None:
    found = told()

    assert of(found, "actions_intended_total", verb="command.run") == 2
    for outcome in ("done", "failed", "unsettled"):
        assert of(found, "actions_settled_total", verb="command.run", outcome=outcome) == 1
    assert of(found, "actions_open", verb="command.run") == 0
    assert of(found, "actions_open", verb="flux.nudge") == 1


def test_causes_are_counted_by_rule_each_time_that_they_appear() -> None:
    assert of(told(4), "findings", rule="N1") == 1
    assert of(told(4), "root_causes", clears_itself="no") == 1
    assert of(told(4), "root_causes", clears_itself="yes") == 0
    assert of(told(), "findings", rule="N1") == 0
    assert of(told(), "findings_total", rule="N1") == 1
    assert of(told(), "findings_total", rule="P1") == 2


def test_a_question_is_open_until_it_is_answered() -> None:
    found = [of(told(upto), "questions_open") for upto in (5, 6, 10, 27)]

    assert found == [0, 1, 0, 0]
    assert of(told(), "questions_total") == of(told(), "answers_total", answer="given") == 1
    assert of(told(), "answers_total", answer="refused") == 0


def test_where_the_time_went_is_told_when_the_run_is_over() -> None:
    found = told()

    assert of(found, "run_seconds") == 200
    assert of(found, "critical_path_seconds") == of(found, "useful_seconds") == 80
    assert of(found, "critical_path_ratio") == 2.5
    assert of(found, "dead_wait_seconds", **{"class": "DW18"}) == 60
    assert of(found, "dead_wait_seconds", **{"class": "nobody"}) == 20
    assert of(found, "unexplained_seconds") == 40


def test_what_is_not_known_is_left_out() -> None:
    names = {name for name, _ in told(2)}

    assert "rekindle_run_outcome" in names
    for missing in ("dead_wait", "run_seconds", "critical_path", "pods", "verdict", "held", "beat"):
        assert not any(missing in name for name in names), missing


def test_the_present_state_grows_with_the_heartbeat_while_the_run_is_open() -> None:
    open_ = parsed(metrics(rows(STORY[:25]), LEASE, held=True))
    over = parsed(metrics(rows(), LEASE, held=False))

    assert of(open_, "last_heartbeat_timestamp_seconds") == 1_700_000_007.25
    assert of(open_, "run_held") == 1
    assert of(open_, "state_seconds_total", state="roof") == 30 + (1_230 - 1_150)
    assert of(over, "run_held") == 0
    assert of(over, "state_seconds_total", state="roof") == 80


def test_no_counter_falls() -> None:
    counters_never_fall(rows())


def test_a_withdrawn_entry_is_still_an_entry() -> None:
    found = parsed(metrics(rows([opened(), None])))

    assert of(found, "journal_entries_total", kind="note") == 1


def test_without_an_opening_there_is_nothing_to_tell() -> None:
    assert metrics([]) == ""


def test_every_line_is_as_the_format_wants_it() -> None:
    """The parser forgives much; node_exporter does not: no timestamps, HELP and TYPE once and first."""
    lines = metrics(rows(), LEASE, held=True).splitlines()
    kinds: dict[str, str] = {}
    helped = ""
    for line in lines:
        if line.startswith("# HELP "):
            helped = line.split()[2]
            assert helped not in kinds
            assert len(line.split(maxsplit=3)[3]) > 10
        elif line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name == helped
            kinds[name] = kind
        else:
            found = SAMPLE.match(line)
            assert found, line
            assert found[1] == helped
            assert helped in kinds
    for name, kind in kinds.items():
        assert name.startswith("rekindle_")
        assert name.endswith("_total") == (kind == "counter")
        assert name.endswith(UNITS) or name in COUNTED, name


@given(st.text(), st.floats(allow_nan=False))
def test_any_label_and_any_number_survive(label: str, value: float) -> None:
    family = Family("rekindle_x_seconds", "gauge", "said\\on two\nlines")
    family.add(value, name=label)

    made = text([family], cluster=label)

    ((found, labels), read) = next(iter(parsed(made).items()))
    assert (found, dict(labels)) == ("rekindle_x_seconds", {"name": label, "cluster": label})
    assert read == pytest.approx(value, abs=1e-6)
    assert made.count("\n") == 3


def test_a_cause_that_changes_has_not_appeared_again() -> None:
    worse = replace(FOUND, victims=("a", "b", "c"))
    again = e.FindingsChanged(at=1_006.0, changed={"f1": worse})

    assert of(parsed(metrics(rows((*STORY[:4], again)))), "findings_total", rule="N1") == 1


def test_a_clock_that_was_set_back_takes_nothing_off() -> None:
    """Mutants: fold the rows as they are; take the heartbeat, or the last entry, by another clock than its own."""
    found = STORY[3]
    back = rows([*STORY[:3], e.ClockJumped(at=502.0, seconds=-500.0), replace(found, at=504.5)])

    told = parsed(metrics(back, replace(LEASE, heartbeat_world=510.0), held=True))

    assert of(told, "time_to_verdict_seconds") == 3.5
    assert of(told, "state_seconds_total", state="ground") == 10.0
    assert of(told, "run_last_timestamp_seconds") == 504.5
