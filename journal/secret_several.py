"""
Secrets whose name says less than "password" does: several of them in a line, and what lies in a file of a key.

``secrets: VALUE`` is as a rule a count, or names objects, and ``answer.key: VALUE`` may be a text: only what looks like
a secret is one there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from journal.secret_names import NAME, is_reference, kind_of_key
from journal.secret_shapes import compiled
from journal.secret_values import is_name, is_telling, looks_made_up

_QUOTE: Final = r"\\{0,7}[\"']?"
_GIVES: Final = rf"{_QUOTE}[ \t]{{0,8}}[:=][ \t]{{0,8}}{_QUOTE}"
_ENDS: Final = r"(?=[\s\"'`,;&\\{}\[\]()]|\Z)"
_ITEM: Final = r"[^\s\"'`,;&\\{}\[\]()=]++={0,2}"
# A name's last letter comes first, or its many patterns would be tried at each place of a text.
_SEVERAL: Final = rf"(?i)(?<=[deklnty])s{_GIVES}({_ITEM}(?>(?:, ?{_ITEM})*)){_ENDS}"
# As all that a line has: of words it cannot be a sentence, nor a count.
_WORD: Final = r"[A-Za-z][^\s\"'`,;&\\{}\[\]()=]++"
_ALONE: Final = (
    rf"(?im)^([ \t]*+(?:- )?[\"']?(?:[a-z0-9.-]{{1,40}}_)?(?:pass(?:[_-]?(?:word|phrase|code))|passwd)s[\"']?:[ \t]++)"
    rf"({_WORD}(?>(?:, ?{_WORD})*))(?=[ \t]*+(?:\#.*)?$)"
)
_NAMED: Final = rf"(?i){NAME}\Z"
_NAME_BYTES: Final = 32
_BETWEEN: Final = re.compile(r"(, ?)")
_END: Final = ".,;:!?"

# At least one of these is in each name of a file of a key, or of credentials as a whole.
ENCODED_FILES: Final = (".key", "key.", "credential", "kubeconfig", "talosconfig")
_KEY_FILE: Final = (
    r"(?:\.key|key\.(?:pem|der)|credentials?(?:[-_.][a-z0-9_.-]{1,64}+)?|(?:kube|talos)config)"
)
_ENCODED: Final = r"[A-Za-z0-9+/_-]{16,}+={0,2}"
# A name that goes on is a path, a host or an image.
_IN_FILE: Final = rf"(?i)({_KEY_FILE}{_GIVES})({_ENCODED})(?!\.?[A-Za-z0-9+/=_:@-])"
_IN_FILE_ALONE: Final = rf"(?i){_KEY_FILE}\Z"
# With its padding; in hexadecimal; or long, with capitals, small letters and digits: no path, nor words with hyphens.
_MATERIAL: Final = (
    r"(?=[A-Za-z0-9+/_-]*[A-Z0-9])[A-Za-z0-9+/_-]{14,}={1,2}|[0-9a-f]{32,}|[0-9A-F]{32,}"
    r"|(?!/)(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=[^0-9+]*[0-9+])[A-Za-z0-9+/]{20,}"
)


def redact_several(text: str) -> str:
    """Replace, of what ``passwords:`` or ``tokens=`` gives, what looks like a secret."""
    text = compiled(_SEVERAL).sub(_several, text)
    return compiled(_ALONE).sub(lambda found: found[1] + _words(found[2]), text)


def redact_key_files(text: str) -> str:
    """Replace what ``tls.key:`` gives, where that is a key in base64 or hexadecimal."""
    return compiled(_IN_FILE).sub(lambda found: found[1] + _material(found[2]), text)


def redact_told(member: str, value: str) -> str:
    """Do either with the text of a member, by its name."""
    name = _told_by(member)
    if not name:
        return value
    return _material(value) if name == "file" else _items(name, value)


@lru_cache(maxsize=1024)
def _told_by(member: str) -> str:
    if compiled(_IN_FILE_ALONE).search(member):
        return "file"
    return _name_of(member[:-1]) if member[-1:] in {"s", "S"} else ""


def _name_of(before: str) -> str:
    named = compiled(_NAMED).search(before[-_NAME_BYTES:])
    return named[0] if named else ""


def _several(found: re.Match[str]) -> str:
    begin = found.start()
    name = _name_of(found.string[max(0, begin - _NAME_BYTES) : begin])
    if not name:
        return found[0]
    return found[0][: found.start(1) - begin] + _items(name, found[1])


def _material(value: str) -> str:
    return "[redacted:key]" if compiled(_MATERIAL).fullmatch(value) else value


def _items(name: str, value: str) -> str:
    return "".join(_item(name, item) for item in _BETWEEN.split(value))


def _words(value: str) -> str:
    parts = _BETWEEN.split(value)
    parts[::2] = [one if is_telling(one) else "[redacted:password]" for one in parts[::2]]
    return "".join(parts)


def _item(name: str, item: str) -> str:
    value, kind = item.rstrip(_END), kind_of_key(name)
    if not looks_made_up(value) or is_name(value) or is_reference(kind, value):
        return item
    return f"[redacted:{kind}]{item[len(value) :]}"
