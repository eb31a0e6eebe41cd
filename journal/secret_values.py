"""
Whether a word looks like a secret: where a name stands near, but does not say by itself that this is its value.

"The token is expired" and ``credentials: {source: vault-2}`` are to be read; what somebody made up is not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from journal.secret_shapes import compiled

# A letter and a digit, a sign within, or the padding of base64. What comes first is looked for once: each place of it
# would else be tried with each of what comes after it.
_MADE_UP: Final = (
    r"(?=.{6})(?:(?=.*[A-Za-z])(?=.*[0-9])|(?=.[^!#%^*+$]*+[!#%^*+$].*[A-Za-z0-9])"
    r"|(?=[^A-Za-z]*+[A-Za-z].*={1,2}$))\S+"
)
# No two of them are the same, or "1m1m1m..." is read in twice as many ways by each of its units.
_UNIT: Final = (
    r"(?:[nuµm]?s|[hdwyx%]|[kmgt]i?b?|th|st|nd|rd|bits?|bytes?|char(?:acter)?s?"
    r"|(?:second|minute|hour|day|week|month|year)s?)"
)
_KNOWN: Final = (
    r"x509|s3|ec2|k[38]s|ipv[46]|oauth[12]|base(?:32|58|64)|utf-?(?:8|16)|sha-?[0-9]{1,3}|md5|rsa-?[0-9]{4}"
    r"|ed25519|aes-?[0-9]{3}|[ehpr]s(?:256|384|512)|tls-?v?1|pkcs-?[0-9]{1,2}|argon2|pbkdf2|http-?[12]"
)
# Counts and durations, instants, versions, digests, algorithms and encodings, addresses, and what stands for a value.
_READABLE: Final = (
    rf"(?i)(?:(?:[0-9.,:]+[-_]?{_UNIT}(?:-[a-z]+)*)+|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:t.*)?|[0-9:.]+z?"
    rf"|v[0-9]+(?:(?:alpha|beta|rc)[0-9]+|(?:\.[0-9]+)+(?:-[a-z0-9.]*)?)?"
    rf"|sha(?:256|512):[0-9a-f]{{32,}}|(?:{_KNOWN})[a-z]{{0,3}}(?:[-:/._][a-z]*)*"
    rf"|[a-z][a-z0-9+.-]*://.*|(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?:[:/][0-9]+)?"
    rf"|[^@]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+|\$?[\[({{<].*|(?-i:\$[A-Z_]+[0-9]?)|[*x]+)"
)
# Of an object, a pod, a host or a file: words with a short number each, or what Kubernetes appends.
_NAME: Final = (
    r"[A-Za-z]{0,32}[0-9]{0,3}(?:[-._/:@][A-Za-z]{0,32}[0-9]{0,5})+|[a-z0-9.-]+/[a-z0-9./-]+"
    r"|[a-z]+(?:-[a-z]+){0,8}-[a-z0-9]{8,10}-[a-z0-9]{5}|.+@sha[0-9]{1,3}:.+"
)
# What an object of secrets tells of itself: where it lies, who it is for, what it looks like.
_BESIDE: Final = (
    r"(?i)(?:.*(?:name|space|refs?|path|files?|ur[il]|host|server|address|endpoint|type|kind|version|mode|ids?"
    r"|role|audiences?|issuer|format|encoding|property|description|title|message|reason|status|revision|digest"
    r"|checksum|fingerprint|time|timestamp|date|expir[a-z]{1,64}|(?:ed|es)[_-]?at|ttl|user|e?mail|region|image|tag|store"
    r"|schema|provider|source|pod|node|algorithm|selector|pattern|template)|keys?|\$ref|required|enum)"
)
# What is said of a secret in a word, which no sentence follows.
_TELLING: Final = (
    r"(?i)(?:required|missing|invalid|expired|wrong|incorrect|unset|unknown|none|null|nil|empty|optional|forbidden"
    r"|denied|unauthorized|redacted|(?:un)?changed|rotated|created|updated|deleted|configured|present|absent|found"
    r"|not[-_]?found|ok|failed|string|object|true|false|yes|no|EOF)[.,;:!]?|~|[&*|>].*|\$?[\[({<].*"
)


def looks_made_up(value: str) -> bool:
    """Say whether a word is neither one of a language, nor a number or an encoding, nor stands for another."""
    return (
        compiled(_MADE_UP).fullmatch(value) is not None
        and compiled(_READABLE).fullmatch(value) is None
    )


def is_name(value: str) -> bool:
    """Say whether a word may as well be the name of something."""
    return compiled(_NAME).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _is_beside(member: str) -> bool:
    return compiled(_BESIDE).fullmatch(member) is not None


def is_hidden(member: str, value: str) -> bool:
    """Say whether this member, somewhere in an object that is called a secret, is one."""
    return looks_made_up(value) and not is_name(value) and not _is_beside(member)


def is_telling(value: str) -> bool:
    """Say whether a word by itself only says how it stands with a secret."""
    return compiled(_TELLING).fullmatch(value) is not None
