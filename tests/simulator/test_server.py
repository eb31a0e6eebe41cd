"""A world in a process of its own outlives its clients, and survives its own death in its log."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phases.snapshot import Seen
from rekindle.simulator import client as clients
from rekindle.simulator.client import (
    RemoteWorld,
    WorldAddress,
    connect,
    connect_or_spawn,
    new_socket,
)
from rekindle.simulator.errors import WorldBusy, WorldGone
from rekindle.simulator.scenario import find_scenario
from tests.simulator.worlds import DATA, intent, small


@pytest.fixture
def address(tmp_path: Path) -> Iterator[WorldAddress]:
    found = WorldAddress(
        "w1", str(DATA / "small-june.yaml"), 3, new_socket(), str(tmp_path / "j.world-w1.jsonl")
    )
    yield found
    for process in clients._SPAWNED:
        process.kill()
        process.wait()
    clients._SPAWNED.clear()
    Path(found.socket).unlink(missing_ok=True)
    if Path(found.socket).parent.is_dir():
        Path(found.socket).parent.rmdir()


def _begin_cni(world: RemoteWorld) -> None:
    begun = intent(small("june"), "a", "command.run", "command/cni", command="cni")
    world.start(begun)
    for _ in range(8):
        world.next(None)


def _pid() -> int:
    return clients._SPAWNED[-1].pid


def test_a_remote_world_shows_what_a_local_one_shows(address: WorldAddress) -> None:
    local = small("june", seed=3)
    remote = connect_or_spawn(address)

    assert remote.identity() == local.identity()
    assert remote.look() == local.look()
    for world in (local, remote):
        world.start(intent(local, "a", "command.run", "command/cni", command="cni"))
    for _ in range(30):
        assert remote.next(None) == local.next(None)
        assert remote.now() == local.now()
        assert remote.look() == local.look()
    remote.close()


def test_a_remote_world_knows_what_its_scenario_has_not_done_yet(address: WorldAddress) -> None:
    """Mutant: the server answers ``Expects`` like any other frame."""
    lost = replace(address, scenario=str(find_scenario("quorum-lost")))
    remote = connect_or_spawn(lost)
    assert remote.expects()
    remote.shutdown()

    quiet = connect_or_spawn(replace(address, log=f"{address.log}.2", socket=new_socket()))
    assert not quiet.expects()
    quiet.shutdown()


def test_a_kind_that_did_not_change_keeps_its_mapping_over_the_wire(address: WorldAddress) -> None:
    remote = connect_or_spawn(address)
    first = remote.look().objects["Namespace"]
    _begin_cni(remote)
    second = remote.look().objects["Namespace"]

    assert isinstance(first, Seen)
    assert isinstance(second, Seen)
    assert second.value is remote.look().objects["Namespace"].value  # type: ignore[union-attr]
    remote.close()


def test_time_stands_still_while_nobody_is_connected(address: WorldAddress) -> None:
    remote = connect_or_spawn(address)
    _begin_cni(remote)
    before = remote.summary()
    now = remote.now()
    remote.close()
    time.sleep(0.3)

    again = connect_or_spawn(address)

    assert len(clients._SPAWNED) == 1
    assert again.now() == now
    assert again.summary() == before
    again.close()


def test_a_world_that_was_killed_is_rebuilt_from_its_log(address: WorldAddress) -> None:
    remote = connect_or_spawn(address)
    _begin_cni(remote)
    before, look = remote.summary(), remote.look()
    os.kill(_pid(), signal.SIGKILL)
    clients._SPAWNED[-1].wait()
    with pytest.raises(WorldGone):
        remote.look()
    remote.close()

    again = connect_or_spawn(address)

    assert again.summary() == before
    assert again.look() == look
    again.close()


def test_a_line_that_was_cut_short_was_never_obeyed(address: WorldAddress) -> None:
    remote = connect_or_spawn(address)
    _begin_cni(remote)
    before = remote.summary()
    os.kill(_pid(), signal.SIGKILL)
    clients._SPAWNED[-1].wait()
    remote.close()
    with Path(address.log).open("ab") as log:
        log.write(b'{"op":"next","now":17')

    again = connect_or_spawn(address)

    assert again.summary() == before
    again.close()


def test_a_second_client_is_sent_away(address: WorldAddress) -> None:
    remote = connect_or_spawn(address)

    with pytest.raises(WorldBusy):
        connect(address)

    assert remote.summary()["wipes"] == 0
    remote.close()


def test_an_idle_world_ends_and_leaves_no_socket(address: WorldAddress) -> None:
    quick = WorldAddress(
        address.world, address.scenario, address.seed, address.socket, address.log, idle_seconds=0.2
    )
    connect_or_spawn(quick).close()

    assert clients._SPAWNED[-1].wait(10) == 0
    assert not Path(address.socket).exists()


def test_a_world_ends_when_it_is_told(address: WorldAddress) -> None:
    connect_or_spawn(address).shutdown()

    assert clients._SPAWNED[-1].wait(10) == 0
    assert connect(address) is None


def test_the_log_of_another_world_is_refused(address: WorldAddress) -> None:
    connect_or_spawn(address).shutdown()
    clients._SPAWNED[-1].wait(10)
    other = WorldAddress("w2", address.scenario, address.seed, new_socket(), address.log)

    with pytest.raises(WorldGone, match="world w2"):
        connect_or_spawn(other)
    Path(other.socket).parent.rmdir()


def test_a_changed_scenario_is_refused(address: WorldAddress) -> None:
    connect_or_spawn(address).shutdown()
    clients._SPAWNED[-1].wait(10)
    other = WorldAddress(
        address.world, str(DATA / "small-cold.yaml"), address.seed, new_socket(), address.log
    )

    with pytest.raises(WorldGone, match="not the one"):
        connect_or_spawn(other)
    Path(other.socket).parent.rmdir()


def test_a_folder_that_others_can_enter_is_refused(address: WorldAddress) -> None:
    Path(address.socket).parent.chmod(0o755)

    with pytest.raises(WorldGone, match="reached by others"):
        connect_or_spawn(address)


def _paced(address: WorldAddress, speed: float) -> WorldAddress:
    return WorldAddress(
        address.world, address.scenario, address.seed, address.socket, address.log, speed=speed
    )


def test_speed_paces_the_world(address: WorldAddress) -> None:
    remote = connect_or_spawn(_paced(address, 100.0))
    start, began = remote.now(), time.monotonic()

    while remote.now() < start + 40:
        remote.next(start + 40)

    assert 0.3 <= time.monotonic() - began < 3
    remote.close()


def test_who_looks_on_sees_time_pass_while_the_world_waits(address: WorldAddress) -> None:
    """Mutant: answer ``estimate`` with the time of the last response."""
    remote = connect_or_spawn(_paced(address, 10.0))
    start = remote.now()
    waiting = threading.Thread(target=lambda: remote.next(start + 10), daemon=True)

    assert remote.estimate() == start
    waiting.start()
    seen = [start]
    end = time.monotonic() + 10
    while waiting.is_alive() and time.monotonic() < end:
        seen.append(remote.estimate())
        time.sleep(0.02)
    waiting.join()

    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert max(seen) <= start + 10
    assert remote.estimate() == remote.now()
    remote.close()


def test_an_interrupt_ends_a_paced_wait_and_is_in_the_log(address: WorldAddress) -> None:
    remote = connect_or_spawn(_paced(address, 10.0))
    start, began = remote.now(), time.monotonic()
    timer = threading.Timer(0.2, remote.interrupt)
    timer.start()
    while remote.now() == start or remote.now() < start + 1:
        remote.next(start + 3600)
        if time.monotonic() - began > 5:
            break
    timer.join()

    assert remote.now() < start + 60
    before = remote.summary()
    os.kill(_pid(), signal.SIGKILL)
    clients._SPAWNED[-1].wait()
    remote.close()
    again = connect_or_spawn(address)
    assert again.summary() == before
    again.close()


def test_a_killed_client_stops_a_paced_world(address: WorldAddress) -> None:
    paced = _paced(address, 1.0)
    remote = connect_or_spawn(paced)
    child = os.fork()
    if child == 0:  # the client that is killed while it waits
        try:
            remote.next(remote.now() + 3600)
        finally:
            os._exit(0)
    start = remote.now()
    remote._connection.close()
    time.sleep(0.3)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    time.sleep(0.2)

    again = connect_or_spawn(paced)
    now = again.now()

    assert start < now < start + 5
    time.sleep(0.3)
    assert again.now() == now
    again.close()


def test_a_slow_world_lets_other_terminals_be_heard(address: WorldAddress) -> None:
    """Mutant: leave *until* as it is; a cancellation waits for a minute of the world's clock, at speed 1 for ever."""
    remote = connect_or_spawn(_paced(address, 0.5))
    began = time.monotonic()

    for _ in range(3):
        remote.next(remote.now() + 3600)

    assert time.monotonic() - began < 30
    remote.close()
