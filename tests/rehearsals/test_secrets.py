"""
A secret that its vault refuses for a while, in a condition that has one text for every reason: no night ends of it.
"""

from __future__ import annotations

import pytest

from journal import entries as e
from phases.diagnosis.secrets import RETRIED_SECONDS
from phases.objects import ExternalSecret
from rekindle.simulator.scenario import find_scenario, load_scenario
from rekindle.simulator.secrets import Secrets
from tests.properties.clusters import story

LIMITED = "media/cluster-secrets"
# Too many requests, says the vault; the condition does not. For longer than a store that came late explains it.
LIMITED_SECONDS = RETRIED_SECONDS + 150.0


def test_a_secret_that_its_vault_refuses_for_minutes_comes_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Mutant: call what fails beside others that do not missing for good; the run is stuck at 104 of 104 pods."""
    is_served = Secrets._is_served
    first: list[float] = []

    def limited(self: Secrets, found: ExternalSecret) -> bool:
        if f"{found.metadata.namespace}/{found.metadata.name}" != LIMITED:
            return is_served(self, found)
        now = self._loop.now
        if is_served(self, found) and not first:
            first.append(now)
        return is_served(self, found) and now >= first[0] + LIMITED_SECONDS

    monkeypatch.setattr(Secrets, "_is_served", limited)
    found = load_scenario(find_scenario("june-12"))
    run, _ = story("june-12", found=found, seed=found.seed, operator=found.operator)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    said = [
        entry.changed[f"E4:externalsecret/{LIMITED}"]
        for entry in run.book.entries()
        if isinstance(entry, e.FindingsChanged) and f"E4:externalsecret/{LIMITED}" in entry.changed
    ]
    assert [one.cause for one in said] == ["store", "item"]
    assert [one.clears_itself for one in said] == ["yes", "unknown"]
    assert ended.memory.now - ended.memory.opened_at < 1800, "and not at the deadline"
