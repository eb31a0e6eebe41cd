"""
The real kustomize, asked to build folders of a Git tree the way Flux does.

Its namespace transformer rewrites even the Flux objects, so nothing that reads files alone gets the graph right. We
build in a copy: Flux writes into ``kustomization.yaml`` before it builds, and the operator's tree is not ours to write.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from journal.errors import Diagnosed
from rekindle.adapters import kustomize_files, manifests, sourceignore
from rekindle.adapters.programs import ProgramFailed, ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from rekindle.adapters.kustomize_files import Read
    from rekindle.adapters.programs import Answer

BUILD_SECONDS = 120.0
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
_SILENT = "kustomize takes one of the two in silence"
_LINK = "is a symbolic link, and Flux's sources have none"
# How the YAML parsers in kustomize word it (go.yaml.in/yaml v3, and the v2 that turns YAML into JSON).
_TWICE = re.compile(r"already defined at line|already set in map")


class KustomizeFailed(Diagnosed):
    """The tree does not build, or there is nothing to build it with."""

    exit_code = 78


class Tree:
    """
    A private copy of what Flux gets of a Git tree, and the program that builds from it. Use it as a context.

    *ignore* is ``spec.ignore`` of the tree's source. *notes*: where what was built may not be what was meant.
    """

    def __init__(self, root: Path, ignore: str = "") -> None:
        """Look for the program first: without it there is nothing to copy for."""
        self._program = _program()
        self._root = root
        self._ignore = ignore
        self.notes: dict[str, None] = {}
        self._links: list[Path] = []
        self._temporary = tempfile.TemporaryDirectory(prefix="rekindle-tree-")
        self._copy = Path(self._temporary.name) / "tree"

    def __enter__(self) -> Self:
        """Copy the tree."""
        ignored = shutil.ignore_patterns(*_LEFT_OUT)
        try:
            shutil.copytree(self._root, self._copy, symlinks=True, ignore=ignored)
            for path in sourceignore.left_out(self._copy, self._ignore):
                # None may stay: what is written through a link is a file of the operator's own.
                if path.is_symlink():
                    self._links.append(path.relative_to(self._copy))
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
        try:
            file, before = self._prepare(folder, spec)
        except yaml.YAMLError as error:
            why = f"its kustomization.yaml is no YAML: {getattr(error, 'problem', None) or error}"
            raise _failed(relative, why) from error
        try:
            read = kustomize_files.read_by(folder, self._copy)
            answer = self._run(folder, relative)
        finally:
            if before is None:
                file.unlink()
            else:
                file.write_bytes(before)
        # Only now, for the lines that are named are those of the operator's own file.
        self._judge(answer, read, relative)
        self._note_links(folder)
        return list(manifests.parse(answer.stdout, relative))

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
        name = kustomize_files.of(folder)
        file = folder / (name or kustomize_files.NAMES[0])
        before = file.read_bytes() if name else None
        content: dict[str, Any] = {}
        if before is None:
            resources = _generated(folder)
            # A folder with nothing in it builds to nothing, and is no error.
            content = {"resources": resources} if resources else {"namespace": "_placeholder"}
        else:
            content = kustomize_files.content_of(before)
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

    def _run(self, folder: Path, relative: str) -> Answer:
        """Build a folder."""
        try:
            return ask([*self._program, _ANY_FOLDER, str(folder)], seconds=BUILD_SECONDS)
        except ProgramFailed as error:
            raise _failed(relative, str(error)) from error

    def _judge(self, answer: Answer, read: Read, relative: str) -> None:
        """
        Refuse what kustomize refused, and note where it chose in silence.

        It names neither file nor folder of a key that stands twice. Whether one is an error is its word alone: a tree
        that builds for Flux is no error of ours.
        """
        if answer.code == 0:
            for file in read.lenient:
                for found in kustomize_files.duplicates(file):
                    where = f"{found.where()} of {self._named(file)}"
                    self.notes[f"which is meant: {found.key!r} in {where}: {_SILENT}"] = None
            return
        text = answer.stderr.replace(str(self._copy), str(self._root))
        for file in read.objects if _TWICE.search(text) else ():
            for found in kustomize_files.duplicates(file):
                raise manifests.duplicate(found, str(self._root / self._named(file)))
        missed = next((link for link in self._links if f"/{link}" in text), None)
        more = f" ({missed} {_LINK})" if missed else ""
        raise _failed(relative, f"{text.strip()[-_TEXT_LIMIT:]}{more}")

    def _note_links(self, folder: Path) -> None:
        """Note what looks as if Flux would take it of a folder, or build the folder by it."""
        for link in self._links:
            looks = link.suffix in _SUFFIXES or link.name in kustomize_files.NAMES
            if looks and folder in (self._copy.resolve() / link).parents:
                self.notes[f"what {link} should bring: it {_LINK}"] = None

    def _named(self, file: Path) -> Path:
        """Name a file of the copy as its operator does, from the tree's root."""
        return file.relative_to(self._copy.resolve())


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
    """Go down until a folder has a kustomization.yaml of its own."""
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_IN_SOURCES:
            continue
        if path.is_dir():
            if kustomize_files.of(path):
                yield path
            else:
                yield from _resources(path)
        elif path.suffix in _SUFFIXES:
            yield path


def _failed(relative: str, text: str) -> KustomizeFailed:
    """Say which path does not build."""
    return KustomizeFailed(
        f"{relative} does not build: {text}",
        reference="kustomize-failed",
        hint="Flux would fail in the same way: repair the tree and push it",
    )
