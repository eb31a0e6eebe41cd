"""
Promise: a secret that a journal holds is not on the screen of whoever resumes the run, and none is in a plan's picture.

The journal is that of ``test_secrets_stay_out``: every text of every entry, redacted by nobody. Mutants: show what is
known as it is, or the last lines; print a plan as it is.
"""

from __future__ import annotations

import io
from dataclasses import replace as changed
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from engine.memory import Memory
from journal import writer
from journal.entries import Finding
from rekindle.cli import graph
from rekindle.elaborating import elaborated
from rekindle.folding import newest
from rekindle.panel import panel
from rekindle.watchers import PlainLines, _viewed
from tests.cli.test_secrets_stay_out import TEXTS, found_in, journal
from tests.phases.making import plan
from tests.phases.test_path import TREE


def test_the_screen_shows_none(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "redact_payload", lambda body: body)
        path = journal(tmp_path / "j.db", TEXTS)
    found = newest(path)
    assert found is not None
    shown = _viewed(plan(TREE), found.memory, "j.db", "")
    stream = io.StringIO()

    for text in TEXTS:
        cause = Finding(subject="cni", cause="x", message="x\n" + text, root=True, rule="R")
        causes = {"R:cni": cause}
        # Alone: all of them at once are shown below.
        memory = replace(Memory(), state=found.memory.state, findings=causes, cluster=text)
        seen = _viewed(plan(TREE), memory, "j.db", "")
        Console(file=stream, width=4_000, color_system=None).print(panel(seen, [text]))
    Console(file=stream, width=4_000, color_system=None).print(panel(shown, TEXTS))

    assert "[redacted:" in stream.getvalue()
    assert found_in(stream.getvalue()) == []


def test_a_cause_that_is_told_in_full_shows_none() -> None:
    """Mutant: tell what is known as it is, and let a stream show it so."""
    stream = io.StringIO()
    show = PlainLines(stream)
    watcher = elaborated(show, show.say, verbose=True)
    rules: Any = SimpleNamespace(plan=plan(TREE))
    for text in TEXTS:
        told = Finding("cni", text, "x\n" + text, root=True, evidence=(text,), clears_when=text)
        turn: Any = SimpleNamespace(memory=Memory(findings={"R:cni": told}))
        watcher.turned(rules, turn)
    show.close()

    assert "[redacted:" in stream.getvalue()
    assert found_in(stream.getvalue()) == []


def test_the_picture_of_a_plan_shows_none(capsys: pytest.CaptureFixture[str]) -> None:
    for text in TEXTS:
        loaded = changed(plan(TREE), cluster=text)
        graph.draw(loaded, as_json=True)
        graph.draw(loaded, as_json=False)

    said = capsys.readouterr().out
    assert "[redacted:" in said
    assert found_in(said) == []
