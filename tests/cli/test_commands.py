"""The commands around a run: help, status, log, plan, and what bad input is answered with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from engine.errors import Exit
from journal import entries as e
from journal.store import Journal
from rekindle.cli.main import COMMANDS
from tests.cli.conftest import Program
from tests.journal.making import ALICE, QUICK, opened

pytestmark = pytest.mark.program

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAVY = (
    "jinja2",
    "kubernetes",
    "pydantic",
    "rich",
    "sqlalchemy",
    "structlog",
    "transitions",
    "waitress",
    "werkzeug",
)


def test_help_names_every_command(rekindle: Program) -> None:
    answer = rekindle("--help")

    assert answer.code == 0
    assert all(name in answer.out for name in COMMANDS)


def test_help_shows_how_it_begins_and_what_the_process_answers(rekindle: Program) -> None:
    out = rekindle("--help").out

    assert "rekindle rehearse june-12" in out
    for code in set(Exit) - {Exit.DONE}:
        assert re.search(rf"\b{int(code)}\b", out), code


@pytest.mark.parametrize(
    ("codes", "commands"),
    [
        (
            "1, 2, 3",
            ("plan", "status", "inventory", "doctor", "diagnose", "replay", "diff", "init"),
        ),
        ("69", ("inventory", "watch")),
    ],
)
def test_both_tables_say_which_commands_answer_a_code(
    codes: str, commands: tuple[str, ...]
) -> None:
    from rekindle.cli.table import EXIT_CODES

    readme = (EXAMPLES.parent / "README.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| {codes} \| (.+) \|$", readme, re.MULTILINE)

    for name in commands:
        assert re.search(rf"\b{name}\b", dict(EXIT_CODES)[codes]), name
        assert re.search(rf"`{name}\b", row), name


def test_diagnose_says_what_it_answers(rekindle: Program) -> None:
    out = " ".join(rekindle("diagnose", "--help").out.split())

    assert re.search(r"Exit codes: 0 \w.*, 1 \w.*, 2 \w.*, 3 \w", out)


def test_help_of_rehearse_lists_the_scenarios(rekindle: Program) -> None:
    from rekindle.simulator.scenario import find_scenario, load_scenario, names

    out = rekindle("rehearse", "--help").out

    for name in names():
        title = load_scenario(find_scenario(name)).title
        assert re.search(rf"^  {name} +{title}$", out, re.MULTILINE)


def test_a_slip_is_answered_with_what_was_meant(rekindle: Program) -> None:
    answer = rekindle("statsu")

    assert (answer.code, "did you mean 'status'?" in answer.err) == (64, True)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_table_and_the_command_say_the_same(rekindle: Program, name: str) -> None:
    command = import_module(f"rekindle.cli.{name}").command

    assert command.help is not None
    assert command.help.strip().splitlines()[0] == COMMANDS[name]
    assert rekindle(name, "--help").code == 0


@pytest.mark.parametrize(
    "words", [["--help"], ["rehearse", "--help"], ["status", "--journal", "none.db"]]
)
def test_what_must_start_fast_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    program = f"import sys; sys.argv = ['rekindle', *{words!r}]\n"
    program += (
        "from rekindle.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    )
    program += "print(*sorted(set(name.partition('.')[0] for name in sys.modules)))"

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    loaded = set(ended.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint(HEAVY)


def test_status_says_the_three_sentences_of_a_finished_run(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", "node-lost", "--journal", journal)

    answer = rekindle("status", "--journal", journal)

    assert answer.code == 0
    assert "waits for     nothing: everything that should run, runs" in answer.out
    assert "can succeed   it has" in answer.out
    assert "you must      nothing" in answer.out
    assert "pods 104/104" in answer.out


def test_the_newest_journal_is_found_without_being_named(rekindle: Program) -> None:
    rekindle("rehearse", "node-lost")

    answer = rekindle("status", "--json")

    assert answer.document["outcome"] == "done"
    assert answer.document["journal"].endswith("rekindle/rehearsals/node-lost.db")
    assert Path(answer.document["journal"]).stat().st_mode & 0o777 == 0o600
    assert Path(answer.document["journal"]).parent.stat().st_mode & 0o777 == 0o700


def test_log_leaves_detail_out_and_says_so(rekindle: Program, tmp_path: Path) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", "node-lost", "--journal", journal)

    short, whole = (
        rekindle("log", "--journal", journal),
        rekindle("log", "--all", "--journal", journal),
    )

    assert "--all shows them" in short.err
    assert len(short.out.splitlines()) < len(whole.out.splitlines())
    assert "pods-healthy → done" in short.out
    lines = rekindle("log", "--json", "--journal", journal).out.splitlines()
    assert len(lines) == len(whole.out.splitlines())


def test_plan_shows_states_first_actions_approvals_and_deadlines(rekindle: Program) -> None:
    answer = rekindle("plan", "--scenario", "june-12", "--json")

    states = {state["state"]: state for state in answer.document["states"]}
    assert [state["goal"] for state in answer.document["states"]] == [
        "holds",
        "holds",
        *["broken"] * 3,
    ]
    assert states["cni-up"]["actions"][0]["verb"] == "command.run"
    assert len(states["flux-synced"]["approvals"]) == 3
    assert states["flux-synced"]["deadline_seconds"] == 3600
    assert answer.document["verbs"]["etcd.bootstrap"]["effect"] == "once"


@pytest.mark.parametrize("name", ["anton", "minimal", "own-states"])
def test_each_example_plan_loads(rekindle: Program, tmp_path: Path, name: str) -> None:
    """What an operator's own tools would have made beside it is made here, empty."""
    for beside in {name, "anton"}:  # own-states is another machine of that cluster
        shutil.copytree(EXAMPLES / beside, tmp_path / beside)
    folder = tmp_path / name
    plan = yaml.safe_load((folder / "recovery.yaml").read_text())
    made = [plan["talos"]["talosconfig"], *(n["config"] for n in plan["talos"]["nodes"].values())]
    for file in made:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()

    answer = rekindle("plan", "--check", str(folder / "recovery.yaml"))

    assert (answer.code, answer.err) == (0, "")
    assert f"a plan for {plan['cluster']}" in answer.out


@pytest.mark.parametrize("name", ["anton", "minimal"])
def test_what_an_example_leaves_to_its_operator_is_said(rekindle: Program, name: str) -> None:
    plan = EXAMPLES / name / "recovery.yaml"
    comments = "".join(line for line in plan.read_text().splitlines() if line.startswith("#"))

    answer = rekindle("plan", "--check", str(plan))

    missing = re.findall(r"(\S+) does not exist", answer.err)
    assert answer.code == 64
    assert missing
    assert "operator's own" in comments
    for path in map(Path, missing):
        assert path.name in comments or f"{path.parent.name}/" in comments, path


def test_a_missing_talosctl_is_named_before_anything_is_written(
    rekindle: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "minimal"
    shutil.copytree(EXAMPLES / "minimal", folder)
    plan = yaml.safe_load((folder / "recovery.yaml").read_text())
    plan["talos"]["talosctl"] = "no-such-talosctl"
    (folder / "recovery.yaml").write_text(yaml.safe_dump(plan))
    for made in ("talosconfig", "node-1.yaml"):
        (folder / made).touch()

    answer = rekindle("run", str(folder / "recovery.yaml"), "--journal", str(tmp_path / "j.db"))

    assert (answer.code, "talosctl-missing" in answer.err) == (78, True)
    assert not (tmp_path / "j.db").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["rehearse", "no-such-scenario"], 64, "no-such-scenario"),
        (["run", "missing.yaml"], 64, "missing.yaml"),
        (["plan", "missing.yaml"], 64, "missing.yaml"),
        (["plan", "--check", "binary.yaml"], 64, "binary.yaml: not UTF-8 at byte 0"),
        (["run", "nothing.yaml"], 64, "nothing.yaml"),
        (["resume"], 64, "no journal"),
        (["status"], 64, "rehearse june-12"),
        *(
            ([command, "--journal", "missing.db"], 64, "no journal at")
            for command in ("approve", "cancel", "history", "log", "resume", "status")
        ),
        (["log", "--verify", "--journal", "missing.db"], 64, "rehearse june-12"),
        (["log", "--verify", "--journal", "text.db"], 74, "text.db"),
        (["run", "empty.yaml"], 64, "empty.yaml:1:1"),
        (["run", "twice.yaml"], 64, "twice.yaml:2:1: cluster: this key stands at line 1 already"),
        (["rehearse"], 64, "either a SCENARIO is rehearsed"),
        (["nonsense"], 64, "nonsense"),
    ],
)
def test_bad_input_is_told_what_where_and_what_next(
    rekindle: Program, words: list[str], code: int, said: str
) -> None:
    (rekindle.folder / "text.db").write_text("this is no database, it is a text\n" * 50)
    (rekindle.folder / "empty.yaml").write_text("")
    (rekindle.folder / "binary.yaml").write_bytes(b"\xff\x00\xfe" * 50)
    (rekindle.folder / "nothing.yaml").write_bytes(b"\x00" * 50)
    (rekindle.folder / "twice.yaml").write_text("cluster: a\ncluster: b\n")

    answer = rekindle(*words)

    assert answer.code == code, answer.err
    assert said in answer.err


def test_a_damaged_journal_is_named_and_not_touched(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    import sqlite3

    journal = tmp_path / "j.db"
    scenario = str(scenario_without_operator("june-12"))
    assert rekindle("rehearse", scenario, "--journal", str(journal)).code == 4
    with sqlite3.connect(journal) as database:
        triggers = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _sql in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE entries SET at = at + 1 WHERE id = 5")
        for _name, sql in triggers:
            database.execute(sql)
    database.close()

    assert rekindle("log", "--verify", "--journal", str(journal)).code == 77
    before = journal.read_bytes()
    answer = rekindle("resume", "--journal", str(journal))
    assert (answer.code, "entry 5" in answer.err) == (77, True)
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    ("identity", "purpose", "hint"),
    [
        ({"cluster": "lab"}, "run", "`rekindle run today.yaml --journal"),
        ({"cluster": "lab", "kind": "simulated"}, "rehearse", "name the journal of the one that"),
        ({"cluster": "lab"}, "watch", "name the journal of the one that"),
    ],
    ids=["run", "rehearsal", "watch"],
)
def test_a_plan_is_not_passed_over_because_the_run_is_closed(
    rekindle: Program, tmp_path: Path, identity: dict[str, str], purpose: str, hint: str
) -> None:
    """
    It said "closed: done", of another night, and answered 0; that the plan is not there was not seen.

    Mutants: tell how the run ended; send to `run` in a rehearsal's journal; refuse `--take-over` too.
    """
    path, first = tmp_path / "j.db", opened(identity=identity, purpose=purpose)
    with Journal.open_run(path, first, holder=ALICE, options=QUICK) as journal:
        closed = e.RunClosed(at=105.0, outcome=e.RunOutcome.DONE, state="done")
        journal.append([closed])
    words = ("resume", "today.yaml", "--journal", str(path))
    answer = rekindle(*words)

    assert (answer.code, "error (plan-twice): run run-1 is closed: done" in answer.err) == (
        64,
        True,
    )
    assert hint in answer.err
    assert rekindle("resume", "--journal", str(path)).code == 0
    assert rekindle(*words, "--take-over").code == 0


@pytest.mark.parametrize("command", ["status", "approve", "resume", "cancel"])
@pytest.mark.parametrize("closed", [False, True])
def test_a_journal_with_a_flipped_byte_is_not_believed(
    rekindle: Program, waiting: Path, command: str, *, closed: bool
) -> None:
    """Mutant: do not verify in ``newest``. The text stays JSON: only the digest tells."""
    if closed:
        assert rekindle("cancel", "--journal", str(waiting)).code == 0
    body = waiting.read_bytes()
    at = body.rindex(b"which holds namespace storage?")
    waiting.write_bytes(body[:at] + b"W" + body[at + 1 :])

    answer = rekindle(command, "--journal", str(waiting))

    assert answer.code == 77
    assert "journal-chain-broken" in answer.err


def test_an_open_run_of_another_kind_is_not_mixed_up(rekindle: Program, tmp_path: Path) -> None:
    journal = str(tmp_path / "j.db")
    process = rekindle.until_entry(tmp_path / "j.db", "action.intended")
    process.kill()
    process.communicate()

    answer = rekindle("rehearse", "cold-start", "--journal", journal)

    assert answer.code == 64
    assert "rekindle resume" in answer.err
