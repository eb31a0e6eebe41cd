"""Redacting costs what a text is long, leaves nothing of what was cut off, and changes nothing the second time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from journal import redactor
from journal.secret_names import WORDS
from tests.journal.costs import cost, is_linear

ROOT = Path(__file__).parents[2]
# Nothing is remembered of a text.
redact_text = redactor.redact_text.__wrapped__

OPENINGS = [
    "credentials: {",
    "token: {",
    "tokens: [",
    '"credentials": {"ca": "',
    r"\"credentials\": {\"ca\": \"",
    "map[token:",
    "map[token:map[",
    "password:",
    "password: ",
    '"password": "',
    "tokens:\n  - ",
    "cookie: [",
    "the token is ",
    "tls.key: ",
    "secrets: ",
    "secrets: a, ",
    "data:\n  a: ",
    "kind: Secret\ndata:\n  a: ",
    "kind: Secret\nstringData:\n",
    "stringData: {",
    '{"stringData": {"a": "',
    r'"{\"data\": {\"a\": \"',
    "map[data:map[a:",
    "+ stringData:\n+   a: ",
    "1password-credentials.json: ",
    "1password-credentials",
    "--from-literal=a=",
    "--from-literal='a=",
    "docker login ",
    "sshpass -p",
    "mysql -p",
    "machine a login ",
    "machine a password ",
    '"path":"/stringData/a","value":"',
    'data[a]: Invalid value: "',
]
FILLINGS = ["a", "-", "=", "0", "#", "_", '"', "'", "\\", "1m", "a1", "a=", "it's "]
# So long that what grows with its square is dear, and so short that a mutant is told of within seconds.
CHARACTERS = 6000


def _cost(text: str) -> float:
    return cost(redact_text, text)


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("opening", OPENINGS)
def test_a_text_of_twice_the_length_costs_less_than_three_times_as_much(
    opening: str, filling: str
) -> None:
    """Mutants: let a word, a quote, or a run of backslashes be looked at again from each of its characters."""
    once = opening + filling * (CHARACTERS // len(filling))
    twice = opening + filling * (2 * CHARACTERS // len(filling))
    assert is_linear(redact_text, once, twice)


@pytest.mark.parametrize("word", ["a", "1m", "1s", "1kb", "1.", "v1.", "a-", "a1@", "=", "#"])
@pytest.mark.parametrize("end", ["", "~", "=", "-", "~q"])
def test_a_word_is_read_in_one_way(word: str, end: str) -> None:
    """Mutants: know "m" as a minute and as a million; look for two things, each from anywhere."""
    for opening in ("the token is ", "credentials: {a: ", f'"token": {{"{word * 4000}-": "'):
        assert _cost(opening + word * 23 + end) < 1.0
        assert _cost(opening + word * (20_000 // len(word)) + end) < 1.0


def test_a_long_name_of_a_member_is_read_once() -> None:
    """Mutant: let what expires have a name of any length after it."""
    assert _cost(f'"token": {{"{"expir" * 10_000}-": "x1y2z3"}}') < 2.0


@pytest.mark.parametrize("secret", ["planted2planted2", "pl4nted!" * 1000])
@pytest.mark.parametrize(
    "before",
    [
        "credentials: {a: ",
        "credentials: {a:",
        "credentials: {a: x, b: ",
        "map[token:map[a:",
        "tokens: [x, ",
        "tokens:[\n  x,\n  ",
        '"credentials": {"ca": "',
        '"credentials": {"ca": {"b": "',
        "credentials: {ca: '",
        r'"{\"credentials\": {\"ca\": \"',
        r'"{\"tokens\": [{\"a\": \"x\", \"b\": \"',
        'token: {a: "',
        "the token is ",
    ],
)
@pytest.mark.parametrize("after", ["", "\\", ",", "...", '"', "\nnext line", '..."\nnext: "line"'])
def test_of_a_value_that_was_cut_off_nothing_stays(before: str, secret: str, after: str) -> None:
    """Mutants: have a word ended by something, or a quote by its partner; know no secret that is long."""
    found = redact_text(before + secret + after)
    assert "nted" not in found
    assert "[redacted:" in found
    assert before in found
    assert found.endswith(after.partition("\n")[2])
    assert redact_text(found) == found


def test_after_a_value_that_was_cut_off_the_text_goes_on() -> None:
    """Mutants: have the cut take more than its line; read on within it, or keep its end."""
    text = 'a {"token": {"a": "planted2}{planted2\n"id": "x1y2z3", "b": "planted2"}} c: planted2'

    found = redact_text(text)
    assert found == (
        'a {"token": {"a": "[redacted:token]\n"id": "x1y2z3", "b": "[redacted:token]"}} c: planted2'
    )
    assert redact_text('{"token": {"a": "planted2,') == '{"token": {"a": "[redacted:token]'


def test_an_apostrophe_is_no_value_that_was_cut_off() -> None:
    """Mutant: leave out what stands after a quote without a partner."""
    text = "credentials: {a: it's, b: planted2}, c: x1y2z3"

    assert redact_text(text) == "credentials: {a: it's, b: [redacted:credential]}, c: x1y2z3"


NAMES = [
    *WORDS,
    *("password", "token", "credentials", "apiKey", "secrets", "auth", "cookie", "Set-Cookie"),
    *("name", "value", "key", "db_pass", "client-secret", "authorization", ".dockercfg", "bearer "),
    *(
        "data",
        "stringData",
        "kind: Secret\n",
        "kind: ConfigMap\n",
        "credentials.json",
        "kubeconfig",
    ),
    *("--from-literal=a=", "--from-literal", "docker login -p ", "sshpass -p", "mysql -p"),
    *("redis-cli -a ", "machine a login b password "),
]
VALUES = [
    *("Hunter2xyz!", "abc", "a1b2c3d4e5", "x-1", "/root", "required", "12345", "q==", "a=b"),
    *("user:pw9x", "https://u:p1x@h/a", "flux-system/sops-age", "ivjd1b.y4lwsbqa1ppf1d8u"),
    *("[redacted:password]", "$6$ab$cdefghijklmnopqrstuv", "ghp_planted0123456789planted"),
    *("eyJhbGciOiJI.eyJzdWIiOiIx.abc", "aHVudGVyMg==", "ENC[a]", "${A}"),
]
SEPARATORS = [
    *(": ", ":", "=", ": {", ": [", '": "', '"', "'", '\\"', "\\n", "\n  ", "\n", "- ", "\\\\"),
    *("{", "}", "[", "]", ", ", "; ", " is ", " for ", " ", "|\n    ", " --", "curl -u ", "&"),
    *("?sig=", " #c", "//", "\n+ ", "\n-   ", "\n---\n", "map[", ": |\n  "),
]
piece = st.sampled_from(NAMES) | st.sampled_from(VALUES) | st.sampled_from(SEPARATORS)


# What a mark has in it must not make a name of what was none.
@example(pieces=["cookie: [, ", "x-1name", '[": "', "https://u:p1x@h/a"])
@example(pieces=["cookie: { is &a1b2c3d4e5", "$6$ab$cdefghijklmnopqrstuv"])
@example(pieces=[".dockercfg: {a: a1b2c3d4e5, ", "https://u:p1x@h/a"])
# Nor must what a URL was made of a secret's.
@example(pieces=["Cookie: [q=='requireda1b2c3d4e5secret", "https://u:p1x@h/a", '"key]'])
@settings(max_examples=1500, deadline=None)
@given(pieces=st.lists(piece, min_size=3, max_size=14))
def test_a_second_time_changes_nothing(pieces: list[str]) -> None:
    """Mutants: ask for objects only where a word of the other names is; replace the slashes of a URL too."""
    once = redact_text("".join(pieces))
    assert redact_text(once) == once


def test_no_group_is_possessive() -> None:
    """
    Python before 3.11.5 gives up a possessive group that has alternatives, and a secret with it (gh-106052).

    An atomic group around it is right everywhere. Mutant: ``(?:...)*+`` in any pattern.
    """
    files = [*(ROOT / "journal").glob("*.py"), *(ROOT / "rekindle").rglob("*.py")]
    found = [
        f"{path.name}:{number}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"(?<!\\)\)(?:[*+?]|\{[0-9]*,?[0-9]*\}|\{\{[0-9]*,?[0-9]*\}\})\+", line)
    ]

    assert found == []
