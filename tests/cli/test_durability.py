"""What a commit has to survive: a power cut, unless the cluster itself is gone after one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from journal.store import Journal
from rekindle import session
from rekindle.rehearsal import load


class Enough(Exception):  # noqa: N818  no error: the test has seen what it wanted
    """The journal is being opened."""


@pytest.mark.parametrize(("purpose", "level"), [("run", "full"), ("rehearse", "normal")])
def test_only_a_rehearsal_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purpose: str, level: str
) -> None:
    """Mutants: the one for the other in ``session._durability``; leave ``options`` out where a journal is opened."""
    seen: list[str] = []

    def opening(*_args: Any, options: Any, **_kwargs: Any) -> NoReturn:  # noqa: ANN401
        seen.append(options.synchronous)
        raise Enough

    monkeypatch.setattr(Journal, "open_run", opening)
    monkeypatch.setattr(Journal, "resume", opening)
    options = session.Options(tmp_path / "j.db")
    plan = load("cold-start")[2]
    world: dict[str, Any] = {"scenario": "cold-start"} if purpose == "rehearse" else {}
    found: Any = SimpleNamespace(simulated=purpose == "rehearse")
    with pytest.raises(Enough):
        session.open_run(
            session.Opening(purpose, plan, 0.0, {}, world), options, _none, before=None
        )
    with pytest.raises(Enough):
        session.resume_run(found, options, _none)

    assert [level, level] == seen


def _none(*_args: object) -> NoReturn:
    raise AssertionError
