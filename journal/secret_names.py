"""
What a name says of the value beside it: patterns of names, members of JSON, and the kind of secret they tell of.

One set of names for all places: what is a secret as ``key=value`` is one as a member, an option and a variable too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from journal.secret_shapes import compiled

if TYPE_CHECKING:
    from journal.entries import Json

_STRONG: Final = (
    r"p(?:ass[_-]?(?:word|wd|phrase|code|key)|wd|sk|re[_-]?shared[_-]?key|rivate[_-]?key)"
    r"|a(?:pi[_-]?(?:key|token)|cc(?:ess[_-]?(?:key(?:[_-]?secret)?|token)|ount[_-]?key)|uth[_-]?token)"
    r"|s(?:ecret[_-]?key|igning[_-]?key|ession[_-]?token)|client[_-]?(?:key[_-]?data|secret)"
    r"|encryption[_-]?(?:key|secret)|(?:refresh|bearer|bootstrap|id)[_-]?token"
)
# Neither "bypass" nor "compass", and no counts: "pass=3" and "total_pass": 120.
_SHORT: Final = (
    r"(?<=_)pass(?![\\\"']{0,8}\s{0,4}[:=]\s{0,4}(?:[0-9]{1,5}|true|false)(?![A-Za-z0-9_.-]))"
    r"|(?<![A-Za-z0-9])(?:pg|my|mysql|db|ssh|ldap|smtp|redis|root|admin)pass"
)
# What is a secret also in a sentence, and what only where a value is given to it.
SPOKEN: Final = rf"(?:{_STRONG}|{_SHORT})"
WEAK: Final = r"(?:token|secret|credentials?|age[_-]?key)"
NAME: Final = rf"(?:{SPOKEN}|{WEAK})"
# Several of them. "secrets" are mostly the names of some.
PLURAL: Final = r"(?:(?:(?<!secret)|(?<=clientsecret)|(?<=client[_-]secret))s)"
WHOLE: Final = rf"[a-z0-9_.-]{{0,64}}?{NAME}"
# At least one of them is in every text that a pattern of names matches.
WORDS: Final = ("pass", "key", "token", "secret", "credential", "pwd", "psk")

_KEY: Final = rf"(?i){NAME}$"
_KEY_OF_SEVERAL: Final = rf"(?i){NAME}{PLURAL}$"
_WHOLE: Final = rf"(?i){WHOLE}"
_SEVERAL: Final = rf"(?i){WHOLE}{PLURAL}"
# The shell's, with a folder for a value.
_FOLDER: Final = r"(?i)(?<![a-z0-9_.-])(?:old)?pwd(?![a-z0-9_.-])"
_OPTION: Final = rf"(?i)--?([a-z0-9_.-]{{0,64}}?{NAME})"
# curl's, alone or after others of one letter.
_LOGIN_SWITCH: Final = r"--user|-[A-Za-z]{0,8}[uU]"
LOGIN: Final = "--user"
_ALWAYS: Final = frozenset({"auth", "cookie", "set-cookie", ".dockerconfigjson", ".dockercfg"})
_PAIRS: Final = (("name", "value"), ("Name", "Value"), ("key", "value"), ("Key", "Value"))
# Of an object that a secret's name stands for, the members that are the secret, and no reference to one.
VALUES: Final = frozenset({"value", "Value", "plaintext", "literal"})
_REFERENCE: Final = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)+")
_KINDS: Final = {"pass": "password", "pwd": "password", "docker": "docker-config"}
_SHORT_OPTION_CHARACTERS: Final = 2


@lru_cache(maxsize=1024)
def names_secret(key: str) -> bool:
    """Say whether what a member of this name has is a secret."""
    return compiled(_KEY).search(key) is not None or key.lower() in _ALWAYS


def names_secrets(key: str, value: Json) -> bool:
    """Say the same of this member: several secrets are a list, or an object."""
    if names_secret(key):
        return True
    return isinstance(value, list | dict) and compiled(_KEY_OF_SEVERAL).search(key) is not None


def paired_member(value: dict[str, Json]) -> tuple[str, str] | None:
    """Return the member that another names as a secret, as an entry of an environment does, and that name."""
    for naming, named in _PAIRS:
        name = value.get(naming)
        if isinstance(name, str) and named in value and compiled(_WHOLE).fullmatch(name):
            return named, name
    return None


def with_options(items: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    """
    Go through a list; with each item comes the name of the option before it, if its argument is a secret.

    Of a user and a password only the password is one; the name is LOGIN then.
    """
    name, curl = "", False
    for item in items:
        text = item if isinstance(item, str) else ""
        yield ("" if _is_option(text) else name), item
        curl = curl or text.rpartition("/")[2] == "curl"
        name = _argument(text, curl=curl) if text[:1] == "-" else ""


def _argument(option: str, *, curl: bool) -> str:
    if option == "--proxy-user" or (curl and compiled(_LOGIN_SWITCH).fullmatch(option)):
        return LOGIN
    named = compiled(_OPTION).fullmatch(option)
    return named[1] if named else ""


def _is_option(item: str) -> bool:
    """A secret may begin with a hyphen, but with one, and is longer than ``-v``."""
    return item.startswith("--") or (item.startswith("-") and len(item) <= _SHORT_OPTION_CHARACTERS)


def is_folder(name: str, value: str) -> bool:
    """Say whether this is where a shell stands: ``PWD=/root``."""
    folder = value.lstrip("\\\"'").startswith(("/", "~"))
    return folder and compiled(_FOLDER).search(name) is not None


def is_reference(key: str, value: str) -> bool:
    """Say whether a secret is only named here: ``secret: flux-system/sops-age``."""
    if is_folder(key, value):
        return True
    weak = key.lower() in {"secret", "credential", "credentials"}
    return weak and _REFERENCE.fullmatch(value) is not None


def kind_of_key(key: str) -> str:
    """Return the kind of secret that a secret's name tells of."""
    lowered = key.lower()
    for word in ("pass", "pwd", "token", "secret", "credential", "cookie", "docker", "auth"):
        if word in lowered:
            return _KINDS.get(word, word)
    return "key"


def kind_of_name(name: str) -> str:
    """Return the kind of secret that a name tells of; empty: none."""
    return kind_of_key(name) if compiled(_WHOLE).fullmatch(name) else ""


def kind_of_group(name: str) -> str:
    """Return the kind of secret that a name of one or of several tells of; empty: of none."""
    return kind_of_name(name) or (kind_of_key(name) if compiled(_SEVERAL).fullmatch(name) else "")
