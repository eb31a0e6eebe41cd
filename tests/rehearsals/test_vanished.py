"""
What went after its parent was Ready is brought back, and not missed until the parent's interval is over.

Mutant: leave ``vanished`` out of the state: the run is stuck at its deadline, with everything else done.
"""

from __future__ import annotations

from msgspec.structs import replace

from journal import entries as e
from rekindle.simulator.scenario import EventSpec, find_scenario, load_scenario
from tests.properties.clusters import story

DELETED = EventSpec(at=5.0, do="delete", kind="HelmRelease", key="default/echo")


def test_a_release_that_somebody_deleted_is_applied_again_by_its_parent() -> None:
    found = replace(load_scenario(find_scenario("healthy")), events=(DELETED,))
    run, _ = story("healthy", found=found, operator=found.operator)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    assert ended.memory.now - ended.memory.opened_at < 1200
    woken = [
        entry
        for entry in run.book.entries()
        if isinstance(entry, e.ActionIntended) and entry.verb == "flux.nudge"
    ]
    again = [entry for entry in woken if str(entry.arguments["cause"]).startswith("gone@")]
    assert [entry.target for entry in again] == ["kustomization/default/echo"]
