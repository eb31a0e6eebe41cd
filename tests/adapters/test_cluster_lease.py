"""
The lease in the cluster: one of two has it; who died loses it by our own clock; who ends in order leaves it free.

Mutants: take a lease that is another's; compare the other's clock with ours; count the time from the renewal and not
from when we saw it; leave the resourceVersion out; take a conflict for success; let go of what is not ours; keep it at
the end; tell a refusal as nobody's lease; begin before whoever is asked has answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from phases.snapshot import OperatorLook, Seen, Unseen
from rekindle.adapters.apiserver import ApiPoller
from rekindle.adapters.cluster_lease import DURATION_SECONDS, LeaseKeeper
from tests.adapters.conftest import until_true, write_kubeconfig
from tests.adapters.leases import ONE, Stored
from tests.adapters.scripted import Answer, Streamed, listed, refused, status_object

if TYPE_CHECKING:
    from pathlib import Path

    from journal.entries import Json
    from rekindle.adapters.cluster_lease import OperatorReport
    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

OURS, THEIRS = "me@here (a.db)", "you@there (b.db)"


@dataclass
class Times:
    wall: float = 1_000_000.0
    steady: float = 50.0


@pytest.fixture
def stored(scripted: ScriptedApi) -> Stored:
    found = Stored()
    found.serve(scripted)
    return found


@pytest.fixture
def times() -> Times:
    return Times()


def keeper(api: Api, times: Times, holder: str = OURS, **more: Any) -> LeaseKeeper:  # noqa: ANN401
    told: list[OperatorReport] = more.pop("told", [])
    return LeaseKeeper(
        api, holder, told.append, clock=lambda: times.wall, steady=lambda: times.steady, **more
    )


def whose(look: Seen[OperatorLook] | Unseen) -> tuple[str, bool]:
    assert isinstance(look, Seen), look
    return look.value.holder, look.value.ours


def theirs(**more: Json) -> dict[str, Any]:
    return {
        "holderIdentity": THEIRS,
        "leaseDurationSeconds": 60,
        "renewTime": "1999-01-01T00:00:00.000000Z",
        "acquireTime": "1999-01-01T00:00:00.000000Z",
        "leaseTransitions": 4,
        **more,
    }


def test_a_lease_that_nobody_has_is_made_and_renewed(
    api: Api, stored: Stored, times: Times
) -> None:
    mine = keeper(api, times)

    assert whose(mine.look()) == (OURS, True)
    first = stored.writes[0]
    times.wall += 10
    assert whose(mine.look()) == (OURS, True)
    second = stored.writes[1]

    assert first["leaseDurationSeconds"] == DURATION_SECONDS
    assert first["acquireTime"] == second["acquireTime"] == first["renewTime"]
    assert second["renewTime"] > first["renewTime"]
    assert (first["leaseTransitions"], second["leaseTransitions"]) == (0, 0)


def test_what_another_has_is_theirs_until_it_stood_still_for_as_long_as_it_lasts(
    api: Api, stored: Stored, times: Times
) -> None:
    """Their clock is decades behind: it is not compared with ours."""
    stored.spec = theirs()
    mine = keeper(api, times)

    assert whose(mine.look()) == (THEIRS, False)
    times.steady += 59
    assert whose(mine.look()) == (THEIRS, False)
    times.steady += 2
    assert whose(mine.look()) == (OURS, True)
    assert stored.writes[0]["leaseTransitions"] == 5


def test_whoever_renews_keeps_it(api: Api, stored: Stored, times: Times) -> None:
    mine = keeper(api, times)
    for second in range(0, 300, 30):
        stored.spec = theirs(renewTime=f"1999-01-01T00:0{second // 60}:{second % 60:02d}.000000Z")
        assert whose(mine.look()) == (THEIRS, False)
        times.steady += 30

    assert stored.writes == []


def test_a_lease_that_was_let_go_of_is_taken_at_once(
    api: Api, stored: Stored, times: Times
) -> None:
    stored.spec = theirs(holderIdentity="")

    assert whose(keeper(api, times).look()) == (OURS, True)


def test_of_two_at_the_same_moment_one_has_it(api: Api, stored: Stored, times: Times) -> None:
    """The second read it before the first wrote: its write is of a version that is gone."""
    stored.spec = theirs(holderIdentity="")
    mine, other = keeper(api, times), keeper(api, times, THEIRS)
    read = other._read

    def late() -> Any:  # noqa: ANN401
        found = read()
        other._read = read  # type: ignore[method-assign]
        mine.look()
        return found

    other._read = late  # type: ignore[method-assign]

    assert whose(other.look()) == (OURS, False)
    assert [one["holderIdentity"] for one in stored.writes] == [OURS]


@pytest.mark.usefixtures("stored")
def test_of_two_that_make_it_one_has_it(api: Api, times: Times) -> None:
    other = keeper(api, times, THEIRS)
    read = other._read

    def late() -> Any:  # noqa: ANN401
        found = read()
        other._read = read  # type: ignore[method-assign]
        keeper(api, times).look()
        return found

    other._read = late  # type: ignore[method-assign]

    assert whose(other.look()) == (OURS, False)


@pytest.mark.usefixtures("stored")
def test_a_run_that_was_killed_has_it_again_at_once(api: Api, times: Times) -> None:
    keeper(api, times).look()

    assert whose(keeper(api, times).look()) == (OURS, True)


def test_a_refusal_is_no_answer(api: Api, scripted: ScriptedApi, times: Times) -> None:
    scripted.on(ONE, refused(403, "leases is forbidden"))

    look = keeper(api, times).look()

    assert isinstance(look, Unseen)
    assert look.code == "denied"


def test_an_api_that_goes_away_takes_nobodys_lease_away(
    api: Api, scripted: ScriptedApi, stored: Stored, times: Times
) -> None:
    stored.spec = theirs()
    mine = keeper(api, times)
    mine.look()
    scripted.on(ONE, refused(503, "no leader"))

    times.steady += 59
    assert whose(mine.look()) == (THEIRS, False)
    times.steady += 2
    assert isinstance(mine.look(), Unseen)


def test_what_is_no_lease_is_no_answer(api: Api, scripted: ScriptedApi, times: Times) -> None:
    scripted.on(ONE, Answer(b'{"kind": "Lease", "spec": []}'))

    look = keeper(api, times).look()

    assert isinstance(look, Unseen)
    assert look.code == "odd"


@pytest.mark.parametrize(("lets_go", "left"), [(True, ""), (False, OURS)])
def test_at_the_end_it_is_free_unless_something_still_runs(
    lets_go: bool,  # noqa: FBT001
    left: str,
    api: Api,
    stored: Stored,
    times: Times,
) -> None:
    told: list[OperatorReport] = []
    mine = keeper(api, times, told=told, renew_seconds=0.01)
    mine.start()
    until_true(lambda: told)
    mine.stop(let_go=lets_go)
    mine.join(5.0)

    assert stored.spec is not None
    assert stored.spec["holderIdentity"] == left


def test_what_is_theirs_is_not_let_go_of(api: Api, stored: Stored, times: Times) -> None:
    stored.spec = theirs()
    told: list[OperatorReport] = []
    mine = keeper(api, times, told=told, renew_seconds=0.01)
    mine.start()
    until_true(lambda: told)
    mine.stop()
    mine.join(5.0)

    assert stored.writes == []


def poller(scripted: ScriptedApi, folder: Path, told: list[Any]) -> ApiPoller:
    scripted.on("/api/v1/namespaces", listed("Namespace", []))
    scripted.on("/api/v1/namespaces?watch", Streamed())
    kubeconfig = write_kubeconfig(folder / "kubeconfig", scripted.url)
    return ApiPoller(kubeconfig, {}, str, told.append)


def test_who_acts_asks_for_it_and_who_looks_does_not(
    scripted: ScriptedApi, stored: Stored, tmp_path: Path
) -> None:
    told: list[Any] = []
    looks = poller(scripted, tmp_path, told)
    looks.start()
    until_true(lambda: any(getattr(one, "kind", "") == "Namespace" for one in told))
    looks.stop()
    looks.join(5.0)
    assert not scripted.asked_for(ONE)

    acts = poller(scripted, tmp_path, told)
    acts.start()
    acts.claim(OURS)  # a first run is looked at, and asked about, before it may act
    until_true(lambda: stored.writes)
    acts.stop()
    acts.join(5.0)
    assert [one["holderIdentity"] for one in stored.writes] == [OURS, ""]


def test_another_status_than_a_conflict_is_told(
    api: Api, scripted: ScriptedApi, stored: Stored, times: Times
) -> None:
    stored.spec = theirs(holderIdentity="")
    scripted.on(ONE, Answer(status_object(500, "etcd"), 500), method="PUT")

    look = keeper(api, times).look()

    assert isinstance(look, Unseen)
    assert look.code == "odd"
