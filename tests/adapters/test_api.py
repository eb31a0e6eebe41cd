"""A Kubernetes API that answers something else than was asked, too much of it, or too late."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest

from rekindle.adapters.connection import Call, Connection, UnansweredError
from rekindle.adapters.kubernetes import Api, RefusedError
from tests.adapters.conftest import write_kubeconfig
from tests.adapters.scripted import Answer, Reply, ScriptedApi, Streamed, refused
from tests.adapters.talos_nodes import make_certificate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        (Answer(b"ok"), True),
        (Answer(b"ok\n"), True),
        (Answer(b"[-]etcd failed", 500), False),
        (Answer(b"shutting down", 503), False),
        (refused(401), None),
        (refused(403), None),
        (refused(429), None),
        (Answer(b"<html>bad gateway</html>", 502), None),
        (Answer(b"<html>welcome</html>"), None),
        (Answer(b"ok", 203), None),
        (Streamed((b"o",), end="cut"), None),
    ],
)
def test_only_the_servers_own_words_tell_whether_it_is_ready(
    reply: Reply,
    ready: bool | None,  # noqa: FBT001
    scripted: ScriptedApi,
    tmp_path: Path,
) -> None:
    """Mutants: everything but ok is a no; a no for every error status."""
    scripted.on("/readyz", reply)
    kubeconfig = write_kubeconfig(tmp_path / "k", scripted.url)
    connection = Connection(kubeconfig, {"cp-1": scripted.url})

    assert Api(connection).readyz("cp-1") is ready
    connection.close()


def test_an_answer_is_taken_in_up_to_a_limit(
    scripted: ScriptedApi, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: do not compare the size with ``_BODY_LIMIT_BYTES``."""
    monkeypatch.setattr("rekindle.adapters.connection._BODY_LIMIT_BYTES", 1000)
    scripted.on("/much", Answer(b"x" * 5000))
    with pytest.raises(UnansweredError) as raised:
        connection.send(Call("GET", "/much"))

    assert (raised.value.code, raised.value.sent) == ("odd", True)


def test_a_packed_answer_is_unpacked_and_counts_as_long_as_it_is(
    scripted: ScriptedApi, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: do not ask for it; compare what came over the wire with the limit."""
    scripted.on("/packed", Answer(gzip.compress(b"x" * 900), headers={"Content-Encoding": "gzip"}))
    assert connection.send(Call("GET", "/packed")).body == b"x" * 900
    assert scripted.asked[-1].headers["accept-encoding"] == "gzip"

    monkeypatch.setattr("rekindle.adapters.connection._BODY_LIMIT_BYTES", 800)
    with pytest.raises(UnansweredError):
        connection.send(Call("GET", "/packed"))


def test_what_is_packed_badly_is_no_answer(scripted: ScriptedApi, connection: Connection) -> None:
    scripted.on("/packed", Answer(b"no gzip at all", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UnansweredError) as raised:
        connection.send(Call("GET", "/packed"))

    assert (raised.value.code, raised.value.sent) == ("odd", True)


def test_a_silence_after_the_head_does_not_outlast_the_deadline(
    scripted: ScriptedApi, connection: Connection
) -> None:
    """The head takes its time, the body never comes. Mutant: leave the socket the timeout of the head."""
    scripted.on("/half", Streamed((b"x",) * 60))
    began = time.monotonic()
    with pytest.raises(UnansweredError) as raised:
        connection.send(Call("GET", "/half", seconds=1.0))

    assert raised.value.code == "silent"
    assert time.monotonic() - began < 1.3


def test_what_an_action_asks_ends_with_its_deadline(scripted: ScriptedApi, api: Api) -> None:
    """Mutants: do not shorten the call; do not refuse to begin when no time is left."""
    scripted.on("/slow", None)
    bounded = api.within(0.4)
    began = time.monotonic()
    with pytest.raises(UnansweredError):
        bounded.get("/slow")
    with pytest.raises(UnansweredError) as raised:
        bounded.get("/other")

    assert time.monotonic() - began < 1.0
    assert not raised.value.sent
    assert not scripted.asked_for("/other")


def test_a_redirection_is_no_success(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: refuse from 400 on."""
    scripted.on("/x", Answer(b"", 302), method="DELETE")
    with pytest.raises(RefusedError):
        api.delete("/x", "u")


def test_an_error_that_cannot_be_read_is_still_an_error(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: ``status_of`` without RecursionError."""
    scripted.on("/x", Answer(b'{"a":' * 100_000, 500))
    with pytest.raises(RefusedError):
        api.get("/x")


def why_not(path: Path, url: str, ca: str = "") -> tuple[str, str]:
    """What is said of an API that does not answer."""
    connection = Connection(write_kubeconfig(path / "kubeconfig", url, ca))
    try:
        with pytest.raises(UnansweredError) as raised:
            connection.send(Call("GET", "/", seconds=2.0))
    finally:
        connection.close()
    return raised.value.code, str(raised.value)


def test_a_refused_connection_is_not_a_silent_one(tmp_path: Path) -> None:
    """To urllib3 a refusal is a kind of timeout. Mutant: ask for ConnectTimeoutError first."""
    assert why_not(tmp_path, "http://127.0.0.1:1") == ("refused", "the connection was refused")


@pytest.mark.parametrize(
    ("days", "code", "said"),
    [
        ((-9, -2), "odd", "has expired; is this machine's clock right?"),
        ((2, 9), "odd", "is not valid yet; is this machine's clock right?"),
        ((-1, 2), "foreign", "not of the CA in the kubeconfig"),
    ],
)
def test_a_certificate_out_of_date_makes_no_foreign_cluster(
    tmp_path: Path, days: tuple[int, int], code: str, said: str
) -> None:
    """Of a laptop whose clock is wrong every certificate is. Mutant: every refused certificate is foreign."""
    served = make_certificate(tmp_path, "served", days=days)
    other = make_certificate(tmp_path, "other")
    trusted = served if code == "odd" else other
    with ScriptedApi(tls=served.context()) as api:
        found = why_not(tmp_path, api.url, trusted.base64)

    assert found[0] == code
    assert said in found[1]


def test_an_answer_that_broke_off_is_said_to_have(scripted: ScriptedApi, tmp_path: Path) -> None:
    """Mutant: name the class of the exception."""
    scripted.on("/", Streamed((b'{"items":',), end="cut"))

    assert why_not(tmp_path, scripted.url) == (
        "odd",
        "the connection broke: it ended in the middle of an answer",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("clusters: [\n", "line 2: expected the node content"),
        ("hello", "its content has not the form of one"),
        ("clusters: 3\n", "its content has not the form of one"),
        ("", "file is empty"),
    ],
)
def test_a_kubeconfig_that_is_none_is_told_in_one_line(
    tmp_path: Path, content: str, said: str
) -> None:
    """Mutant: show what the client trips over."""
    file = tmp_path / "kubeconfig"
    file.write_text(content)
    with pytest.raises(UnansweredError) as raised:
        Connection(file)

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
