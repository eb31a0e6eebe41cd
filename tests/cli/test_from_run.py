"""
``rehearse --from``: a recorded run is rehearsed, its own journal is not needed again, and what is wrong is said.

Mutants: make the scenario anew though an open rehearsal lives from it; believe a journal without verifying it; take
the first of several runs; leave ``recorded_from`` out of the document; write over a scenario that is there.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from journal import entries as e
from journal.lease import Holder
from journal.reader import Reader
from journal.store import Journal
from rekindle.looks.film import film_of
from tests.cli.conftest import SECONDS, Answer, Program
from tests.cli.test_watch import interrupted, june
from tests.journal.making import QUICK, opened, tamper

pytestmark = pytest.mark.program

DECISIVE = {
    "june-12": {
        "apply.give-back",
        "command.run",
        "crd.preapply",
        "finalizer.release",
        "root.apply",
    },
    "cold-start": {
        "apply.give-back",
        "command.run",
        "crd.preapply",
        "etcd.bootstrap",
        "kubeconfig.fetch",
        "root.apply",
        "talos.apply",
    },
}
BOOTSTRAPS = {"june-12": 0, "cold-start": 1}
FACTOR = 1.5


@dataclass(frozen=True)
class Original:
    """A rehearsal that was recorded."""

    journal: Path
    run_id: str
    seconds: float


def rehearsed(folder: Path, scenario: str) -> Original:
    journal = folder / f"{scenario}.db"
    answer = Program(folder)("rehearse", scenario, "--journal", str(journal), "--json")
    assert answer.code == 0, answer.err
    document = answer.document
    return Original(journal, document["run_id"], document["cluster_seconds"])


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Original]:
    """The recorded runs; only read."""
    folder = tmp_path_factory.mktemp("recorded")
    return {scenario: rehearsed(folder, scenario) for scenario in DECISIVE}


def deeds(journal: Path) -> list[tuple[str, str]]:
    """What a run began, in its order."""
    with Reader(journal) as reader:
        entries = [row.entry for row in reader.rows()]
    return [(i.verb, i.target) for i in entries if isinstance(i, e.ActionIntended)]


def scenario_of(journal: Path) -> Path:
    """The file that a rehearsal of a run lives from."""
    found = journal.parent.glob(f"{journal.name}.from-*.yaml")
    (scenario,) = (path for path in found if not path.name.endswith(".tree.yaml"))
    return scenario


def test_that_recorded_looks_are_not_read_is_said(rekindle: Program, tmp_path: Path) -> None:
    """Whole or damaged: nothing of the scenario rests on them. Mutant: say nothing of them."""
    original = rehearsed(tmp_path, "dead-webhook")
    film = film_of(original.journal, original.run_id)
    said = f"a scenario is made of the journal alone; the looks in {film} are for `rekindle replay`"
    made = []

    for number, body in enumerate((None, b"", b"torn")):
        (tmp_path / str(number)).mkdir()
        if body is not None:
            film.write_bytes(body)
        words = ("--from", str(original.journal), "--write", str(tmp_path / str(number)))
        answer = rekindle("rehearse", *words)
        assert (answer.code, said in answer.err) == (0, body is not None)
        made.append(Path(answer.out.strip()).read_bytes())

    assert len(set(made)) == 1


def is_done(answer: Answer) -> None:
    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    assert answer.document["pods"] == {"ready": 104, "expected": 104}
    assert answer.document["wipes"] == 0


@pytest.mark.parametrize("scenario", sorted(DECISIVE))
def test_a_recorded_run_comes_to_the_same_end_by_the_same_deeds(
    rekindle: Program, tmp_path: Path, originals: dict[str, Original], scenario: str
) -> None:
    original, journal = originals[scenario], tmp_path / "again.db"

    answer = rekindle(
        "rehearse", "--from", str(original.journal), "--journal", str(journal), "--json"
    )

    is_done(answer)
    document = answer.document
    assert document["schema"] == "rekindle.rehearsal/1"
    assert document["recorded_from"] == original.run_id
    assert document["bootstraps"] == BOOTSTRAPS[scenario]
    assert {verb for verb, _ in deeds(journal)} - {"flux.nudge"} == DECISIVE[scenario]
    assert {verb for verb, _ in deeds(original.journal)} - {"flux.nudge"} == DECISIVE[scenario]
    assert 1 / FACTOR <= document["cluster_seconds"] / original.seconds <= FACTOR
    if scenario == "june-12":
        assert {root["rule"] for root in document["roots"]} == {"C4", "N6", "T16"}
    with Reader(journal) as reader:
        assert reader.runs()[-1].opened.identity["recorded_from"] == original.run_id
    log = rekindle("log", "--journal", str(journal)).out
    assert f"rehearse of anton, recorded as run {original.run_id}" in log


def test_a_run_is_found_by_the_beginning_of_its_id(
    rekindle: Program, tmp_path: Path, originals: dict[str, Original]
) -> None:
    state = tmp_path / "state" / "rekindle" / "rehearsals"
    state.mkdir(parents=True)
    for scenario, original in originals.items():
        shutil.copyfile(original.journal, state / f"{scenario}.db")
        shutil.copyfile(original.journal, state / f"copy of {scenario}.db")
    wanted = originals["june-12"].run_id

    answer = rekindle("rehearse", "--from", wanted[:-1], "--write", str(tmp_path), "--json")

    assert answer.code == 0, answer.err
    assert answer.document["run_id"] == wanted
    several = rekindle("rehearse", "--from", "20")
    unknown = rekindle("rehearse", "--from", "19690720")
    assert (several.code, "run-ambiguous" in several.err) == (64, True)
    assert all(original.run_id in several.err for original in originals.values())
    assert (unknown.code, "run-unknown" in unknown.err) == (64, True)
    assert not list(state.glob("from-*"))


def test_a_written_scenario_is_rehearsed_to_the_same_decisions(
    rekindle: Program, tmp_path: Path, originals: dict[str, Original]
) -> None:
    source = str(originals["june-12"].journal)
    name = f"from-{originals['june-12'].run_id}"
    by_file, by_run = tmp_path / "file.db", tmp_path / "run.db"

    written = rekindle("rehearse", "--from", source, "--write", ".")
    again = rekindle("rehearse", "--from", source, "--write", ".")

    assert (written.code, written.out) == (0, f"{name}.yaml\n"), written.err
    assert f"rekindle rehearse {name}.yaml" in written.err
    assert (again.code, "output-exists" in again.err) == (64, True)
    text = (tmp_path / f"{name}.yaml").read_text("utf-8")
    assert "# Assumed, for the journal does not say it:" in text
    assert "# At the first look otherwise than recorded:" not in text
    is_done(rekindle("rehearse", f"{name}.yaml", "--json", "--journal", str(by_file)))
    is_done(rekindle("rehearse", "--from", source, "--json", "--journal", str(by_run)))
    assert deeds(by_file) == deeds(by_run)


def test_a_killed_one_is_gone_on_with_and_needs_its_source_no_more(
    rekindle: Program, tmp_path: Path, originals: dict[str, Original]
) -> None:
    source, journal = tmp_path / "source.db", tmp_path / "j.db"
    shutil.copyfile(originals["june-12"].journal, source)
    for kind in ("action.settled", "run.resumed"):
        process = rekindle.until(journal, kind, "rehearse", "--from", str(source), "--speed", "60")
        process.kill()
        process.communicate(timeout=SECONDS)
        scenario = scenario_of(journal)
        kept = (scenario.stat().st_mtime_ns, scenario.read_bytes())
    source.unlink()

    answer = rekindle("resume", "--journal", str(journal), "--json")

    is_done(answer)
    assert answer.document["recorded_from"] == originals["june-12"].run_id
    assert (scenario.stat().st_mtime_ns, scenario.read_bytes()) == kept
    with Reader(journal) as reader:
        assert [run.outcome for run in reader.runs()] == [e.RunOutcome.DONE]
    assert rekindle("log", "--verify", "--journal", str(journal)).code == 0


def test_a_journal_with_another_open_run_is_not_taken(
    rekindle: Program, waiting: Path, originals: dict[str, Original]
) -> None:
    source = str(originals["june-12"].journal)

    answer = rekindle("rehearse", "--from", source, "--journal", str(waiting))

    assert (answer.code, "run-open" in answer.err) == (64, True), answer.err


def test_a_run_that_still_waits_is_rehearsed_with_answers(
    rekindle: Program, waiting: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"

    is_done(rekindle("rehearse", "--from", str(waiting), "--journal", str(journal), "--json"))

    said = scenario_of(journal).read_text("utf-8")
    assert "# - nobody answered 'take cephblockpool.ceph.rook.io off" in said


def test_a_watch_is_a_source_as_well(rekindle: Program, tmp_path: Path) -> None:
    watched, journal = tmp_path / "watched.db", tmp_path / "j.db"
    interrupted(june(rekindle, watched))

    answer = rekindle("rehearse", "--from", str(watched), "--journal", str(journal), "--json")

    is_done(answer)
    assert {verb for verb, _ in deeds(journal)} - {"flux.nudge"} == DECISIVE["june-12"]


def test_a_damaged_journal_is_not_believed(
    rekindle: Program, tmp_path: Path, originals: dict[str, Original]
) -> None:
    damaged = tmp_path / "damaged.db"
    shutil.copyfile(originals["june-12"].journal, damaged)
    change = (
        "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), 'Absent', 'absent') AS BLOB)"
    )
    tamper(damaged, f"{change} WHERE id = 3")

    answer = rekindle("rehearse", "--from", str(damaged), "--journal", str(tmp_path / "j.db"))

    assert (answer.code, "journal-chain-broken" in answer.err) == (77, True), answer.err
    assert not (tmp_path / "j.db").exists()


def test_what_is_no_journal_or_has_no_run_is_said(rekindle: Program, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no journal at all, and longer than a header is" * 9)

    missing = rekindle("rehearse", "--from", "missing.db")
    foreign = rekindle("rehearse", "--from", "text.db")

    assert (missing.code, "no-journal" in missing.err) == (64, True), missing.err
    assert (foreign.code, "journal-foreign-file" in foreign.err) == (74, True), foreign.err


def test_a_run_that_saw_nothing_is_not_rehearsed(
    rekindle: Program, tmp_path: Path, originals: dict[str, Original]
) -> None:
    with Reader(originals["june-12"].journal) as reader:
        plan = reader.runs()[-1].opened.plan
    blind, base = tmp_path / "blind.db", opened("20250612-081602-0f3a9c")
    first = e.RunOpened(
        **{field: getattr(base, field) for field in base.__struct_fields__} | {"plan": plan}
    )
    Journal.open_run(blind, first, holder=Holder.here(), options=QUICK).close()

    answer = rekindle("rehearse", "--from", str(blind), "--journal", str(tmp_path / "j.db"))

    assert (answer.code, "run-unseen" in answer.err) == (64, True), answer.err
    assert not (tmp_path / "j.db").exists()


@pytest.mark.parametrize(
    "words", [(), ("june-12", "--from", "some.db"), ("june-12", "--write", ".")]
)
def test_it_is_either_a_scenario_or_a_run(rekindle: Program, words: tuple[str, ...]) -> None:
    answer = rekindle("rehearse", *words)

    assert (answer.code, "rehearse-what" in answer.err) == (64, True), answer.err
