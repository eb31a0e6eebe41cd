"""What is worked out at the end of a run: the same however long its journal is, and never the end of the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from journal.entries import AnyEntry
from journal.row import Row
from rekindle import ending
from rekindle.ending import closing_of
from tests.phases.making import START, plan
from tests.phases.test_ledger import SPAN, run


@dataclass
class Written:
    """A journal in memory that counts how often it is read."""

    entries: list[AnyEntry]
    readings: int = 0

    def rows(self, run_id: str | None = None, after: int = 0) -> Iterator[Row]:
        del run_id, after
        self.readings += 1
        for number, entry in enumerate(self.entries, start=1):
            yield Row(
                id=number,
                run_id="r1",
                seq=number,
                kind="k",
                at=0.0,
                wall_ns=0,
                epoch=1,
                entry=entry,
            )


def closed(journal: Written) -> dict[str, Any]:
    return closing_of(journal, "r1", plan(), START + SPAN)


@pytest.mark.parametrize(("kept", "readings"), [(5_000, 1), (4, 1), (3, 3)])
def test_a_long_run_is_read_again_and_closes_with_the_same(
    monkeypatch: pytest.MonkeyPatch, kept: int, readings: int
) -> None:
    """Mutant: go on with what was kept of a run that is longer."""
    journal = Written(run({"namespace/apps": "Terminating"}))
    assert len(journal.entries) == 4
    monkeypatch.setattr(ending, "KEPT_ENTRIES", kept)

    assert closed(journal)["ledger"]["dead"] == {"DW14": SPAN}
    assert journal.readings == readings


def test_a_mistake_in_the_figures_ends_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    journal = Written([cast("AnyEntry", "no entry at all")])

    assert closed(journal) == {}
    assert "no ledger of this run: " in capsys.readouterr().err
