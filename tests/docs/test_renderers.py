"""
Promise: what the how-tos have rendered is where ``rekindle init`` looks for it: nothing else of it was there.

Mutants, each tried: another folder in a document's line; a stand-in that writes no talosconfig.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.shown import ROOT, Reader, blocks

HOW_TO = ROOT / "docs" / "how-to"
RENDERED = {
    "adopt-task-talhelper.md": ("talos/clusterconfig",),
    "adopt-just-topf.md": ("talos/rendered", "talos/talosconfig"),
}


@pytest.mark.program
@pytest.mark.parametrize("name", sorted(RENDERED))
def test_what_is_rendered_is_what_init_takes(name: str, tmp_path: Path) -> None:
    render, first, *_ = [block for block in blocks(HOW_TO / name) if block.language == "sh"]
    (source,) = render.given
    shutil.copytree(ROOT / source.removeprefix(".="), tmp_path, dirs_exist_ok=True)
    for path in RENDERED[name]:
        there = tmp_path / path
        shutil.rmtree(there) if there.is_dir() else there.unlink()
    reader = Reader(tmp_path)

    reader.follow(replace(render, given=()))
    reader.follow(first)

    assert first.shows.count("\n") > 3
    plan = (tmp_path / "recovery.yaml").read_text("utf-8")
    assert plan.count("config: talos/") == 4, "three nodes, and the talosconfig"
