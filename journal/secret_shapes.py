"""
Secrets that are known by their shape alone, wherever they stand.

Patterns are compiled when a text first has a hint of what they find: most commands end before they meet any.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

_WORD: Final = r"(?<![A-Za-z0-9_])"
_PEM: Final = r"(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?"
_CRYPT: Final = r"[./A-Za-z0-9]"


class Shape(NamedTuple):
    """A kind of secret. At least one of the *hints* is in every text, in small letters, that the *pattern* matches."""

    kind: str
    hints: tuple[str, ...]
    pattern: str


# In the order in which they are tried.
SHAPES: Final = (
    Shape(
        "private-key",
        ("-----begin",),
        rf"-----BEGIN {_PEM}-----(?s:.*?)(?:-----END {_PEM}-----|\Z)",
    ),
    Shape(
        "age-key",
        ("age-",),
        r"(?i:AGE-(?:SECRET-KEY|PLUGIN-[A-Z0-9]{1,32})-(?:PQ-)?1)[A-Za-z0-9]{16,}",
    ),
    Shape("1password-token", ("ops_",), _WORD + r"ops_[A-Za-z0-9_=-]{40,}"),
    Shape("1password-key", ("a3-",), _WORD + r"A3-[A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){4,5}"),
    Shape(
        "jwt",
        ("eyj",),
        _WORD + r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    ),
    # The base64 of {"auths": ..., in one line or over several.
    Shape(
        "docker-config",
        ("eyjhdxro", "ewog", "ewoj"),
        r"(?:eyJhdXRoc|ewog(?:ICAg|ICJh|ICAi)|ewoJImF1dGhz)[A-Za-z0-9+/_-]{24,}={0,2}",
    ),
    Shape(
        "github-token",
        ("gh", "github_pat_"),
        _WORD + r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    Shape(
        "gitlab-token",
        ("gl",),
        _WORD + r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{20,}",
    ),
    Shape(
        "aws-key",
        ("akia", "asia", "abia", "acca"),
        _WORD + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    Shape("slack-token", ("xox", "xapp-"), _WORD + r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}"),
    Shape(
        "slack-hook",
        ("hooks.slack",),
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9_/-]{10,}",
    ),
    Shape(
        "discord-hook",
        ("discord",),
        r"discord(?:app)?\.com/api/(?:v[0-9]{1,3}/)?webhooks/[0-9]{1,24}/[A-Za-z0-9_-]{4,}",
    ),
    Shape(
        "telegram-token",
        ("telegram.org",),
        r"api\.telegram\.org/(?:file/)?bot[0-9]{1,20}(?::|%3[Aa])[A-Za-z0-9_-]{4,}",
    ),
    Shape("teams-hook", ("webhook.office",), r"webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{16,}"),
    Shape("vault-token", ("hvs.", "hvb.", "hvr."), _WORD + r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    Shape("tailscale-key", ("tskey-",), _WORD + r"tskey-[a-z]{2,12}-[A-Za-z0-9-]{10,}"),
    Shape(
        "google-key",
        ("aiza", "ya29."),
        _WORD + r"(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})",
    ),
    Shape("digitalocean-token", ("_v1_",), _WORD + r"do[opr]_v1_[a-f0-9]{40,}"),
    Shape(
        "package-token",
        ("npm_", "pypi-"),
        _WORD + r"(?:npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{20,})",
    ),
    Shape("doppler-token", ("dp.",), _WORD + r"dp\.(?:st|pt|ct|sa)\.[A-Za-z0-9_.-]{20,}"),
    Shape(
        "stripe-key",
        ("k_live_", "k_test_"),
        _WORD + r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",
    ),
    # A digit or a capital: a pod of an application "sk-ant" has neither in its first letters for long.
    Shape(
        "ai-key",
        ("sk-proj-", "sk-ant-", "sk-svcacct-"),
        _WORD + r"sk-(?:proj|ant|svcacct)-(?=[a-z_-]{0,64}[A-Z0-9])[A-Za-z0-9_-]{20,}",
    ),
    Shape("sendgrid-key", ("sg.",), _WORD + r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    # crypt(3) and htpasswd; Compose and Traefik double each dollar.
    Shape(
        "password-hash",
        ("$2", "$apr1$", "$1$", "$5$", "$6$", "$y$", "$argon2", "sha}", "sha256}", "sha512}"),
        r"\${1,2}(?:"
        rf"2[abxy]?\${{1,2}}[0-9]{{2}}\${{1,2}}{_CRYPT}{{20,}}"
        rf"|(?:apr1|[156]|y)\${{1,2}}(?:rounds=[0-9]{{1,9}}\${{1,2}})?{_CRYPT}{{1,22}}\${{1,2}}{_CRYPT}{{16,}}"
        r"|argon2(?:id?|d)\${1,2}[A-Za-z0-9=,$+/]{20,}"
        r")|\{(?i:S?SHA(?:256|512)?)\}[A-Za-z0-9+/]{20,}={0,2}",
    ),
)  # fmt: skip


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern, once."""
    return re.compile(pattern)
