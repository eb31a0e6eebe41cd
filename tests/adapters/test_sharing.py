"""Ten thousand pods have their words in common: equal to what was decoded, and one object each."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from phases.objects import Pod
from rekindle.adapters.decoding import Decoder


def raw(name: str) -> dict[str, Any]:
    moved = "2026-11-22T20:49:19Z"
    return {
        "metadata": {"namespace": "team-0001", "name": name, "resourceVersion": "7"},
        "spec": {"nodeName": "node-0001"},
        "status": {
            "phase": "Running-ish",
            "conditions": [
                {
                    "type": kind,
                    "status": "True-ish",
                    "reason": "Because",
                    "lastTransitionTime": moved,
                }
                for kind in ("ReadyEnough", "PodScheduled")
            ],
        },
    }


def words(pod: Pod) -> list[str]:
    told = [pod.metadata.namespace, pod.spec.node_name, pod.status.phase]
    for condition in pod.status.conditions:
        told += [condition.type, condition.status, condition.reason]
    return told


def test_pods_share_their_words_and_are_what_was_decoded() -> None:
    """Mutants: share nothing; share in one way of decoding alone; leave a field out."""
    items = [raw("a"), raw("b")]
    head = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":['
    page = head + b",".join(json.dumps(i, separators=(",", ":")).encode() for i in items) + b"]}"
    decoder = Decoder("Pod", Pod)

    first, second = decoder.page([page]).objects.values()
    line = {"type": "ADDED", "object": {"kind": "Pod", **raw("c")}}
    third = decoder.event(json.dumps(line).encode()).object

    assert [msgspec.convert(item, Pod, strict=False) for item in items] == [first, second]
    for one, other, later in zip(words(first), words(second), words(third), strict=True):
        assert one is other
        assert one is later
