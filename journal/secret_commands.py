"""
Secrets that a command line gives by a switch of its program's own, and the words of a netrc.

``--from-literal=any=hunter2``, ``docker login -p hunter2``, ``mysql -phunter2``: no name there says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from journal.secret_shapes import compiled

if TYPE_CHECKING:
    from journal.entries import Json

HINTS: Final = ("--from-literal", "login", "sshpass", "redis-cli", "mysql", "mariadb", "machine ")

# As the next word, and as the next item of a list.
_QUOTE: Final = r"\\{0,7}[\"']"
_ITEM: Final = rf"{_QUOTE},\s{{0,40}}(?={_QUOTE})"
_NEXT: Final = rf"(?:[ \t]{{1,4}}|{_ITEM})"
_THEN: Final = rf"(?:[ =]{{1,4}}|{_ITEM})"
# What a shell or a template puts in, and what only stands for a value.
_VALUE: Final = (
    r"(?!\\{0,7}[\"']?(?:\[redacted:|\$|<|\{\{|\.\.\.))"
    r"(\\{0,7}\"(?>(?:[^\"\\\n]++|\\(?!\"))+)\\{0,7}\"|'[^'\n]+'|[^\s\"',;\\|&)]+)"
)
_LITERAL: Final = rf"(--from-literal{_THEN}[A-Za-z0-9_.-]{{1,253}}=){_VALUE}"
_LITERAL_QUOTED: Final = (
    rf"(--from-literal{_THEN}({_QUOTE})[A-Za-z0-9_.-]{{1,253}}=)(?!\[redacted:|\$|<|\{{\{{)"
    r"(?>(?:[^\\\n\"']++|(?!\2)[\\\"'])+)"
)
# The first switch is it, or a second look would find the next one.
_BETWEEN: Final = r"(?>(?:[^\n|;&]{0,256}?[ \"'])??"
_BEGIN: Final = r"(?<![A-Za-z0-9_.-])"
_LOGIN: Final = (
    rf"({_BEGIN}(?:docker|podman|nerdctl|buildah|skopeo|oras|crane|registry|auth|argocd){_NEXT}{_QUOTE}?login"
    rf"[ \"'\\,]{_BETWEEN}-p{_THEN})){_VALUE}"
)
_SSHPASS: Final = rf"({_BEGIN}sshpass[ \"'\\,]{_BETWEEN}-p(?:{_THEN}|(?=[^\s=,\"'\\])))){_VALUE}"
_REDIS: Final = rf"({_BEGIN}redis-cli[ \"'\\,]{_BETWEEN}-a{_THEN})){_VALUE}"
_CLIENT: Final = r"(?:mysql|mariadb)(?:-?(?:dump|admin|check|import|show|slap))?"
_MYSQL: Final = (
    rf"({_BEGIN}{_CLIENT}[ \"'\\,]"
    rf"{_BETWEEN}-p(?=[^\s=,\"'\\]|['\"][^'\"\s,]))){_VALUE}"
)
_NETRC: Final = (
    r"(\b(?:machine\s{1,40}\S{1,256}|default)(?:\s{1,40}(?:login|account)\s{1,40}\S{1,256}){1,2}"
    r"\s{1,40}password\s{1,40})(?!\[redacted:|\$|<|\{\{)([^\s\"'\\]+)"
)
_NETRC_FIRST: Final = (
    r"((?:\bmachine[ \t]{1,40}\S{1,256}|\bdefault)(?:\s{0,40}\n\s{0,40}password[ \t]{1,40}"
    r"|[ \t]{1,40}password[ \t]{1,40}(?=\S{1,1024}\s{1,40}(?:login|account)\s)))"
    r"(?!\[redacted:|\$|<|\{\{)([^\s\"'\\]+)"
)
_PATTERNS: Final = (
    ("--from-literal", _LITERAL, "secret"),
    ("login", _LOGIN, "password"),
    ("sshpass", _SSHPASS, "password"),
    ("redis-cli", _REDIS, "password"),
    ("mysql", _MYSQL, "password"),
    ("mariadb", _MYSQL, "password"),
    ("login", _NETRC, "password"),
    ("machine ", _NETRC_FIRST, "password"),
)
# In a list of arguments: the program, and its switch.
_SWITCHES: Final = {"sshpass": "-p", "redis-cli": "-a", "login": "-p"}
_JOINED: Final = rf"{_CLIENT}|sshpass"
_GIVEN: Final = r"(?s)([A-Za-z0-9_.-]{1,253}=)((?!\[redacted:).+)"


def redact_commands(text: str, lowered: str) -> str:
    """Replace them in a text."""
    for hint, pattern, kind in _PATTERNS:
        if hint in lowered:
            text = compiled(pattern).sub(partial(_replaced, kind), text)
    if "--from-literal" in lowered:
        text = compiled(_LITERAL_QUOTED).sub(r"\1[redacted:secret]", text)
    return text


def redact_arguments(items: list[Json]) -> list[Json]:
    """Replace them in a list of arguments."""
    return list(_redacted(items)) if any(_is_program(one) for one in items) else items


def _redacted(items: Iterable[Json]) -> Iterator[Json]:
    switch, joined, before = "", False, ""
    for item in items:
        text = item if isinstance(item, str) else ""
        if before == "--from-literal":
            yield compiled(_GIVEN).sub(r"\1[redacted:secret]", text) if text else item
        elif text and switch and before == switch and not text.startswith("[redacted:"):
            yield "[redacted:password]"
        elif joined and len(text) > len("-p") and text.startswith("-p") and "[" not in text[:3]:
            yield "-p[redacted:password]"
        else:
            yield item
        program = text.rpartition("/")[2]
        switch = _SWITCHES.get(program, switch)
        joined = joined or compiled(_JOINED).fullmatch(program) is not None
        before = text


def _is_program(item: Json) -> bool:
    return isinstance(item, str) and any(hint in item for hint in HINTS)


def _replaced(kind: str, found: re.Match[str]) -> str:
    edge = re.match(rf"{_QUOTE}", found[2])
    quote = edge[0] if edge else ""
    return f"{found[1]}{quote}[redacted:{kind}]{quote}"
