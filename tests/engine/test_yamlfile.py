"""YAML with places: what is refused, and that refusing costs little."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.yamlfile import (
    MAXIMUM_BYTES,
    MAXIMUM_DEPTH,
    YamlFile,
    read_documents,
    read_yaml,
    spelled,
)


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read_yaml(YamlFile("plan.yaml", text))[2]]


def bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]" for p, c in zip("abcdef", "bcdefg", strict=True)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "plan.yaml:1:1: $: the file is empty"),
        ("# only a remark\n", "plan.yaml:1:1: $: the file is empty"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "plan.yaml:4:3: b.c: this key stands at line 3 already"),
        ("a:\n\t- b\n", "plan.yaml:2:1: $: found character that cannot start any token"),
        ("a: [1, 2\n", "plan.yaml:2:1: $: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", "plan.yaml:2:1: $: but found another document"),
        ("a: {[x]: 2}\n", "plan.yaml:1:5: a: a key must be plain text"),
        ("a: &a [*a, *a]\n", "plan.yaml:1:4: $: nested too deeply"),
        ("a: *nobody\n", "plan.yaml:1:4: $: found undefined alias"),
        ("b: 1\na: !!bool x\n", "plan.yaml:2:4: $: this value is no bool"),
        ("a: !!int ''\n", "plan.yaml:1:4: $: this value is no int"),
        ("a: !!timestamp x\n", "plan.yaml:1:4: $: this value is no timestamp"),
    ],
)
def test_what_is_no_plan_is_refused_at_its_place(text: str, expected: str) -> None:
    assert [expected] == problems(text)


def test_control_characters_are_refused() -> None:
    assert "control characters are not allowed" in problems("a: \x00")[0]


def test_a_bomb_of_aliases_is_not_unfolded() -> None:
    assert ["plan.yaml:1:1: $: not YAML: more than 200000 values"] == problems(bomb())


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    assert f"larger than {MAXIMUM_BYTES} bytes" in problems("#" * (MAXIMUM_BYTES + 1))[0]


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("\n- ", "")], ids=["list", "map", "block"]
)
def test_deep_nesting_is_refused(opening: str, closing: str) -> None:
    depth = MAXIMUM_DEPTH + 1
    text = "a: " + opening * depth + "1" + closing * depth
    if not closing:
        text = "- " * depth + "1"

    assert "nested too deeply" in problems(text)[0]


def test_nesting_that_would_overflow_the_composers_stack_does_not_kill_the_process() -> None:
    """Mutant: without ``_check_depth`` the child dies of SIGSEGV."""
    code = (
        "from engine.yamlfile import YamlFile, read_yaml\n"
        "text = 'a: ' + '[' * 100_000 + ']' * 100_000\n"
        "print(read_yaml(YamlFile('f', text))[2][0].message)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert (0, "nested too deeply\n") == (child.returncode, child.stdout)


def test_a_problem_stands_at_the_nearest_place_that_is_known() -> None:
    _, marks, _ = read_yaml(YamlFile("plan.yaml", "a:\n  b: 1\n"))

    assert "plan.yaml:2:3: a.b.c[3]: odd" == str(marks.problem(("a", "b", "c", 3), "odd"))
    assert "$" == spelled(())


def test_keys_are_text_and_values_keep_their_types() -> None:
    data, _, found = read_yaml(YamlFile("plan.yaml", "1: 1\ntrue: x\nlist: [a, 1.5, null]\n"))

    assert ({"1": 1, "true": "x", "list": ["a", 1.5, None]}, []) == (data, found)


def test_each_document_of_a_stream_has_its_own_places() -> None:
    (first, second), found = read_documents(YamlFile("f.yaml", "a: 1\n---\nb:\n  a: 2\n"))

    assert ([first[0], second[0]], found) == ([{"a": 1}, {"b": {"a": 2}}], [])
    assert "f.yaml:4:3: b.a: odd" == str(second[1].problem(("b", "a"), "odd"))
    assert ([], []) == read_documents(YamlFile("f.yaml", "# nothing\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n---\na: 1\na: 2\n", "f.yaml:4:1: a: this key stands at line 3 already"),
        ("a: 1\n---\na: [\n", "f.yaml:4:1: $: "),
        ("#" * (MAXIMUM_BYTES + 1), "f.yaml:1:1: $: larger than"),
        ("a: 1\n---\n" + "- " * (MAXIMUM_DEPTH + 1) + "1", "nested too deeply"),
    ],
)
def test_what_is_wrong_in_any_document_is_a_problem(text: str, said: str) -> None:
    (problem,) = read_documents(YamlFile("f.yaml", text))[1]

    assert said in str(problem)
