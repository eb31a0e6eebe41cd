"""
Promise: what ``metrics`` and ``trace`` write is read by the parsers of those who receive it.

Prometheus' own text parser and the linter behind ``promtool check metrics``; the OpenTelemetry Collector's unmarshaler.
Mutants: a counter without ``_total``; a family without its type; a label with a quote in it as it stands; ids in
base64; nanoseconds as a float.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.testbed import build

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]
SECONDS = 300
Rekindle = Callable[..., str]


@pytest.fixture(scope="module")
def rekindle(tmp_path_factory: pytest.TempPathFactory) -> Rekindle:
    """The program, with the journal of a rehearsed night."""
    journal = tmp_path_factory.mktemp("night") / "night.db"

    def call(*words: str) -> str:
        command = [sys.executable, "-m", "rekindle", *words, "--journal", str(journal)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS
        )
        return done.stdout

    call("rehearse", "june-12")
    call("note", 'a "quoted" remark with a \\ and\nanother line')
    return call


def parsed(kind: str, text: str) -> list[str]:
    """Lines of what was understood; a complaint ends the test."""
    program: Path = build.ensure() / "parsers"
    done = subprocess.run(
        [program, kind], input=text, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_prometheus_reads_the_metrics_and_has_nothing_to_say(rekindle: Rekindle) -> None:
    text = rekindle("metrics")
    declared = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}

    families = [line.split() for line in parsed("metrics", text)]

    assert {name for name, _, _ in families} == declared
    assert all(kind in {"COUNTER", "GAUGE"} for _, kind, _ in families)
    samples = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert sum(int(count) for _, _, count in families) == len(samples)


def test_the_collector_reads_the_trace_as_it_stands(rekindle: Rekindle) -> None:
    text = rekindle("trace")
    (resource,) = json.loads(text)["resourceSpans"]
    written = [span for scope in resource["scopeSpans"] for span in scope["spans"]]

    spans = [line.split(" ", 5) for line in parsed("trace", text)]

    assert [(span["traceId"], span["spanId"], span["name"]) for span in written] == [
        (trace, span, name) for trace, span, _, _, _, name in spans
    ]
    took = [int(s["endTimeUnixNano"]) - int(s["startTimeUnixNano"]) for s in written]
    assert took == [int(nanoseconds) for _, _, _, _, nanoseconds, _ in spans]
    assert took[0] > 60e9  # the run itself
