"""
A removal whose answer was lost is looked for in the list of its kind.

Mutants: an absent fact is proof without a list; another object of the name is the same one.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.recipe import Happened
from engine.world import Intent
from journal.entries import Fact
from phases.verbs import removed_happened

PLAN: Any = None
SUBJECT = "apiservice/v1.metrics.example.com"
LISTED = {"kind/APIService": Fact("Seen")}
UNLISTED = {"kind/APIService": Fact("Unobservable", "denied")}
OLD = {SUBJECT: Fact("Blocked", detail={"uid": "u1"})}
NEW = {SUBJECT: Fact("Ready", detail={"uid": "u2"})}
ARGUMENTS = {"kind": "APIService", "name": "v1.metrics.example.com", "uid": "u1"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (LISTED, Happened.YES),
        ({**LISTED, **NEW}, Happened.YES),
        ({**LISTED, **OLD}, Happened.NO),
        (UNLISTED, Happened.UNKNOWN),
        ({**UNLISTED, **OLD}, Happened.UNKNOWN),
        ({}, Happened.UNKNOWN),
    ],
)
def test_the_list_says_whether_a_removal_happened(facts: dict[str, Fact], said: Happened) -> None:
    intent = Intent("a1", "apiservice.remove", SUBJECT, 1, 1, 30.0, 0.0, ARGUMENTS)

    assert removed_happened(PLAN, facts, intent) is said
