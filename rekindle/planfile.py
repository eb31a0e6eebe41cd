"""
recovery.yaml on disk: read, its paths made absolute, and what only the disk knows filled in.

Everything that is missing is told at once, at the line that names it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from engine.errors import Problem, UsageWrong
from engine.plan import Plan, load
from engine.yamlfile import Marks, YamlFile
from phases.recipe import recipe

DEFAULT = "recovery.yaml"


def read_plan(path: Path) -> Plan:
    """
    Load a plan.

    :raises PlanInvalid: with every problem of the file and of the files that it names.
    :raises UsageWrong: when it cannot be read at all.
    """
    folder = path.absolute().parent

    def include(name: str) -> YamlFile:
        return YamlFile(str(_shown(folder / name)), _text(folder / name))

    def finish(section: dict[str, Any], marks: Marks, problems: list[Problem]) -> dict[str, Any]:
        return _Finisher(folder, marks, problems).finish(section)

    try:
        text = _text(path)
    except OSError as error:
        raise UsageWrong(
            f"{path}: {error.strerror or error}",
            reference="plan-unreadable",
            hint="name the plan file: `rekindle run PLAN`; examples/ has some to begin with",
        ) from error
    return load(YamlFile(str(path), text), recipe(), include, finish)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise OSError(0, f"not UTF-8 at byte {error.start}") from error


def _shown(path: Path) -> Path:
    """Show a path relative to where the operator stands, when it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class _Finisher:
    """Makes paths absolute, and remembers what is missing."""

    def __init__(self, folder: Path, marks: Marks, problems: list[Problem]) -> None:
        self._folder = folder
        self._marks = marks
        self._problems = problems

    def finish(self, section: dict[str, Any]) -> dict[str, Any]:
        talos, crds = section["talos"], section["crds"]
        talos["talosconfig"] = self._existing(talos["talosconfig"], "talos", "talosconfig")
        for name, node in talos["nodes"].items():
            node["config"] = self._existing(node["config"], "talos", "nodes", name, "config")
            node["sha256"] = _digest(Path(node["config"]))
        section["kubernetes"]["kubeconfig"] = self._own(section["kubernetes"]["kubeconfig"])
        section["flux"]["roots"] = self._existing(section["flux"]["roots"], "flux", "roots")
        if crds["directory"]:
            crds["directory"] = self._existing(crds["directory"], "crds", "directory")
            found = Path(crds["directory"]).glob("*.yaml")
            crds["available"] = sorted(file.stem for file in found)
        for name, command in section["commands"].items():
            here = ("commands", name, "directory")
            command["directory"] = self._existing(command["directory"], *here)
        section["repository"] = self._existing(section["repository"], "repository")
        return section

    def _own(self, name: str) -> str:
        """Our kubeconfig is replaced as a whole when it is foreign: it may not be the user's."""
        absolute = self._absolute(name)
        named = os.environ.get("KUBECONFIG", "").split(os.pathsep)
        theirs = {str(Path.home() / ".kube" / "config"), *filter(None, named)}
        if absolute in {str(Path(path).absolute()) for path in theirs}:
            text = "this is your own kubeconfig; name a file of rekindle's own, beside the plan"
            self._problems.append(self._marks.problem(("kubernetes", "kubeconfig"), text))
        return absolute

    def _absolute(self, name: str) -> str:
        return str((self._folder / Path(name).expanduser()).absolute())

    def _existing(self, name: str, *path: str) -> str:
        absolute = self._absolute(name)
        if not Path(absolute).exists():
            self._problems.append(self._marks.problem(path, f"{absolute} does not exist"))
        return absolute


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
