"""
A Kustomization that failed for the API server's sake is woken once that answers, and not at its interval of an hour.

Mutants, each killed here: the words are a reason as any other; ``apiserver`` left out of ``clearing.CLEARED``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from journal import entries as e
from rekindle.simulator.kustomizations import Failure, Kustomizations
from rekindle.simulator.tree import load_tree
from tests.properties.clusters import scenario, story

ROOK = "storage/rook"
LEADER = "Deployment/storage/rook dry-run failed: etcdserver: leader changed\n"


@pytest.mark.parametrize("times", [1, 2])
def test_one_that_met_a_change_of_etcds_leader_is_woken_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, times: int
) -> None:
    """One that fails for it at once again is not woken again: nobody has seen the API server go."""
    failed: list[str] = []
    before = Kustomizations._attempt

    def attempt(self: Kustomizations, key: str, spec: Any) -> Any:  # noqa: ANN401
        if key != ROOK or len(failed) >= times:
            return (yield from before(self, key, spec))
        failed.append(key)
        self._show(key, "Detecting drift")
        yield 1.0
        return Failure("ReconciliationFailed", LEADER)

    monkeypatch.setattr(Kustomizations, "_attempt", attempt)
    found = scenario("cold")
    tree = load_tree(Path(found.tree))
    slow = {key: replace(spec, retry=3600.0) for key, spec in tree.kustomizations.items()}
    file = tmp_path / "slow.yaml"
    file.write_text(yaml.safe_dump(msgspec.to_builtins(replace(tree, kustomizations=slow))))
    run, _ = story("cold", found=replace(found, tree=str(file)), operator=found.operator)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == ("done" if times == 1 else "stuck")
    nudges = [x for x in run.book.entries() if isinstance(x, e.ActionIntended)]
    woken = [x for x in nudges if x.arguments.get("cause") == "apiserver:unavailable"]
    assert [x.target for x in woken] == [f"kustomization/{ROOK}"]
    if times == 1:
        assert ended.memory.now - ended.memory.opened_at < 600
