"""What is installed is what is tested: a wheel has the scenarios and the default machine, and rehearses from them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_wheel_rehearses_on_its_own(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        str(tmp_path / "dist"),
    ]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    wheel = next((tmp_path / "dist").glob("*.whl"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(wheel)], check=True)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import rekindle; assert rekindle.__file__.startswith(sys.path[0]), rekindle.__file__\n"
        "sys.argv = ['rekindle', 'rehearse', 'node-lost', '--journal', 'j.db', '--json']\n"
        "from rekindle.cli.main import main\nmain()\n"
    )

    ended = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
    )

    assert ended.returncode == 0, ended.stderr
    assert '"outcome": "done"' in ended.stdout
