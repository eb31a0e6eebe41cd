"""
Secrets of Kubernetes as they are written down: ``kind: Secret`` with its ``data`` and ``stringData``, under any key.

``stringData`` is a Secret's always. ``data`` is one's where its object says so, before it or after, as kubectl sorts
them; where no kind is told, for a text may be cut off, what reads as base64 is. What a ConfigMap has stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.secret_lines import blanks_of, by_lines, indent_of, quote_end
from journal.secret_manifest_objects import (
    LIST,
    MARK,
    is_encoded,
    is_kept,
    redact_flow,
    redact_objects,
)
from journal.secret_patches import HINTS, redact_patch, redact_patches
from journal.secret_patches import may_have as may_have_patch
from journal.secret_shapes import compiled

if TYPE_CHECKING:
    from journal.entries import Json

STRING_DATA: Final = "stringData"
_DATA: Final = r"data(?<!metadata)\\{0,7}[\"']?[ \t]{0,8}:"
_DATA_BYTES: Final = re.compile(_DATA.encode())
_PATCH_BYTES: Final = tuple(hint.encode() for hint in HINTS)
_FLOW: Final = r"(?i)data\\{0,7}[\"']?[ \t]{0,8}:\s{0,8}(?:map\[|\{)"
_DIFF: Final = re.compile(r"(?m)^(?:\+|-(?:[^\s-]|[ \t]{3}))")
_BEGINS: Final = re.compile(r"---(?:\s|$)|\.\.\.\s*$")
_MEMBER: Final = (
    r"(\\{0,7}[\"']?)([^\s\"'\\:{}\[\],#]{1,253})\1[ \t]{0,8}:"
    r"(?:[ \t]+(?:[!&]\S{0,128}(?:[ \t]+|$)){0,4}|\r?$)"
)
_BLOCK: Final = r"(?:[|>][0-9+-]{0,2}[ \t]*)?(?:\#.*)?"
_QUOTE: Final = r"\\{0,7}[\"']"
_COMMENT: Final = r"[ \t]+#.*$|[ \t,]+$"


class _Value(NamedTuple):
    """What a line gives a member: where it begins and ends within its quotes."""

    start: int
    end: int
    text: str


class _Block:
    """The lines below a ``data``, and those of them that are its own members."""

    def __init__(self, member: str, line: int) -> None:
        self.whole = member == STRING_DATA
        self.first = line
        self.end = 0
        self.members: list[int] = []


class _Mapping:
    """A mapping of YAML whose lines are being gone through."""

    def __init__(self, column: int) -> None:
        self.column = column
        self.kind = ""
        self.blocks: list[_Block] = []

    def ends(self, line: int) -> None:
        """Note that what stood below the last member ended before this line."""
        if self.blocks and not self.blocks[-1].end:
            self.blocks[-1].end = line

    def is_open(self) -> bool:
        """Say whether lines further in are of a data."""
        return bool(self.blocks) and not self.blocks[-1].end


def may_have(lowered: str) -> bool:
    """Say whether a text, in small letters, may have the data of a Secret."""
    if "data" not in lowered:
        return False
    return compiled(_DATA).search(lowered) is not None or may_have_patch(lowered)


def may_have_bytes(lowered: bytes) -> bool:
    """Say the same of what is written."""
    if b"data" not in lowered:
        return False
    return _DATA_BYTES.search(lowered) is not None or any(one in lowered for one in _PATCH_BYTES)


def redact_manifests(text: str) -> str:
    """Replace what Secrets hold."""
    lowered = text.lower()
    if may_have_patch(lowered):
        text = redact_patches(text)
    # Lines that are taken out may have brackets; what is left of the text is read the same way the second time.
    text = by_lines(text, _redact_lines, lambda part: may_have(part.lower()))
    return redact_objects(text) if compiled(_FLOW).search(text) else text


def redact_manifest(value: dict[str, Json], *, listed: bool = False) -> dict[str, Json]:
    """Do the same in an object of JSON; *listed*: it is an item of a list of Secrets, and may not tell its kind."""
    items = value.get("items")
    if isinstance(items, list) and value.get("kind") == LIST:
        told = [
            redact_manifest(one, listed=True) if isinstance(one, dict) else one for one in items
        ]
        value = value | {"items": told}
    if "data" not in value and STRING_DATA not in value:
        return redact_patch(value) if "path" in value else value
    data, strings = value.get("data"), value.get(STRING_DATA)
    kind = value.get("kind", "Secret" if listed else None)
    if isinstance(data, dict) and (kind == "Secret" or not isinstance(kind, str)):
        value = value | {"data": _redact_members(data, whole=kind == "Secret")}
    if isinstance(strings, dict):
        value = value | {STRING_DATA: _redact_members(strings, whole=True)}
    return value


def _redact_members(members: dict[str, Json], *, whole: bool) -> dict[str, Json]:
    return {
        key: MARK
        if isinstance(one, str) and not is_kept(one) and (whole or is_encoded(one))
        else one
        for key, one in members.items()
    }


def _redact_lines(lines: list[str]) -> None:
    """Replace them in the list itself, which keeps its length; in a diff the signs are no part of the lines."""
    _redact_documents(lines)
    if any(_DIFF.match(line) for line in lines):
        unsigned = [f" {line[1:]}" if line[:1] in {"+", "-"} else line for line in lines]
        redacted = unsigned.copy()
        _redact_documents(redacted)
        for number, (before, after) in enumerate(zip(unsigned, redacted, strict=True)):
            if before != after:
                lines[number] = lines[number][:1] + after[1:]


def _redact_documents(lines: list[str]) -> None:
    done = 0
    for kind, block in sorted(_blocks(lines), key=lambda one: one[1].first):
        if block.whole or kind == "Secret":
            # What lies in another has been taken out with it.
            if block.first >= done:
                _redact_block(lines, block)
                done = block.end
        elif not kind:
            for number in block.members:
                value = _value(lines[number])
                if value and is_encoded(value.text):
                    lines[number] = _replaced(lines[number], value)


def _blocks(lines: list[str]) -> list[tuple[str, _Block]]:
    """Find what stands below each ``data``, with the kind that the same mapping tells."""
    found: list[tuple[str, _Block]] = []
    open_: list[_Mapping] = []

    def close(line: int) -> None:
        mapping = open_.pop()
        mapping.ends(line)
        found.extend((mapping.kind, block) for block in mapping.blocks)

    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        blanks, column = blanks_of(line), indent_of(line)
        begins = _BEGINS.match(line) is not None
        # An item of a list ends what the item before it had.
        while open_ and (begins or open_[-1].column > blanks):
            close(number)
        if begins:
            continue
        parent = open_[-1] if open_ else None
        if parent is None or parent.column < column:
            if parent and column > blanks == parent.column:
                parent.ends(number)
            if parent and parent.is_open():
                parent.blocks[-1].members.append(number)
            open_.append(_Mapping(column))
        elif len(open_) > 1 and open_[-2].is_open():
            open_[-2].blocks[-1].members.append(number)
        _told(open_, close, number, line)
    while open_:
        close(len(lines))
    return found


def _told(open_: list[_Mapping], close: Callable[[int], None], number: int, line: str) -> None:
    """Note what a line says of the mapping that it is of."""
    mapping = open_[-1]
    mapping.ends(number)
    member = compiled(_MEMBER).match(line, mapping.column)
    if member is None:
        return
    name, said = member[2], line[member.end() :].rstrip(" \t\r,")
    if name == "kind":
        if mapping.kind:
            close(number)
            open_.append(mapping := _Mapping(mapping.column))
        mapping.kind = compiled(_COMMENT).sub("", said).strip("\\\"'")
    elif name in {"data", STRING_DATA} and (not said or said[0] in "{#"):
        mapping.blocks.append(_Block(name, number))


def _redact_block(lines: list[str], block: _Block) -> None:
    """Replace all values below a line, and in the flow that begins in it."""
    opening = compiled(_MEMBER).search(lines[block.first], indent_of(lines[block.first]))
    start = opening.end() if opening else 0
    if lines[block.first][start : start + 1] == "{":
        lines[block.first] = lines[block.first][:start] + redact_flow(lines[block.first][start:])
        for number in range(block.first + 1, block.end):
            lines[number] = redact_flow(lines[number])
        return
    column, awaited, dropped = -1, False, False
    for number in range(block.first + 1, block.end):
        line = lines[number]
        if not line.strip() or (line.lstrip().startswith("#") and not dropped and not awaited):
            continue
        column = blanks_of(line) if column < 0 else column
        if blanks_of(line) <= column:
            value = _value(line)
            awaited = value is None
            dropped = value is not None and not is_kept(value.text)
            if value and dropped:
                lines[number] = _replaced(line, value)
        elif awaited and not is_kept(line.strip()):
            lines[number] = f"{line[: blanks_of(line)]}{MARK}"
            awaited, dropped = False, True
        elif awaited:
            awaited = False
        elif dropped:
            lines[number] = ""


def _value(line: str) -> _Value | None:
    """Return what a line gives; None: nothing, or a block that is to follow. Of a line without a name, all of it."""
    indent = indent_of(line)
    member = compiled(_MEMBER).match(line, indent)
    start = member.end() if member else indent
    if compiled(_BLOCK).fullmatch(line[start:].rstrip()):
        return None
    quote = compiled(_QUOTE).match(line, start)
    if quote:
        end = quote_end(line, quote[0], quote.end())
        end = len(line.rstrip()) if end < 0 else end
        return _Value(quote.end(), end, line[quote.end() : end])
    said = compiled(_COMMENT).sub("", line[start:].rstrip())
    return _Value(start, start + len(said), said)


def _replaced(line: str, value: _Value) -> str:
    return f"{line[: value.start]}{MARK}{line[value.end :]}"
