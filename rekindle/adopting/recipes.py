"""
What installs the CNI and Flux: the template's own script, task or recipe, else its helmfile alone.

Read in onedr0p/cluster-template d7168452 (2025: ``task bootstrap:apps`` is ``bash scripts/bootstrap-apps.sh``) and
ae732464 (2026: ``bootstrap/mod.just`` has the recipe ``apps``). The script is preferred to its task, whose Taskfile
sets KUBECONFIG to the repository's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rekindle.adopting.found import Found
from rekindle.adopting.reading import Document, Said, SourceUnreadable, document_of, text_of

SCRIPT = "scripts/bootstrap-apps.sh"
_TASKFILES = ("Taskfile.yaml", "Taskfile.yml", ".taskfiles/bootstrap/Taskfile.yaml")
_JUSTFILES = ("justfile", "Justfile", ".justfile")
_MODULES = ("bootstrap/mod.just", "bootstrap/justfile", "bootstrap/.justfile")
_MODULE = re.compile(r"^mod\??\s+bootstrap\b(?:\s+['\"]([^'\"]+)['\"])?", re.MULTILINE)
_APPS = re.compile(r"^@?apps\b(?!\s*:=)[^\n]*?:(?!=)", re.MULTILINE)
_ROOT = re.compile(r"^\{\{\s*(?:\.ROOT_DIR|config_root)\s*\}\}/")
_AGE = "SOPS_AGE_KEY_FILE"
# The template's script waits without end, its recipe for ten minutes; both then wait for images.
_SCRIPT_DEADLINE, _RECIPE_DEADLINE = "15m", "25m"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the repository, where it was found, and what a reader should know of it."""

    argv: tuple[str, ...]
    deadline: str
    origin: str
    said: tuple[str, ...] = ()
    environment: dict[str, Said] = field(default_factory=dict)


@dataclass(slots=True)
class Recipes:
    """The command that installs the network, if there is one."""

    apps: Command | None = None
    choices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(found: Found, helmfile: str) -> Recipes:
    """Look for what installs the CNI; *helmfile* is the one that has it (empty: none has)."""
    recipes = Recipes()
    just, task = _just(found, recipes), _task(found, recipes)
    alone = _helmfile(helmfile) if helmfile else None
    both = [command for command in (just, task, alone) if command is not None]
    if not both:
        recipes.notes.append(
            "commands: nothing here says what installs the CNI (a recipe `bootstrap apps` of just, "
            f"{SCRIPT}, a task bootstrap:apps, a helmfile with its release)"
        )
        return recipes
    recipes.apps = both[0]
    if just is not None and task is not None:
        recipes.choices.append(
            f"`{' '.join(just.argv)}` ({just.origin}) rather than `{' '.join(task.argv)}` ({task.origin}): "
            "it is the template's newer way, and ends by itself when nodes do not come"
        )
    return recipes


def _just(found: Found, recipes: Recipes) -> Command | None:
    """The recipe ``apps`` of the module ``bootstrap``."""
    file = found.first(*_JUSTFILES)
    if not file:
        return None
    module = _MODULE.search(_text(found, file, recipes))
    if module is None:
        return None
    given = module[1] or "bootstrap"
    named = (given,) if found.has(given) else ()
    for candidate in (*named, f"{given}/mod.just", *_MODULES):
        if not found.has(candidate):
            continue
        text = _text(found, candidate, recipes)
        recipe = _APPS.search(text)
        if recipe is not None:
            line = text.count("\n", 0, recipe.start()) + 1
            said = (
                f"{_AGE} comes from your shell: a module's recipe runs in the module's folder, and a path from here",
                "would lead elsewhere. Start rekindle where `mise activate` is in effect.",
            )
            argv = ("just", "bootstrap", "apps")
            return Command(argv, _RECIPE_DEADLINE, f"{candidate}:{line}", said)
    return None


def _task(found: Found, recipes: Recipes) -> Command | None:
    """The template's script, else the task that has another."""
    taskfiles = [_document(found, file, recipes) for file in _TASKFILES if found.has(file)]
    key = next((said for said in map(_age, taskfiles) if said is not None), None)
    environment = {_AGE: key} if key is not None else {}
    if found.has(SCRIPT):
        said = (
            "It waits without end on a cluster of which some nodes are Ready and some are not, hence the deadline.",
        )
        argv = ("bash", SCRIPT)
        return Command(argv, _SCRIPT_DEADLINE, f"{SCRIPT}:1", said, environment)
    for document in taskfiles:
        for name in ("bootstrap:apps", "apps"):
            inside = document is not None and document.file.startswith(".taskfiles/bootstrap/")
            if document is None or (name == "apps") != inside:
                continue
            if name in document.mapping("tasks"):
                origin = document.at("tasks", name)
                said = ("If its Taskfile sets KUBECONFIG, see that it is the one of this plan.",)
                argv = ("task", "bootstrap:apps")
                return Command(argv, _SCRIPT_DEADLINE, origin, said, environment)
    return None


def _helmfile(file: str) -> Command:
    said = (
        "not known: what has to be there before: namespaces, secrets and CRDs that the helmfile does not bring",
    )
    argv = ("helmfile", "--file", file, "sync", "--hide-notes")
    return Command(argv, _SCRIPT_DEADLINE, f"{file}:1", said)


def _age(document: Document | None) -> Said | None:
    """Where the Taskfile has the age key, as a path from the repository; the key is not looked at."""
    if document is None or document.get("env", _AGE) is None:
        return None
    raw, origin = str(document.get("env", _AGE)), document.at("env", _AGE)
    path = _ROOT.sub("", raw)
    if "{{" in path or "$" in path:
        return Said("", origin, f"{_AGE} at {origin} is filled in elsewhere")
    return Said(path, origin)


def _document(found: Found, file: str, recipes: Recipes) -> Document | None:
    try:
        return document_of(found.root, file)
    except SourceUnreadable as error:
        recipes.notes.append(f"the tasks of {file}: {error.message}")
        return None


def _text(found: Found, file: str, recipes: Recipes) -> str:
    try:
        return text_of(found.root, file)
    except SourceUnreadable as error:
        recipes.notes.append(f"the recipes of {file}: {error.message}")
        return ""
