"""Secrets of Kubernetes in braces: JSON, texts of JSON within it, the flow of YAML, and maps as Go prints them."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from journal.secret_objects import PART
from journal.secret_shapes import compiled

MARK: Final = "[redacted:secret]"
# What the API itself answers, which tells its kind before its items.
LIST: Final = "SecretList"
# What has been taken out is no list, and where a line ends within a text is no word.
_PART: Final = rf"\[redacted:[a-z0-9-]{{1,64}}\]|(?<!\\)\\{{1,7}}[nrt]|{PART}"
# Before each line of a diff.
_SIGNS: Final = frozenset("+-")
_NAMING: Final = r"[ \t]{0,8}:"
_ENCODED: Final = r"[A-Za-z0-9+/]{6,}={0,2}"
_MIXED: Final = r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=[^0-9]*[0-9])[A-Za-z0-9+/]{20,}"
_SHORTEST: Final = 8
_BASE: Final = 4
# Taken out already, encrypted by SOPS, put in by Flux or by a template, or nothing.
_KEPT: Final = r"(?s)\s*|\[redacted:.*|ENC\[.*|\$\{[A-Za-z0-9_]{1,128}\}|(?:null|~)"
_KIND: Final = r"[A-Z][A-Za-z]{1,62}"
_DEEPEST: Final = 4
_DECODED_BYTES: Final = 4096


def is_kept(value: str) -> bool:
    """Say whether a Secret's value is none that anybody could use."""
    return compiled(_KEPT).fullmatch(value) is not None


def is_encoded(value: str) -> bool:
    """Say whether a word is base64, and no word of a language: it has padding, or reads as a text, or as a key."""
    if len(value) < _SHORTEST or len(value) % _BASE or not compiled(_ENCODED).fullmatch(value):
        return False
    if value.endswith("=") or compiled(_MIXED).fullmatch(value):
        return True
    try:
        return base64.b64decode(value[:_DECODED_BYTES]).decode().isprintable()
    except (binascii.Error, ValueError):
        return False


class _Object:
    """An object that is being gone through: what it is called, of what kind it says it is, and what its data hold."""

    def __init__(
        self, name: str, owner: _Object | None, *, whole: bool, listed: bool = False
    ) -> None:
        self.member = ""
        self.kind = ""
        # What anything within it is: a value of a Secret, or of the one whose kind is still to be told.
        self.whole = whole or name == "stringData"
        self.owner = owner
        self.listed = listed  # in a list of Secrets, whose items do not tell their kind
        self.pending: list[tuple[int, int]] = []


class _Scan:
    """One way through a text; edits are applied at its end."""

    def __init__(self, text: str, depth: int, *, whole: bool) -> None:
        self._text = text
        self._depth = depth
        self._edits: dict[int, tuple[int, str]] = {}
        self._open = [_Object("", None, whole=whole)]

    def run(self) -> str:
        """Return the text without the values of Secrets."""
        done = 0
        for part in compiled(_PART).finditer(self._text):
            if part.start() < done:
                continue
            bracket, _, quoted, cut, word = part.groups()
            if bracket:
                self._bracket(bracket)
            elif word is not None:
                self._word(part.start(), word)
            elif quoted is not None and compiled(_NAMING).match(self._text, part.end()):
                self._open[-1].member = quoted
            elif quoted is not None:
                self._value(part.start(3), part.end(3), quoted=True)
            elif cut is not None:
                self._value(part.start(4), part.end(4), quoted=True)
                done = part.end(4)
        while self._open:
            self._close()
        parts: list[str] = []
        done = 0
        for start, (end, said) in sorted(self._edits.items()):
            parts += self._text[done:start], said
            done = end
        return "".join([*parts, self._text[done:]])

    def _bracket(self, bracket: str) -> None:
        here = self._open[-1]
        if bracket in "{[":
            name = here.member.removesuffix(":map")
            owner = here if name == "data" else here.owner
            listed = here.listed or here.kind == LIST
            self._open.append(_Object(name, owner, whole=here.whole, listed=listed))
        elif len(self._open) > 1:
            self._close()

    def _word(self, start: int, word: str) -> None:
        if word == "---":
            while len(self._open) > 1:
                self._close()
            self._settle(self._open[0])
            self._open[0].kind = ""
        here = self._open[-1]
        name, colon, said = word.partition(":")
        if colon and name and not said.startswith("//"):
            here.member = name
            if said and said != "map":
                self._value(start + len(name) + 1, start + len(word), quoted=False)
        elif word != "map" and word not in _SIGNS:
            self._value(start, start + len(word), quoted=False)

    def _value(self, start: int, end: int, *, quoted: bool) -> None:
        here, said = self._open[-1], self._text[start:end]
        if here.member == "kind" and (quoted or len(self._open) > 1):
            # Beside objects of a text stand others, each of its own kind.
            if len(self._open) == 1 and here.kind:
                self._settle(here)
            here.kind = said
            if compiled(_KIND).fullmatch(said):
                return
        if is_kept(said):
            return
        if here.whole:
            self._edits[start] = (end, MARK)
        elif here.owner is not None:
            here.owner.pending.append((start, end))
        if (
            start not in self._edits
            and quoted
            and self._depth
            and "{" in said
            and "data" in said.lower()
        ):
            within = _Scan(said, self._depth - 1, whole=False).run()
            if within != said:
                self._edits[start] = (end, within)

    def _close(self) -> None:
        self._settle(self._open.pop())

    def _settle(self, mapping: _Object) -> None:
        for start, end in mapping.pending:
            secret = mapping.kind == "Secret" or (mapping.listed and not mapping.kind)
            if secret or (not mapping.kind and is_encoded(self._text[start:end])):
                self._edits[start] = (end, MARK)
        mapping.pending = []


def redact_objects(text: str) -> str:
    """Replace what Secrets hold that stand in braces."""
    return _Scan(text, _DEEPEST, whole=False).run()


def redact_flow(text: str) -> str:
    """Replace all values: the text is of a Secret."""
    return _Scan(text, 0, whole=True).run()
