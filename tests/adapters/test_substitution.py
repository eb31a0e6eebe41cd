"""Variables are filled in as kustomize-controller does it, and what nobody here knows stays as it stands."""

from __future__ import annotations

from typing import Any

import pytest

from rekindle.adapters.substitution import Variables, fill, substituted, variables

GIVEN = {"NAME": "web", "EMPTY": "", "UPPER": "ABC", "DOTTED": "a.b.c"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NAME}-x", "web-x"),
        ("$NAME", "$NAME"),
        ("${NAME:=other}", "web"),
        ("${EMPTY:=other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY=other}", "other"),
        ("${NONE:=https://a.example:80/x}", "https://a.example:80/x"),
        ("${NONE:=}", ""),
        ("${NONE:=${NAME}}", "web"),
        ("${NONE:=${NEITHER:=deep}}", "deep"),
        ("${NONE}", ""),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$web"),
        ("cost: $5", "cost: $5"),
        ("${UPPER,,}", "abc"),
        ("${UPPER,}", "aBC"),
        ("${NAME^^}", "WEB"),
        ("${NAME^}", "Web"),
        ("${DOTTED/./-}", "a-b.c"),
        ("${DOTTED//./-}", "a-b-c"),
        ("${NAME:1}", "eb"),
        ("${NAME:0:2}", "we"),
    ],
)
def test_a_text_is_filled_in(text: str, expected: str) -> None:
    """Mutants: read ``$$`` as two; look for a default only in what is not given; keep what nobody gives."""
    filled = fill(text, Variables(GIVEN))

    assert (filled.text, filled.unknown) == (expected, set())


@pytest.mark.parametrize(
    ("text", "expected", "unknown"),
    [
        ("${TOKEN}", "${TOKEN}", {"TOKEN"}),
        ("${TOKEN^^}", "${TOKEN^^}", {"TOKEN"}),
        ("${TOKEN:=usual}", "usual", set()),
        ("${A:=${TOKEN}}", "${TOKEN}", {"TOKEN"}),
        ("${EMPTY}", "", set()),
        ("$${TOKEN}", "${TOKEN}", set()),
    ],
)
def test_what_a_secret_may_give_stays_as_it_stands(
    text: str, expected: str, unknown: set[str]
) -> None:
    """Mutant: make it empty, as Flux does where nothing else is named: a wrong name would be expected."""
    filled = fill(text, Variables(GIVEN, complete=False))

    assert (filled.text, filled.unknown) == (expected, unknown)


def build(**post_build: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"postBuild": post_build}


CONFIG = {"kind": "ConfigMap", "name": "settings"}
MAPS = {
    "apps/settings": {"A": "1", "B": "two\nlines"},
    "apps/sealed": {"A": "ENC[AES256_GCM,data:x]"},
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, Variables({})),
        (build(substitute={"A": 1}), Variables({"A": "1"})),
        (build(substituteFrom=[CONFIG]), Variables({"A": "1", "B": "twolines"})),
        (
            build(substituteFrom=[CONFIG], substitute={"A": "inline"}),
            Variables({"A": "inline", "B": "twolines"}),
        ),
        (
            build(substituteFrom=[{"kind": "Secret", "name": "s"}]),
            Variables({}, complete=False),
        ),
        (
            build(substituteFrom=[{"kind": "ConfigMap", "name": "sealed"}]),
            Variables({}, complete=False),
        ),
        (
            build(substituteFrom=[{"kind": "ConfigMap", "name": "later"}]),
            Variables({}, complete=False, awaited=("apps/later",)),
        ),
        (build(substituteStrategy="Always"), Variables({}, always=True)),
        (build(substituteFrom="odd", substitute="odd"), Variables({})),
    ],
)
def test_variables_come_from_where_the_spec_says(spec: Any, expected: Variables) -> None:  # noqa: ANN401
    assert variables(spec, "apps", MAPS) == expected


def test_a_value_has_the_type_that_its_text_has() -> None:
    """Mutant: fill in string by string: three replicas would be the text "3", and count as one pod."""
    found = {"spec": {"replicas": "${COUNT}", "version": "${VERSION}", "on": "true"}}
    made, unknown = substituted(found, Variables({"COUNT": "3", "VERSION": "1.10"}))

    assert made == {"spec": {"replicas": 3, "version": 1.1, "on": "true"}}
    assert unknown == frozenset()


def test_a_date_that_there_is_not_is_text() -> None:
    """Mutant: read as YAML 1.1: the tree would not build, and Flux builds it."""
    found = {"metadata": {"annotations": {"since": "${DAY}", "until": "2024-02-31"}}}
    made, _ = substituted(found, Variables({"DAY": "2024-02-30"}))

    assert made == {"metadata": {"annotations": {"since": "2024-02-30", "until": "2024-02-31"}}}


@pytest.mark.parametrize(
    ("metadata", "given"),
    [
        ({"labels": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}, {"A": "1"}),
        ({"annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}, {"A": "1"}),
        ({}, {}),
    ],
)
def test_nothing_is_filled_in_where_flux_fills_in_nothing(
    metadata: dict[str, Any], given: dict[str, str]
) -> None:
    found = {"metadata": metadata, "data": {"a": "${A}", "b": "$${B}"}}

    assert substituted(found, Variables(given)) == (found, frozenset())


def test_defaults_count_without_a_variable_where_the_strategy_says_always() -> None:
    made, _ = substituted({"a": "${A:=x}"}, Variables({}, always=True))

    assert made == {"a": "x"}


def test_what_is_no_object_any_more_is_an_error() -> None:
    with pytest.raises(ValueError, match="mapping values are not allowed"):
        substituted({"a": "${A}"}, Variables({"A": "b: c: d"}))
