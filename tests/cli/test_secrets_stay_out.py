"""
Promise: a secret that a journal holds is in nothing that the commands print of it, on either stream.

Method: what is planted stands in every text of every entry, in a journal that nobody redacted, as an older program may
have left it.

Mutants that turn it red: print a line or a document of one command without ``retold``; give ``log``, ``diff`` or
``replay --speed`` the rows as they are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import entries as e
from journal import writer
from journal.entries import Fact, Outcome
from tests.cli.conftest import Program
from tests.journal.test_redactor import PLANTED
from tests.phases.making import plan
from tests.phases.test_path import TREE
from tests.report.nights import AT, written
from tests.report.test_secrets_stay_out import about

pytestmark = pytest.mark.program

TEXTS = [text for text, _ in PLANTED.values()]
COMMANDS = (
    ("log",),
    ("log", "--all"),
    ("log", "--all", "--json"),
    ("log", "--at", "9999-12-31", "-v"),
    ("log", "--at", "9999-12-31", "-v", "--json"),
    ("status",),
    ("status", "--json"),
    ("status", "-v"),
    ("status", "-v", "--json"),
    ("history",),
    ("history", "--json"),
    ("replay",),
    ("replay", "--all"),
    ("replay", "--json"),
    ("replay", "--speed", "100000"),
    ("replay", "--speed", "100000", "-v"),
    ("metrics",),
    ("trace",),
)


def journal(path: Path, texts: list[str]) -> Path:
    """Write every kind of entry with every secret in it; the end stands as it is asked, stuck and at work."""
    told = plan(TREE).compiled()
    entries = [
        entry
        for number, text in enumerate(texts)
        for entry in about(text, number)
        if not isinstance(entry, e.PlanChanged)
    ]
    for number, text in enumerate(texts):
        act = {"action": f"z{number}\n{text}", "verb": text, "target": f"node/{number}\n{text}"}
        entries.append(
            e.ActionIntended(at=AT, attempt=1, epoch=1, deadline_seconds=9.0, **act)  # type: ignore[arg-type]
        )
        if number % 2:
            entries.append(
                e.ActionSettled(at=AT, outcome=Outcome.FAILED, code=text, **act)  # type: ignore[arg-type]
            )
        entries.append(e.Observed(at=AT, changed={f"node/{number}": Fact(text, text)}))
    return written(
        path,
        entries,
        cluster=texts[0],
        identity={"cluster": texts[1], "token": texts[2]},
        version=texts[3],
        world={"scenario": texts[5]},
        plan={**told, "cluster": texts[4]},
    )


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "redact_payload", lambda body: body)
        made = journal(folder / "a.db", TEXTS), journal(folder / "b.db", TEXTS[::-1])
    whole = b"".join(part.read_bytes() for part in folder.glob("a.db*"))
    assert b"hvs.planted0123456789abcdef" in whole, "the journal was redacted after all"
    return made


def printed(rekindle: Program, *arguments: str) -> str:
    answer = rekindle(*arguments)
    assert answer.code in {0, 1, 2}, answer.err
    assert answer.out or "--speed" in arguments
    return answer.out + answer.err


def found_in(text: str) -> list[str]:
    return [kind for kind, (_, secret) in PLANTED.items() if secret in text]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_gives_away_what_a_journal_holds(
    rekindle: Program, journals: tuple[Path, Path], arguments: tuple[str, ...]
) -> None:
    text = printed(rekindle, *arguments, "--journal", str(journals[0]))

    assert "[redacted:" in text
    assert found_in(text) == []


def test_nor_does_a_question(rekindle: Program, tmp_path: Path) -> None:
    """Mutants: print it as the journal has it, in the list, or before it is answered."""
    asked: list[e.AnyEntry] = [
        e.ApprovalAsked(
            at=AT,
            approval=f"q{n}",
            digest="d",
            subject=f"s{n}",
            typed="x",
            question=text,
            consequence=text,
        )
        for n, text in enumerate(TEXTS)
    ]
    answers = {f"s{n}": {"answer": "ask", "question": text} for n, text in enumerate(TEXTS)}
    asked.append(e.Decided(at=AT, state="flux-synced", answers=answers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "redact_payload", lambda body: body)
        path = written(tmp_path / "j.db", asked)

    listed = printed(rekindle, "approve", "--journal", str(path))
    answered = rekindle("approve", "q0", "--type", "y", "--journal", str(path)).err

    for text in (listed, answered):
        assert "[redacted:" in text
        assert found_in(text) == []


@pytest.mark.parametrize("seq", [40, 200, 800])
@pytest.mark.parametrize("kind", [(), ("--json",)], ids=["lines", "json"])
def test_nor_does_a_moment(
    rekindle: Program, journals: tuple[Path, Path], seq: int, kind: tuple[str, ...]
) -> None:
    text = printed(rekindle, "log", "--at", str(seq), *kind, "--journal", str(journals[0]))

    assert "[redacted:" in text
    assert found_in(text) == []


@pytest.mark.parametrize("kind", [(), ("--json",)], ids=["lines", "json"])
def test_nor_do_two_runs_beside_each_other(
    rekindle: Program, journals: tuple[Path, Path], kind: tuple[str, ...]
) -> None:
    text = printed(rekindle, "diff", *map(str, journals), *kind)

    assert "[redacted:" in text
    assert found_in(text) == []
