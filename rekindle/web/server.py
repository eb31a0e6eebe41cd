"""Listening, serving with threads, and ending at once: also for streams that would go on for ever."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import secrets
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from waitress import wasyncore
from waitress.server import create_server

from engine.errors import UsageWrong

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 16  # more than streams: pages are answered also when all of those are taken
LOOP_SECONDS = 1.0
TOKEN_BYTES = 24
TOKEN = re.compile("[A-Za-z0-9_-]{16,200}")  # less can be guessed
MINE = stat.S_IRUSR | stat.S_IWUSR


def listen(host: str, port: int) -> socket.socket:
    """
    Bind a socket.

    :raises UsageWrong: when that address cannot be had.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, number)
    except OSError as error:
        raise _no_address(host, port, error) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()
    except OSError as error:
        made.close()
        raise _no_address(host, port, error) from error
    return made


def _no_address(host: str, port: int, error: OSError) -> UsageWrong:
    return UsageWrong(
        f"cannot listen on {host} port {port}: {error.strerror or error}",
        reference="web-address",
        hint="leave --port away: a free one is taken; --host is an address of this machine",
    )


def is_loopback(bound: socket.socket) -> bool:
    """Say whether only this machine reaches a socket."""
    return ipaddress.ip_address(str(bound.getsockname()[0]).partition("%")[0]).is_loopback


def token_of(file: Path | None) -> str:
    """
    Return a new token, or that of a file, which is made if it is not there.

    :raises UsageWrong: when others may read the file, or what it has is no token.
    """
    made = secrets.token_urlsafe(TOKEN_BYTES)
    if file is None:
        return made
    try:
        with suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MINE)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(f"{made}\n")
        with file.open(encoding="ascii") as stream:
            others = stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & ~stat.S_IRWXU
            token = stream.read(1_000).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_token(file, str(error)) from error
    if others:
        raise _no_token(file, "others than its owner may use it")
    if not TOKEN.fullmatch(token):
        raise _no_token(file, "it needs one line of 16 or more of A-Z a-z 0-9 - _")
    return token


def _no_token(file: Path, why: str) -> UsageWrong:
    return UsageWrong(
        f"{file} has no token to use: {why}",
        reference="web-token-file",
        hint=f"chmod 600 {file}, or name a file that is not there: it is made",
    )


def serve(
    application: WSGIApplication, bound: socket.socket, stop: Event, ready: Callable[[], None]
) -> None:
    """Answer until a signal comes (``KeyboardInterrupt``); *stop* ends the streams. Closes the socket."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # waiting is no news
    sockets: dict[int, socket.socket] = {}
    server = create_server(
        application,
        map=sockets,
        sockets=[bound],
        threads=THREADS,
        ident="",
        clear_untrusted_proxy_headers=True,
        # Whether a browser has left is only known where its connection is read while it is answered.
        channel_request_lookahead=1,
    )
    try:
        ready()
        wasyncore.loop(timeout=LOOP_SECONDS, map=sockets)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        server.task_dispatcher.shutdown()
        server.close()
