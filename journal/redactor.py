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

if TYPE_CHECKING:
    from journal.entries import Json

_WORD: Final = r"(?<![A-Za-z0-9_])"

_PEM: Final = r"(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?"

# Kinds that are known by their shape alone, in the order in which they are tried.
_SHAPES: Final = tuple(
    (kind, re.compile(pattern, re.DOTALL))
    for kind, pattern in (
        (
            "private-key",
            rf"-----BEGIN {_PEM}-----.*?(?:-----END {_PEM}-----|\Z)",
        ),
        ("age-key", r"(?i:AGE-(?:SECRET-KEY|PLUGIN-[A-Z0-9]{1,32})-(?:PQ-)?1)[A-Za-z0-9]{16,}"),
        ("1password-token", _WORD + r"ops_[A-Za-z0-9_=-]{40,}"),
        ("1password-key", _WORD + r"A3-[A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){4,5}"),
        ("jwt", _WORD + r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
        ("github-token", _WORD + r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,})"),
        ("gitlab-token", _WORD + r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{20,}"),
        ("aws-key", _WORD + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        ("slack-token", _WORD + r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}"),
        ("slack-hook", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9_/-]{10,}"),
        ("vault-token", _WORD + r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
        ("tailscale-key", _WORD + r"tskey-[a-z]{2,12}-[A-Za-z0-9-]{10,}"),
        ("google-key", _WORD + r"(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})"),
        ("digitalocean-token", _WORD + r"do[opr]_v1_[a-f0-9]{40,}"),
        ("package-token", _WORD + r"(?:npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{20,})"),
        ("doppler-token", _WORD + r"dp\.(?:st|pt|ct|sa)\.[A-Za-z0-9_.-]{20,}"),
    )
)

_ENCODED_PEM: Final = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}={0,2}")
_HEADER: Final = re.compile(
    r"(?i)\b((?:proxy-)?authorization\\*\"?\s{0,3}[:=]\s{0,3}\\*\"?(?:[a-z]{3,12} )?+)"
    r"((?!\[redacted:)[^\s\"',;\\]{4,})"
)
_BEARER: Final = re.compile(
    r"(?i)\b(bearer|basic) (?=[^\s\"']{0,200}[0-9=])([A-Za-z0-9._~+/-]{12,}={0,2})"
)
_URL: Final = re.compile(
    r"\b([A-Za-z][A-Za-z0-9+.-]{1,20}://)([^\s/@:\"'\[]{0,256}:[^\s/@\"']{1,512})@"
)

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
_ASSIGNED: Final = re.compile(
    rf"(?i)({_PREFIX}(?:{_STRONG}|{_WEAK})(?: ?= ?|\\*\"\s*:\s*)){_KEPT}"
    rf"({_QUOTED}|[^\s\"'&,;\\{{}}\[\]()]{{3,}})"
)
_OPTION: Final = re.compile(
    rf"(?i)(--[a-z0-9-]{{0,40}}?(?:{_STRONG}|{_WEAK}) )(?!-){_KEPT}([^\s\"']{{3,}})"
)
# key: value as a line of YAML.
_LINE: Final = re.compile(
    rf"(?im)^([ \t]*(?:- )?[\"']?[a-z0-9_.-]{{0,64}}?(?:{_STRONG}|{_WEAK})[\"']?:[ \t]+){_KEPT}"
    rf"({_QUOTED}|[^\s\"'{{}}\[\]|>&*!]\S*)(?=[ \t]*(?:\#.*)?$)"
)
# key: value in the middle of a sentence, if the value does not look like the next word.
_SPOKEN: Final = re.compile(
    rf"(?i)({_PREFIX}(?:{_STRONG}): ?){_KEPT}"
    rf"({_QUOTED}|(?=[^\s]{{0,200}}[0-9!@\#$%^*+=])[^\s\"'/\[(][^\s\"',;)]{{2,}})"
)
# A bootstrap token of Kubernetes' or Talos' shape (k8s.io/cluster-bootstrap: six, a dot, sixteen) in a sentence.
_BOOTSTRAP: Final = re.compile(
    rf"(?i)({_PREFIX}(?:{_WEAK}): ?){_KEPT}([\"']?[a-z0-9]{{6}}\.[a-z0-9]{{16,}})"
)

_SECRET_KEY: Final = re.compile(rf"(?i)(?:{_STRONG}|{_WEAK})$")
_NAME: Final = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)+")
_MARK: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")

# At least one of these is in every text that any pattern above matches: a cheap way to say "nothing here".
_HINTS: Final = (
    "-----begin", "ls0tls1crud", "age-", "age_key", "agekey", "ops_", "a3-", "eyj", "gh", "github_pat_", "gl",
    "akia", "asia", "abia", "acca", "xox", "xapp-", "hooks.slack", "hvs.", "hvb.", "hvr.", "tskey-", "aiza",
    "ya29.", "_v1_", "npm_", "pypi-", "dp.", "authorization", "bearer", "basic ", "@", "pass", "key", "token",
    "secret", "credential", "auth",
)  # fmt: skip


def redact_payload(body: bytes) -> bytes:
    """Redact canonical JSON; what holds no secret comes back unchanged, byte for byte."""
    if _HINT_BYTES.search(body.lower()) is None:
        return body
    value = msgspec.json.decode(body)
    return body if _is_clean(value) else _CANONICAL.encode(redact(value))


_HINT: Final = re.compile("|".join(map(re.escape, _HINTS)))
_HINT_BYTES: Final = re.compile(_HINT.pattern.encode())
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")


def redact(value: Json) -> Json:
    """Replace the secrets in a JSON value; types and order stay as they are."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(one) for one in value]
    if isinstance(value, dict):
        return {redact_text(key): _redact_member(key, one) for key, one in value.items()}
    return value


def _is_clean(value: Json) -> bool:
    """
    Say whether a JSON value holds nothing that ``redact`` would replace.

    By far the most of what is written is clean; to build it anew in order to find it equal costs twice as much.
    """
    if isinstance(value, str):
        return redact_text(value) == value
    if isinstance(value, dict):
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
    if _HINT.search(text.lower()) is None:
        return text
    for kind, pattern in _SHAPES:
        text = pattern.sub(f"[redacted:{kind}]", text)
    text = _ENCODED_PEM.sub(_encoded_pem, text)
    text = _URL.sub(r"\1[redacted:url-credentials]@", text)
    text = _HEADER.sub(r"\1[redacted:authorization]", text)
    text = _BEARER.sub(r"\1 [redacted:authorization]", text)
    for pattern in (_ASSIGNED, _OPTION, _LINE, _SPOKEN, _BOOTSTRAP):
        text = pattern.sub(_assigned, text)
    return text


@lru_cache(maxsize=1024)
def _is_secrets_name(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None or key == "auth"


def _redact_member(key: str, value: Json) -> Json:
    if not _is_secrets_name(key):
        return redact(value)
    if isinstance(value, list):
        return [_redact_member(key, one) for one in value]
    if not isinstance(value, str) or not value:
        return redact(value)
    shaped = redact_text(value)
    if _MARK.fullmatch(shaped) or (_is_weak(key) and _NAME.fullmatch(value)):
        return shaped
    return f"[redacted:{_kind_of_key(key)}]"


def _is_weak(key: str) -> bool:
    return key.lower() in {"secret", "credential", "credentials"}


def _kind_of_key(key: str) -> str:
    lowered = key.lower()
    for word in ("pass", "token", "secret", "credential", "auth"):
        if word in lowered:
            return "password" if word == "pass" else word
    return "key"


def _assigned(match: re.Match[str]) -> str:
    before, value = match[1], match[2]
    edge = re.match(r"\\*[\"']", value)
    quote = edge[0] if edge else ""
    return f"{before}{quote}[redacted:{_kind_of_key(before)}]{quote}"


def _encoded_pem(match: re.Match[str]) -> str:
    start = match[0][:80]
    try:
        decoded = base64.b64decode(start[: len(start) // 4 * 4])
    except (binascii.Error, ValueError):
        decoded = b""
    if b"CERTIFICATE" in decoded or b"PUBLIC KEY" in decoded:
        return match[0]
    return "[redacted:private-key]"
