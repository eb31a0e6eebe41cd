"""
What is installed is what is tested: a wheel has the scenarios, the default machine and the pages of errors.

Mutants: no ``force-include`` of docs/errors; scenarios that are no package data.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    wheel = next((folder / "dist").glob("*.whl"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, "--target", str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


def called(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import rekindle; assert rekindle.__file__.startswith(sys.path[0]), rekindle.__file__\n"
        f"sys.argv = ['rekindle', *{words!r}]\n"
        "from rekindle.cli.main import main\nmain()\n"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
    )


def test_a_wheel_rehearses_on_its_own(site: Path, tmp_path: Path) -> None:
    ended = called(site, tmp_path, "rehearse", "node-lost", "--journal", "j.db", "--json")

    assert ended.returncode == 0, ended.stderr
    assert '"outcome": "done"' in ended.stdout


def test_a_wheel_explains_its_errors(site: Path, tmp_path: Path) -> None:
    ended = called(site, tmp_path, "explain", "lease-held")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (ROOT / "docs" / "errors" / "lease-held.md").read_text("utf-8")


def test_a_wheel_knows_whether_it_is_as_it_was_installed(site: Path, tmp_path: Path) -> None:
    """Mutant: hold modules alone against the record; the machine that decides is no module."""
    mine = tmp_path / "site"
    shutil.copytree(site, mine)

    def installed() -> dict[str, str]:
        ended = called(mine, tmp_path, "doctor", "--json")
        rows = json.loads(ended.stdout)["checks"]
        return next(row for row in rows if row["id"] == "packages.installed")

    assert "ok" == installed()["verdict"], installed()["said"]
    with (mine / "phases" / "recovery.yaml").open("a") as machine:
        machine.write("# changed\n")
    (mine / "rekindle" / "errors" / "lease-held.md").unlink()
    found = installed()

    assert "red" == found["verdict"]
    assert "phases/recovery.yaml is another" in found["said"]
    assert "rekindle/errors/lease-held.md is gone" in found["said"]
