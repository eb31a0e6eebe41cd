"""
Promise: a secret that a journal holds is in no scenario that is made of it.

Method: a recorded night in whose every reason, message and settlement somebody printed all kinds of secrets, as an
older program may have left it unredacted; it is written as ``rehearse --from RUN --write`` does. Mutants: read
the rows as they are; write the scenario's values, the tree's, or a remark as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal import writer
from journal.entries import AnyEntry, Fact, Objection
from journal.store import Journal
from rekindle.recordings import read, write_to
from rekindle.runs import Source
from rekindle.simulator.written import scenario_text, tree_text
from tests.journal.making import ALICE, QUICK
from tests.journal.test_redactor import PLANTED
from tests.report.nights import is_intent
from tests.simulator.recordings import made, recorded

TEXTS = [text for text, _ in PLANTED.values()]
ALL = "\n".join(TEXTS)


def found_in(text: str) -> list[str]:
    return [kind for kind, (_, secret) in PLANTED.items() if secret in text]


def planted(entry: AnyEntry) -> AnyEntry:
    """The entry, with every kind in what may be free text of it."""
    match entry:
        case e.Observed():
            told = {
                name: replace(fact, reason=f"{fact.reason}\n{ALL}")
                if isinstance(fact, Fact) and not name.startswith("node/")
                else fact
                for name, fact in entry.changed.items()
            }
            return replace(entry, changed=told)
        case e.FindingsChanged():
            return replace(
                entry,
                changed={
                    name: replace(one, message=ALL, evidence=(ALL,))
                    for name, one in entry.changed.items()
                },
            )
        case e.ActionSettled():
            return replace(entry, evidence={**entry.evidence, "message": ALL, "output": ALL})
        case e.ApprovalAsked():
            return replace(entry, question=ALL, consequence=ALL)
        case _:
            return entry


def entries() -> Iterator[AnyEntry]:
    for entry in map(planted, recorded("june")):
        yield entry
        if isinstance(entry, e.ApprovalAsked):
            yield e.Note(at=entry.at, text=ALL, actor=ALL)
            for text in TEXTS:
                yield e.ByHand(at=entry.at, verb="object.deleted", target=f"crd/x\n{text}")
                row = Objection(text, "red", text, text, text, (text,), text)
                yield e.Preflighted(at=entry.at, checked=1, objections=(row,))


def kept(path: Path) -> Source:
    """The night in a journal that nobody redacted."""
    opened, *rest = (one for one in entries() if not isinstance(one, e.LeaseTaken | e.LeaseLost))
    assert isinstance(opened, e.RunOpened)
    with (
        pytest.MonkeyPatch.context() as patch,
        Journal.open_run(path, opened, holder=ALICE, options=QUICK) as journal,
    ):
        patch.setattr(writer, "redact_payload", lambda body: body)
        for entry in rest:
            journal.append([entry], lease_seconds=60.0 if is_intent(entry) else None)
    return Source(path, opened.run_id)


def test_no_scenario_gives_away_what_a_journal_holds(tmp_path: Path) -> None:
    source = kept(tmp_path / "j.db")
    whole = b"".join(part.read_bytes() for part in tmp_path.glob("j.db*"))
    assert b"hvs.planted0123456789abcdef" in whole, "the journal was redacted after all"
    (tmp_path / "made").mkdir()

    path = write_to(tmp_path / "made", read(source))

    text = path.read_text("utf-8") + path.with_suffix(".tree.yaml").read_text("utf-8")
    assert "[redacted:" in text
    assert found_in(text) == []


def test_whatever_is_written_is_redacted() -> None:
    """What is copied of a journal today need not be all that will be."""
    found = made(recorded("june"))
    for text in TEXTS:
        found.remarks.recorded.append(text)
        found.remarks.assumed.append(text)
    scenario = replace(found.scenario, description="\n".join(TEXTS))
    tree = replace(found.tree, revision="\n".join(TEXTS))
    whole = dataclasses.replace(found, scenario=scenario, tree=tree)

    for text in (scenario_text(whole, TEXTS), tree_text(whole)):
        assert "[redacted:" in text
        assert found_in(text) == []
