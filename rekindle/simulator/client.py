"""The engine's World, at the other end of a socket: a simulated cluster in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from engine.world import Identity, Intent, Question, Wakeup
from journal.entries import Instant, Json
from phases.snapshot import Snapshot
from rekindle.simulator.deltas import Joiner
from rekindle.simulator.errors import WorldBusy, WorldGone
from rekindle.simulator.faults import Faults
from rekindle.simulator.protocol import (
    ANSWERS,
    PATH_LIMIT,
    Adopt,
    Ask,
    Expects,
    Frame,
    Interrupt,
    Look,
    Next,
    Refusal,
    Response,
    Shutdown,
    Start,
    Summary,
    Welcome,
    receive,
    send,
)

START_SECONDS = 20.0
POLL_SECONDS = 0.01
PRIVATE = 0o700
_SPAWNED: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class WorldAddress:
    """
    What it takes to find a world again, or to make it: plain values, for the first entry of a journal.

    *log* is the world's own log; *speed* 0 is as fast as possible.
    """

    world: str
    scenario: str
    seed: int
    socket: str
    log: str
    speed: float = 0.0
    idle_seconds: float = 60.0


def new_socket() -> str:
    """Return the path for a socket, in a new folder of our own, short enough to bind."""
    folder = tempfile.mkdtemp(prefix="rk-")
    if len(folder) > PATH_LIMIT - 10:
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="rk-", dir="/tmp")
    return str(Path(folder) / "world")


class RemoteWorld:
    """A client. If the world's process dies, every call raises ``WorldGone``; the world itself is in its log."""

    def __init__(self, connection: socket.socket, welcome: Welcome, speed: float = 0.0) -> None:
        self._connection = connection
        self._now = welcome.now
        self._speed = speed
        self._flowing: tuple[float, Instant, Instant | None] | None = None
        self._cluster = welcome.cluster
        self._joiner = Joiner()
        self._waiting = False
        self._interrupted = False

    def identity(self) -> Identity:
        """Say which cluster this is."""
        return Identity(self._cluster, f"sim:{self._cluster}", "simulated")

    def now(self) -> Instant:
        """Tell the world's time."""
        return self._now

    def estimate(self) -> Instant:
        """Guess the world's time while it passes, for those who only look on; any thread may ask."""
        flowing = self._flowing
        if flowing is None or not self._speed:
            return self._now
        since, begun, until = flowing
        guessed = begun + (time.monotonic() - since) * self._speed
        return guessed if until is None else min(guessed, max(until, begun))

    def look(self) -> Snapshot:
        """Return a snapshot of this instant."""
        response = self._call(Look())
        if response.look is None:
            raise _gone("it answered a look with nothing")
        return self._joiner.snapshot(response.look, response.now)

    def start(self, intent: Intent) -> None:
        """Begin an action."""
        self._call(Start(intent))

    def adopt(self, intent: Intent) -> None:
        """Take over an action of a client that has died."""
        self._call(Adopt(intent))

    def ask(self, question: Question) -> bool:
        """Tell the scenario's operator; say whether there is one for this question."""
        return self._call(Ask(question)).yes

    def expects(self) -> bool:
        """Say whether the scenario has an event that is still to come."""
        return self._call(Expects()).yes

    def next(self, until: Instant | None) -> Wakeup:
        """Let time pass until something happens that can be seen, or the instant has come."""
        if self._interrupted:
            self._interrupted = False
            return Wakeup()
        self._waiting = True
        self._flowing = (time.monotonic(), self._now, until)
        try:
            response = self._call(Next(until))
        finally:
            self._waiting = False
            self._flowing = None
        return Wakeup(response.settlements, response.changed, response.replies)

    def interrupt(self) -> None:
        """Make ``next`` return soon; callable from a signal handler."""
        if not self._waiting:
            self._interrupted = True
            return
        self._waiting = False
        try:
            send(self._connection, Interrupt())
        except OSError:
            self._interrupted = True

    def summary(self) -> dict[str, Json]:
        """Return what was done to the cluster, in numbers, and the digest of its state."""
        return self._call(Summary()).summary or {}

    def shutdown(self) -> None:
        """End the world's process: its run is closed."""
        self._call(Shutdown())
        self._connection.close()

    def close(self) -> None:
        """Hang up; the world stands still and waits for a while."""
        self._connection.close()

    def _call(self, frame: Frame) -> Response:
        try:
            send(self._connection, frame)
            body = receive(self._connection)
        except OSError as error:
            raise _gone(str(error)) from error
        answer = ANSWERS.decode(body) if body is not None else None
        if not isinstance(answer, Response):
            raise _gone("it hung up")
        self._now = answer.now
        return answer


def connect_or_spawn(address: WorldAddress, faults: Faults | None = None) -> RemoteWorld:
    """Connect to a world, and make it or rebuild it from its log if its process is not there."""
    if (world := connect(address)) is not None:
        return world
    _folder(Path(address.socket).parent)
    process = _spawn(address, faults or Faults())
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if (world := connect(address)) is not None:
            return world
        if process.poll() is not None:
            output = Path(address.log).with_suffix(".log")
            raise _gone(f"it ended at once, see {output}: {_last_line(output)}")
        time.sleep(POLL_SECONDS)
    raise _gone(f"it did not answer within {START_SECONDS:g} s")


def connect(address: WorldAddress) -> RemoteWorld | None:
    """Connect to a world's process; None if there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(address.socket)
        body = receive(connection)
    except OSError:
        connection.close()
        return None
    answer = ANSWERS.decode(body) if body is not None else None
    if isinstance(answer, Welcome) and answer.world == address.world:
        return RemoteWorld(connection, answer, address.speed)
    connection.close()
    if isinstance(answer, Refusal):
        raise WorldBusy(
            answer.message, reference="world-busy", hint="let the other run end, or end it"
        )
    return None


def _folder(folder: Path) -> None:
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise WorldGone(
            f"{folder} can be reached by others",
            reference="world-folder-open",
            hint="take that folder away and begin again",
        )


def _spawn(address: WorldAddress, faults: Faults) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rekindle.simulator"]
    command += ["--world", address.world, "--scenario", address.scenario]
    command += ["--seed", str(address.seed), "--socket", address.socket, "--log", address.log]
    command += ["--speed", str(address.speed), "--idle", str(address.idle_seconds)]
    command += ["--faults", msgspec.json.encode(asdict(faults)).decode()]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    output = os.open(Path(address.log).with_suffix(".log"), flags, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
        )
    finally:
        os.close(output)
    _SPAWNED[:] = [found for found in _SPAWNED if found.poll() is None]
    _SPAWNED.append(process)
    return process


def _last_line(output: Path) -> str:
    lines = output.read_text("utf-8", "replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def _gone(why: str) -> WorldGone:
    return WorldGone(
        f"the simulated cluster's process is gone: {why}",
        reference="world-gone",
        hint="`rekindle resume` builds it again from its log",
    )
