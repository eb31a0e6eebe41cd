"""
Another machine to ``ssh`` to: a server on loopback that forwards as OpenSSH's does, and lets anybody in.

Its ``127.0.0.1`` is ours as well: what is forwarded to a port of it goes to the one that *ports* names for that.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh

SECONDS = 30.0
# What a reader has in ~/.ssh/config of a machine that they name in one word.
CONFIG = """\
Host {name}
  HostName 127.0.0.1
  Port {port}
  User operator
  HostKeyAlias {name}
  UserKnownHostsFile {known}
  GlobalKnownHostsFile /dev/null
  IdentityFile none
  BatchMode yes
  ExitOnForwardFailure yes
"""


class _Server(asyncssh.SSHServer):
    """Lets everybody in, and forwards to what *ports* has."""

    def __init__(self, ports: Mapping[int, int]) -> None:
        self._ports = ports
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        del username
        return False

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Any:  # noqa: ANN401  what the library takes has no name of its own
        """Say where a forwarded connection goes (what may be said is the library's); False is a refusal."""
        del orig_host, orig_port
        if dest_host != "127.0.0.1" or dest_port not in self._ports or self._connection is None:
            return False
        return self._connection.forward_connection(dest_host, self._ports[dest_port])


async def _shell(process: asyncssh.SSHServerProcess[str]) -> None:
    """A login that stays until whoever typed it is done."""
    await process.stdin.read()
    process.exit(0)


@contextmanager
def laptop(folder: Path, name: str, ports: Mapping[int, int]) -> Iterator[Path]:
    """Give the ``~/.ssh/config`` of somebody who knows this machine by *name*; it is gone at the end."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    known = folder / "known_hosts"
    known.write_text(f"{name} {key.export_public_key().decode()}")
    ready = threading.Event()
    bound: list[int] = []
    ends: list[Callable[[], object]] = []

    async def serve() -> None:
        server = await asyncssh.create_server(
            lambda: _Server(ports),
            "127.0.0.1",
            0,
            server_host_keys=[key],
            process_factory=_shell,
        )
        wanted, loop = asyncio.Event(), asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(wanted.set))
        bound.append(server.get_port())
        ready.set()
        await wanted.wait()
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(SECONDS)
        config = folder / "ssh_config"
        config.write_text(CONFIG.format(name=name, port=bound[0], known=known))
        yield config
    finally:
        for end in ends:
            end()
        thread.join(SECONDS)
