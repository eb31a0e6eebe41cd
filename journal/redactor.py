"""
Taking secrets out of what is about to be kept for ever.

It would rather leave an odd ``[redacted:password]`` in a sentence than a key in a journal, but what a cluster says all
day (revisions, digests, uids, image names, "secret not found") it must leave alone, or nobody can read a postmortem.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from journal import secret_shapes
from journal.secret_blocks import redact_blocks
from journal.secret_shapes import compiled

if TYPE_CHECKING:
    from journal.entries import Json

_ENCODED_PEM: Final = r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}={0,2}"
_HEADER: Final = (
    r"(?i)\b((?:proxy-)?authorization\\*\"?\s{0,3}[:=]\s{0,3}\\*\"?(?:[a-z]{3,12} )?+)"
    r"((?!\[redacted:)[^\s\"',;\\]{4,})"
)
_BEARER: Final = r"(?i)\b(bearer|basic) (?=[^\s\"']{0,200}[0-9=])([A-Za-z0-9._~+/-]{12,}={0,2})"
_URL: Final = r"\b([A-Za-z][A-Za-z0-9+.-]{1,20}://)([^\s/@:\"'\[]{0,256}:[^\s/@\"']{1,512})@"

_STRONG: Final = (
    r"pass(?:word|wd|phrase|code)|api[_-]?key|private[_-]?key|secret[_-]?key|access[_-]?key(?:[_-]?secret)?"
    r"|client[_-]?key[_-]?data|client[_-]?secret|account[_-]?key|signing[_-]?key|encryption[_-]?(?:key|secret)"
    r"|(?:access|refresh|auth|bearer|bootstrap|session|api|id)[_-]?token"
)
_WEAK: Final = r"token|secret|credentials?|age[_-]?key"
_PREFIX: Final = r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{0,64}?"
_KEPT: Final = r"(?!\\*[\"']?\[redacted:)"
_QUOTED: Final = r"\\*\"(?:[^\"\\]|\\[^\"])*\\*\"|'[^'\n]*'"

# key=value, "key": "value" and --key value, wherever they stand.
_ASSIGNED: Final = (
    rf"(?i)({_PREFIX}(?:{_STRONG}|{_WEAK})(?: ?= ?|\\*\"\s*:\s*)){_KEPT}"
    rf"({_QUOTED}|[^\s\"'&,;\\{{}}\[\]()]{{3,}})"
)
_OPTION: Final = rf"(?i)(--[a-z0-9-]{{0,40}}?(?:{_STRONG}|{_WEAK}) )(?!-){_KEPT}([^\s\"']{{3,}})"
# key: value as a line of YAML.
_LINE: Final = (
    rf"(?im)^([ \t]*(?:- )?[\"']?[a-z0-9_.-]{{0,64}}?(?:{_STRONG}|{_WEAK})[\"']?:[ \t]+){_KEPT}"
    rf"({_QUOTED}|[^\s\"'{{}}\[\]|>&*!]\S*)(?=[ \t]*(?:\#.*)?$)"
)
# key: value in the middle of a sentence, if the value does not look like the next word.
_SPOKEN: Final = (
    rf"(?i)({_PREFIX}(?:{_STRONG}): ?){_KEPT}"
    rf"({_QUOTED}|(?=[^\s]{{0,200}}[0-9!@\#$%^*+=])[^\s\"'/\[(][^\s\"',;)]{{2,}})"
)
# A bootstrap token of Kubernetes' or Talos' shape (k8s.io/cluster-bootstrap: six, a dot, sixteen) in a sentence.
_BOOTSTRAP: Final = rf"(?i)({_PREFIX}(?:{_WEAK}): ?){_KEPT}([\"']?[a-z0-9]{{6}}\.[a-z0-9]{{16,}})"

# An entry of an environment: what the name says of its value. JSON, YAML over two lines, and what Go prints, with the
# quotes and line ends of a text within a text. "Invalid value" in a sentence is no member.
_SECRETS_NAME: Final = rf"[a-z0-9_.-]{{0,64}}?(?:{_STRONG}|{_WEAK}|(?<=_)pass)"
_EDGE: Final = r"\\{0,4}[\"']?"
_IS: Final = rf"{_EDGE}[ \t]{{0,8}}[:=][ \t]{{0,8}}"
_GAP: Final = r"(?:\s|\\{1,4}[nrt]){0,40}+"
_NEXT: Final = r"(?:[ \t]{0,8}(?:\r?\n|\\{1,4}n)[ \t]{0,40}|" + rf"{_GAP},{_GAP}){_EDGE}"
_BEGINS: Final = r"(?:(?<![a-z0-9_.-])(?<![a-z0-9_.] )|(?<=\\n))"
_FILLED: Final = rf"{_KEPT}(?!\\*\"\\*\"|''|,value)"
_PLAIN: Final = r"[^\s\"'{}\[\]|>&*!,\\]"
_PAIRED: Final = (
    rf"(?i)({_BEGINS}(?:name|key){_IS}{_EDGE}{_SECRETS_NAME}{_EDGE}(?:{_NEXT}|(?-i: (?=Value:)))value{_IS}){_FILLED}"
    rf"((?-i:(?<=[, ]Value:)[^\n]{{1,1024}}?(?=[, ]ValueFrom:))|{_QUOTED}"
    rf"|{_PLAIN}(?:[^\r\n\"}}\\]|\\(?![nrt\"]))*)"
)
_PAIRED_BACK: Final = (
    rf"(?i)({_BEGINS}value{_IS}){_FILLED}"
    rf"({_QUOTED}|{_PLAIN}(?:[^\r\n\"}}\\]{{0,512}}+(?=\r?\n)|[^\r\n\",}}\\]{{0,512}}+(?=,|\\{{1,4}}n)))"
    rf"({_NEXT}(?:name|key){_IS}{_EDGE}{_SECRETS_NAME})(?![a-z0-9_.-])"
)
# A registry's credentials as Kubernetes keeps them, and the user and password in them.
_DOCKER: Final = (
    rf"(?i)(\.dockerc(?:onfigjson|fg){_IS}){_KEPT}"
    rf"(\\*\"[^\"\\]{{16,}}\\*\"|'[^'\n]{{16,}}'|[a-z0-9+/]{{16,}}={{0,2}})"
)
_BASIC: Final = (
    rf"(?i)((?<![a-z0-9_.-])auth{_IS}{_EDGE})([a-z0-9+/]{{8,}}={{0,2}})(?![a-z0-9+/=_-])"
)
_CRUMB: Final = r"[^\s;=,\"'\[\]{}]{1,128}=(?:\\?\"[^\"\\\n]*\\?\"|[^\s;,\"'\\]*)"
_COOKIE: Final = (
    rf"(?i)(\b(?:set-)?cookie2?{_IS}\[?{_EDGE}){_KEPT}"
    rf"({_CRUMB}(?:(?:;[ ]{{0,2}}|[ ]|\\*\",[ ]{{0,2}}\\*\")"
    rf"(?:expires=[^;\n\"'\\]{{0,40}}|{_CRUMB}|httponly|secure|partitioned))*)"
)

_SECRET_KEY: Final = rf"(?i)(?:{_STRONG}|{_WEAK})$"
_ALWAYS_SECRET: Final = frozenset(
    {"auth", "cookie", "set-cookie", ".dockerconfigjson", ".dockercfg"}
)
_PAIRS: Final = (("name", "value"), ("Name", "Value"), ("key", "value"))
_PAIRS_NAME: Final = rf"(?i){_SECRETS_NAME}"
_NAME: Final = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)+")
_MARK: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")

# At least one of them is in every text that a pattern of names matches.
_WORDS: Final = ("pass", "key", "token", "secret", "credential")
# At least one of these is in every text that any pattern above matches: a cheap way to say "nothing here".
_HINTS: Final = tuple(
    dict.fromkeys(
        (
            *(hint for shape in secret_shapes.SHAPES for hint in shape.hints),
            *("ls0tls1crud", "authorization", "bearer", "basic ", "@", "auth", "cookie", "dockerc"),
            *_WORDS,
        )
    )
)
_HINT_BYTES: Final = tuple(hint.encode() for hint in _HINTS)
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")


def redact_payload(body: bytes) -> bytes:
    """Redact canonical JSON; what holds no secret comes back unchanged, byte for byte."""
    lowered = body.lower()
    if not any(hint in lowered for hint in _HINT_BYTES):
        return body
    value = msgspec.json.decode(body)
    return body if _is_clean(value) else _CANONICAL.encode(redact(value))


def redact(value: Json) -> Json:
    """Replace the secrets in a JSON value; types and order stay as they are."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(one) for one in value]
    if isinstance(value, dict):
        paired = _paired_member(value)
        return {
            redact_text(key): _redact_named(paired[1], one)
            if paired and key == paired[0]
            else _redact_member(key, one)
            for key, one in value.items()
        }
    return value


def _is_clean(value: Json) -> bool:
    """
    Say whether a JSON value holds nothing that ``redact`` would replace.

    By far the most of what is written is clean; to build it anew in order to find it equal costs twice as much.
    """
    if isinstance(value, str):
        return redact_text(value) == value
    if isinstance(value, dict):
        if _paired_member(value) and redact(value) != value:
            return False
        for key, one in value.items():
            if redact_text(key) != key:
                return False
            if not (_redact_member(key, one) == one if _is_secrets_name(key) else _is_clean(one)):
                return False
    elif isinstance(value, list):
        return all(map(_is_clean, value))
    return True


@lru_cache(maxsize=8192)
def redact_text(text: str) -> str:
    """Replace the secrets in a text by ``[redacted:KIND]``; to do it again changes nothing."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    for kind, hints, pattern in secret_shapes.SHAPES:
        if any(hint in lowered for hint in hints):
            text = compiled(pattern).sub(f"[redacted:{kind}]", text)
    if "ls0tls1crud" in lowered:
        text = compiled(_ENCODED_PEM).sub(_encoded_pem, text)
    if "@" in lowered:
        text = compiled(_URL).sub(r"\1[redacted:url-credentials]@", text)
    if "auth" in lowered:
        text = compiled(_HEADER).sub(r"\1[redacted:authorization]", text)
        text = compiled(_BASIC).sub(_basic, text)
    if "bearer" in lowered or "basic" in lowered:
        text = compiled(_BEARER).sub(r"\1 [redacted:authorization]", text)
    if "cookie" in lowered:
        text = compiled(_COOKIE).sub(r"\1[redacted:cookie]", text)
    if "dockerc" in lowered:
        text = compiled(_DOCKER).sub(_assigned, text)
    return _named(text, lowered) if any(word in lowered for word in _WORDS) else text


def _named(text: str, lowered: str) -> str:
    """Replace what is a secret by the name that stands beside it."""
    if "\n" in text and ("|" in text or ">" in text):
        text = redact_blocks(text, _kind_of_name)
    if "value" in lowered:
        text = compiled(_PAIRED).sub(_assigned, text)
        text = compiled(_PAIRED_BACK).sub(_assigned_back, text)
    if "--" in text:
        text = compiled(_OPTION).sub(_assigned, text)
    text = compiled(_ASSIGNED).sub(_assigned, text)
    if ":" in text:
        for pattern in (_LINE, _SPOKEN, _BOOTSTRAP):
            text = compiled(pattern).sub(_assigned, text)
    return text


@lru_cache(maxsize=1024)
def _is_secrets_name(key: str) -> bool:
    return compiled(_SECRET_KEY).search(key) is not None or key.lower() in _ALWAYS_SECRET


def _redact_member(key: str, value: Json) -> Json:
    return _redact_named(key, value) if _is_secrets_name(key) else redact(value)


def _redact_named(key: str, value: Json) -> Json:
    if isinstance(value, list):
        return [_redact_named(key, one) for one in value]
    if not isinstance(value, str) or not value:
        return redact(value)
    shaped = redact_text(value)
    if _MARK.fullmatch(shaped) or (_is_weak(key) and _NAME.fullmatch(value)):
        return shaped
    return f"[redacted:{_kind_of_key(key)}]"


def _paired_member(value: dict[str, Json]) -> tuple[str, str] | None:
    """Return the member that another names as a secret, as an entry of an environment does, and that name."""
    for naming, named in _PAIRS:
        name = value.get(naming)
        if isinstance(name, str) and named in value and compiled(_PAIRS_NAME).fullmatch(name):
            return named, name
    return None


def _is_weak(key: str) -> bool:
    return key.lower() in {"secret", "credential", "credentials"}


def _kind_of_key(key: str) -> str:
    lowered = key.lower()
    for word in ("pass", "token", "secret", "credential", "cookie", "docker", "auth"):
        if word in lowered:
            return {"pass": "password", "docker": "docker-config"}.get(word, word)
    return "key"


def _kind_of_name(name: str) -> str:
    """Return the kind of secret that a name tells of; empty: none."""
    return _kind_of_key(name) if compiled(_PAIRS_NAME).fullmatch(name) else ""


def _assigned(match: re.Match[str]) -> str:
    return match[1] + _replaced(match[2], match[1])


def _assigned_back(match: re.Match[str]) -> str:
    return match[1] + _replaced(match[2], match[3]) + match[3]


def _replaced(value: str, name: str) -> str:
    edge = re.match(r"\\*[\"']", value)
    quote = edge[0] if edge else ""
    return f"{quote}[redacted:{_kind_of_key(name)}]{quote}"


def _basic(match: re.Match[str]) -> str:
    """The base64 of a user and a password; any other word after "auth" stays."""
    start = match[2].rstrip("=")
    try:
        told = base64.b64decode(start[: len(start) // 4 * 4]).decode()
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match[1]}[redacted:auth]" if ":" in told and told.isprintable() else match[0]


def _encoded_pem(match: re.Match[str]) -> str:
    start = match[0][:80]
    try:
        decoded = base64.b64decode(start[: len(start) // 4 * 4])
    except (binascii.Error, ValueError):
        decoded = b""
    if b"CERTIFICATE" in decoded or b"PUBLIC KEY" in decoded:
        return match[0]
    return "[redacted:private-key]"
