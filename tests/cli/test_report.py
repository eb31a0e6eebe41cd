"""
``rekindle report`` as its users have it: its answers, its files, and what it refuses.

Mutants: answer 0 for a damaged journal; write ``--output`` over what is there; take the mode away; believe ``--run``
where the name stands as an argument.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from rekindle.report.story import SCHEMA
from tests.cli.conftest import Program
from tests.journal.making import tamper

pytestmark = pytest.mark.program


def test_a_rehearsal_is_told_with_the_times_of_its_own_document(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / "j.db")
    document = rekindle("rehearse", "june-12", "--journal", journal, "--json").document

    page = rekindle("report", "--journal", journal)
    answer = rekindle("report", "--journal", journal, "--format", "json")
    told = answer.document

    assert (page.code, answer.code) == (0, 0)
    assert page.out.startswith("# Milestone: Rehearsed Recovery of Cluster anton\n")
    assert told["schema"] == SCHEMA
    assert told["run"]["run_id"] == document["run_id"]
    assert round(told["run"]["ended"] - told["run"]["opened"], 3) == document["cluster_seconds"]
    assert told["ledger"]["seconds"] == round(document["cluster_seconds"], 3)
    assert told["pods"][-1]["ready"] == document["pods"]["ready"]
    assert told["verdict"]["roots"] == [r["id"] for r in document["roots"]]
    assert told["verdict"]["seconds"] == document["time_to_verdict_seconds"]
    assert len(told["actions"]) == sum(
        count for name, count in document["counters"].items() if name.startswith("verb:")
    )


def test_an_open_run_is_told_as_json_and_as_a_page(rekindle: Program, waiting: Path) -> None:
    answer = rekindle("report", "--journal", str(waiting), "--json")
    page = rekindle("report", "--journal", str(waiting))

    assert (answer.code, page.code) == (0, 0)
    assert answer.document["run"]["outcome"] == "open"
    assert "rekindle approve" in page.out


def test_a_file_is_for_its_owner_alone_and_never_replaced_by_the_way(
    rekindle: Program, waiting: Path, tmp_path: Path
) -> None:
    target = tmp_path / "night.md"
    words = ("report", "--journal", str(waiting), "--output", str(target))

    first = rekindle(*words)
    written = target.read_text()
    second = rekindle(*words)
    target.write_text("mine")
    third = rekindle(*words)
    kept = target.read_text()
    fourth = rekindle(*words, "--force")

    assert (first.code, first.out) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (second.code, third.code, fourth.code) == (64, 64, 0)
    assert "error (output-exists)" in third.err
    assert kept == "mine"
    assert target.read_text() == written


def test_a_device_holds_nothing_that_was_reviewed(rekindle: Program, waiting: Path) -> None:
    """`report` and `inventory` refused one. Mutant: refuse whatever is there."""
    answer = rekindle("report", "--journal", str(waiting), "--output", os.devnull)

    assert (answer.code, answer.out) == (0, "")
    assert f"written to {os.devnull}" in answer.err
    assert Path(os.devnull).is_char_device()


def test_no_force_replaces_a_folder_and_none_is_promised(rekindle: Program, waiting: Path) -> None:
    """As where a variable is empty. Mutant: send to --force, which does not help."""
    for more in ((), ("--force",)):
        answer = rekindle("report", "--journal", str(waiting), "--output", "", *more)

        assert (answer.code, answer.out) == (64, "")
        assert "error (output-exists): . is a folder" in answer.err
        assert "--force" not in answer.err


def test_a_damaged_journal_is_told_as_far_as_it_is_whole(
    rekindle: Program, waiting: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    shutil.copyfile(waiting, broken)
    tamper(broken, "UPDATE entries SET at = at + 1 WHERE id = 40")

    answer = rekindle("report", "--journal", str(broken), "--json")
    page = rekindle("report", "--journal", str(broken))

    assert (answer.code, page.code) == (77, 77)
    assert answer.document["chain"]["entry"] == 40
    assert "damaged at entry 40" in page.out
    assert "damaged" in page.err


def test_what_does_not_fit_is_refused(rekindle: Program, waiting: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.md.j2"
    mine.write_text("{{ story.pod }}")
    about = ("report", "--journal", str(waiting))

    nobody = rekindle(*about[:1], "nobody", *about[1:])
    template = rekindle(*about, "--template", str(mine))
    both = rekindle(*about, "--template", str(mine), "--json")

    assert [answer.code for answer in (nobody, template, both)] == [64, 64, 64]
    assert "error (no-run)" in nobody.err
    assert "error (template-invalid)" in template.err
    assert nobody.out == template.out == both.out == ""


def test_reading_leaves_the_journal_as_it_is(rekindle: Program, waiting: Path) -> None:
    before = waiting.read_bytes()

    assert rekindle("report", "--journal", str(waiting)).code == 0
    assert waiting.read_bytes() == before
    assert json.loads(rekindle("report", "--journal", str(waiting), "--json").out)
