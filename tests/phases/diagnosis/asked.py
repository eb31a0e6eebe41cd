"""
Write down which rule was asked in which tests with which result: a plugin of pytest, for ``test_every_rule``.

Loaded before the tests are (``-p tests.phases.diagnosis.asked``), so that they import ``found_by`` as it is here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from journal.entries import Finding
from phases.diagnosis.scene import Scene
from tests.phases.diagnosis import scenes

ASKED: dict[str, set[bool]] = {}
_found_by = scenes.found_by


def _recorded(rule: str, looked_at: Scene) -> list[Finding]:
    found = _found_by(rule, looked_at)
    ASKED.setdefault(rule, set()).add(bool(found))
    return found


scenes.found_by = _recorded


def pytest_sessionfinish() -> None:
    """Leave what was asked where the test that began this looks for it."""
    told = {rule: sorted(results) for rule, results in ASKED.items()}
    Path(os.environ["REKINDLE_ASKED"]).write_text(json.dumps(told), encoding="utf-8")
