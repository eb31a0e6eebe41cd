"""
Promise: who has no home, as a container's user that is a bare number, hears what to set, and is no bug of ours.

Mutants, each tried: ``Path.home`` at any place that a case below goes through; let the state folder's error through.
"""

from __future__ import annotations

import pwd
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rekindle.cli.failing import guarded
from rekindle.cli.table import cli
from rekindle.doctor.host import Host

Asked = Callable[..., tuple[int, str]]
MINIMAL = Path(__file__).parents[2] / "examples" / "minimal" / "recovery.yaml"


@pytest.fixture
def asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asked:
    """Call a command as somebody whom the system does not know; its exit code, and what it told."""

    def nobody(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_STATE_HOME", "REKINDLE_JOURNAL", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["rekindle", *words])
        code = guarded(cli)
        return code, capsys.readouterr().err

    return call


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("resume",),
        ("history",),
        ("doctor",),
        ("rehearse", "healthy"),
        ("watch",),
        ("metrics",),
    ],
    ids=lambda words: words[0],
)
def test_without_a_home_a_journal_must_be_named(asked: Asked, words: tuple[str, ...]) -> None:
    code, told = asked(*words)

    assert (78, True) == (code, "error (home-unknown): nobody knows where journals are" in told)
    assert "`export HOME=FOLDER`" in told
    assert "--journal FILE" in told


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("diagnose",), 78, "~/.kube/config is no usable kubeconfig"),
        (("plan", "--check", str(MINIMAL)), 64, "error (plan-invalid)"),
        (("status", "--journal", "none.db"), 64, "error (no-journal): there is no journal at"),
    ],
    ids=["diagnose", "plan", "named"],
)
def test_who_needs_none_is_answered(
    asked: Asked, words: tuple[str, ...], code: int, said: str
) -> None:
    answer, told = asked(*words)

    assert (code, True) == (answer, said in told), told


@pytest.mark.usefixtures("asked")
def test_doctor_looks_below_no_home(tmp_path: Path) -> None:
    assert not Host().home.exists()
    assert not list(tmp_path.iterdir()), "nor is a folder called ~ made"
