"""
A cause that became worse: when it was found it said what it said then, and no instant has the words of another.

Mutants: keep the later words alone; take a later instant of the cluster for that of the beginning; tell a verdict in
words of afterwards; follow a reset by the machines that were named later; call what the same look says worse.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journal import entries as e
from journal.entries import Fact, Finding, Outcome
from rekindle.report import html
from rekindle.report.drawn import blocked_of
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.reasons import Cause
from rekindle.report.story import Story
from tests.report.nights import AT, written

ONE, TWO = "2 of 3 members answer (not: a)", "no quorum; not seen: a, b"
LOOK = e.Observed(at=AT, changed={"etcd": Fact("healthy")})


def finding(message: str, *victims: str, **more: Any) -> Finding:  # noqa: ANN401
    values = {"subject": "etcd", "cause": "x", "rule": "T19", "root": True, **more}
    return Finding(message=message, victims=victims, **values)


def change(at: float, found: Finding) -> e.FindingsChanged:
    return e.FindingsChanged(at=AT + at, changed={"T19:etcd": found})


def told(folder: Path, *entries: e.AnyEntry, **more: Any) -> Story:  # noqa: ANN401
    folder.mkdir(exist_ok=True)
    return gather(written(folder / "j.db", [LOOK, *entries], **more))


def cause_of(story: Story) -> Cause:
    (cause,) = story.causes
    return cause


def test_the_instant_of_the_find_has_the_words_of_the_find(tmp_path: Path) -> None:
    story = told(tmp_path, change(5, finding(ONE)), change(65, finding(TWO, "api")))
    cause = cause_of(story)

    assert (cause.found, cause.message) == (AT + 5, ONE)
    assert (cause.worst_at, cause.worst, cause.victims) == (AT + 65, TWO, ("api",))
    (sign,) = story.first_signs
    assert (sign.seen, sign.text) == (AT + 5, ONE)
    assert [(one.at, one.text) for one in story.events if one.kind == "cause"] == [
        (AT + 5, f"found (T19, etcd): {ONE}"),
        (AT + 65, f"at its worst (T19, etcd): {TWO}"),
    ]
    assert f"- At its worst (2025-06-12 08:17:05Z): {TWO}.\n" in page(story)
    assert f"<p>At its worst (2025-06-12 08:17:05Z): {TWO}.</p>" in html.page(story)


def test_a_cause_that_is_a_root_only_later_was_found_before_in_its_first_words(
    tmp_path: Path,
) -> None:
    beneath = finding(ONE, root=False)

    cause = cause_of(told(tmp_path, change(5, beneath), change(65, finding(TWO))))

    assert (cause.found, cause.message, cause.worst_at) == (AT + 5, ONE, AT + 65)


@pytest.mark.parametrize("later", [0, 5])
def test_what_the_same_look_says_or_the_same_words_say_is_nothing_worse(
    tmp_path: Path, later: float
) -> None:
    again = finding(TWO if not later else ONE, "api")

    cause = cause_of(told(tmp_path, change(0, finding(ONE)), change(later, again)))

    assert (cause.message, cause.worst, cause.worst_at) == (again.message, "", None)
    assert cause.victims == ("api",)


@pytest.mark.parametrize(
    ("first", "later", "since"),
    [(None, 30, None), (None, -30, -30), (-60, -90, -60), (-60, None, -60)],
)
def test_since_when_is_of_what_was_found(
    tmp_path: Path, first: float | None, later: float | None, since: float | None
) -> None:
    at = [None if one is None else AT + one for one in (first, later)]

    story = told(
        tmp_path,
        change(5, finding(ONE, since=at[0])),
        change(65, finding(TWO, "api", since=at[1])),
    )

    wanted = None if since is None else AT + since
    assert cause_of(story).since == wanted
    assert story.first_signs[0].at == wanted


def test_a_verdict_is_told_in_the_words_that_it_had(tmp_path: Path) -> None:
    story = told(
        tmp_path,
        change(5, finding(ONE, clears_itself="no")),
        change(65, finding(TWO, "api", clears_itself="no")),
    )
    grown = told(
        tmp_path / "b",
        change(5, finding(ONE)),
        change(6, finding("half of it", "x", clears_itself="no")),
        change(65, finding(TWO, "x", "y", clears_itself="no")),
    )

    assert f"(1) {ONE}." in story.summary
    assert "(1) half of it." in grown.summary
    assert cause_of(grown).message == ONE
    assert any(
        one.endswith(f": {ONE}; at its worst (2025-06-12 08:17:05Z): {TWO}.")
        for one in story.challenges
    )
    drawn = blocked_of(grown)
    assert drawn is not None
    assert "half of it" in drawn.svg


@pytest.mark.parametrize("root", [True, False])
def test_whose_doing_it_is_is_told_by_what_was_named_when_it_was_found(
    tmp_path: Path, *, root: bool
) -> None:
    def without(*names: str, root: bool = True) -> Finding:
        victims = tuple(f"k8s-node/{name}" for name in names)
        return finding(f"{len(names)} nodes", *victims, subject="cni", rule="T16", root=root)

    reset = e.ActionIntended(
        at=AT + 1,
        action="a1",
        verb="node.reset",
        target="node/a",
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
        arguments={"boot_id": "b1"},
    )
    done = e.ActionSettled(
        at=AT + 2, action="a1", verb="node.reset", target="node/a", outcome=Outcome.DONE
    )

    cause = cause_of(
        told(
            tmp_path, reset, done, change(5, without("a", root=root)), change(65, without("a", "b"))
        )
    )

    assert cause.ours == ("a",)


def test_the_first_sign_is_what_was_seen_first(tmp_path: Path) -> None:
    """Those without an instant of the cluster come last in the table. Mutant: take the first of the table."""
    early, late = finding("it goes"), finding("gone", since=AT + 8, subject="b", rule="F1")
    found = [change(5, early), e.FindingsChanged(at=AT + 9, changed={"F1:b": late})]

    many = [
        e.FindingsChanged(
            at=AT + 20, changed={f"F1:c{n}": finding("x", since=AT + 10 + n / 9, subject=f"c{n}")}
        )
        for n in range(12)
    ]

    for story in (told(tmp_path / "a", *found), told(tmp_path / "b", *found, *many)):
        assert story.first_signs[0].text == "gone"
        assert story.background[0] == "The first sign was seen at 2025-06-12 08:16:05Z: it goes."
        assert len(story.first_signs) <= 12
