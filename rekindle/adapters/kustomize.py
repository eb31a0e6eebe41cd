"""
The real kustomize, asked to build folders of a Git tree the way Flux does.

Its namespace transformer rewrites even the Flux objects, so nothing that reads files alone gets the graph right. We
build in a copy: Flux writes into ``kustomization.yaml`` before it builds, and the operator's tree is not ours to write.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from journal.errors import Diagnosed
from rekindle.adapters import manifests, sourceignore
from rekindle.adapters.programs import ProgramFailed, ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

BUILD_SECONDS = 120.0
_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SUFFIXES = (".yaml", ".yml")
_LEFT_OUT = (".git", ".venv", "node_modules", ".direnv")
# What Flux's sources leave out by themselves, of what looks like a manifest (fluxcd/pkg sourceignore v0.18).
_NOT_IN_SOURCES = {
    ".circleci",
    ".drone.yml",
    ".flux.yaml",
    ".git",
    ".github",
    ".gitlab-ci.yml",
    ".goreleaser.yml",
    ".sops.yaml",
    ".travis.yml",
    "appveyor.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
}
_ANY_FOLDER = "--load-restrictor=LoadRestrictionsNone"
_TEXT_LIMIT = 600


class KustomizeFailed(Diagnosed):
    """The tree does not build, or there is nothing to build it with."""

    exit_code = 78


class Tree:
    """
    A private copy of what Flux gets of a Git tree, and the program that builds from it. Use it as a context.

    *ignore* is ``spec.ignore`` of the tree's source.
    """

    def __init__(self, root: Path, ignore: str = "") -> None:
        """Look for the program first: without it there is nothing to copy for."""
        self._program = _program()
        self._root = root
        self._ignore = ignore
        self._temporary = tempfile.TemporaryDirectory(prefix="rekindle-tree-")
        self._copy = Path(self._temporary.name) / "tree"

    def __enter__(self) -> Self:
        """Copy the tree."""
        ignored = shutil.ignore_patterns(*_LEFT_OUT)
        try:
            shutil.copytree(self._root, self._copy, symlinks=True, ignore=ignored)
            for path in sourceignore.left_out(self._copy, self._ignore):
                path.unlink()
        except (OSError, shutil.Error) as error:
            self._temporary.cleanup()
            raise KustomizeFailed(
                f"{self._root} cannot be copied: {type(error).__name__}",
                reference="tree-unreadable",
                hint="check the repository in the plan and its permissions",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Throw the copy away."""
        self._temporary.cleanup()

    def build(self, spec: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Build what a Flux Kustomization's spec describes."""
        relative = str(spec.get("path") or ".").removeprefix("/")
        folder = self._inside(relative)
        for file in _yaml_files(folder):
            self._refuse_duplicates(file)
        try:
            file, before = self._prepare(folder, spec)
        except yaml.YAMLError as error:
            why = f"its kustomization.yaml is no YAML: {getattr(error, 'problem', None) or error}"
            raise _failed(relative, why) from error
        try:
            return self._run(folder, relative)
        finally:
            if before is None:
                file.unlink()
            else:
                file.write_bytes(before)

    def _inside(self, relative: str) -> Path:
        """Find a folder of the copy; a path out of the tree is refused."""
        folder = (self._copy / relative).resolve()
        if not folder.is_relative_to(self._copy.resolve()) or not folder.is_dir():
            raise KustomizeFailed(
                f"{self._root / relative} is no folder of the tree",
                reference="path-missing",
                hint="correct spec.path of the Kustomization, in Git",
            )
        return folder

    def _prepare(self, folder: Path, spec: Mapping[str, Any]) -> tuple[Path, bytes | None]:
        """Write what Flux writes into kustomization.yaml; return the file and what it was before."""
        file = next((folder / name for name in _FILES if (folder / name).is_file()), None)
        before = None if file is None else file.read_bytes()
        content: dict[str, Any] = {}
        if file is None or before is None:
            file, resources = folder / _FILES[0], _generated(folder)
            # A folder with nothing in it builds to nothing, and is no error.
            content = {"resources": resources} if resources else {"namespace": "_placeholder"}
        else:
            loaded = yaml.load(before, Loader=yaml.CSafeLoader)
            content = loaded if isinstance(loaded, dict) else {}
            if not content.get("resources"):
                content["buildMetadata"] = ["originAnnotations"]
        if spec.get("targetNamespace"):
            content["namespace"] = spec["targetNamespace"]
        for field in ("components", "patches", "images"):
            added = _components(folder, spec) if field == "components" else spec.get(field)
            if isinstance(added, list):
                content[field] = [*(content.get(field) or []), *added]
        for field in ("namePrefix", "nameSuffix"):
            if spec.get(field):
                content[field] = spec[field]
        file.write_text(yaml.safe_dump(content))
        return file, before

    def _run(self, folder: Path, relative: str) -> list[dict[str, Any]]:
        """Build a folder."""
        try:
            answer = ask([*self._program, _ANY_FOLDER, str(folder)], seconds=BUILD_SECONDS)
        except ProgramFailed as error:
            raise _failed(relative, str(error)) from error
        if answer.code != 0:
            text = answer.stderr.replace(str(self._copy), str(self._root))
            raise _failed(relative, text.strip()[-_TEXT_LIMIT:])
        return list(manifests.parse(answer.stdout, relative))

    def _refuse_duplicates(self, file: Path) -> None:
        """Name the operator's file, not its copy. What is no YAML is for kustomize to judge."""
        source = str(self._root / file.relative_to(self._copy.resolve()))
        try:
            nodes = list(yaml.compose_all(file.read_bytes(), Loader=yaml.CSafeLoader))
        except (yaml.YAMLError, OSError):
            return
        for node in nodes:
            manifests.refuse_duplicates(node, source)


def _program() -> list[str]:
    """Find what builds."""
    for name, arguments in (("kustomize", ["build"]), ("kubectl", ["kustomize"])):
        found = shutil.which(name)
        if found:
            return [found, *arguments]
    raise KustomizeFailed(
        "neither kustomize nor kubectl is on PATH",
        reference="kustomize-missing",
        hint="install kustomize, or give an inventory that was made elsewhere",
    )


def _components(folder: Path, spec: Mapping[str, Any]) -> list[str] | None:
    """Return the components; those that are missing are left out where the spec allows it."""
    given = spec.get("components")
    if not isinstance(given, list):
        return None
    lenient = spec.get("ignoreMissingComponents")
    return [str(name) for name in given if not lenient or (folder / str(name)).exists()]


def _generated(folder: Path) -> list[str]:
    """List what Flux takes for a folder without kustomization.yaml: all YAML, or folders that have their own."""
    return [str(path.relative_to(folder)) for path in _resources(folder)]


def _resources(folder: Path) -> Iterator[Path]:
    """Go down until a folder has a kustomization.yaml of its own. Links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_IN_SOURCES:
            continue
        if path.is_dir() and not path.is_symlink():
            if any((path / name).is_file() for name in _FILES):
                yield path
            else:
                yield from _resources(path)
        elif path.suffix in _SUFFIXES and not path.is_dir():
            yield path


def _yaml_files(folder: Path) -> Iterator[Path]:
    """List the YAML files below a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES)


def _failed(relative: str, text: str) -> KustomizeFailed:
    """Say which path does not build."""
    return KustomizeFailed(
        f"{relative} does not build: {text}",
        reference="kustomize-failed",
        hint="Flux would fail in the same way: repair the tree and push it",
    )
