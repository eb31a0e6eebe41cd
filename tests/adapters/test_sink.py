"""What a command says is kept without its secrets, also when it says it without a line's end."""

from __future__ import annotations

import os
import threading

import pytest

from rekindle.adapters.sink import Redactor, drain, redactor
from tests.journal.costs import is_linear
from tests.journal.test_redactor import ORDINARY, PLANTED

TOKEN = b"ghp_" + b"Zz19" * 9  # gitleaks:allow  made up
PIECE = 64 * 1024
LIMIT = 128 * 1024


def kept(*said: bytes, through: Redactor | None = None) -> bytes:
    """Say it through a pipe, as a command does."""
    reading, writing = os.pipe()

    def say() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for part in said:
                pipe.write(part)

    speaker = threading.Thread(target=say)
    speaker.start()
    parts: list[bytes] = []
    drain(reading, through or redactor(), parts.append)
    speaker.join()
    os.close(reading)
    assert max(map(len, parts), default=0) <= 2 * (LIMIT + PIECE)
    return b"".join(parts)


@pytest.mark.parametrize("before", [2 * PIECE, PIECE])
@pytest.mark.parametrize("shift", [1, 5, 20, 39])
def test_a_token_on_the_edge_of_a_piece_is_not_kept_in_halves(before: int, shift: int) -> None:
    """Mutant: cut a long line where the piece is full."""
    words = b"word " * (before // 5 + 1)
    text = words[: before - shift] + b" " + TOKEN + b" " + words * 2

    said = kept(text)
    assert b"Zz19" not in said
    assert said.count(b"[redacted:github-token]") == 1
    assert len(said) == len(text) - len(TOKEN) + len(b"[redacted:github-token]")


def test_a_value_is_not_cut_off_from_its_name() -> None:
    """Blanks stand between them. Mutant: cut at the last blank without comparing."""
    pair = b'--password hunter2hunter2 "token": "hunter2 hunter2" '
    for shift in (0, 7, 18, 31, 44):
        said = kept(b"w" * shift + b" " + pair * 3600)
        assert b"hunter2" not in said.replace(b"[redacted:", b"")


def test_a_value_that_is_still_to_come_is_not_cut_off_from_its_name() -> None:
    """Comparing cannot show what has not been read. Mutant: an overlap of nothing."""
    redacting = redactor()
    parts = [
        *redacting.take(b"word " * (LIMIT // 5 + 10) + b"--password "),
        *redacting.take(b"hunter2hunter2\n"),
    ]

    assert b"hunter2" not in b"".join(parts)


@pytest.mark.parametrize(
    "text",
    [
        b"- name: DB_PASSWORD\n  value: hunter2\n- name: B\n  value: c\n",
        b'{\n  "name": "DB_PASSWORD",\n  "value": "hunter2"\n}\n',
        b"- name: DB_PASSWORD\r\n  value: hunter2\r\n",
        b"- name: DB_PASSWORD # it\n\n  # here\n  value: hunter2\n",
        b'[{"name": "A", "value": "b"}, {"name": "DB_PASSWORD",\n"value": "hunter2"}]\n',
        b"- value: hunter2\n  # of it\n  name: DB_PASSWORD\n",
        b"value: x\nvalue: hunter2\nname: DB_PASSWORD\nvalue: hunter2\nvalue: y\n",
        b'{\n  "password": {\n    "value": "hunter2"\n  },\n  "a": [\n    "b"\n  ]\n}\n',
        b'{\n  "passwords": [\n    "hunter2",\n    "hunter2"\n  ]\n}\n',
        b"password: |\n  hunter2\nvalue: |\n  x\n",
        b"error: password: !!binary |\n  hunter2\n\nlast",
        b"- name: DB_PASSWORD\n  value: |\n    hunter2",
        b"- name: DB_PASSWORD\n\n  # here\n  value: &a >-\n    hunter2\n- name: B\n  value: |\n    c\n",
        b"- value: |\n    hunter2\n\n  name: DB_PASSWORD\n- value: |\n    c\n  name: B\n",
        b'{"a": "password: |\\n  hunter2\\nb: 1", "c": "  d"}\n',
        b"password:\n  hunter2\nlast: 1\n",
        b"- password: # it\r\n\r\n    # here\r\n    'hunter2'\r\n- last\r\n",
        b"The password:\nhunter2\nlast\n",
        b"passwords:\n  a:\n    b: hunter2\n\n    c: d\ne: 1\n",
        b"passwords:\n- a: hunter2\n  b: c\n- d\ne:\n- f\n- passwords:\n- hunt\n",
        b'{\n  "passwords": {\n    "a": {\n      "b": "hunter2",\n      "c": 1\n    }\n  }\n}\n',
        b"machine x\n  login bob\n\n  password hunter2\nlast: 1\n",
        b"machine x\n  password hunter2\n  login bob\nlast: 1\n",
        b"default login bob\n  account 1\n  password hunter2\nmachine x login bob\npassword hunter2\n",
        b"curl -s \\\n  -H x \\\n  -u 'bob:hunter2' \\\n  https://x\n-u bob:group\n",
    ],
)
def test_a_value_on_the_line_after_its_name_is_taken_out(text: bytes) -> None:
    """Mutants: redact each line by itself; give a line out before what belongs to it was read."""
    said = kept(text)

    assert said.replace(b"[redacted:password]", b"hunter2") == text
    assert b"hunter2" not in said


def test_every_kind_of_secret_that_the_journal_knows_is_taken_out_line_by_line() -> None:
    """Mutant: hold nothing."""
    said = {kind: kept(text.encode()).decode() for kind, (text, _) in PLANTED.items()}

    assert [kind for kind, (_, secret) in PLANTED.items() if secret in said[kind]] == []


def test_ordinary_lines_stay_as_they_are() -> None:
    text = "\n".join(ORDINARY).encode()

    assert kept(text) == text
    assert kept(text + b"\n") == text + b"\n"


def test_what_is_held_is_given_out_with_the_line_after_it() -> None:
    """Mutants: hold an ordinary block, or a list; go on holding."""
    redacting = redactor()

    lines = (b"data: |\n", b"  a\n", b"args: [\n", b"password: |\n", b"  b\n", b"c\n")
    said = [b"".join(redacting.take(line)) for line in lines]

    held = b"password: |\n  [redacted:password]\nc\n"
    assert said == [b"data: |\n", b"  a\n", b"args: [\n", b"", b"", held]


def test_what_stands_below_a_name_is_held_if_it_may_be_a_secret_only() -> None:
    """Mutants: hold what is below any name; hold nothing of what is in base64, or below "auth"."""
    redacting = redactor()

    lines = (b"metadata:\n", b"  a\n", b"token:\n", b"  a1b2c3\n", b"b\n")
    said = [b"".join(redacting.take(line)) for line in lines]
    assert said == [b"metadata:\n", b"  a\n", b"", b"", b"token:\n  [redacted:token]\nb\n"]

    for opened in (b"- token:\n", b"password: |\n", b"passwords: [\n"):
        assert [*redactor().take(opened + b"- b\n")] == [opened, b"- b\n"]

    text = b"tls.key: |\n  MIIEvQIBADANBgkqhkiG\n  hunter2\nlast\n"
    assert kept(text) == b"tls.key: |\n  [redacted:key]\n\nlast\n"
    text = b'"auth": {\n  "a": "hunter2"\n}\n'
    assert kept(text) == text.replace(b"hunter2", b"[redacted:auth]")


SECRET = b"apiVersion: v1\ndata:\n  a: cGxh\n  b: |\n    cGxh\n\n    cGxh\nkind: Secret\nmetadata:\n  name: x\n"
FIRST = b"kind: Secret\nmetadata:\n  name: x\ndata:\n  a: cGxh\n---\nkind: ConfigMap\ndata:\n  a: kept\n"
LISTED = (
    b"items:\n- data:\n    a: cGxh\n  immutable: true\n  kind: Secret\n"
    b"- data:\n    a: kept\n  kind: ConfigMap\n- kind: Secret\n  data:\n    a: cGxh\n"
)
BRACES = b'{\n  "data": {\n    "a": "cGxh"\n  },\n  "kind": "Secret"\n}\n'
TAGGED = b"kind: !!str Secret\ndata:\n  a: cGxh\n"
STRINGS = b"stringData:\n  a: cGxh cGxh\n  b: |\n    cGxh\nlast: 1\n"


@pytest.mark.parametrize("sign", [b"", b"+ ", b"- ", b"+", b"-"])
@pytest.mark.parametrize("text", [SECRET, FIRST, LISTED, BRACES, TAGGED, STRINGS])
def test_what_a_secret_holds_is_taken_out_wherever_its_kind_is_told(
    text: bytes, sign: bytes
) -> None:
    """Mutants: hold no data; give them out before the kind; forget the kind above; take a diff's sign for the text."""
    said = kept(b"".join(sign + line for line in text.splitlines(keepends=True)))

    assert b"cGxh" not in said
    assert said.count(b"\n") == text.count(b"\n")
    assert said.count(b"kept") == text.count(b"kept")


def test_the_kind_of_one_item_is_not_the_next_ones() -> None:
    """Mutant: take the hyphen of a list for the sign of a diff."""
    text = b"items:\n- data: {}\n  kind: Secret\n- apiVersion: v1\n  data:\n    a: kept\n  kind: ConfigMap\n"
    assert kept(text) == text


def test_data_are_held_until_it_is_told_whose_they_are() -> None:
    """Mutants: hold them to the end; take any line for one of the object."""
    redacting = redactor()
    said = [
        b"".join(redacting.take(line))
        for line in (b"data:\n", b"  a: b\n", b"kind: X\n", b"c: d\n")
    ]
    assert said == [b"", b"", b"data:\n  a: b\nkind: X\n", b"c: d\n"]

    said = [b"".join(redacting.take(line)) for line in (b"data:\n", b"  a: b\n", b"and so on\n")]
    assert said == [b"", b"", b"data:\n  a: b\nand so on\n"]


def test_members_without_end_beside_data_are_not_held_without_end() -> None:
    """Mutants: no limit; leave them out."""
    text = b"data:\n  a: b\n" + b"c: d\n" * (PIECE // 4) + b"last\n"
    redacting = redactor()

    parts = [*redacting.take(text[:-20])]
    assert parts
    assert b"".join([*parts, *redacting.take(text[-20:]), *redacting.end()]) == text


LONG = b"    hunter2 hunter2\n" * (LIMIT // 20)


@pytest.mark.parametrize(
    "opened",
    [b"- password: |\n", b"- value: |\n", b"- name: DB_PASSWORD\n  value: |\n"],
)
def test_of_a_block_that_is_too_long_to_be_held_the_rest_is_left_out(opened: bytes) -> None:
    """Mutants: no limit; give out what was held as it is; go on with what follows, or never again."""
    said = kept(opened + LONG + b"\n- last: 1\n  more: 2\n")

    assert b"hunter" not in said
    assert said.startswith(opened)
    assert b"[a long block is left out]\n" in said
    assert said.endswith(b"\n- last: 1\n  more: 2\n")
    assert len(said) < 200


def test_many_empty_lines_below_a_name_take_no_long_time() -> None:
    """Mutant: remember all of them for the value."""
    once, twice = ("name: DB_PASSWORD\n" + "\n" * lines for lines in (3_000, 6_000))

    assert b"".join(redactor().take(twice.encode())) == twice.encode()
    assert is_linear(lambda text: list(redactor().take(text.encode())), once, twice)


def test_empty_lines_without_end_are_not_held_without_end() -> None:
    """Mutant: no limit for what follows a value alone."""
    text = b"value: x\n" + b"\n" * (PIECE + 100) + b"last\n"
    redacting = redactor()

    parts = [*redacting.take(text[:-20])]
    assert parts
    assert b"".join([*parts, *redacting.take(text[-20:]), *redacting.end()]) == text


@pytest.mark.parametrize(
    "before",
    [
        b"- password: |\n",
        b"- password: |\n    a\n",
        b"- name: DB_PASSWORD\n  value: |\n",
        b"- password: |\n" + LONG,
        b"word " * 100_000 + b"\n- password: |\n",
    ],
)
def test_a_long_line_of_a_secret_block_is_left_out(before: bytes) -> None:
    """Mutants: cut it as any other, or if one was cut before; forget the block behind it, or tell of it twice."""
    line = b"    " + b"hunter2 " * 100_000 + b"\n    hunter3\n"
    said = kept(before, line, b"- last\n")

    assert b"hunter" not in said
    assert b"long line is left out]" in said
    assert said.count(b"[a long block is left out]") == 1
    assert said.startswith(before[:10])
    assert said.endswith(b"\n- last\n")


def test_a_long_value_below_its_name_is_left_out() -> None:
    """Mutant: forget the name where a line is cut."""
    said = kept(b"- name: DB_PASSWORD\n  value: " + b"hunter2 " * 100_000 + b"\nlast\n")

    assert b"hunter" not in said
    assert said.endswith(b"left out]\nlast\n")


def test_a_long_line_that_begins_after_a_block_is_kept() -> None:
    """Mutants: take it for the block's; lose what was held before it."""
    line = b"word " * 100_000 + b"\nlast\n"

    said = kept(b"value: |\n  a\n" + line)
    assert said == b"value: |\n  a\n" + line
    assert kept(b"value: |\n  a\n" + b"x" * 3 * LIMIT).startswith(b"value: |\n  a\n[")
    assert kept(b"password: |\n  a\n" + line) == b"password: |\n  [redacted:password]\n" + line


def test_a_line_that_cannot_be_cut_is_left_out_to_its_end() -> None:
    """Mutants: cut it anyway; go on behind the cut."""
    secret = b"password=" + b"a1B2" * 100_000
    said = kept(b"first\n" + secret + b" tail\nlast\n")

    assert b"a1B2" not in said
    assert b"left out" in said
    assert said.startswith(b"first\n")
    assert said.endswith(b"\nlast\n")


@pytest.mark.parametrize("before", [b"", b'{"kind": "Pod"} ' * 20_000])
def test_of_data_whose_kind_stands_far_behind_nothing_is_kept(before: bytes) -> None:
    """Mutants: cut a line within them; take a label of that name, or none at all, for data."""
    data = b", ".join(b'"k%d": "hunter2"' % number for number in range(20_000))
    said = kept(before + b'{"data": {' + data + b'}, "kind": "Secret"}\nlast\n')

    assert b"hunter" not in said
    assert said.endswith(b"[the rest of a long line is left out]\nlast\n")
    text = b'{"metadata": {"data": {}, "x": "data:"}} ' * 20_000
    assert kept(text) == text


KEY = b"-----BEGIN RSA PRIVATE KEY-----"  # gitleaks:allow  made up
END = b"-----END RSA PRIVATE KEY-----"


def test_a_key_that_begins_in_what_is_left_out_is_taken_out_too() -> None:
    """Mutant: do not look for keys in what is left out."""
    line = b"x" * 3 * LIMIT + b" " + KEY + b"x" * 3 * LIMIT
    said = kept(line, b"\nc2VjcmV0\n", END + b"\nlast\n")

    assert b"c2VjcmV0" not in said
    assert said.endswith(b"last\n")


def test_a_key_of_many_lines_ends_where_it_ends() -> None:
    said = kept(b"before " + KEY + b"\nc2VjcmV0\n" + END + b"\nafter\n")

    assert b"c2VjcmV0" not in said
    assert said == b"before [redacted:private-key]\nafter\n"


def test_a_key_in_a_block_does_not_swallow_what_follows() -> None:
    """Mutant: hold the line with the key's beginning as it is."""
    said = kept(b"password: |\n  " + KEY + b"\n  c2VjcmV0\n  " + END + b"\nafter\n")

    assert said == b"password: |\n  [redacted:password]\nafter\n"


def test_a_key_in_one_long_line_is_taken_out_whole() -> None:
    """Escaped line ends, as JSON has them. Mutant: cut at the last blank without comparing."""
    key = KEY + b"\\nc2VjcmV0" * 500 + b"\\n" + END
    for shift in (0, 3000):
        said = kept(
            b"word " * (2 * PIECE // 5) + b"w" * shift + b' "' + key + b'" ' + b"word " * 60_000
        )
        assert b"c2VjcmV0" not in said
        assert said.endswith(b"word ")


def test_an_ordinary_flood_in_one_line_is_kept_whole() -> None:
    """Mutant: leave out whatever is long."""
    text = b'{"kind": "Pod", "name": "a"} ' * 40_000

    assert kept(text) == text
