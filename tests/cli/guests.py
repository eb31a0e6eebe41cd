"""Distributions that offer phases, as installers leave them: a module, and a folder of metadata beside it."""

from __future__ import annotations

import hashlib
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

GOOD = """
from engine.answer import Act, Wait
from engine.recipe import Judgement, Verdict

VERSION = "1"

def check(plan, state):
    return []

def guard(plan, state, facts):
    return Judgement(Verdict.BROKEN, "never", 0, 1)

def decide(plan, state, facts, findings, memory):
    return {state: Wait("for ever")}
"""


def offered(
    folder: Path, *phases: str, name: str = "rekindle-moon", source: str = GOOD
) -> list[EntryPoint]:
    """Install a distribution, 1.2.3, that offers *phases* from one module; return all that the folder offers."""
    mine = hashlib.sha256(str(folder).encode()).hexdigest()[:8]  # imported once, and never again
    module = f"guest_{name.replace('-', '_')}_{mine}"
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{name.replace('-', '_')}-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    lines = "".join(f"{phase} = {module}\n" for phase in phases)
    (info / "entry_points.txt").write_text(f"[rekindle.phases]\n{lines}")
    return [
        point
        for found in distributions(path=[str(folder)])
        for point in found.entry_points
        if point.group == "rekindle.phases"
    ]
