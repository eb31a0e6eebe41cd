"""
Promise: a decision has a number of its own, and its page says the same one as its file.

Mutant that turns it red: give two files one number.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"


def test_a_decision_s_number_is_its_own() -> None:
    pages = sorted(FOLDER.glob("*.md"))

    assert [page.name[:5] for page in pages] == [f"{n:04}-" for n in range(1, len(pages) + 1)]
    for number, page in enumerate(pages, start=1):
        assert page.read_text("utf-8").startswith(f"# {number}. "), page.name
