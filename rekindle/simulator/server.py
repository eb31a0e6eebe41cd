"""
A simulated world as a process of its own, behind a Unix socket: it outlives a killed run as a real cluster does.

It owns the world's clock, and moves it only while a client waits in ``next``. It ends when it is told to, or when
nobody has been connected for a while.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from engine.world import Wakeup
from journal.entries import Instant
from rekindle.simulator.deltas import Differ
from rekindle.simulator.hosted import Hosted
from rekindle.simulator.protocol import (
    REQUESTS,
    Adopt,
    Ask,
    Expects,
    Frame,
    Interrupt,
    Look,
    Next,
    Refusal,
    Request,
    Response,
    Shutdown,
    Start,
    Summary,
    Welcome,
    receive,
    send,
)

IDLE_SECONDS = 60.0
POLL_SECONDS = 1.0  # of the wall clock: no answer of a paced world takes longer
BUSY = "another run is connected to this simulated cluster"


class HungUp(Exception):  # noqa: N818  it is what happened
    """The client is gone."""


@dataclass(frozen=True, slots=True)
class Pace:
    """*speed*: world seconds in a second of the wall clock; 0: as fast as possible."""

    speed: float = 0.0
    idle_seconds: float = IDLE_SECONDS


class Server:
    """Serves one client at a time."""

    def __init__(self, hosted: Hosted, listener: socket.socket, pace: Pace) -> None:
        self._hosted = hosted
        self._listener = listener
        self._pace = pace
        self._done = False
        self._differ = Differ()

    def serve(self) -> None:
        """Serve clients until told to end, or until nobody has come for a while."""
        while not self._done:
            ready, _, _ = select.select([self._listener], [], [], self._pace.idle_seconds)
            if not ready:
                return
            connection, _ = self._listener.accept()
            with connection:
                try:
                    self._client(connection)
                except (HungUp, OSError):
                    continue

    def _client(self, connection: socket.socket) -> None:
        self._hosted.connect()
        self._differ = Differ()
        name = self._hosted.cluster.scenario.cluster
        send(connection, Welcome(self._hosted.world, name, self._hosted.now))
        while not self._done:
            request = self._request(connection)
            if not isinstance(request, Interrupt):
                send(connection, self._answer(connection, request))

    def _request(self, connection: socket.socket) -> Request:
        while not self._arrived(connection, None):
            pass
        body = receive(connection)
        if body is None:
            raise HungUp
        return REQUESTS.decode(body)

    def _arrived(self, connection: socket.socket, seconds: float | None) -> bool:
        """Wait for a frame; send others away meanwhile."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if end is None else max(end - time.monotonic(), 0.0)
            ready, _, _ = select.select([connection, self._listener], [], [], left)
            if self._listener in ready:
                self._refuse()
            if connection in ready:
                return True
            if end is not None and time.monotonic() >= end:
                return False

    def _refuse(self) -> None:
        other, _ = self._listener.accept()
        with other:
            try:
                send(other, Refusal(BUSY))
            except OSError:
                return

    def _answer(self, connection: socket.socket, request: Request) -> Frame:
        hosted = self._hosted
        match request:
            case Look():
                look = self._differ.delta(hosted.client.look())
                return Response(hosted.now, look=look)
            case Start(intent=intent):
                hosted.start(intent)
            case Adopt(intent=intent):
                hosted.adopt(intent)
            case Ask(question=question):
                return Response(hosted.now, yes=hosted.ask(question))
            case Expects():
                return Response(hosted.now, yes=hosted.client.expects())
            case Next(until=until):
                woke = self._next(connection, until)
                return Response(hosted.now, woke.settlements, woke.changed, woke.replies)
            case Summary():
                summary = {**hosted.client.summary(), "digest": hosted.cluster.digest()}
                return Response(hosted.now, summary=summary)
            case Shutdown():
                self._done = True
            case Interrupt():
                pass
        return Response(hosted.now)

    # --- time ------------------------------------------------------------------------------------

    def _next(self, connection: socket.socket, until: Instant | None) -> Wakeup:
        if self._pace.speed > 0:
            # Whoever waits at a clock that runs slowly must still hear other terminals.
            soon = self._hosted.now + POLL_SECONDS * self._pace.speed
            until = soon if until is None else min(until, soon)
        limit = self._hosted.begin_next(until)
        if limit is not None and self._pace.speed > 0:
            stopped = self._wait(connection, limit)
            if stopped is not None:
                woke = self._hosted.pause(stopped)
                if receive(connection) is None:  # else it is an Interrupt
                    raise HungUp
                return woke
        return self._hosted.next(limit)

    def _wait(self, connection: socket.socket, limit: Instant) -> Instant | None:
        """Spend the wall time until there is news; return the instant at which the client stopped it."""
        hosted, speed = self._hosted, self._pace.speed
        began, origin = time.monotonic(), hosted.now
        while not hosted.client.has_news():
            due = hosted.cluster.loop.due()
            target = min(limit if due is None else due, limit)
            seconds = (target - origin) / speed - (time.monotonic() - began)
            if self._arrived(connection, max(seconds, 0.0)):
                passed = origin + (time.monotonic() - began) * speed
                return min(max(passed, hosted.now), target)
            if due is None or due > limit:
                return None
            hosted.cluster.loop.step()
        return None


def listen(path: Path) -> socket.socket:
    """Bind a socket that only its owner can reach, for its folder is private."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(4)
    return listener
