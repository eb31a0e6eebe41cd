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
from journal.secret_commands import HINTS, redact_arguments, redact_commands
from journal.secret_manifests import may_have, may_have_bytes, redact_manifest, redact_manifests
from journal.secret_mappings import redact_mappings
from journal.secret_names import (
    LOGIN,
    NAME,
    PLURAL,
    SPOKEN,
    VALUES,
    WEAK,
    WHOLE,
    WORDS,
    is_folder,
    is_reference,
    kind_of_group,
    kind_of_key,
    kind_of_name,
    names_secrets,
    paired_member,
    with_options,
)
from journal.secret_objects import redact_below, redact_objects
from journal.secret_sentences import redact_login, redact_logins, redact_said, redact_signed
from journal.secret_several import ENCODED_FILES, redact_key_files, redact_several, redact_told
from journal.secret_shapes import compiled

if TYPE_CHECKING:
    from journal.entries import Json

_ENCODED_PEM: Final = r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}={0,2}"
_HEADER: Final = (
    r"(?i)\b((?:proxy-)?authorization\\*\"?\s{0,3}[:=]\s{0,3}\\*\"?(?>(?:[a-z]{3,12} )?))"
    r"((?!(?:-p)?\[redacted:)[^\s\"',;\\]{4,})"
)
_BEARER: Final = r"(?i)\b(bearer|basic) (?=[^\s\"']{0,200}[0-9=])([A-Za-z0-9._~+/-]{12,}={0,2})"
# "@sha256:" begins an image's digest.
_AT: Final = r"@(?!sha[0-9]{3}:)"
_URL: Final = (
    rf"\b([A-Za-z][A-Za-z0-9+.-]{{1,20}}://)([^\s/@:\"'\[]{{0,256}}:[^\s/@\"']{{1,512}}){_AT}"
)
# A token in the place of the user: "git" and "oauth2" are none, and the user of SSH is not secret.
_URL_TOKEN: Final = (
    r"\b(?!(?:[a-z]{1,8}\+)?(?:ssh|sftp)://)([A-Za-z][A-Za-z0-9+.-]{1,20}://)"
    r"(?!(?:oauth2|x-(?:access-token|token-auth|oauth-basic))@)"
    rf"((?=[^0-9@]{{0,256}}[0-9]|[^@]{{12}})[^\s/@:\"'\[\]<>?\#,;]{{5,512}}){_AT}"
)

_PREFIX: Final = r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{0,64}?"
_KEPT: Final = r"(?!\\*[\"']?\[redacted:)"
_GAP: Final = r"(?>(?:\s|\\{1,4}[nrt]){0,40})"
# Backslashes are looked at once: those before a quote end the text, those before anything else are of it.
# A text that none or one begins may have quotes of its own, with more of them; YAML doubles the others.
_QUOTED: Final = (
    r"(?<!\\)\"(?>(?:[^\"\\]++|\\[\s\S])*)\""
    r"|(?<!\\)\\\"(?>(?:[^\"\\]++|(?>(?:\\{4})*)\\{3}\"|\\++(?!\"))*)(?>(?:\\{4})*)\\\""
    r"|\\*\"(?>(?:[^\"\\]++|\\++(?!\"))*)\\*\"|'(?>(?:[^'\n]++|'')*)'|'[^'\n]*'"
)

# What gives a value to a key; few texts have it.
_GIVEN: Final = r"=|\"\s*:"
# key=value, "key": "value" and --key value, wherever they stand.
_ASSIGNED: Final = (
    rf"(?i)({_PREFIX}{NAME}(?: ?= ?|\\*\"\s*:\s*)){_KEPT}"
    rf"({_QUOTED}|[^\s\"'&,;\\{{}}\[\]()]{{3,}})"
)
# Also as two items of a list.
_OPTION: Final = (
    rf"(?i)(--[a-z0-9-]{{0,40}}?{NAME}(?: (?!-)|\\*[\"'],{_GAP}(?=\\*[\"'])(?!\\*[\"']--))){_KEPT}"
    rf"({_QUOTED}|[^\s\"']{{3,}})"
)
# A list of secrets in JSON, or an object with the secret; few texts have either.
_GROUP: Final = r":\s{0,8}(?:map)?[\[{]"
_GROUPED: Final = (
    rf"(?i)({_PREFIX}{NAME}{PLURAL}?\\*[\"']?\s{{0,8}}:\s{{0,8}}"
    rf"(?:\[|\{{{_GAP}\\*[\"']value\\*[\"']\s{{0,8}}:){_GAP})"
    rf"((?>(?:(?:{_QUOTED})(?>(?:{_GAP},{_GAP}(?=\\*[\"']))?))+))"
)
# A tag and an anchor before a value of YAML (1.2.2, 6.9).
_PROPERTIES: Final = r"(?:[!&][^\s\"',]{0,64}[ \t]{1,8}){0,3}"
# key: value as a line of YAML.
_LINE: Final = (
    rf"(?im)^([ \t]*(?:- )?[\"']?{WHOLE}[\"']?:[ \t]+{_PROPERTIES}){_KEPT}"
    rf"({_QUOTED}|[^\s\"'{{}}\[\]|>&*!]\S*)(?=[ \t]*(?:\#.*)?$)"
)
# key: value in the middle of a sentence, if the value does not look like the next word, nor like a tag before a block.
_TAGGED: Final = r"[!&]\S{0,64}[ \t]+[|>][0-9+-]{0,2}[ \t]*(?:[\r\n\\#]|$)"
_SPOKEN: Final = (
    rf"(?i)({_PREFIX}{SPOKEN}: ?(?!{_PROPERTIES}\\*[\"']?\[redacted:){_PROPERTIES})(?!{_TAGGED})"
    rf"({_QUOTED}|(?=[^\s]{{0,200}}[0-9!@\#$%^*+=])[^\s\"'/\[(][^\s\"',;)]{{2,}})"
)
# A bootstrap token of Kubernetes' or Talos' shape (k8s.io/cluster-bootstrap: six, a dot, sixteen) in a sentence.
_BOOTSTRAP: Final = rf"(?i)({_PREFIX}{WEAK}: ?){_KEPT}([\"']?[a-z0-9]{{6}}\.[a-z0-9]{{16,}})"

# An entry of an environment: what the name says of its value. JSON, YAML over two lines, and what Go prints, with the
# quotes and line ends of a text within a text. "Invalid value" in a sentence is no member.
_EDGE: Final = r"\\{0,4}[\"']?"
_IS: Final = rf"{_EDGE}[ \t]{{0,8}}[:=][ \t]{{0,8}}"
# Comments and empty lines may stand between.
_NEXT: Final = (
    r"(?:(?>(?:[ \t]{0,40}(?:\#[^\r\n\\]{0,120})?(?:\r?\n|(?:\\{1,4}r)?\\{1,4}n)){1,4})[ \t]{0,40}"
    rf"|{_GAP},{_GAP}){_EDGE}"
)
_BEGINS: Final = r"(?:(?<![a-z0-9_.-])(?<![a-z0-9_.] )|(?<=\\n))"
_FILLED: Final = rf"{_KEPT}(?!\\*\"\\*\"|''|,value)"
_PLAIN: Final = r"[^\s\"'{}\[\]|>&*!,\\]"
_PAIRED: Final = (
    rf"(?i)({_BEGINS}(?:name|key){_IS}{_EDGE}{WHOLE}{_EDGE}(?:{_NEXT}|(?-i: (?=Value:)))"
    rf"value{_IS}{_PROPERTIES}){_FILLED}"
    rf"((?-i:(?<=[, ]Value:)[^\n]{{1,1024}}?(?=[, ]ValueFrom:))|{_QUOTED}"
    rf"|{_PLAIN}(?:[^\r\n\"}}\\]|\\(?![nrt\"]))*)"
)
_PAIRED_BACK: Final = (
    rf"(?i)({_BEGINS}value{_IS}{_PROPERTIES}){_FILLED}"
    rf"({_QUOTED}|{_PLAIN}(?:[^\r\n\"}}\\]{{0,512}}+(?=\r?\n)|[^\r\n\",}}\\]{{0,512}}+(?=,|\\{{1,4}}n)))"
    rf"({_NEXT}(?:name|key){_IS}{_EDGE}{WHOLE})(?![a-z0-9_.-])"
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

# Names that no word above is in, but that are a secret's all the same. A mark has such words: to ask for those alone
# would find more the second time.
_ALWAYS: Final = ("auth", "cookie", "dockerc")
_MARK: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")

# At least one of these is in every text that any pattern above matches: a cheap way to say "nothing here".
_TOLD: Final = dict.fromkeys(
    (
        *WORDS,
        *("auth", "@", "ls0tls1crud", "bearer", "basic ", "cookie", "dockerc"),
        *("curl", "-user", "-u ", "sig=", "signature=", *HINTS),
        *ENCODED_FILES,
        *(hint for shape in secret_shapes.SHAPES for hint in shape.hints),
    )
)
# What has another one in it needs no look of its own.
_HINTS: Final = tuple(
    hint for hint in _TOLD if not any(one in hint for one in _TOLD if one != hint)
)
_HINT_BYTES: Final = tuple(hint.encode() for hint in _HINTS)
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")


def redact_payload(body: bytes) -> bytes:
    """Redact canonical JSON; what holds no secret comes back unchanged, byte for byte."""
    lowered = body.lower()
    if not any(hint in lowered for hint in _HINT_BYTES) and not may_have_bytes(lowered):
        return body
    value = msgspec.json.decode(body)
    return body if _is_clean(value) else _CANONICAL.encode(redact(value))


def redact(value: Json) -> Json:
    """Replace the secrets in a JSON value; types and order stay as they are."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        items = with_options(redact_arguments(value))
        return [_redact_item(option, one) for option, one in items]
    if isinstance(value, dict):
        value = redact_manifest(value)
        paired = paired_member(value)
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
        if paired_member(value) and redact(value) != value:
            return False
        if redact_manifest(value) != value:
            return False
        for key, one in value.items():
            if redact_text(key) != key:
                return False
            if isinstance(one, str) or names_secrets(key, one):
                if _redact_member(key, one) != one:
                    return False
            elif not _is_clean(one):
                return False
    elif isinstance(value, list):
        return redact_arguments(value) == value and all(
            _redact_item(option, one) == one if option else _is_clean(one)
            for option, one in with_options(value)
        )
    return True


@lru_cache(maxsize=8192)
def redact_text(text: str) -> str:
    """Replace the secrets in a text by ``[redacted:KIND]``; to do it again changes nothing."""
    lowered = text.lower()
    for hint in _HINTS:
        if hint in lowered:
            break
    else:
        return redact_manifests(text) if may_have(lowered) else text
    for kind, hints, pattern in secret_shapes.SHAPES:
        if any(hint in lowered for hint in hints):
            text = compiled(pattern).sub(f"[redacted:{kind}]", text)
    if "ls0tls1crud" in lowered:
        text = compiled(_ENCODED_PEM).sub(_encoded_pem, text)
    text = _unnamed(text, lowered)
    named = any(word in lowered for word in WORDS)
    if named:
        text = _named(text, lowered)
    if any(word in lowered for word in ENCODED_FILES):
        text = redact_key_files(text)
    if (named or any(word in lowered for word in _ALWAYS)) and compiled(_GROUP).search(text):
        text = redact_objects(text)
    return redact_manifests(text) if may_have(lowered) else text


def _unnamed(text: str, lowered: str) -> str:
    """Replace what is a secret by its place in a URL, a header or a command line."""
    if "@" in lowered:
        for pattern in (_URL, _URL_TOKEN):
            text = compiled(pattern).sub(r"\1[redacted:url-credentials]@", text)
    if "auth" in lowered:
        text = compiled(_HEADER).sub(r"\1[redacted:authorization]", text)
        text = compiled(_BASIC).sub(_basic, text)
    if "bearer" in lowered or "basic" in lowered:
        text = compiled(_BEARER).sub(r"\1 [redacted:authorization]", text)
    if "cookie" in lowered:
        text = compiled(_COOKIE).sub(r"\1[redacted:cookie]", text)
    if "dockerc" in lowered:
        text = compiled(_DOCKER).sub(_assigned, text)
    if "curl" in lowered or "-user" in lowered or "-u " in lowered:
        text = redact_logins(text)
    if "sig=" in lowered or "signature=" in lowered:
        text = redact_signed(text)
    if any(hint in lowered for hint in HINTS):
        text = redact_commands(text, lowered)
    return text


def _named(text: str, lowered: str) -> str:
    """Replace what is a secret by the name that stands beside it."""
    if "\n" in text or "\\n" in text:
        if "|" in text or ">" in text:
            text = redact_blocks(text, kind_of_name)
        text = redact_mappings(text, kind_of_group)
    if "value" in lowered:
        text = compiled(_PAIRED).sub(_assigned, text)
        text = compiled(_PAIRED_BACK).sub(_assigned_back, text)
    if "--" in text:
        text = compiled(_OPTION).sub(_assigned, text)
    if compiled(_GIVEN).search(text):
        text = compiled(_ASSIGNED).sub(_assigned, text)
    text = redact_several(text)
    if " is" in text or " was" in text or " are" in text:
        text = redact_said(text)
    if ":" in text:
        for pattern in (_LINE, _SPOKEN, _BOOTSTRAP):
            text = compiled(pattern).sub(_assigned, text)
        if compiled(_GROUP).search(text):
            text = compiled(_GROUPED).sub(_grouped, text)
    return text


def _redact_item(option: str, value: Json) -> Json:
    if option == LOGIN:
        return redact(redact_login(value) if isinstance(value, str) else value)
    return _redact_named(option, value) if option else redact(value)


def _redact_member(key: str, value: Json) -> Json:
    if names_secrets(key, value):
        return _redact_named(key, value)
    return redact(redact_told(key, value) if isinstance(value, str) else value)


def _redact_named(key: str, value: Json) -> Json:
    if isinstance(value, list):
        return [_redact_named(key, one) for one in value]
    if isinstance(value, dict):
        named = {member: _redact_named(key, value[member]) for member in VALUES & value.keys()}
        return {**redact_below(key, redact(value)), **named}
    if not isinstance(value, str) or not value:
        return redact(value)
    shaped = redact_text(value)
    if _MARK.fullmatch(shaped) or is_reference(key, value):
        return shaped
    return f"[redacted:{kind_of_key(key)}]"


def _assigned(match: re.Match[str]) -> str:
    return match[1] + _replaced(match[2], match[1])


def _assigned_back(match: re.Match[str]) -> str:
    return match[1] + _replaced(match[2], match[3]) + match[3]


def _grouped(match: re.Match[str]) -> str:
    return match[1] + compiled(_QUOTED).sub(lambda item: _replaced(item[0], match[1]), match[2])


def _replaced(value: str, name: str) -> str:
    if is_folder(name, value):
        return value
    edge = re.match(r"\\*[\"']", value)
    quote = edge[0] if edge else ""
    return f"{quote}[redacted:{kind_of_key(name)}]{quote}"


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
