"""
What source-controller leaves out of a Git artifact: Flux never sees it, so it is expected by nobody.

Its defaults come first, then every ``.sourceignore`` (for the folder that it is in), then ``spec.ignore``; the last
pattern that fits decides, file by file (fluxcd/pkg sourceignore v0.18; source-controller v1.9
gitrepository_controller.go and storage.go). Unlike Git's own, a pattern can take back a file of a folder that is out.
No symbolic link is ever in it (artifact v0.9 storage/archive.go), though a linked ``.sourceignore`` is read before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pathspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FILE = ".sourceignore"
# Version control, binaries, files of CI systems, files of other tools.
DEFAULTS = (
    ".git/",
    ".gitignore",
    ".gitmodules",
    ".gitattributes",
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
)


def left_out(root: Path, ignore: str = "") -> Iterator[Path]:
    """Yield the files of a tree that its artifact has not. *ignore*: ``spec.ignore`` of its source."""
    files = [path for path in sorted(root.rglob("*")) if path.is_symlink() or not path.is_dir()]
    rules = list(_rules(root, files, ignore))
    for path in files:
        if path.is_symlink() or _is_out(path, rules):
            yield path


def _rules(
    root: Path, files: Iterable[Path], ignore: str
) -> Iterator[tuple[Path, pathspec.PathSpec[pathspec.Pattern]]]:
    """Yield folders and what is out below them: the later one decides."""
    yield root, _patterns(DEFAULTS)
    found = [path for path in files if path.name == FILE and path.is_file()]
    # A folder's own file comes before those of its folders.
    for path in sorted(found, key=lambda path: path.parent.relative_to(root).parts):
        yield path.parent, _patterns(path.read_text("utf-8", errors="replace").splitlines())
    yield root, _patterns(ignore.splitlines())


def _patterns(lines: Iterable[str]) -> pathspec.PathSpec[pathspec.Pattern]:
    return pathspec.PathSpec.from_lines("gitignore", (line.strip() for line in lines))


def _is_out(path: Path, rules: Iterable[tuple[Path, pathspec.PathSpec[pathspec.Pattern]]]) -> bool:
    out = False
    for folder, patterns in rules:
        if not path.is_relative_to(folder):
            continue
        said = patterns.check_file(path.relative_to(folder).as_posix()).include
        out = out if said is None else said
    return out
