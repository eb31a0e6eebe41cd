"""
What a JSON patch (RFC 6902) puts into a Secret, and what an API server quotes of one that it refuses.

Neither tells of what kind its object is: what goes to ``stringData`` is a Secret's, to ``data`` what reads as base64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from journal.secret_lines import quote_end
from journal.secret_manifest_objects import MARK, is_encoded, is_kept
from journal.secret_shapes import compiled

if TYPE_CHECKING:
    from journal.entries import Json

HINTS: Final = ("data/", "data[")
_QUOTE: Final = r"\\{0,7}[\"']?"
_IS: Final = rf"{_QUOTE}[ \t]{{0,8}}:[ \t]{{0,8}}"
_NEXT: Final = (
    rf"{_QUOTE}(?:[ \t]{{0,8}},\s{{0,40}}|[ \t]{{0,8}}(?:\r?\n|\\{{1,4}}n)[ \t]{{0,40}}){_QUOTE}"
)
_PUT: Final = (
    rf"path{_IS}{_QUOTE}/(?P<to>data|stringData)/(?P<key>[^\s\"'\\,]{{1,253}}){_NEXT}"
    rf"(?:op{_IS}{_QUOTE}[a-z]{{1,8}}{_NEXT})?value{_IS}(?P<quote>{_QUOTE})"
)
_QUOTED: Final = (
    r"(?P<to>data|stringData)\[(?P<key>[^\]\s]{1,253})\]: (?:Invalid|Unsupported|Duplicate) value: "
    r"(?P<quote>\\{0,7}\")"
)
_PATH: Final = r"/(data|stringData)/[^/]+"


def may_have(lowered: str) -> bool:
    """Say whether a text, in small letters, may have either."""
    return "value" in lowered and any(hint in lowered for hint in HINTS)


def redact_patches(text: str) -> str:
    """Replace what they give a Secret."""
    for pattern, refused in ((_PUT, False), (_QUOTED, True)):
        text = "".join(_pieces(text, pattern, refused=refused))
    return text


def redact_patch(value: dict[str, Json]) -> dict[str, Json]:
    """Do the same with one operation of a patch as JSON has it."""
    path, given = value.get("path"), value.get("value")
    if not (isinstance(path, str) and isinstance(given, str)):
        return value
    found = compiled(_PATH).fullmatch(path)
    return value | {"value": MARK} if found and _is_secret(found[1], given) else value


def _pieces(text: str, pattern: str, *, refused: bool) -> Iterator[str]:
    at = 0
    for found in compiled(pattern).finditer(text):
        start, quote = found.end(), found["quote"]
        if start < at:
            continue
        end = quote_end(text, quote, start) if quote else text.find("\n", start)
        end = len(text) if end < 0 else end
        said = text[start:end]
        # The name of a key that may not be one is quoted as well.
        if _is_secret("stringData" if refused else found["to"], said) and said != found["key"]:
            yield text[at:start] + MARK
            at = end
    yield text[at:]


def _is_secret(to: str, given: str) -> bool:
    return not is_kept(given) and (to == "stringData" or is_encoded(given.strip()))
