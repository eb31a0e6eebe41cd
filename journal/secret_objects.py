"""
Secrets somewhere in an object that is called one: ``{"credentials": {"a": {"b": "hunter2"}}}``, as JSON and in texts.

Most of such an object only tells where its secrets lie, so what does not look like one stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.secret_names import kind_of_key, names_secrets
from journal.secret_shapes import compiled
from journal.secret_values import is_hidden

if TYPE_CHECKING:
    from journal.entries import Json

# Where an object begins, or a list of some; and what its name is.
_BEGIN: Final = (
    r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]{1,128}+)\\{0,7}[\"']?\s{0,8}:\s{0,8}(?:map)?[\[{]"
)
# A bracket; a text with its quotes, which a text within a text has escaped, or a quote with what is left of its line if
# the text was cut off; and a word of a flow of YAML. A word is one wherever it ends: to try it again from its next
# character would take the square of its length.
PART: Final = (
    r"([{}\[\]])|((?<!\\)\\{0,7}[\"'])(?:([^\n]*?)(?<!\\)\2|(?=([^\n]*)))"
    r"|([^\s\"'{}\[\],:\\][^\s\"'{}\[\],\\]*+)"
)
_NAMING: Final = r"\s{0,8}:"


def redact_below(name: str, value: Json, member: str = "") -> Json:
    """Replace what is a secret anywhere in a value of JSON that *name* calls one."""
    if isinstance(value, dict):
        return {key: redact_below(name, one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [redact_below(name, one, member) for one in value]
    if isinstance(value, str) and is_hidden(member, value):
        return f"[redacted:{kind_of_key(name)}]"
    return value


def redact_objects(text: str) -> str:
    """Do the same in a text that has such an object somewhere."""
    parts: list[str] = []
    done = 0
    for match in compiled(_BEGIN).finditer(text):
        begin = match.end() - 1
        if begin >= done and names_secrets(match[1], []):
            parts.append(text[done:begin])
            done = _through(text, begin, kind_of_key(match[1]), parts)
    return "".join([*parts, text[done:]]) if parts else text


def _through(text: str, begin: int, kind: str, parts: list[str]) -> int:
    """Go through the object or list that begins there; add it without its secrets, and return where it ends."""
    depth, member, done = 0, "", begin
    for part in compiled(PART).finditer(text, begin):
        bracket, quote, quoted, cut, word = part.groups()
        if part.start() < done:
            continue
        if bracket:
            depth += 1 if bracket in "{[" else -1
            if not depth:
                break
        elif quoted is not None and compiled(_NAMING).match(text, part.end()):
            member = quoted
        else:
            said, end = (cut, part.end(4)) if quoted is None else (quoted, part.end(3))
            if not quote:
                member, said = _divided(word, member)
                end = part.end()
            if is_hidden(member, said):
                parts += text[done : end - len(said)], f"[redacted:{kind}]"
                done = end
    end = max(done, part.end())
    parts.append(text[done:end])
    return end


def _divided(word: str, member: str) -> tuple[str, str]:
    """Divide ``b:`` of YAML, and ``b:hunter2`` as Go prints a map; a word by itself belongs to the member before it."""
    name, colon, said = word.partition(":")
    # A URL stays one: what is read a second time is read as it was the first time.
    return (name, said.removeprefix("//")) if colon else (member, word)
