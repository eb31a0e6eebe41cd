"""
What a run wishes to be done: the actions among its answers, begun or not.

A question that an action waits for is a wish too: whoever does it by hand need not answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.answer import Act, Answer, Ask, Subject
from journal.entries import Json


def key_of(verb: str, target: Subject) -> str:
    """Name an action, whoever does it."""
    return f"{verb} {target}"


def wishes_in(answers: Mapping[Subject, Mapping[str, Json]]) -> Iterator[str]:
    """Name what is wished in answers as the journal has them."""
    for subject, body in answers.items():
        match body.get("answer"):
            case "act":
                yield key_of(str(body["verb"]), str(body["target"]))
            case "ask":
                yield from _asked_for(subject, body.get("evidence") or {})


def wishes_of(answers: Mapping[Subject, Answer]) -> frozenset[str]:
    """Name what is wished in answers as they were decided."""
    found: set[str] = set()
    for subject, answer in answers.items():
        if isinstance(answer, Act):
            found.add(key_of(answer.verb, answer.target))
        elif isinstance(answer, Ask):
            found.update(_asked_for(subject, answer.evidence))
    return frozenset(found)


def _asked_for(subject: Subject, evidence: Mapping[str, Json]) -> Iterator[str]:
    """A question about an action names its verb, and its target where that is not the subject."""
    verb = evidence.get("verb")
    if verb:
        yield key_of(str(verb), str(evidence.get("target") or subject))
