"""
What every row promises, and what all rows together come to.

Mutants: drop either refusal of ``__post_init__``; let a warning outweigh what could not be told; leave out ``cleaned``.
"""

from __future__ import annotations

import pytest

from rekindle.doctor.check import (
    EVERYTHING,
    EXITS,
    Check,
    Verdict,
    cleaned,
    document,
    lines,
    ok,
    unknown,
    warning,
    worst,
)

FINE = ok("a.b", "it", "fine")
WARNED = warning("a.c", "it", "old", "renew it")
UNKNOWN = unknown("a.d", "it", "not seen", "look by hand")
RED = Check("a.e", "it", Verdict.RED, "broken", "mend it", frozenset({"talos.apply"}), "node/x")


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ((), 0),
        ((FINE,), 0),
        ((FINE, WARNED), 1),
        ((WARNED, UNKNOWN), 3),
        ((UNKNOWN, RED, WARNED), 2),
    ],
)
def test_the_worst_row_answers_for_all(checks: tuple[Check, ...], code: int) -> None:
    assert code == EXITS[worst(checks)]


def test_a_row_that_is_not_in_order_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="what to do"):
        Check("a.b", "it", Verdict.WARNING, "old")


def test_only_what_is_red_forbids_anything() -> None:
    with pytest.raises(ValueError, match="not red"):
        Check("a.b", "it", Verdict.WARNING, "old", "renew it", EVERYTHING)


def test_lines_tell_what_to_do_and_what_it_forbids() -> None:
    assert [
        "WARN  a.c  it: old",
        "      do: renew it",
        "RED   a.e  it: broken",
        "      do: mend it",
        "      blocks: talos.apply (node/x)",
        "3 looked at: 1 ok, 1 warning, 1 red",
    ] == lines((FINE, WARNED, RED))
    assert "ok    a.b  it: fine" in lines((FINE,), verbose=True)


def test_the_document_has_every_row() -> None:
    found = document((FINE, RED), plan="recovery.yaml", cluster="home")

    assert ("rekindle.doctor/1", "red") == (found["schema"], found["verdict"])
    assert [["*"], []] == [
        row["blocks"]
        for row in document(
            (Check("a.b", "it", Verdict.RED, "x", "y", EVERYTHING), FINE), plan=None, cluster=None
        )["checks"]
    ]


def test_what_others_wrote_passes_the_redactor() -> None:
    token = "ghp_" + "a1B2" * 10
    (found,) = cleaned([warning("a.b", token, f"password={token}", f"try {token}")])

    assert token not in f"{found.subject}{found.said}{found.todo}"
