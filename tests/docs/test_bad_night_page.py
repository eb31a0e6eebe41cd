"""
Promise: the page of the bad nights has each night of the table, as it was answered, and each reference its own page.

That what it shows is what was said, ``tests/system/test_bad_night.py`` sees by saying it again.
Mutants: take a night's part out of the page; change an exit code there; rename a reference.
"""

from __future__ import annotations

import re

import pytest

from tests.system.nights.page import ERRORS, parts, references
from tests.system.test_bad_night import NIGHTS, Night


def test_the_page_has_every_night_in_its_order() -> None:
    assert list(parts()) == [night.name for night in NIGHTS]


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.name)
def test_a_night_is_shown_as_the_table_has_it(night: Night) -> None:
    shown = parts()[night.name]

    assert tuple(map(int, re.findall(r"^exit (\d+)$", shown, re.MULTILINE))) == night.codes
    assert tuple(references(shown)) == night.references
    for reference in night.references:
        assert (ERRORS / f"{reference}.md").is_file()
