"""
Promise: files appear whole, all or none of the new ones, and nothing that was there is lost by the way.

Mutants, each tried: leave the roots behind when the plan cannot be written; take a replaced file along.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle import outputfile
from rekindle.adopting import placed
from rekindle.adopting.draft import draft
from rekindle.adopting.written import Place
from rekindle.output import OutputFailed
from tests.init.conftest import Make
from tests.init.test_roots import BASE, INSTANCE

FILES = {**BASE, "flux.yaml": INSTANCE}


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the plan itself is to be written; no kustomize."""
    write = outputfile.write

    def full(path: Path, content: str) -> None:
        if path.name == "recovery.yaml":
            raise OutputFailed("no room", reference="output-unwritable", hint="make room")
        write(path, content)

    monkeypatch.setattr(outputfile, "write", full)
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("before", ["", "reviewed\n"])
def test_what_fails_half_way_leaves_nothing_new(repository: Make, before: str) -> None:
    root = repository(FILES)
    place = Place(root / "recovery.yaml", root)
    if before:
        place.roots.parent.mkdir()
        place.roots.write_text(before)
    with pytest.raises(OutputFailed):
        placed.write(draft(root, None, None), place)

    assert place.roots.exists() == bool(before)
    assert not place.file.exists()
    assert not [path for path in root.rglob(".*") if path.is_file()]


def test_a_folder_that_cannot_be_made_is_said(repository: Make) -> None:
    root = repository({**FILES, "recovery": "a file\n"})
    with pytest.raises(OutputFailed) as raised:
        placed.write(draft(root, None, None), Place(root / "recovery.yaml", root))

    assert (raised.value.reference, raised.value.exit_code) == ("output-unwritable", 74)
    assert not (root / "recovery.yaml").exists()
