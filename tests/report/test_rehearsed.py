"""
Promise: a report's times are the simulator's own, to the second, and no row of it is empty.

Mutants that turn it red: take ``row.wall_ns`` for an instant in ``Follower.see``; let ``Stays.move`` begin a stay at
the opening; leave ``_after_reset`` out of ``metrics``; take ``_pods`` out of ``validation``; forget the approval in
``Doings._intend``.
"""

from __future__ import annotations

from itertools import pairwise

from journal import entries as e
from journal.reader import Reader
from rekindle.report.story import PROVEN, WHOLE
from tests.report.conftest import Night

MILESTONE_TESTS = [
    "Node connectivity",
    "Talos health check",
    "Kubernetes API availability",
    "Pod count restoration",
]
MILESTONE_METRICS = {
    "Initial pod count": 104.0,
    "Post-incident pod count": 2.0,
    "Post-reset pod count": 2.0,
    "Target pod count": 104.0,
    "Reached pod count": 104.0,
}
EXISTING = {  # the night's own document: 23 were left; what Git says is no count of what exists
    "Initial pod count": None,
    "Post-incident pod count": 23,
    "Post-reset pod count": 23,
    "Target pod count": None,
    "Reached pod count": 104,
}
SECOND = 0.5


def test_its_durations_are_those_of_the_simulators_own_clock(night: Night) -> None:
    story, clock = night.story, night.cluster.loop.now
    started = night.cluster.scenario.start.timestamp()

    assert abs(story.run.opened - started) < SECOND
    assert story.run.ended is not None
    assert abs(story.run.ended - clock) < SECOND
    assert abs(story.run.seconds - (clock - started)) < SECOND


def test_stays_follow_each_other_without_a_gap_and_add_up(night: Night) -> None:
    stays = night.story.stays

    assert stays[0].begun == night.story.run.opened
    assert [one.ended for one, _ in pairwise(stays)] == [two.begun for _, two in pairwise(stays)]
    spans = [stay.ended - stay.begun for stay in stays if stay.ended is not None]
    assert abs(sum(spans) - night.story.run.seconds) < 0.001
    assert [stay.state for stay in stays] == [
        "node-maintenance",
        "talos-ready",
        "cni-up",
        "flux-synced",
        "pods-healthy",
        "done",
    ]


def test_the_path_and_the_ledger_add_up_to_the_run(night: Night) -> None:
    ledger = night.story.ledger

    assert ledger is not None
    waits = sum(wait.seconds for wait in ledger.waits if not wait.beside)
    assert abs(ledger.useful + ledger.unknown + waits - night.story.run.seconds) < 0.01
    path = sum(step.ended - step.begun for step in ledger.path)
    assert abs(path - night.story.run.seconds) < 0.01
    assert ledger.ratio is not None


def test_every_row_of_validation_is_filled_and_proven(night: Night) -> None:
    checks = night.story.validation

    assert [check.what for check in checks[:4]] == MILESTONE_TESTS
    assert {check.verdict for check in checks} == {PROVEN}
    assert all(check.evidence for check in checks)
    assert all(check.at is not None for check in checks)
    assert "104 of 104" in checks[3].evidence


def test_every_row_of_the_metrics_is_filled(night: Night) -> None:
    rows = night.story.metrics

    assert {row.name: row.number for row in rows[:5]} == MILESTONE_METRICS
    assert {row.name: row.existing for row in rows[:5]} == EXISTING
    assert rows[1].value == "23 existing, 2 Ready"
    assert all(row.value and row.why for row in rows)
    there = next(row for row in rows if row.name == "There at the first look")
    assert there.value == (
        "3 of 3 nodes, 5 of 13 namespaces, 8 of 24 CRDs, 0 of 49 Kustomizations, 0 of 31 HelmReleases, "
        "9 of 46 Deployments, 2 of 8 StatefulSets, 3 of 7 DaemonSets"
    )
    reached = next(row for row in rows if row.name == "Reached pod count")
    assert reached.at == max(point.at for point in night.story.pods)


def test_what_broke_first_is_told_by_the_clusters_own_instants(night: Night) -> None:
    signs = night.story.first_signs

    assert signs[0].subject == "namespace/storage"
    assert signs[0].at is not None
    assert round(night.story.run.opened - signs[0].at) == 2 * 3600 + 6 * 60
    assert "kustomization/flux-system/cluster-apps" in {sign.subject for sign in signs}


def test_what_was_destroyed_names_who_allowed_it(night: Night) -> None:
    costly = [action for action in night.story.actions if action.destroys]
    approvals = {approval.approval: approval for approval in night.story.approvals}

    assert sorted(action.name for action in costly) == [
        "CephBlockPool storage/database",
        "CephBlockPool storage/replicapool",
        "CephBlockPool storage/scratch",
    ]
    for action in costly:
        approval = approvals[action.approval]
        assert approval.actor == "scenario"
        assert approval.answered is not None
        assert approval.answered <= action.intended
        assert action.action in approval.actions
        assert approval.typed in action.name


def test_every_action_of_the_journal_is_in_it(night: Night) -> None:
    with Reader(night.path) as reader:
        entries = [row.entry for row in reader.rows()]
    intents = [entry.action for entry in entries if isinstance(entry, e.ActionIntended)]
    settled = {
        entry.action: entry.outcome.value for entry in entries if isinstance(entry, e.ActionSettled)
    }

    assert [action.action for action in night.story.actions] == intents
    assert {action.action: action.outcome for action in night.story.actions} == settled


def test_the_roots_of_the_verdict_stand_in_it_with_their_evidence(night: Night) -> None:
    story = night.story
    roots = {cause.id: cause for cause in story.causes if cause.at_verdict}

    assert set(story.verdict.roots) == set(roots)
    assert {cause.rule for cause in roots.values()} == {"C4", "N6", "T16"}
    assert all(cause.evidence and cause.cleared is not None for cause in roots.values())
    assert {edge.blocker for edge in story.verdict.edges if edge.root} == {
        cause.subject for cause in roots.values()
    }


def test_it_says_what_it_is_and_what_it_is_not(night: Night) -> None:
    story = night.story

    assert story.chain.verdict == WHOLE
    assert (story.run.status, story.run.simulated) == ("Complete", True)
    assert all(goal.reached for goal in story.goals)
    assert any("real cluster" in sentence for sentence in story.unproven)
    assert any("owned by nobody" in sentence for sentence in story.unproven)
