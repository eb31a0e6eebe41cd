"""
recovery.yaml on disk: read, its paths made absolute, and what only the disk knows filled in.

Everything that is missing is told at once, at the line that names it.
"""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from engine.errors import PlanInvalid, Problem, UsageWrong
from engine.plan import Plan, load
from engine.yamlfile import Marks, YamlFile, read_yaml
from phases.section import Flux
from rekindle import kubeconfigs
from rekindle.recipes import recipe
from rekindle.there import home, is_there, lacking
from rekindle.typed import command as typed

_BY_OPTION = frozenset({"inventory", "replay"})
_NOT_TEXT = "write it as UTF-8, or take an earlier version of it: `git log -p FILE` has them"


def read_plan(path: Path, missing: list[Problem] | None = None) -> Plan:
    """
    Load a plan.

    *missing* takes what the plan names and is not there, which is then no reason not to load it: for whoever only
    looks.

    :raises PlanInvalid: with every problem of the file and of the files that it names.
    :raises UsageWrong: when it cannot be read at all.
    """
    folder = path.absolute().parent

    def include(name: str) -> YamlFile:
        return YamlFile(str(_shown(folder / name)), _text(folder / name))

    def finish(section: dict[str, Any], marks: Marks, problems: list[Problem]) -> dict[str, Any]:
        return _Finisher(folder, marks, problems, missing).finish(section)

    file = _file(path)
    try:
        return load(file, recipe(), include, finish)
    except PlanInvalid as error:
        raise PlanInvalid(error.problems, typed("plan", "--check", str(path))) from error


@dataclass(frozen=True, slots=True)
class TreePlace:
    """
    Where a Git tree is, and what is rendered of it.

    *source*: the key of the GitRepository that the tree is; None: the roots say.
    """

    repository: Path
    roots: Path
    source: str | None = None
    nodes: tuple[str, ...] = ()


def tree_place(path: Path) -> TreePlace:
    """
    Read of a plan only where its tree is: an inventory is made before there is a plan that loads.

    :raises PlanInvalid: when the file does not say it, or what it names is not there.
    :raises UsageWrong: when it cannot be read at all.
    """
    raw, marks, problems = read_yaml(_file(path))
    if problems:
        raise PlanInvalid(problems)
    finisher = _Finisher(path.absolute().parent, marks, problems)
    flux, nodes = _part(raw, "flux"), _part(_part(raw, "talos"), "nodes")
    if "roots" not in flux:
        problems.append(marks.problem(("flux", "roots"), "is missing"))
    place = TreePlace(
        Path(finisher.existing(str(_part(raw).get("repository", ".")), "repository")),
        Path(finisher.existing(str(flux.get("roots", ".")), "flux", "roots")),
        str(flux.get("source") or Flux.model_fields["source"].default),
        tuple(map(str, nodes)),
    )
    if problems:
        raise PlanInvalid(problems)
    return place


def _part(value: object, *names: str) -> dict[str, Any]:
    """Return a mapping, or one inside it; anything else counts as empty."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _file(path: Path) -> YamlFile:
    try:
        return YamlFile(str(path), _text(path))
    except OSError as error:
        raise UsageWrong(
            f"{path}: {error.strerror or error}",
            reference="plan-unreadable",
            hint=_NOT_TEXT
            if error.errno == 0
            else f"name the plan file: `{_with_plan()}`; examples/ has some to begin with",
        ) from error


def _with_plan() -> str:
    """Write the command that was typed with its plan: who meant only to look is not told to run one."""
    context = click.get_current_context(silent=True)
    name = (context.info_name if context is not None else None) or "run"
    return typed(name, *(("--plan",) if name in _BY_OPTION else ()), "PLAN")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise OSError(0, f"not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise OSError(errno.EINVAL, "cannot be the name of a file") from error


def _shown(path: Path) -> Path:
    """Show a path relative to where the operator stands, when it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class _Finisher:
    """Makes paths absolute, and remembers what is missing."""

    def __init__(
        self,
        folder: Path,
        marks: Marks,
        problems: list[Problem],
        missing: list[Problem] | None = None,
    ) -> None:
        self._folder = folder
        self._marks = marks
        self._problems = problems
        self._missing = problems if missing is None else missing

    def finish(self, section: dict[str, Any]) -> dict[str, Any]:
        talos, crds, etcd = section["talos"], section["crds"], section["etcd"]
        talos["talosconfig"] = self.existing(talos["talosconfig"], "talos", "talosconfig")
        for name, node in talos["nodes"].items():
            node["config"] = self.existing(node["config"], "talos", "nodes", name, "config")
            node["sha256"] = _digest(Path(node["config"]))
        section["kubernetes"]["kubeconfig"] = self._own(section["kubernetes"]["kubeconfig"])
        section["flux"]["roots"] = self.existing(section["flux"]["roots"], "flux", "roots")
        if etcd["snapshot"]:
            etcd["snapshot"] = self.existing(etcd["snapshot"], "etcd", "snapshot")
            etcd["sha256"] = _digest_of_large(Path(etcd["snapshot"]))
        if crds["directory"]:
            crds["directory"] = self.existing(crds["directory"], "crds", "directory")
            crds["available"] = self._listed(crds["directory"], "crds", "directory")
        for name, command in section["commands"].items():
            here = ("commands", name, "directory")
            command["directory"] = self.existing(command["directory"], *here)
        if section.get("notify"):
            place = ("notify", "directory")
            section["notify"]["directory"] = self.existing(section["notify"]["directory"], *place)
        for name, probe in section["probes"].items():
            here = ("probes", name, "directory")
            probe["directory"] = self.existing(probe["directory"], *here)
        section["repository"] = self.existing(section["repository"], "repository")
        return section

    def _own(self, name: str) -> str:
        """Our kubeconfig is replaced as a whole when it is foreign: it may not be the user's."""
        absolute = self._absolute(name)
        theirs = (home() / ".kube" / "config", *kubeconfigs.named())
        if absolute in {str(path.absolute()) for path in theirs}:
            text = "this is your own kubeconfig; name a file of rekindle's own, beside the plan"
            self._problems.append(self._marks.problem(("kubernetes", "kubeconfig"), text))
        return absolute

    def _absolute(self, name: str) -> str:
        path = Path(name)
        with suppress(RuntimeError):  # ~NOBODY: there is no such file either
            path = path.expanduser()
        return str((self._folder / path).absolute())

    def _listed(self, folder: str, *path: str) -> list[str]:
        """Name the CRDs of a folder; one that nobody may list is not one without any."""
        try:
            names = os.listdir(folder)  # noqa: PTH208  names are what is needed
        except (FileNotFoundError, ValueError):
            return []  # said already
        except OSError as error:
            said = f"{folder} cannot be listed: {error.strerror or error}"
            if is_there(Path(folder)):
                self._missing.append(self._marks.problem(path, said))
            return []
        return sorted(Path(name).stem for name in names if name.endswith(".yaml"))

    def existing(self, name: str, *path: str) -> str:
        """Return an absolute path; what is not there becomes a problem at its place."""
        absolute = self._absolute(name)
        lacks = lacking(Path(absolute))
        if lacks:
            self._missing.append(self._marks.problem(path, f"{absolute} {lacks}"))
        return absolute


def _digest_of_large(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return ""
