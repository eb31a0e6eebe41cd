"""The threads that look outlive whatever they meet, and say that they do not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from phases.snapshot import NodeLook, Seen, Unseen
from rekindle.adapters import apiserver, authorities, gitops, nodes, revisions
from rekindle.adapters.apiserver import ApiPoller, ApiReport, Disconnected, KubeconfigReport
from rekindle.adapters.nodes import NodePoller, NodeReport
from rekindle.adapters.revisions import RevisionPoller, RevisionReport
from rekindle.adapters.tls_probe import CONFIGURED, Probed
from tests.adapters.conftest import until_true, write_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from journal.entries import Json
    from rekindle.adapters.talos import NodeEye

ODD = "our own mistake: RecursionError"


class Failing:
    """Fails at its second use, and at no other."""

    def __init__(self, value: Json) -> None:
        self.value = value
        self.used = 0

    def __call__(self, *arguments: Json) -> Json:
        del arguments
        self.used += 1
        if self.used == 2:
            raise RecursionError("hunter2")
        return self.value


class Eye:
    """Sees a node, but not always."""

    def __init__(self) -> None:
        self.probe = Failing(Probed(CONFIGURED))

    def look(self, probed: Probed) -> Seen[NodeLook]:
        del probed
        return Seen(NodeLook("running"), 5.0)


def test_a_node_poller_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: take ``outliving`` out of the loop."""
    monkeypatch.setattr(nodes, "POLL_SECONDS", 0.02)
    reports: list[NodeReport] = []
    poller = NodePoller("cp-1", cast("NodeEye", Eye()), reports.append)
    poller.start()
    until_true(lambda: len(reports) >= 3)
    poller.stop()
    poller.join(3.0)

    seen = Seen(NodeLook("running"), 5.0)
    assert [report.look for report in reports[:3]] == [seen, Unseen(5.0, "odd", ODD), seen]


def test_a_revision_poller_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Mutant: take ``outliving`` out of the loop."""
    monkeypatch.setattr(revisions, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(gitops, "revision", Failing("abc"))
    reports: list[RevisionReport] = []
    poller = RevisionPoller(tmp_path, reports.append)
    poller.start()
    until_true(lambda: len(reports) >= 3)
    poller.stop()
    poller.join(3.0)

    assert [report.revision for report in reports[:3]] == ["abc", "", "abc"]


def test_an_api_poller_goes_on_and_judges_the_file_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Mutants: take ``outliving`` off the file; remember the digest of a file that was not judged."""
    monkeypatch.setattr(apiserver, "POLL_SECONDS", 0.02)
    judge = Failing("")
    judge.used = 1
    monkeypatch.setattr(authorities, "of_kubeconfig", judge)
    reports: list[object] = []
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")
    poller = ApiPoller(kubeconfig, {}, lambda: "", reports.append, clock=lambda: 5.0)
    poller.start()
    until_true(lambda: len([r for r in reports if isinstance(r, KubeconfigReport)]) >= 2)
    poller.stop()
    poller.join(3.0)

    first, second = [r.look for r in reports if isinstance(r, KubeconfigReport)][:2]
    assert first == Unseen(0.0, "odd", ODD)
    assert isinstance(second, Seen)
    assert second.value.state == "ours"
    assert Disconnected(5.0, "odd", ODD) in reports


def test_an_api_poller_outlives_an_odd_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Mutant: take ``outliving`` off the API."""
    monkeypatch.setattr(apiserver, "POLL_SECONDS", 0.02)
    odd = Failing(("refused", "nobody"))
    monkeypatch.setattr(ApiPoller, "_find_base", odd)
    reports: list[object] = []
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")
    poller = ApiPoller(kubeconfig, {}, lambda: "", reports.append)
    poller.start()
    until_true(lambda: len([r for r in reports if isinstance(r, ApiReport)]) >= 3)
    poller.stop()
    poller.join(3.0)

    looks = [r.look for r in reports if isinstance(r, ApiReport)][:3]
    assert [look.why if isinstance(look, Unseen) else "" for look in looks] == [
        "nobody",
        ODD,
        "nobody",
    ]
