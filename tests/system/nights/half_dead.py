"""Nights on which the API is half dead: it moves nothing, says what it is, and all goes on when it is well again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.adapters.scripted import Answer, Streamed, refused
from tests.system.nights.lying import Lie, network, of_all, of_kind
from tests.system.nights.page import Shown, only
from tests.system.nights.stage import Stage

PODS = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": []}
CUT = b'{"kind":"DaemonSetList","items":[{"meta'


def half_dead(lie: Lie, told: str, stage: Stage) -> Iterator[Shown]:
    """While it lies nothing is begun; once it is well the run goes on by itself, and finds the network there."""
    stage.api.put("DaemonSet", network())
    stage.api.lies.append(lie)
    running = stage.start("run", "recovery.yaml")
    stage.until_status(told, running)
    yield only(stage("status"), "waits for", "can succeed")
    assert not stage.entries("action.intended")
    stage.api.lies.clear()
    stage.until_state("flux-synced", running)
    assert not [e for e in stage.entries("action.intended") if e.verb == "command.run"]
    running.end()


def slow(stage: Stage) -> Iterator[Shown]:
    yield from half_dead(of_all(Answer(delay=20.0)), "no answer in time", stage)


def errors(stage: Stage) -> Iterator[Shown]:
    lie = of_kind("Namespace", refused(500, "etcdserver: request timed out"))
    yield from half_dead(lie, "request timed out", stage)


def cut(stage: Stage) -> Iterator[Shown]:
    lie = of_kind("DaemonSet", Streamed((CUT,), end="cut"))
    yield from half_dead(lie, "in the middle of an answer", stage)


def wrong_kind(stage: Stage) -> Iterator[Shown]:
    lie = of_kind("DaemonSet", Answer(json.dumps(PODS).encode()))
    yield from half_dead(lie, "PodList", stage)


def gone(stage: Stage) -> Iterator[Shown]:
    """410 for the list, again and again; once it is given, what came meanwhile is found."""
    yield from half_dead(of_kind("DaemonSet", refused(410, "expired")), "came to an end", stage)
