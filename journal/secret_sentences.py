"""
Secrets that a command line, a URL or a sentence has, with no name right before them that gives them a value.

``curl -u user:hunter2``, ``?sig=...`` and "the password is hunter2".
"""

from __future__ import annotations

import re
from typing import Final

from journal.secret_names import NAME, kind_of_key
from journal.secret_shapes import compiled
from journal.secret_values import is_name, looks_made_up

# After a switch, as the next word, in the same one, and as the next item of a list.
_NEXT: Final = r"(?:[ =]{1,4}|\\{0,7}[\"'],\s{0,40}(?=\\{0,7}[\"']))"
_USER: Final = r"[A-Za-z0-9_.@\\-]{0,128}:)(?!\[redacted:|//)"
_LOGIN: Final = (
    rf"(?<![A-Za-z0-9_-])((?:--(?:proxy-)?user{_NEXT}|-[A-Za-z]{{0,8}}[uU]{_NEXT}?)"
    rf"\\{{0,7}}([\"']?){_USER}"
    r"((?:(?!\\{0,7}\2)[^\n]){1,1024}(?=\\{0,7}\2)|[^\s\"',;\\]+)"
)
_ARGUMENT: Final = rf"(?s)\A({_USER}.+"
_CURL_BYTES: Final = 1024
# Of a signed URL: whoever has it may do what it was signed for.
_SIGNED: Final = (
    r"(?i)((?:[?&;]|\\u0026|(?<![a-z0-9])x-(?:amz|goog)-)sig(?:nature)?=)"
    r"(?!\[redacted:)([^\s&\"',;\\<>)\]}]{4,})"
)
_SAID: Final = (
    r" (?:is|are|was|were)(?: now| (?:re)?set to| changed to)?:? (\\{0,7}[\"'`]?)([^\s\"'`]{6,})"
)
_END: Final = ".,;:!?)]}\\"
# The name before it, and whose it is.
_NAMED: Final = (
    rf"(?i)({NAME}|(?:api|access|secret|private|account|signing|encryption|pre-?shared) key)"
)
_WHOSE: Final = r" (?:for|of) \S{1,40}(?: \S{1,40}){0,2}"
_NAME_BYTES: Final = 32
_NAMED_BYTES: Final = 128


def redact_logins(text: str) -> str:
    """Replace the password of ``-u USER:PASSWORD``; where no curl stands before, it has to look like one."""
    return compiled(_LOGIN).sub(_login, text)


def redact_login(argument: str) -> str:
    """Replace the password of ``USER:PASSWORD``."""
    return compiled(_ARGUMENT).sub(r"\1[redacted:password]", argument)


def redact_signed(text: str) -> str:
    """Replace what a URL was signed with."""
    return compiled(_SIGNED).sub(r"\1[redacted:signature]", text)


def redact_said(text: str) -> str:
    """Replace what a sentence says a secret is."""
    return compiled(_SAID).sub(_said, text)


def _login(match: re.Match[str]) -> str:
    begin = match.start()
    curl = match.string.rfind("curl", max(0, begin - _CURL_BYTES), begin) >= 0
    if "proxy" in match[1] or curl or (looks_made_up(match[3]) and not is_name(match[3])):
        return f"{match[1]}[redacted:password]"
    return match[0]


def _said(match: re.Match[str]) -> str:
    value = match[2].rstrip(_END)
    if not looks_made_up(value):
        return match[0]
    before = match.string[max(0, match.start() - _NAMED_BYTES) : match.start()]
    named = compiled(f"{_NAMED}$").search(before[-_NAME_BYTES:])
    if named is None and (" for " in before or " of " in before):
        named = compiled(f"{_NAMED}{_WHOSE}$").search(before)
    if named is None:
        return match[0]
    kind = kind_of_key(named[1])
    if kind != "password" and is_name(value):
        return match[0]
    return f"{match[0][: match.start(2) - match.start()]}[redacted:{kind}]{match[2][len(value) :]}"
