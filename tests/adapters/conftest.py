from __future__ import annotations

import json
import stat
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from engine.world import Intent
from rekindle.adapters.connection import Connection
from rekindle.adapters.doers import Doers
from rekindle.adapters.kubernetes import Api
from tests.adapters.scripted import ScriptedApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.world import Settlement
    from journal.entries import Json


def write_kubeconfig(path: Path, server: str, ca_data: str = "") -> Path:
    cluster: dict[str, Any] = {"server": server}
    if ca_data:
        cluster["certificate-authority-data"] = ca_data
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "a-token"}}],
    }
    path.write_text(json.dumps(content))
    return path


def write_program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def make_intent(verb: str, action: str = "1", deadline: float = 10.0, **arguments: Json) -> Intent:
    return Intent(action, verb, "target", 1, 1, deadline, time.time(), arguments)


def doers(session: Callable[[], Any], settled: list[Settlement]) -> Doers:
    """Doers for what is done to an API: nobody speaks to Talos here, nobody runs commands."""
    nobody = Mock()
    return Doers(nobody, nobody, nobody, session, str, settled.append)


def until_true(true: Callable[[], Any], seconds: float = 8.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.01)


def dead(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def scripted() -> Iterator[ScriptedApi]:
    with ScriptedApi() as api:
        yield api


@pytest.fixture
def connection(scripted: ScriptedApi, tmp_path: Path) -> Iterator[Connection]:
    made = Connection(write_kubeconfig(tmp_path / "kubeconfig", scripted.url))
    yield made
    made.close()


@pytest.fixture
def api(connection: Connection) -> Api:
    return Api(connection)
