"""What a command says is kept without its secrets, also when it says it without a line's end."""

from __future__ import annotations

import os
import threading

import pytest

from rekindle.adapters.sink import Redactor, drain, redactor

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
    ],
)
def test_a_value_on_the_line_after_its_name_is_taken_out(text: bytes) -> None:
    """Mutant: redact each line by itself."""
    said = kept(text)

    assert said.replace(b"[redacted:password]", b"hunter2") == text
    assert b"hunter2" not in said


def test_a_line_that_cannot_be_cut_is_left_out_to_its_end() -> None:
    """Mutants: cut it anyway; go on behind the cut."""
    secret = b"password=" + b"a1B2" * 100_000
    said = kept(b"first\n" + secret + b" tail\nlast\n")

    assert b"a1B2" not in said
    assert b"left out" in said
    assert said.startswith(b"first\n")
    assert said.endswith(b"\nlast\n")


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
