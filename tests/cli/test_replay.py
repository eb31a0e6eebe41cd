"""
``replay``: the journals of rehearsals come out the same, and what does not is told with its reason and an exit code.

Mutants that turn one of these red: answer 0 whatever differs; leave the recording aside; believe a journal that is
damaged; give a resumed session's first look the entries of the one that was killed.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from engine.plan import from_compiled
from engine.replay import Replayer
from journal.lease import Holder
from journal.reader import Reader
from journal.store import Journal
from rekindle.looks.film import film_of
from rekindle.recipes import recipe
from rekindle.replayed_lines import lines
from rekindle.replaying import Replayed, document, replayed, walk
from rekindle.runs import Source
from tests.cli.conftest import Program
from tests.cli.terminal import on_terminal
from tests.journal.making import tamper

pytestmark = pytest.mark.program

LATER = "import dataclasses\nimport phases.recipe as r\nusual = r.recipe()\n"
OTHER_CODE = f"""{LATER}
from engine.answer import Wait
def decide(plan, facts, findings, memory):
    return {{**usual.phases['pods-healthy'](plan, facts, findings, memory), 'moon': Wait('it is full')}}
r.recipe = lambda: dataclasses.replace(usual, phases={{**usual.phases, 'pods-healthy': decide}})
"""


@pytest.mark.parametrize("name", ["cold-start", "dead-webhook", "june-12", "node-lost"])
def test_a_rehearsal_replays_to_its_own_decisions(
    rekindle: Program, tmp_path: Path, name: str
) -> None:
    journal = str(tmp_path / "j.db")
    assert rekindle("rehearse", name, "--journal", journal, "--record").code == 0

    answer = rekindle("replay", "--json", "--journal", journal)

    document = answer.document
    assert (answer.code, document["verdict"], document["differences"]) == (0, "same", [])
    assert document["schema"] == "rekindle.replay/1"
    assert document["decisions"] > 3
    assert document["turns"] == document["looks"]
    assert document["turns_not_compared"] == {}
    assert document["moves"] >= 5
    assert document["looks"] > 20
    assert document["diagnoses"] > 3
    assert (document["recording_lacks"], document["recording_damaged"]) == ([], False)
    assert document["turns_without_look"] == 0


def test_a_killed_and_resumed_rehearsal_replays_with_both_recordings(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    session = rekindle.until(
        journal, "action.settled", "rehearse", "june-12", "--speed", "60", "--record", times=2
    )
    session.kill()
    session.communicate(timeout=60)
    assert rekindle("resume", "--record", "--journal", str(journal)).code == 0

    answer = rekindle("replay", "--json", "--journal", str(journal))

    assert answer.code == 0, answer.document["differences"][:1]
    with Reader(journal) as reader:
        resumed = next(row.seq for row in reader.rows() if row.kind == "run.resumed")
    assert answer.document["looks"] > 50
    assert answer.document["turns"] > 50
    assert resumed > 5


def test_without_a_recording_the_facts_are_the_journal_s(rekindle: Program, waiting: Path) -> None:
    answer = rekindle("replay", "--journal", str(waiting))

    assert answer.code == 0
    assert answer.out.splitlines()[0].startswith("the same today: run ")
    assert answer.out.splitlines()[1].startswith("no looks were recorded (--record)")


def test_other_code_is_told_with_both_answers_and_answers_1(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", "node-lost", "--journal", journal)

    answer = rekindle("replay", "--journal", journal, code=OTHER_CODE)
    as_json = rekindle("replay", "--json", "--journal", journal, code=OTHER_CODE)

    assert (answer.code, as_json.code) == (1, 1)
    assert "pods-healthy: decides otherwise, because of the code" in answer.out
    assert '"reason": "it is full"' in answer.out
    assert "differences today: run " in answer.out
    document = as_json.document
    assert document["verdict"] == "differs"
    first = document["differences"][0]
    assert (first["what"], first["why"], first["state"]) == ("decision", "code", "pods-healthy")
    assert first["today"] == {"moon": {"answer": "wait", "reason": "it is full"}}
    assert first["journaled"] == {"moon": None}
    with Reader(Path(journal)) as reader:
        kinds = {row.seq: row.kind for row in reader.rows()}
    assert kinds[first["seq"]] == "decided"


def test_a_damaged_journal_is_not_replayed(rekindle: Program, waiting: Path) -> None:
    tamper(waiting, "UPDATE payloads SET body = replace(body, 'anton', 'anders') WHERE id = 1")

    answer = rekindle("replay", "--journal", str(waiting))

    assert (answer.code, "journal-chain-broken" in answer.err) == (77, True)


@pytest.mark.parametrize(
    ("said", "unasked"),
    [
        ({"retry": {"backoff": [300, 600]}}, ["the backoff of command.run"]),
        ({"retry": {"jitter": "none"}}, ["the backoff of command.run"]),
        ({"deadline": 7.0}, ["the deadline of command.run"]),
        ({"retry": {"attempts": 1}}, []),
        ({"approval": "typed"}, []),
    ],
)
def test_what_of_another_plan_cannot_be_compared_is_said(
    waiting: Path, said: dict[str, Any], unasked: list[str]
) -> None:
    """Mutants: say nothing of a backoff, or of a deadline; call every other plan not compared."""
    with Reader(waiting) as reader:
        run = reader.runs()[0]
    compiled = dict(run.opened.plan)
    compiled["machine"] = {**compiled["machine"], "verbs": {"command.run": said}}
    source, other = Source(waiting, run.run_id), from_compiled(compiled, recipe())

    result = replayed(source, other)

    assert document(result)["plan_not_compared"] == unasked
    told = [line for line in lines(result, None) if line.startswith("not compared: ")]
    assert told == [
        f"not compared: {one} in that plan; when an action was tried again, and how long it took, is as the journal "
        "has it"
        for one in unasked
    ]


def test_a_recording_that_is_damaged_is_used_as_far_as_it_goes_and_answers_74(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutants: answer by the verdict alone; say nothing of turns that no look belongs to."""
    journal = tmp_path / "j.db"
    rekindle("rehearse", "node-lost", "--journal", str(journal), "--record")
    with Reader(journal) as reader:
        run = reader.runs()[0].run_id
    film = film_of(journal, run)
    whole = film.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])

    for body, why, looks in [
        (whole[:-200], "its end is missing from byte", True),
        (flipped, "it is damaged at byte", True),
        (b"", "it is empty", False),
        (b"garbage\n" * 99, "it is no recording of looks", False),
    ]:
        film.write_bytes(body)
        answer = rekindle("replay", "--journal", str(journal))
        as_json = rekindle("replay", "--json", "--journal", str(journal))

        assert (answer.code, as_json.code) == (74, 74)
        assert f"error (recording-damaged): recording {film}: {why}" in answer.err
        document = as_json.document
        assert (document["verdict"], document["recording_damaged"]) == ("same", True)
        assert document["recording_lacks"][0].startswith(why)
        assert (document["looks"] > 0) is looks
        assert f"{document['looks']} looks of it were replayed" in answer.err
        assert document["turns_without_look"] > 0
        left = "without a recorded look: there the facts are the journal's own"
        assert left in answer.out


def test_an_end_that_is_missing_is_to_come_while_the_run_is_held(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutant: take every film for one that nobody writes."""
    journal = tmp_path / "j.db"
    rekindle("rehearse", "node-lost", "--journal", str(journal), "--record")
    with Reader(journal) as reader:
        run = reader.runs()[0].run_id
    film = film_of(journal, run)
    film.write_bytes(film.read_bytes()[:-20])
    source = Source(journal, run)

    holding = Journal.resume(journal, holder=Holder.here(), run_id=run, at=0.0)
    while_held = replayed(source, None)
    holding.close()
    afterwards = replayed(source, None)

    assert while_held.replayer.counted.looks == afterwards.replayer.counted.looks > 0
    assert while_held.torn == ""
    assert afterwards.torn.startswith("its end is missing")


def test_a_run_is_found_by_its_id_by_its_beginning_and_by_its_file(
    rekindle: Program, waiting: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    shutil.copyfile(waiting, copy)
    with Reader(copy) as reader:
        run = reader.runs()[0].run_id

    for words in ([run, "--journal", str(copy)], [run[:15], "--journal", str(copy)], [str(copy)]):
        answer = rekindle("replay", "--json", *words)
        assert (answer.code, answer.document["run_id"]) == (0, run)

    nobody = rekindle("replay", "nobody", "--journal", str(copy))
    assert (nobody.code, "no-run" in nobody.err) == (64, True)


def test_a_run_is_shown_again_in_plain_lines(rekindle: Program, tmp_path: Path) -> None:
    journal = str(tmp_path / "j.db")
    live = rekindle("rehearse", "node-lost", "--journal", journal)

    answer = rekindle("replay", "--speed", "100000", "--journal", journal)

    assert (answer.code, answer.out) == (0, "")
    loud = [line for line in live.err.splitlines() if "moved" in line or "findings" in line]
    assert loud
    assert [
        line for line in answer.err.splitlines() if "moved" in line or "findings" in line
    ] == loud
    assert answer.err.splitlines()[-1].endswith("; nothing was begun")


def test_on_a_terminal_it_is_the_live_view_and_ctrl_c_leaves_at_once(
    rekindle: Program, waiting: Path
) -> None:
    screen = on_terminal(rekindle, "replay", "--speed", "1", "--journal", str(waiting))
    screen.until("▶ cni-up")

    screen.process.send_signal(signal.SIGINT)

    screen.until("left; nothing was begun")
    assert screen.ended() == 75


def test_turns_that_cannot_be_compared_are_counted_and_said(
    waiting: Path,
) -> None:
    """A journal whose newest turn ends with its move, as a kill between two commits leaves it."""
    with Reader(waiting) as reader:
        rows = list(reader.rows())
    moved = next(row for row in rows if row.kind == "moved")
    result = Replayed(Source(waiting, moved.run_id), Replayer(recipe()))

    walk(result, iter(rows[: moved.seq]), iter(()))

    assert result.same
    assert document(result)["turns_not_compared"] == {
        "the session was killed in the middle of it": 1
    }
    said = list(lines(result, None))
    assert "1 turn not compared: the session was killed in the middle of it" in said
