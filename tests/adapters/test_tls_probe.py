"""The probe of a node's port, where the peer hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rekindle.adapters.tls_probe import CONFIGURED, ODD, probe
from tests.adapters.talos_nodes import configured, make_certificate, server

if TYPE_CHECKING:
    import socket
    from pathlib import Path


@pytest.mark.parametrize(("bad", "kind"), [(1, CONFIGURED), (2, ODD)])
def test_a_peer_that_hangs_up_is_asked_a_second_time(bad: int, kind: str, tmp_path: Path) -> None:
    """Mutant: take the first odd answer; a configured node that hung up too early would be odd."""
    answer = configured(make_certificate(tmp_path))
    count = 0

    def serve(accepted: socket.socket) -> None:
        nonlocal count
        count += 1
        if count > bad:
            answer(accepted)

    with server(serve) as port:
        assert probe("127.0.0.1", port).kind == kind
