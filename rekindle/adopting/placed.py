"""
A draft on the disk: the roots, the inventory, and the plan last, for it names the others.

Nothing that is there is replaced unless that was asked for, and what fails half-way takes its own files along.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import Diagnosed, PlanInvalid, UsageWrong
from rekindle import outputfile
from rekindle.adopting import written
from rekindle.adopting.draft import Draft
from rekindle.adopting.written import Place
from rekindle.output import OutputFailed
from rekindle.planfile import TreePlace, read_plan
from rekindle.schemas import text_of
from rekindle.there import is_special, is_there


@dataclass(slots=True)
class Placed:
    """
    *files* were written, *new* are those of them that were not there.

    *counted* is said of the inventory, *without* why there is none, *notes* what it does not know; *problems* are
    those that ``plan`` has.
    """

    files: list[Path] = field(default_factory=list)
    new: list[Path] = field(default_factory=list)
    counted: str = ""
    without: str = ""
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def must_be_free(place: Place, *, force: bool) -> None:
    """:raises UsageWrong: when one of the three files is there already, or the plan's place is a device."""
    if is_special(place.file):
        raise UsageWrong(
            f"{place.file} is no file, and others are written beside it",
            reference="output-exists",
            hint="name one in a folder of its own: `rekindle init --output FILE`",
        )
    for path in reversed(place.outputs):
        outputfile.must_be_free(path, force=force)


def write(draft: Draft, place: Place) -> Placed:
    """
    Write the files, and ask ``plan`` what it says of them.

    :raises OutputFailed: when one cannot be written; those that were new are gone again then.
    """
    placed = Placed()
    plan, roots = written.plan(draft, place), written.roots(draft)
    with _all_or_none(placed):
        if roots:
            _put(placed, place.roots, roots)
        taken = place.roots if roots else place.repository / draft.roots.file
        if roots or draft.roots.file:
            _inventory(placed, draft, place, taken)
        else:
            placed.without = "what Flux follows first is not known"
        _write(placed, place.schema, text_of("recovery"))
        _put(placed, place.file, plan)
    try:
        read_plan(place.file)
    except PlanInvalid as error:
        placed.problems = [str(problem) for problem in error.problems]
    return placed


def _inventory(placed: Placed, draft: Draft, place: Place, roots: Path) -> None:
    """Render the tree. Without kustomize, or with a tree that does not build, the plan is still of use to review."""
    from rekindle import inventoried, inventoryfile

    source = draft.roots.source
    nodes = tuple(node.name.value for node in draft.machines.nodes if node.name.known)
    tree = TreePlace(place.repository, roots, source.value if source.known else None, nodes)
    try:
        taken = inventoried.of_git(tree)
    except Diagnosed as error:
        placed.without = f"{error.message} ({error.reference})"
        if is_there(place.inventory):
            placed.without += f"; {place.inventory} is from before"
        return
    _put(placed, place.inventory, inventoryfile.text(taken))
    found = taken.inventory
    flux = f"{len(found.kustomizations)} Kustomizations, {len(found.helmreleases)} HelmReleases"
    placed.counted = f"{flux}, {found.pods} pods"
    placed.notes = [
        *taken.notes,
        *(f"what {key} brings: it follows {one}" for key, one in taken.foreign.items()),
    ]


def _put(placed: Placed, path: Path, text: str) -> None:
    """Write what people review."""
    _write(placed, path, text)
    placed.files.append(path)


def _write(placed: Placed, path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(
            f"cannot make {path.parent}: {error.strerror or error}",
            reference="output-unwritable",
            hint="make room, or name another file: `rekindle init --output FILE`",
        ) from error
    if not is_there(path):
        placed.new.append(path)
    outputfile.write(path, text)


@contextmanager
def _all_or_none(placed: Placed) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for path in placed.new:
            with suppress(OSError):
                path.unlink()
        raise
