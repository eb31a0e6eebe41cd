"""
``serve`` as a process: its address, its token, its end, and what it refuses.

Mutants: ``stop.set()`` left away (the end takes five seconds); ``find_spec`` not asked; no ``O_EXCL``; no mode; no
``channel_request_lookahead``.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import stat
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rekindle.web.stream import ALIVE_SECONDS
from tests.cli.conftest import SECONDS, Program
from tests.cli.forked import Forked

pytestmark = pytest.mark.program

WITHOUT = """
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "waitress" else real(name, *more)
"""


@dataclass
class Served:
    """A server that answers."""

    process: Forked
    address: str

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    @property
    def token(self) -> str:
        return urlsplit(self.address).query.removeprefix("token=")

    def status(self, path: str) -> int:
        """Ask, and read all of the answer."""
        with closing(self.asked(path)) as connection, connection.getresponse() as answer:
            answer.read(1)
            return answer.status

    def asked(self, path: str) -> HTTPConnection:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        cookie = f"rekindle-{self.port}={self.token}"
        connection.request("GET", path, headers={"Cookie": cookie})
        return connection

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, float]:
        begun = time.monotonic()
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode is not None
        return self.process.returncode, err, time.monotonic() - begun


def serve(rekindle: Program, *words: str) -> Served:
    process = rekindle.start("serve", "--json", *words)
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        text = process.out.read_text()
        if text.endswith("\n"):
            return Served(process, json.loads(text)["address"])
        time.sleep(0.02)
    pytest.fail(process.communicate(timeout=1)[1])


@pytest.fixture
def journal(journal_of_a_night: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(journal_of_a_night, tmp_path / "j.db"))


@pytest.fixture
def served(rekindle: Program, journal: Path) -> Iterator[Served]:
    found = serve(rekindle, "--journal", str(journal))
    yield found
    if found.process.poll() is None:
        found.end()


def test_the_address_that_is_printed_opens_the_runs(served: Served) -> None:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    with opener.open(served.address, timeout=20) as answer:
        text, url = answer.read().decode(), answer.geturl()

    assert "node-lost" in text or "Runs" in text
    assert "token" not in url
    err = served.process.err.read_text()
    assert f"open {served.address}\n" in err
    assert "warning" not in err
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.build_opener().open(served.address.partition("?")[0], timeout=20)


def test_what_is_answered_does_not_say_by_whom_and_ctrl_c_ends_it(served: Served) -> None:
    with closing(served.asked("/")) as connection, connection.getresponse() as answer:
        assert answer.status == 200
        assert answer.headers["Server"] is None
    code, err, _ = served.end()
    assert code == 0
    assert "Traceback" not in err
    assert served.token not in err.split("Ctrl-C ends it", 1)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_though_streams_are_open(
    rekindle: Program, tmp_path: Path, number: int
) -> None:
    path = tmp_path / "open.db"
    run = rekindle.until_entry(path, "decided", "june-12", 60)
    served = serve(rekindle, "--journal", str(path))
    run_id = rekindle("status", "--json", "--journal", str(path)).document["run_id"]
    with ExitStack() as held:
        asked = [served.asked(f"/runs/{run_id}/events") for _ in range(3)]
        streams = [held.enter_context(closing(stream)) for stream in asked]
        answers = [held.enter_context(stream.getresponse()) for stream in streams]
        assert all(answer.readline() == b"retry: 1000\n" for answer in answers)

        code, err, seconds = served.end(number)

    run.kill()
    run.communicate(timeout=SECONDS)

    assert code == 0
    assert seconds < 4.5  # without being told to end, streams are waited for five seconds
    assert "Traceback" not in err


def test_a_browser_that_leaves_gives_its_thread_back(rekindle: Program, tmp_path: Path) -> None:
    path = tmp_path / "open.db"
    run = rekindle.until_entry(path, "decided", "june-12", 60)
    run.kill()  # so that nothing is written: a failed write would tell, too
    run.communicate(timeout=SECONDS)
    served = serve(rekindle, "--journal", str(path))
    run_id = rekindle("status", "--json", "--journal", str(path)).document["run_id"]
    events = f"/runs/{run_id}/events"
    streams = [served.asked(events) for _ in range(12)]
    answers = [stream.getresponse() for stream in streams]
    assert {answer.status for answer in answers} == {200}
    assert served.status(events) == 503
    assert served.status("/") == 200  # pages are answered all the same

    for stream, answer in zip(streams, answers, strict=True):
        answer.close()
        stream.close()
    end = time.monotonic() + ALIVE_SECONDS - 0.5  # then the next write would tell
    while served.status(events) != 200:
        assert time.monotonic() < end
        time.sleep(0.2)

    assert served.end()[0] == 0


def test_many_ask_at_once(served: Served) -> None:
    seen: list[int] = []

    def ask() -> None:
        seen.append(served.status("/"))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert seen == [200] * 30


def test_without_the_extra_it_says_what_to_install(rekindle: Program, journal: Path) -> None:
    answer = rekindle("serve", "--journal", str(journal), code=WITHOUT)

    assert answer.code == 78
    assert "error (web-missing): rekindle serve needs waitress, which" in answer.err
    assert "kubectl-rekindle[web]" in answer.err
    assert answer.out == ""


def test_a_token_file_is_made_for_its_owner_alone_and_kept(
    rekindle: Program, journal: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    words = ("--journal", str(journal), "--token-file", str(file))
    first = serve(rekindle, *words)
    first.end()

    second = serve(rekindle, *words, "--port", str(first.port))
    second.end()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert second.address == first.address
    assert file.read_text() == f"{first.token}\n"
    third = serve(rekindle, "--journal", str(journal))
    third.end()
    assert third.token != first.token
    assert len(third.token) == 32


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("a" * 32, 0o644, "others than its owner may use it"),
        ("short", 0o600, "it needs one line of 16 or more"),
        ("", 0o600, "it needs one line of 16 or more"),
        ("a b" * 20, 0o600, "it needs one line of 16 or more"),
    ],
)
def test_a_token_file_that_others_know_or_that_can_be_guessed_is_refused(
    rekindle: Program, journal: Path, tmp_path: Path, text: str, mode: int, why: str
) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(mode)

    answer = rekindle("serve", "--journal", str(journal), "--token-file", str(file))

    assert answer.code == 64
    assert "error (web-token-file): " in answer.err
    assert why in answer.err
    assert not text or text not in answer.err


def test_an_address_that_cannot_be_had_is_said(rekindle: Program, journal: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = rekindle("serve", "--journal", str(journal), "--port", str(port))

    assert answer.code == 64
    assert f"error (web-address): cannot listen on 127.0.0.1 port {port}: " in answer.err


def test_what_other_machines_reach_is_warned_of(rekindle: Program, journal: Path) -> None:
    found = serve(rekindle, "--journal", str(journal), "--host", "0.0.0.0")  # noqa: S104  the case
    found.end()

    assert "warning: other machines reach 0.0.0.0 port" in found.process.err.read_text()


def test_it_reads_and_writes_nothing(served: Served, journal: Path) -> None:
    def state() -> dict[str, bytes]:
        return {
            p.name: p.read_bytes() for p in journal.parent.glob("j.db*") if p.suffix != ".db-shm"
        }

    before = state()
    assert served.status("/") == 200

    assert state() == before


def test_a_journal_is_named_or_there(rekindle: Program, tmp_path: Path) -> None:
    answer = rekindle("serve", "--journal", str(tmp_path / "none.db"))

    assert answer.code == 64
    assert "error (no-journal)" in answer.err
