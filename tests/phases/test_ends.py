"""
The second end of a cause: it wakes who failed for it again, and nobody else.

Mutants, each killed here: ``key_of`` returns the first key always; without the instant of the end, or of the failure;
without ``told``; dates what was not seen before; leaves out a family of ``_shows_end``; the first key for whatever was
woken after; without ``steady_from``, or any of its instants; ``is_handled`` by equality alone, by any token, or by one
without a zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act, Answer, Wait
from engine.folding import fold_all
from engine.memory import Attempt, Memory
from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases import flux_synced
from phases.ends import STEADY_SECONDS, is_handled
from phases.nudges import CONFIRM_SECONDS
from phases.verbs import NUDGE
from tests.phases.making import START, fact, facts, opened, plan

APPS, WEB = "kustomization/flux-system/apps", "helmrelease/apps/web"
PLAN = plan()
Said = str | dict[str, Any]
WELL = {
    "deployment/flux-system/source-controller": "Ready",
    "deployment/flux-system/kustomize-controller": "Ready",
    "deployment/flux-system/helm-controller": "Ready",
    "gitrepository/flux-system/flux-system": {"code": "Ready", "detail": {"revision": "main@1"}},
    "namespace/apps": "Ready",
    "crd/gadgets.example.com": "Ready",
    "crd/widgets.example.com": "Ready",
    "kustomization/flux-system/cluster": "Ready",
    "helmrelease/apps/web": "Ready",
    "store/vault": "Ready",
    "externalsecret/apps/login": "Ready",
}
HOOK = {
    "validatingwebhookconfiguration/checks": {
        "code": "Seen",
        "detail": {
            "kind": "ValidatingWebhookConfiguration",
            "name": "checks",
            "uid": "h1",
            "owner": "",
            "webhooks": {"checks.example.com": "apps/web"},
            "services": ["apps/web"],
        },
    }
}
SERVED = {
    "kind": "APIService",
    "name": "v1.example.com",
    "uid": "a1",
    "owner": "",
    "api": "example.com/v1",
    "services": ["apps/web"],
}
KIND = {"kind": "Widget", "group": "example.com"}
# The cause, what shows its end, and how that is while the cause stands and once it has ended.
CAUSES = [
    pytest.param("namespace:apps", "namespace/apps", "Terminating", "Absent", id="namespace"),
    pytest.param("namespace-gone:apps", "namespace/apps", "Terminating", "Ready", id="gone"),
    pytest.param("namespace-missing:apps", "namespace/apps", "Absent", "Ready", id="missing"),
    pytest.param(
        "kind:Widget.example.com",
        "crd/widgets.example.com",
        {"code": "Absent"},
        {"code": "Ready", "detail": KIND},
        id="kind",
    ),
    pytest.param(
        "health:Deployment/apps/web,StatefulSet/apps/db",
        "deployment/apps/web",
        "Progressing",
        "Ready",
        id="health",
    ),
    pytest.param(
        "webhook:checks.example.com", "deployment/apps/web", "Progressing", "Ready", id="webhook"
    ),
    pytest.param(
        "api:example.com/v1",
        "apiservice/v1.example.com",
        {"code": "Blocked", "detail": SERVED},
        {"code": "Ready", "detail": SERVED},
        id="api",
    ),
]
NAMESPACE = ("namespace:apps", "namespace/apps", "Terminating", "Absent")


@dataclass
class Night:
    """A cluster in which *subject* fails for *cause*; instants are seconds after the start."""

    cause: str
    shows: str
    ill: Said
    well: Said
    subject: str = APPS
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        known = facts(
            {**WELL, **HOOK, APPS: "Ready", "statefulset/apps/db": "Ready", self.shows: self.ill}
        )
        self.memory = fold_all(self.memory, [opened(PLAN)])
        self.look(0, {subject: replace(f, since=START) for subject, f in known.items()})
        self.fails(10)

    def look(self, at: float, changed: dict[str, Fact], *gone: str) -> None:
        self._fold(e.Observed(at=START + at, changed=changed, removed=gone))

    def _fold(self, *entries: AnyEntry) -> None:
        self.memory = fold_all(self.memory, entries)

    def turns(self, at: float, said: Said) -> None:
        """Show what shows the end of the cause, dated by the look as the engine does."""
        self.look(at, {self.shows: replace(fact(self.shows, said), since=START + at)})

    def fails(self, at: float, **detail: Any) -> None:  # noqa: ANN401
        said = {"code": "Blocked", "reason": "no", "detail": {"cause": self.cause, **detail}}
        self.look(at, {self.subject: replace(fact(self.subject, said), since=START + at)})

    def answer(self, at: float) -> Answer:
        self._fold(e.Note(at=START + at, text="", actor=""))
        return flux_synced.decide(PLAN, self.memory.facts, {}, self.memory)[self.subject]

    def is_woken(self, at: float, outcome: e.Outcome = e.Outcome.DONE) -> Act:
        """Do what is wished."""
        act = self.answer(at)
        assert isinstance(act, Act), act
        begun = e.ActionIntended(
            at=START + at,
            action=f"n{at}",
            verb=NUDGE,
            target=self.subject,
            attempt=1,
            epoch=1,
            deadline_seconds=15.0,
            arguments=act.arguments,
        )
        ended = e.ActionSettled(
            at=START + at, action=f"n{at}", verb=NUDGE, target=self.subject, outcome=outcome
        )
        self._fold(begun, ended)
        return act

    def is_woken_in_vain(self) -> Act:
        """Be woken after the first end, and fail again for the same cause."""
        self.turns(100, self.well)
        act = self.is_woken(101)
        self.fails(110, handled_at=act.arguments["requested_at"])
        return act


@pytest.mark.parametrize(("cause", "shows", "ill", "well"), CAUSES)
def test_who_fails_again_is_woken_after_the_second_end(
    cause: str, shows: str, ill: Said, well: Said
) -> None:
    night = Night(cause, shows, ill, well)
    first = night.is_woken_in_vain()
    assert "@" not in str(first.arguments["once"])

    night.turns(200, ill)
    assert isinstance(night.answer(210), Wait)
    night.turns(300, well)
    second = night.is_woken(301)

    assert second.arguments["once"] == f"{first.arguments['once']}@{START + 300:.0f}"
    assert second.arguments["cause"] == cause


@pytest.mark.parametrize(("cause", "shows", "ill", "well"), CAUSES)
def test_who_fails_again_for_what_is_over_is_let_be(
    cause: str, shows: str, ill: Said, well: Said
) -> None:
    """A CRD is served, and the controller's own discovery is old: another attempt would fail as well."""
    night = Night(cause, shows, ill, well)
    night.is_woken_in_vain()

    assert isinstance(night.answer(500), Wait)


def test_what_comes_and_goes_wakes_nobody_who_has_not_failed_since() -> None:
    night = Night(*NAMESPACE)
    night.turns(100, night.well)
    night.is_woken(101)

    for at in (200, 400):
        night.turns(at, night.ill)
        night.turns(at + 100, night.well)

        assert isinstance(night.answer(at + 101), Wait)


def test_what_is_dated_by_who_asks_for_it_wakes_nobody_again() -> None:
    """A namespace in no inventory has a fact only while something fails for it: each failure makes it anew."""
    night = Night(*NAMESPACE)
    night.is_woken_in_vain()

    night.look(120, {}, night.shows)
    night.turns(130, night.well)

    assert isinstance(night.answer(131), Wait)


def test_each_end_wakes_once() -> None:
    night = Night(*NAMESPACE)
    keys = [night.is_woken_in_vain().arguments["once"]]
    for at in (200.0, 400.0, 600.0):
        night.turns(at, night.ill)
        night.fails(at + 50)
        night.turns(at + 100, night.well)
        act = night.is_woken(at + 101)
        keys.append(act.arguments["once"])
        night.fails(at + 110, handled_at=act.arguments["requested_at"])

        assert isinstance(night.answer(at + 120), Wait)
    assert len(set(keys)) == 4


def test_a_release_whose_objects_go_after_each_attempt_is_not_reset_for_ever() -> None:
    """Helm takes back what failed, and takes with it what was waited for."""
    night = Night("health:Deployment/apps/web", "deployment/apps/web", "Progressing", "Absent", WEB)
    first = night.is_woken_in_vain()
    assert str(first.arguments["once"]).endswith("@gone")
    night.turns(200, night.ill)
    night.turns(300, night.well)

    assert isinstance(night.answer(301), Wait)


def test_a_failure_in_the_second_of_the_nudge_is_known_by_its_token() -> None:
    night = Night(*NAMESPACE)
    night.turns(100, night.well)
    act = night.is_woken(101.5)
    night.fails(101, handled_at=act.arguments["requested_at"])
    night.turns(200, night.ill)
    night.turns(300, night.well)

    assert isinstance(night.answer(301), Act)


def test_a_second_nudge_that_never_arrived_is_repeated_and_is_the_same() -> None:
    night = Night(*NAMESPACE)
    night.is_woken_in_vain()
    night.turns(200, night.ill)
    night.turns(300, night.well)
    lost = night.is_woken(301, e.Outcome.FAILED)

    again = night.is_woken(310)

    assert again.arguments["once"] == lost.arguments["once"]


def test_a_second_nudge_is_waited_for_like_the_first() -> None:
    night = Night(*NAMESPACE)
    night.is_woken_in_vain()
    night.turns(200, night.ill)
    night.turns(300, night.well)
    night.is_woken(301)

    early, late = night.answer(310), night.answer(301 + CONFIRM_SECONDS)

    assert isinstance(early, Wait)
    assert "no controller has taken it up yet" in early.reason
    assert isinstance(late, Wait)
    assert "its workers are all busy" in late.reason


API = ("apiserver:unavailable", "api", "down", "up")


def test_who_failed_for_the_api_server_is_woken_once_that_has_answered_for_a_while() -> None:
    """Nobody has seen it go: a change of etcd's leader is over in a second."""
    night = Night(*API)
    night.turns(5, "up")
    night.fails(10)

    early = night.answer(10 + STEADY_SECONDS - 1)

    assert isinstance(early, Wait)
    assert early.until == START + 10 + STEADY_SECONDS
    assert isinstance(night.answer(10 + STEADY_SECONDS), Act)


@pytest.mark.parametrize("etcd", ["healthy", ""])
def test_the_while_begins_once_the_api_server_is_back(etcd: str) -> None:
    night = Night(*API)
    if etcd:
        night.look(0, {"etcd": Fact(etcd)})
    assert isinstance(night.answer(50), Wait)
    night.turns(100, "up")

    early = night.answer(100 + STEADY_SECONDS - 1)

    assert isinstance(early, Wait)
    assert early.until == START + 100 + STEADY_SECONDS
    assert isinstance(night.answer(100 + STEADY_SECONDS), Act)


@pytest.mark.parametrize("code", ["partial", "down", "unknown"])
def test_an_api_server_that_does_not_answer_wakes_nobody(code: str) -> None:
    night = Night("apiserver:unavailable", "api", "down", code)
    night.turns(20, code)

    told = night.answer(500)

    assert isinstance(told, Wait)
    assert told.until is None


def test_an_etcd_that_is_not_well_wakes_nobody() -> None:
    night = Night(*API)
    night.turns(20, "up")
    night.look(20, {"etcd": Fact("forming", since=START + 20)})
    assert isinstance(night.answer(500), Wait)

    night.look(600, {"etcd": Fact("healthy", since=START + 600)})

    assert isinstance(night.answer(600 + STEADY_SECONDS - 1), Wait)
    assert isinstance(night.answer(600 + STEADY_SECONDS), Act)


def test_who_fails_for_an_api_server_that_never_went_is_woken_once() -> None:
    night = Night(*API)
    night.turns(5, "up")
    night.fails(10)
    act = night.is_woken(50)
    night.fails(60, handled_at=act.arguments["requested_at"])

    assert isinstance(night.answer(1000), Wait)


@pytest.mark.parametrize(
    ("shows", "ill", "well"), [("api", "down", "up"), ("etcd", "forming", "healthy")]
)
def test_who_fails_for_it_again_is_woken_again_once_it_came_back(
    shows: str, ill: Said, well: Said
) -> None:
    night = Night("apiserver:unavailable", shows, ill, well)
    if shows != "api":
        night.look(0, {"api": Fact("up", since=START)})
    night.turns(100, well)
    first = night.is_woken(150)
    night.fails(160, handled_at=first.arguments["requested_at"])
    night.turns(200, ill)
    night.turns(300, well)

    second = night.is_woken(350)

    assert second.arguments["once"] == f"{first.arguments['once']}@{START + 300:.0f}"


ASKED = "2026-06-12T08:00:00+00:00#r1#namespace:apps"
ASKED_AT = 1781251200.0
HANDLED = [
    pytest.param({"handled_at": ASKED}, True, id="ours"),
    pytest.param({"handled_foreign": "2026-06-12T08:00:05.123456789Z"}, True, id="later"),
    pytest.param({"handled_foreign": "2026-06-12T10:00:05+02:00"}, True, id="later elsewhere"),
    pytest.param({"handled_foreign": "1781251205"}, True, id="later in seconds"),
    pytest.param({"handled_at": "2026-06-12T08:00:05+00:00#r2#c"}, True, id="another run's"),
    pytest.param({"handled_foreign": "2026-06-12T07:59:59Z"}, False, id="before"),
    pytest.param({"handled_foreign": "1781251199"}, False, id="before in seconds"),
    pytest.param({"handled_at": "2026-06-12T07:59:59+00:00#r2#c"}, False, id="a run's before"),
    pytest.param({"handled_foreign": "2026-06-12T09:00:05"}, False, id="without a zone"),
    pytest.param({"handled_foreign": "17812512050000"}, False, id="no seconds"),
    pytest.param({"handled_foreign": "now"}, False, id="no instant"),
    pytest.param({}, False, id="none"),
]


@pytest.mark.parametrize(("detail", "expected"), HANDLED)
def test_a_later_token_is_an_answer_to_ours_as_well(
    detail: dict[str, Any], *, expected: bool
) -> None:
    """A person's token takes the place of ours; it was said that no controller had taken ours up."""
    asked = Attempt("a1", NUDGE, APPS, 1, 1, ASKED_AT, 15.0, {"requested_at": ASKED})

    assert is_handled(Fact("Blocked", detail=detail), asked) is expected


def test_who_handled_a_later_token_is_not_said_to_be_down() -> None:
    night = Night(*NAMESPACE)
    night.turns(100, night.well)
    night.is_woken(101)
    night.fails(110, handled_foreign=str(START + 105))

    told = night.answer(101 + CONFIRM_SECONDS)

    assert isinstance(told, Wait)
    assert told.reason == "woken after namespace:apps cleared; no"
