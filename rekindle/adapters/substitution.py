"""
``postBuild``: variables in what a Kustomization built, as kustomize-controller fills them in.

The facts are those of kustomize-controller v1.9 with fluxcd/pkg envsubst v1.7: it works on the text of each object, so
that ``replicas: ${COUNT}`` becomes a number; ``$${NAME}`` is the way to write ``${NAME}``; nothing at all is filled in
where no variable is given, unless the strategy is Always; a variable that nobody gives becomes empty.

ConfigMaps count where the tree has them. A Secret is never read, nor is what SOPS encrypted: where one of them is
named, a variable that nobody else gives may be in it, and stays as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from rekindle.adapters.manifests import Loader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Object = dict[str, Any]
DISABLED = "kustomize.toolkit.fluxcd.io/substitute"
ENCRYPTED = "ENC["
_DEFAULTS = (
    "=",
    ":=",
    ":-",
    ":?",
    ":+",
)  # all of them give the text behind them where the value is empty
_TOKEN = re.compile(
    r"\$\$|\$\{(?P<name>[A-Za-z0-9_]+)"
    r"(?:(?P<default>:[=?+-]|=)(?P<text>(?:\$\{[^{}]*\}|[^}])*)"
    r"|(?P<case>\^\^|,,|\^|,)"
    r"|(?P<replace>//?)(?P<old>[^/}]+)(?:/(?P<new>[^}]*))?"
    r"|:(?P<start>\d+)(?::(?P<length>\d+))?)?\}"
)
_CASES: dict[str, Callable[[str], str]] = {
    "^^": str.upper,
    ",,": str.lower,
    "^": lambda text: text[:1].upper() + text[1:],
    ",": lambda text: text[:1].lower() + text[1:],
}


@dataclass(frozen=True, slots=True)
class Variables:
    """
    What a Kustomization gives. *complete*: nothing else may give a value.

    *awaited* are the ConfigMaps (``namespace/name``) that it names and that were not found yet.
    """

    values: Mapping[str, str]
    complete: bool = True
    always: bool = False
    awaited: tuple[str, ...] = ()


@dataclass(slots=True)
class Filled:
    """A text with its variables filled in, and the names of those of which nobody here knows the value."""

    text: str = ""
    unknown: set[str] = field(default_factory=set)


def variables(
    spec: Object, namespace: str, configmaps: Mapping[str, Mapping[str, str]]
) -> Variables:
    """Collect what ``spec.postBuild`` gives; what stands inline goes before what is referred to."""
    build = _mapping(spec.get("postBuild"))
    references = build.get("substituteFrom")
    values: dict[str, str] = {}
    complete, awaited = True, []
    for reference in references if isinstance(references, list) else ():
        key = f"{namespace}/{_mapping(reference).get('name')}"
        data = configmaps.get(key) if _mapping(reference).get("kind") == "ConfigMap" else None
        if data is None:
            complete = False
            if _mapping(reference).get("kind") == "ConfigMap":
                awaited.append(key)
            continue
        readable = {name: text for name, text in data.items() if not text.startswith(ENCRYPTED)}
        complete = complete and len(readable) == len(data)
        values.update(readable)
    inline = _mapping(build.get("substitute"))
    values.update({str(name): str(value) for name, value in inline.items()})
    values = {name: value.replace("\n", "") for name, value in values.items()}
    always = build.get("substituteStrategy") == "Always"
    return Variables(values, complete, always, tuple(awaited))


def substituted(found: Object, given: Variables) -> tuple[Object, frozenset[str]]:
    """
    Fill an object in; also return the names of the variables that stay as they stand.

    :raises ValueError: when what comes out is no object any more: Flux would fail on it as well.
    """
    metadata = _mapping(found.get("metadata"))
    marks = (_mapping(metadata.get(part)).get(DISABLED) for part in ("labels", "annotations"))
    nothing = not given.values and given.complete and not given.always
    if nothing or "disabled" in marks:
        return found, frozenset()
    text = yaml.dump(found, Dumper=yaml.CSafeDumper, width=1 << 30, allow_unicode=True)
    if "$" not in text:
        return found, frozenset()
    filled = fill(text, given)
    try:
        made = yaml.load(filled.text, Loader=Loader)  # noqa: S506  a safe one
    except yaml.YAMLError as error:
        raise ValueError(str(getattr(error, "problem", None) or "no YAML")) from error
    if not isinstance(made, dict):
        message = "no object"
        raise ValueError(message)  # noqa: TRY004  it is about a text, as above
    return made, frozenset(filled.unknown)


def fill(text: str, given: Variables) -> Filled:
    """Fill a text in."""
    filled = Filled()

    def value_of(match: re.Match[str]) -> str:
        """Return what stands for one token."""
        name = match["name"]
        if name is None:
            return "$"
        value = given.values.get(name, "")
        if not value and match["default"]:
            inner = fill(match["text"], given)
            filled.unknown |= inner.unknown
            return inner.text
        if name not in given.values and not given.complete:
            filled.unknown.add(name)
            return match[0]
        return _shaped(value, match)

    filled.text = _TOKEN.sub(value_of, text)
    return filled


def _shaped(value: str, match: re.Match[str]) -> str:
    """Apply the function that a token asks for."""
    if match["case"]:
        return _CASES[match["case"]](value)
    if match["replace"]:
        times = 1 if match["replace"] == "/" else -1
        return value.replace(match["old"], match["new"] or "", times)
    if match["start"]:
        start = int(match["start"])
        end = None if match["length"] is None else start + int(match["length"])
        return value[start:end]
    return value


def _mapping(value: object) -> Object:
    """Return a mapping; anything else counts as empty."""
    return value if isinstance(value, dict) else {}
