"""
Promise: what `rekindle trace` writes is an ExportTraceServiceRequest, and the same run is always the same trace.

OTLP/JSON is JSON of protobuf but for its ids: they are hexadecimal, where protobuf's own JSON has base64. The parser of
protobuf is strict about everything else (unknown names, wrong types), so the ids are converted here and nothing more.

Mutants, each tried: make an id from the process; end an open action at its beginning; call a settled action OK; let a
stay that was left backwards be OK; write nanoseconds as numbers; leave the events of a span unbounded.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from journal import entries as e
from rekindle.projections import otlp
from rekindle.projections.trace import trace
from tests.projections.making import FOUND, STORY, opened, rows

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def in_protobufs_own_json(value: Any) -> Any:  # noqa: ANN401  JSON
    """Write ids as protobuf's parser wants them; the specification says that OTLP's are hexadecimal."""
    if isinstance(value, list):
        return [in_protobufs_own_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for name, item in value.items():
        if name in IDS:
            raw = bytes.fromhex(item)
            assert len(raw) == IDS[name]
            assert any(raw)
            made[name] = base64.b64encode(raw).decode()
        else:
            made[name] = in_protobufs_own_json(item)
    return made


def parsed(made: str) -> ExportTraceServiceRequest:
    assert made.endswith("\n")
    assert made.count("\n") == 1
    document = in_protobufs_own_json(json.loads(made))
    return json_format.Parse(json.dumps(document), ExportTraceServiceRequest())


def spans(made: str) -> list[Span]:
    (resource,) = parsed(made).resource_spans
    (scope,) = resource.scope_spans
    return list(scope.spans)


def said(values: Any) -> dict[str, Any]:  # noqa: ANN401  a repeated field
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in values}


def seconds(nanoseconds: int) -> float:
    return nanoseconds / 1e9


def test_a_run_is_a_trace_of_stays_and_actions() -> None:
    run, *rest = spans(trace(rows()))
    stays = [span for span in rest if span.parent_span_id == run.span_id]
    actions = {said(span.attributes)["rekindle.action"]: span for span in rest if span not in stays}

    assert run.name == "run lab"
    assert run.parent_span_id == b""
    assert {span.trace_id for span in (run, *rest)} == {run.trace_id}
    assert [(span.name, said(span.attributes)["rekindle.visit"]) for span in stays] == [
        ("ground", 1),
        ("roof", 1),
        ("ground", 2),
        ("roof", 2),
    ]
    times = [
        (seconds(s.start_time_unix_nano), seconds(s.end_time_unix_nano)) for s in (run, *stays)
    ]
    assert times == [(1_000, 1_200), (1_000, 1_100), (1_100, 1_130), (1_130, 1_150), (1_150, 1_200)]
    parents = [
        stays.index(next(s for s in stays if s.span_id == a.parent_span_id))
        for a in actions.values()
    ]
    assert (list(actions), parents) == (["a1", "a2", "a3"], [0, 2, 3])
    assert len({span.span_id for span in (run, *rest)}) == 8


def test_an_action_has_its_last_settlement_and_is_never_called_proven() -> None:
    found = {said(s.attributes).get("rekindle.action"): s for s in spans(trace(rows()))}
    first, second, third = (found[name] for name in ("a1", "a2", "a3"))

    assert seconds(first.end_time_unix_nano) == 1_060
    assert said(first.attributes)["rekindle.outcome"] == "done"
    assert said(first.attributes)["rekindle.told_by"] == "probe"
    assert first.status.code == Status.STATUS_CODE_UNSET
    assert [said(event.attributes)["rekindle.outcome"] for event in first.events] == [
        "unsettled",
        "done",
    ]
    assert (second.status.code, second.status.message) == (Status.STATUS_CODE_ERROR, "refused")
    assert said(third.attributes)["rekindle.outcome"] == "open"
    assert seconds(third.end_time_unix_nano) == 1_200


def test_only_what_was_observed_is_ok() -> None:
    run, *rest = spans(trace(rows()))
    stays = [span for span in rest if span.parent_span_id == run.span_id]

    assert run.status.code == Status.STATUS_CODE_OK
    assert [stay.status.code for stay in stays] == [
        Status.STATUS_CODE_OK,
        Status.STATUS_CODE_ERROR,  # left backwards
        Status.STATUS_CODE_OK,
        Status.STATUS_CODE_OK,
    ]


def test_what_happened_meanwhile_are_events() -> None:
    run, first, second, *_ = spans(trace(rows()))

    assert [event.name for event in run.events] == [
        "moved",
        "moved",
        "interrupted",
        "resumed",
        "moved",
        "note",
        "moved",
    ]
    assert [event.name for event in first.events] == [
        "cause found",
        "cause found",
        "approval asked",
        "approval given",
    ]
    assert [event.name for event in second.events] == ["cause cleared", "cause found"]
    cause = said(first.events[0].attributes)
    assert (cause["rekindle.rule"], cause["rekindle.root"], cause["rekindle.victims"]) == (
        "N1",
        True,
        2,
    )
    assert said(first.events[3].attributes)["rekindle.actor"] == "bob"


def test_a_backend_learns_whose_trace_it_is() -> None:
    entries = (opened(world={"world": "x"}), *STORY[1:])
    (resource,) = parsed(trace(rows(entries))).resource_spans

    assert said(resource.resource.attributes) == {
        "service.name": "rekindle",
        "service.version": "0.1.0",
        "k8s.cluster.name": "lab",
        "rekindle.run.id": "run-1",
        "rekindle.purpose": "run",
        "rekindle.simulated": True,
    }


def test_a_run_that_goes_on_stays_the_same_trace() -> None:
    whole = {span.span_id: span for span in spans(trace(rows()))}

    for end in range(1, len(STORY)):
        for span in spans(trace(rows(STORY[:end]))):
            same = whole[span.span_id]
            assert (span.name, span.trace_id, span.parent_span_id) == (
                same.name,
                same.trace_id,
                same.parent_span_id,
            )
            assert span.start_time_unix_nano == same.start_time_unix_nano
            assert span.end_time_unix_nano <= same.end_time_unix_nano


def test_another_run_is_another_trace() -> None:
    other = (opened(run_id="run-2"), *STORY[1:])
    first, second = spans(trace(rows())), spans(trace(rows(other)))

    assert first[0].trace_id != second[0].trace_id
    assert {s.span_id for s in first}.isdisjoint(s.span_id for s in second)


def test_an_open_run_ends_at_its_last_entry_and_says_so() -> None:
    run, stay, action = spans(trace(rows(STORY[:7])))

    for span in (run, stay, action):
        assert seconds(span.end_time_unix_nano) == 1_020
        assert span.status.code == Status.STATUS_CODE_UNSET
    assert said(run.attributes)["rekindle.outcome"] == "open"
    assert said(action.attributes)["rekindle.outcome"] == "open"


def test_a_cancelled_run_is_not_ok() -> None:
    closed = e.RunClosed(at=1_090.0, outcome=e.RunOutcome.CANCELLED, state="ground")
    run, *_ = spans(trace(rows((*STORY[:11], closed))))

    assert (run.status.code, run.status.message) == (Status.STATUS_CODE_ERROR, "cancelled")


def test_long_integers_are_strings_and_enumerations_numbers() -> None:
    """Protobuf's parser takes either; readers in JavaScript lose what is longer than 53 bits."""
    (resource,) = json.loads(trace(rows()))["resourceSpans"]
    run, stay, *_ = resource["scopeSpans"][0]["spans"]

    assert run["startTimeUnixNano"] == "1000000000000"
    assert stay["events"][0]["timeUnixNano"] == "1004500000000"
    assert {"key": "rekindle.visit", "value": {"intValue": "1"}} in stay["attributes"]
    assert (run["kind"], run["status"]) == (1, {"code": 1})


def test_events_are_bounded_and_what_is_left_out_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otlp, "EVENTS", 3)
    notes = [e.Note(at=1_001.0 + n, text="x", actor="bob") for n in range(5)]
    run, *_ = spans(trace(rows((opened(), *notes))))

    assert (len(run.events), run.dropped_events_count) == (3, 2)


def test_a_withdrawn_entry_is_passed_over() -> None:
    run, stay = spans(trace(rows([opened(), None])))

    assert (run.name, stay.name) == ("run lab", "ground")


def test_without_an_opening_there_is_nothing_to_tell() -> None:
    assert trace([]) == ""


def test_a_cause_that_changes_has_not_been_found_again() -> None:
    again = e.FindingsChanged(at=1_006.0, changed={"f1": replace(FOUND, message="worse")})
    _, stay = spans(trace(rows((*STORY[:4], again))))

    assert [event.name for event in stay.events] == ["cause found", "cause found"]
