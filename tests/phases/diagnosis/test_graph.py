"""Roots, victims and circles of the blocked-by graph."""

from __future__ import annotations

from typing import Any

from journal.entries import Finding
from phases.diagnosis.graph import roots_of, through, tree


def finding(subject: str, *blocks: str, after: tuple[str, ...] = ()) -> Finding:
    return Finding(subject, "c", f"{subject} is bad", blocks, rule="X1", next_after=after)


def told(
    findings: dict[str, Finding], blocking: dict[str, tuple[str, ...]]
) -> list[tuple[str, tuple[str, ...], bool]]:
    return [(root.id, root.victims, root.circle) for root in roots_of(findings, blocking)]


def test_a_cause_behind_a_cause_is_no_root() -> None:
    found = {"a": finding("ns/a", "ks/b"), "b": finding("ks/b"), "other": finding("ks/z")}

    assert told(found, {"ks/b": ("ks/c",), "ks/c": ("ks/d",)}) == [
        ("a", ("ks/b", "ks/c", "ks/d"), False),
        ("other", (), False),
    ]


def test_the_heaviest_root_comes_first_and_what_blocks_next_comes_last() -> None:
    found = {
        "a": finding("ks/a", "ks/1"),
        "b": finding("ks/b", "ks/2", "ks/3"),
        "c": finding("ks/c", "ks/4", "ks/5", "ks/6", after=("a",)),
    }

    assert [root for root, _, _ in told(found, {})] == ["b", "a", "c"]


def test_what_blocks_next_does_not_explain_what_is_before_it() -> None:
    """Nor does what is behind it; mutants: ``_later`` is empty, or has only what is named."""
    found = {
        "a": finding("ks/a"),
        "b": finding("ks/b", "ks/a"),
        "c": finding("crd/c", "ks/a", "ks/b", after=("a",)),
    }

    assert [root for root, _, _ in told(found, {})] == ["a", "c"]


def test_a_circle_has_no_outside_and_is_said_to_be_one() -> None:
    found = {"a": finding("ks/a", "ks/b"), "b": finding("ks/b", "ks/a")}

    assert told(found, {}) == [("a", ("ks/b",), True), ("b", ("ks/a",), True)]


def test_what_explains_a_circle_is_the_root() -> None:
    found = {
        "a": finding("ks/a", "ks/b"),
        "b": finding("ks/b", "ks/a"),
        "r": finding("ns/r", "ks/a"),
    }

    assert [root for root, _, _ in told(found, {})] == ["r"]


def test_two_findings_of_one_subject_do_not_explain_each_other() -> None:
    found = {"a": finding("ks/a", "ks/b"), "b": finding("ks/a", "ks/c")}

    assert [root for root, _, _ in told(found, {})] == ["a", "b"]


def test_the_tree_tells_every_subject_once() -> None:
    found = {"a": finding("ns/a", "ks/b"), "b": finding("ks/b")}
    blocking = {"ks/b": ("ks/c", "ks/d"), "ks/c": ("ks/d",)}

    (root,) = roots_of(found, blocking)

    assert list(tree(root, found, blocking)) == [
        "ns/a is bad",
        "  ks/b: ks/b is bad",
        "    ks/c",
        "      ks/d",
    ]


def test_what_most_of_the_victims_are_behind_is_named() -> None:
    """Mutants: name the first; name what is no victim itself; name what only one thing is behind."""
    found = {"a": finding("ns/a", "ks/z", "ks/b", "ks/y")}
    edges = {"ks/b": ("ks/c",), "ks/c": ("ks/d", "ks/e"), "ks/y": ("ks/x",)}

    assert [through(root, edges) for root in roots_of(found, edges)] == ["ks/b"]
    shallow = {"ks/y": ("ks/x",)}
    assert [through(root, shallow) for root in roots_of(found, shallow)] == [""]


class Walked(dict[str, Finding]):
    """Counts how often all of it is gone through."""

    walks = 0

    def items(self) -> Any:  # noqa: ANN401  a view of a dict
        self.walks += 1
        return super().items()


def test_what_comes_after_what_is_sorted_once_for_all_findings() -> None:
    """Mutant: each finding looks for those that come after it."""

    def walks(count: int) -> int:
        found = Walked({f"{n}": finding(f"ks/{n}") for n in range(count)})
        roots_of(found, {})
        return found.walks

    assert walks(40) == walks(4)
