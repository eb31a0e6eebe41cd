"""
Our own packages: ours, and as they were installed. ``phases`` and ``journal`` are names of other distributions, too.

Mutants: compare only the names; look at no hash; import a room before it is known to be ours.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.doctor import packages
from rekindle.doctor.check import EVERYTHING, Check
from rekindle.doctor.packages import Recorded
from tests.doctor.making import row, verdicts

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


KEPT = {
    "phases/__init__.py": "",
    "phases/recovery.yaml": "cluster: none\n",
    "rekindle/errors/chain-broken.md": "# What it means\n",
    "rekindle/report/templates/report.md.j2": "{{ run }}\n",
}


def an_installation(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As a wheel is unpacked and pip compiles it; *names* of ``KEPT``, and a command of another folder."""
    record = ["../../../bin/rekindle,sha256=x,1", "phases/__pycache__/__init__.cpython-311.pyc,,"]
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(KEPT[name])
        record.append(f"{name},sha256={packages.digest(path)},{path.stat().st_size}")
    info = folder / "kubectl_rekindle-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kubectl-rekindle\nVersion: 1.0\n")
    (info / "RECORD").write_text("\n".join(record) + "\n")
    found = importlib.metadata.PathDistribution(info)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: found)


def looked(ours: Path) -> Check:
    return row(packages.rows(ours), "packages.installed")


@pytest.mark.parametrize("name", sorted(KEPT))
@pytest.mark.parametrize("text", ["another\n", None])
def test_whatever_was_installed_is_held_against_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None
) -> None:
    """A machine, a page or a template that somebody changed is no less ours. Mutant: look at ``.py`` alone."""
    an_installation(tmp_path, monkeypatch, *KEPT)
    assert "is another" not in looked(tmp_path).said
    (tmp_path / name).unlink() if text is None else (tmp_path / name).write_text(text)
    found = looked(tmp_path)

    assert ("red", EVERYTHING) == (str(found.verdict), found.blocks)
    assert f"{name} is {'gone' if text is None else 'another'}" in found.said


def test_the_record_of_an_editable_installation_is_of_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages lie beside it, and not where the program is. Mutant: leave out the look for a module."""
    an_installation(tmp_path, monkeypatch, "rekindle/errors/chain-broken.md")

    assert "red" != str(looked(tmp_path / "checkout").verdict)


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
