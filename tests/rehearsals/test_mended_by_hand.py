"""
What a person mends outside Git nobody sees: a key, a right, a variable. That the run is resumed is the sign of it.

The run was told so when it was stuck: "once it is mended this goes on: `rekindle resume`". Each object that was parked
behind the cause is then woken once, and not at its interval, an hour later. Mutants, each killed here: leave
``is_resumed`` out of flux-synced; without the instant of the failure, the stuck subjects, or what they block; without
the instant of the resume in the key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from engine.runner import Ended
from journal import entries as e
from phases.sentence import STANDING_SECONDS
from rekindle.simulator.kustomizations import Failure, Kustomizations
from rekindle.simulator.tree import load_tree
from tests.properties.clusters import scenario, story
from tests.properties.harness import Death, Story

ROOK, SECRETS = "storage/rook", "external-secrets/external-secrets"
NO_KEY = "cannot get sops data key: no identity matched any of the recipients"
NO_AGE = "cannot get sops decryption Secret 'flux-system/sops-age': secrets \"sops-age\" not found"
UNSET = (
    "post build failed for 'v1/Secret/x': envsubst error: variable substitution failed: "
    'variable not set (strict mode): "SECRET_DOMAIN"'
)
DENIED = (
    'Deployment/apps/web dry-run failed (Forbidden): deployments.apps "web" is forbidden: '
    'User "system:serviceaccount:apps:flux" cannot patch resource "deployments"'
)
CAUSES = [
    pytest.param("K7", Failure("BuildFailed", NO_KEY), id="K7"),
    pytest.param("K8", Failure("BuildFailed", NO_AGE), id="K8"),
    pytest.param("K9", Failure("BuildFailed", UNSET), id="K9"),
    pytest.param("K12", Failure("ReconciliationFailed", DENIED), id="K12"),
]
AT_ONCE_SECONDS = 120.0  # a whole attempt, and the half minute for which a cause has to stand


@dataclass
class Night:
    """A cold cluster in which some Kustomizations fail for as long as nobody mends it, and look again in an hour."""

    run: Story
    ill: dict[str, Failure]
    seen: int = 0
    ends: list[Ended] = field(default_factory=list)

    def session(self) -> Ended:
        """Begin, or resume."""
        self.seen = len(self.run.book.entries()) if self.run.opened else 0
        ended = self.run.session()
        assert ended is not None
        self.ends.append(ended)
        return ended

    def lasted(self) -> float:
        """Return how many seconds the last session took."""
        begun = self.run.book.entries()[self.seen]
        return self.ends[-1].memory.now - begun.at

    def woken(self) -> list[str]:
        """Name what the last session woke since a person resumed, in the order in which it did."""
        new = (x for x in self.run.book.entries()[self.seen :] if isinstance(x, e.ActionIntended))
        return [x.target for x in new if str(x.arguments.get("cause")).startswith("resumed:")]


Begin = Callable[..., Night]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Begin:
    def night(**ill: Failure) -> Night:
        broken = {name.replace("__", "/").replace("_", "-"): told for name, told in ill.items()}
        before = Kustomizations._attempt

        def attempt(self: Kustomizations, key: str, spec: Any) -> Any:  # noqa: ANN401
            if key not in broken:
                return (yield from before(self, key, spec))
            self._show(key, "Building manifests")
            yield 1.0
            return broken[key]

        monkeypatch.setattr(Kustomizations, "_attempt", attempt)
        found = scenario("cold")
        tree = load_tree(Path(found.tree))
        slow = {key: replace(spec, retry=3600.0) for key, spec in tree.kustomizations.items()}
        file = tmp_path / "slow.yaml"
        file.write_text(yaml.safe_dump(msgspec.to_builtins(replace(tree, kustomizations=slow))))
        run, _ = story("cold", found=replace(found, tree=str(file)), operator=found.operator)
        return Night(run, broken)

    return night


def stuck_for(ended: Ended) -> list[str]:
    """Name the rules that the run is stuck for."""
    stuck = {s for s, body in ended.memory.answers.items() if body["answer"] == "stuck"}
    return sorted({f.rule for f in ended.memory.findings.values() if f.subject in stuck})


@pytest.mark.parametrize(("rule", "failure"), CAUSES)
def test_what_was_mended_before_the_resume_is_woken_and_recovered(
    begin: Begin, rule: str, failure: Failure
) -> None:
    night = begin(storage__rook=failure)
    first = night.session()
    assert (first.outcome, stuck_for(first), night.woken()) == ("stuck", [rule], [])

    night.ill.clear()
    ended = night.session()

    assert ended.outcome == "done"
    assert night.woken() == [f"kustomization/{ROOK}"]
    assert night.lasted() < 900


@pytest.mark.parametrize(("rule", "failure"), CAUSES)
def test_what_was_not_mended_is_woken_once_for_each_resume_and_said_again_soon(
    begin: Begin, rule: str, failure: Failure
) -> None:
    night = begin(storage__rook=failure)
    night.session()

    for _ in range(2):
        again = night.session()

        assert (again.outcome, stuck_for(again)) == ("stuck", [rule])
        assert night.woken() == [f"kustomization/{ROOK}"]
        assert night.lasted() < AT_ONCE_SECONDS
    night.ill.clear()

    assert night.session().outcome == "done"


def test_all_that_missed_one_secret_are_woken_the_longest_chain_first(begin: Begin) -> None:
    missing = Failure("BuildFailed", NO_AGE)
    night = begin(storage__rook=missing, external_secrets__external_secrets=missing)
    assert stuck_for(night.session()) == ["K8"]

    night.ill.clear()
    ended = night.session()

    assert ended.outcome == "done"
    assert night.woken() == [f"kustomization/{SECRETS}", f"kustomization/{ROOK}"]


def test_another_cause_than_what_was_mended_is_not_woken_for_the_same_resume(begin: Begin) -> None:
    """The right key is there, and what it opens may not be applied: that is the next word of a person."""
    night = begin(storage__rook=Failure("BuildFailed", NO_KEY))
    night.session()

    night.ill[ROOK] = Failure("ReconciliationFailed", DENIED)
    ended = night.session()

    assert stuck_for(ended) == ["K12"]
    assert night.woken() == [f"kustomization/{ROOK}"]


def test_a_quiet_cluster_is_stuck_as_soon_as_a_busy_one(begin: Begin) -> None:
    """Nothing happens in it for an hour, so that only an alarm has the run thought over. Mutant: no ``alarmed``."""
    night = begin(storage__rook=Failure("BuildFailed", NO_KEY))
    night.session()
    night.run.pass_time(60.0)
    night.run.cancel_and_begin_anew()

    ended = night.session()

    assert stuck_for(ended) == ["K7"]
    assert ended.memory.now - ended.memory.opened_at < STANDING_SECONDS + 1


def test_who_goes_on_after_a_process_that_died_has_mended_nothing(begin: Begin) -> None:
    night = begin(storage__rook=Failure("BuildFailed", NO_KEY))
    assert night.run.session(Death("after-next", 40)) is None

    night.session()

    assert night.woken() == []
