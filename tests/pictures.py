"""The pictures of the README, from a rehearsal that is run for them: the same seed, the same bytes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.folding import fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.runner import Runner
from engine.turn import Turn
from journal.entries import RunOpened
from journal.lease import Holder
from journal.options import REHEARSAL
from journal.row import Row
from journal.store import Journal
from phases.recipe import recipe
from rekindle.clocks import HostClock
from rekindle.ending import closing_of
from rekindle.rehearsal import load
from rekindle.report.drawing import svg
from rekindle.report.drawn import gantt_of, pods_of
from rekindle.report.gather import gather
from rekindle.report.html import TEMPLATES
from rekindle.report.story import Story
from rekindle.simulator.world import SimWorld

SEED = 12


class Silent:
    """Nobody watches."""

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Nothing."""

    def wrote(self, rows: Sequence[Row]) -> None:
        """Nothing."""


def rehearse(path: Path, name: str = "june-12") -> None:
    """Rehearse a scenario in this process, from its first look to its end, into a journal."""
    _, scenario, plan = load(name)
    world = SimWorld(scenario)
    opened = RunOpened(
        at=world.now(),
        run_id=name,
        purpose="rehearse",
        cluster=plan.cluster,
        identity={"kind": "simulated"},
        plan=plan.compiled(),
        plan_digest=plan.digest(),
        version="docs",
        initial=plan.machine.initial,
    )
    with Journal.open_run(path, opened, holder=Holder.here(), options=REHEARSAL) as journal:
        known = [row.entry for row in journal.rows() if row.entry is not None]
        runner = Runner(
            rules=Rules.of(recipe(), plan),
            logbook=journal,
            world=world,
            memory=fold_all(Memory(), known),
            dice=random.Random(SEED).random,
            clock=HostClock(),
            watcher=Silent(),
            closing=partial(closing_of, journal, opened.run_id, plan),
        )
        ended = runner.run()
    assert ended.outcome == "done", ended.outcome


def june_12() -> Story:
    """The story of the night that the program comes from, as it is rehearsed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "night.db"
        rehearse(path)
        return gather(path)


def pictures(story: Story) -> dict[str, str]:
    """The files of ``docs/pictures``, by name."""
    css = (TEMPLATES / "picture.css").read_text(encoding="utf-8")
    drawn = [one for one in (pods_of(story), gantt_of(story)) if one is not None]
    return {f"{one.name}.svg": svg.standing_alone(one.svg, css) for one in drawn}
