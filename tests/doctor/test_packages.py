"""
Our own packages: ours, and as they were installed. ``phases`` and ``journal`` are names of other distributions, too.

Mutants: compare only the names; look at no hash; import a room before it is known to be ours.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.doctor import packages
from rekindle.doctor.check import EVERYTHING
from rekindle.doctor.packages import Recorded
from tests.doctor.making import verdicts

OURS = Path("/site")


@pytest.mark.parametrize(
    ("origin", "verdict"),
    [
        (Path("/site/phases/__init__.py"), "ok"),
        (Path("/elsewhere/phases/__init__.py"), "red"),
        (Path("/site/deeper/phases/__init__.py"), "red"),
        (Path("/site/phases.py"), "red"),
        (None, "red"),
    ],
)
def test_a_room_is_beside_the_program(origin: Path | None, verdict: str) -> None:
    found = packages.place("phases", origin, OURS)

    assert (verdict, verdict == "red") == (str(found.verdict), found.blocks == EVERYTHING)


SAME = Recorded("phases/verbs.py", "abc", "abc")


@pytest.mark.parametrize(
    ("version", "files", "verdict", "said"),
    [
        ("1.0", [SAME], "ok", "as installed"),
        ("1.0", [], "ok", "as installed"),
        (
            "1.0",
            [SAME, Recorded("journal/chain.py", "abc", "xyz")],
            "red",
            "journal/chain.py is another",
        ),
        ("1.0", [Recorded("engine/turn.py", "abc", "")], "red", "engine/turn.py is gone"),
        ("0.9", [SAME], "warning", "0.9 is installed, 1.0 runs"),
        (None, [], "warning", "without having been installed"),
    ],
)
def test_an_installation_is_held_against_its_record(
    version: str | None, files: list[Recorded], verdict: str, said: str
) -> None:
    found = packages.installed(version, files, running="1.0")

    assert (verdict, True) == (str(found.verdict), said in found.said)


def test_a_digest_is_written_as_records_write_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU" == packages.digest(tmp_path / "empty")
    assert "" == packages.digest(tmp_path / "none")


def test_this_checkout_is_ours() -> None:
    assert {f"packages.{room}" for room in packages.ROOMS} < verdicts(packages.rows()).keys()
    assert not packages.broken()


@pytest.mark.parametrize("room", ["phases", "journal"])
@pytest.mark.parametrize("words", [["doctor"], ["rehearse", "node-lost"]])
def test_a_room_of_somebody_else_is_named_and_not_a_bug(
    tmp_path: Path, room: str, words: list[str]
) -> None:
    stranger = tmp_path / "site" / room
    stranger.mkdir(parents=True)
    (stranger / "__init__.py").write_text('"""Moon phases."""\n')
    begin = f"import sys; sys.path.insert(0, {str(stranger.parent)!r}); sys.argv = ['rekindle', *{words!r}]"
    program = f"{begin}\nfrom rekindle.cli.main import main\nmain()"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
    )
    said = answer.stdout + answer.stderr

    assert answer.returncode in {2, 78}, said
    assert f"comes from {stranger}" in said
    assert "Traceback" not in said
