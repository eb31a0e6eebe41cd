"""
Folders that may not be entered, names that are too long, links in a loop: each an answer with its reference.

On Python 3.11 ``Path.exists`` raises there, and so a mistake of ours was said. Mutants: put ``exists``, ``is_file`` or
``is_dir`` of pathlib back, at any place that a case below goes through; take what may not be looked at for absent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from engine.errors import Diagnosed, Problem, UsageWrong
from journal.reader import Reader
from journal.store import Journal
from rekindle import handover, outputfile, recordings
from rekindle.adopting import placed
from rekindle.cli.failing import guarded
from rekindle.cli.table import cli
from rekindle.doctor import access, journal
from rekindle.doctor.check import Verdict
from rekindle.doctor.host import Host
from rekindle.output import OutputFailed
from rekindle.planfile import read_plan
from rekindle.report import markdown
from rekindle.runs import find_run
from rekindle.simulator.errors import ScenarioInvalid
from rekindle.simulator.scenario import load_scenario
from tests.anybody import with_rights_as_anybody
from tests.cli.conftest import alone
from tests.journal.making import BOB, rich_journal
from tests.phases.test_section import INVENTORY, PLAN

LONG = "x" * 300


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which ``shut`` may not be entered and ``loop`` leads to itself, with rights as anybody has them."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "shut").mkdir(mode=0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("REKINDLE_JOURNAL", raising=False)
    with with_rights_as_anybody():
        yield tmp_path
    (tmp_path / "shut").chmod(0o700)


@pytest.fixture
def asked(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Call a command; its exit code, and what it told."""
    del here

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["rekindle", *words])
        code = guarded(cli)
        return code, capsys.readouterr().err

    return call


Asked = Callable[..., tuple[int, str]]


@pytest.mark.parametrize("journal", ["shut/j.db", "loop"])
@pytest.mark.parametrize(
    "words",
    [
        "status",
        "resume",
        "history",
        "log",
        "cancel",
        "rehearse healthy",
        "watch --scenario healthy",
    ],
)
def test_a_journal_that_nobody_may_look_at_is_not_absent(
    asked: Asked, words: str, journal: str
) -> None:
    """Its folder is not ours to enter, or its link leads nowhere. Mutant: ``exists``, in ``paths`` or ``folding``."""
    code, told = asked(*words.split(), "--journal", journal)

    assert (code, "error (journal-unreadable): cannot read " in told) == (74, True), told


@pytest.mark.parametrize(
    "words",
    [("rehearse", "--from", "shut/j.db"), ("replay", "shut/j.db"), ("diff", "shut/j.db", "b")],
)
def test_nor_is_one_whose_run_is_named_by_its_file(asked: Asked, words: tuple[str, ...]) -> None:
    code, told = asked(*words)

    assert (code, "error (journal-unreadable): " in told) == (74, True), told


def test_a_journal_is_resumed_only_where_somebody_may_look(here: Path) -> None:
    for open_one in (lambda path: Journal.resume(path, holder=BOB), Reader):
        with pytest.raises(Diagnosed) as caught:
            open_one(here / "shut" / "j.db")
        assert caught.value.reference == "journal-unreadable"


def test_a_name_that_is_too_long_is_nobody_s(asked: Asked, here: Path) -> None:
    rich_journal(here / "j.db")

    assert "error (no-journal): " in asked("status", "--journal", LONG)[1]
    assert "error (run-unknown): " in asked("rehearse", "--from", LONG)[1]
    assert "error (run-unknown): " in asked("replay", LONG)[1]
    assert "error (no-run): " in asked("replay", LONG, "--journal", "j.db")[1]
    assert "error (scenario-unknown): " in asked("rehearse", LONG)[1]
    assert "error (scenario-unknown): " in asked("rehearse", f"{LONG}.yaml")[1]


def test_a_run_is_found_beside_journals_that_cannot_be_looked_at(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: let the state folder, or the journal that was named, end the search."""
    found = find_run("run-1", rich_journal(here / "j.db"), here / "shut" / "j.db")
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "shut"))

    assert find_run("run-1", here / "j.db") == found
    with pytest.raises(
        UsageWrong, match=r"could not be read: .*shut/rekindle \(journal-unreadable"
    ):
        find_run("run-9")


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o600])
def test_a_state_folder_that_nobody_may_look_into_has_not_no_journal(
    asked: Asked, here: Path, mode: int
) -> None:
    """
    Not to be entered, not to be listed, and listed without being entered.

    Mutant: ``glob``, which takes a refusal for nothing.
    """
    folder = here / "state" / "rekindle"
    folder.mkdir(parents=True)
    rich_journal(folder / "j.db")
    folder.chmod(mode)

    code, told = asked("status")

    folder.chmod(0o700)
    assert (code, "error (journal-unreadable): cannot read " in told) == (74, True), told


def test_what_leads_nowhere_is_not_the_newest(asked: Asked, here: Path) -> None:
    """A link, or a journal that goes while it is looked for. Mutant: ``stat`` of each, without a net."""
    folder = here / "state" / "rekindle"
    folder.mkdir(parents=True)
    rich_journal(folder / "j.db")
    (folder / "k.db").symlink_to("nowhere")

    code, told = asked("history")

    assert (code, f"journal {folder / 'j.db'}\n" in told) == (0, True), told


@pytest.mark.parametrize(
    ("state", "why"), [("shut", "Permission denied"), ("file", "Not a directory")]
)
@pytest.mark.parametrize(
    "words", [("rehearse", "healthy"), ("watch", "--scenario", "healthy"), ("run", "plan.yaml")]
)
def test_a_state_folder_that_cannot_be_made_is_said(
    asked: Asked,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    state: str,
    why: str,
) -> None:
    (here / "file").touch()
    site(here)
    monkeypatch.setenv("XDG_STATE_HOME", str(here / state))

    code, told = asked(*words)

    said = f"error (journal-not-writable): cannot make the journal's folder {here / state}/rekindle"
    assert (code, f"{said}: {why}" in told) == (74, True), told


def site(folder: Path, old: str = "", new: str = "") -> Path:
    """Write a plan with all that it names; of *old*, the first becomes *new*."""
    for name in ("talosconfig", "cp-1.yaml", "cp-2.yaml", "roots.yaml"):
        (folder / name).write_text("")
    (folder / "inventory.yaml").write_text(INVENTORY)
    assert old in PLAN
    path = folder / "plan.yaml"
    path.write_text(PLAN.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "talosconfig: talosconfig",
            "talosconfig: shut/t",
            "shut/t cannot be looked at: Permission",
        ),
        ("config: cp-1.yaml", "config: shut/c", "shut/c cannot be looked at: Permission denied"),
        ("roots: roots.yaml", "roots: shut/r", "shut/r cannot be looked at: Permission denied"),
        ("roots: roots.yaml", "roots: loop", "loop cannot be looked at: Too many levels"),
        ("roots: roots.yaml", f"roots: {LONG}", "cannot be looked at: File name too long"),
        ("roots: roots.yaml", 'roots: "a\\0b"', "cannot be the name of a file"),
        ("config: cp-1.yaml", 'config: "a\\0b"', "cannot be the name of a file"),
        ("{file: inventory.yaml}", '{file: "a\\0b"}', "cannot be the name of a file"),
        ("commands:", 'crds: {directory: "a\\0b"}\ncommands:', "cannot be the name of a file"),
        ("commands:", 'etcd: {snapshot: "a\\0b"}\ncommands:', "cannot be the name of a file"),
        ("roots: roots.yaml", "roots: ~nobody-here/r", "~nobody-here/r does not exist"),
        (
            "commands:",
            "crds: {directory: shut}\ncommands:",
            "shut cannot be listed: Permission denied",
        ),
        ("commands:", "crds: {directory: shut/c}\ncommands:", "shut/c cannot be looked at: Permis"),
    ],
)
def test_what_a_plan_names_and_nobody_may_look_at_is_a_line_of_its_own(
    asked: Asked, here: Path, old: str, new: str, said: str
) -> None:
    """Mutants: ``glob`` for the CRDs of a folder, which finds none; a digest of what is no path."""
    site(here, old, new)

    code, told = asked("plan", "--check", "plan.yaml")

    lines = [line for line in told.splitlines() if "plan.yaml:" in line and "check" not in line]
    assert (code, "error (plan-invalid): " in told, len(lines)) == (64, True, 1), told
    assert said in lines[0]


def test_doctor_looks_at_the_rest(asked: Asked, here: Path) -> None:
    """A plan that names what may not be looked at, and a kubeconfig and a journal there. Mutants: as above."""
    path = site(here, "kubeconfig: kubeconfig", "kubeconfig: shut/k")
    path.write_text(path.read_text().replace("roots: roots.yaml", "roots: shut/r"))
    missing: list[Problem] = []

    loaded = read_plan(path, missing)
    families = access.rows(Host(), loaded.target) + journal.rows(
        Host(), here / "shut" / "s" / "j.db"
    )
    code, told = asked("doctor", "plan.yaml", "--journal", "shut/s/j.db")

    assert [problem.path for problem in missing] == ["flux.roots"]
    verdicts = {one.id: one.verdict for one in families}
    assert (verdicts["access.kubeconfig"], verdicts["journal.file"]) == (
        Verdict.WARNING,
        Verdict.RED,
    )
    assert (code, "error (" in told) == (2, False), told


@pytest.mark.parametrize("words", [("doctor",), ("watch",)])
def test_a_plan_that_nobody_may_look_for_is_not_left_out(
    asked: Asked, here: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Where one stands may not be entered any more. Mutant: take the plan for absent, and do without one."""
    folder = here / "stood"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.chmod(0)

    code, told = asked(*words)

    folder.chmod(0o700)
    monkeypatch.chdir(here)
    assert (code, "error (plan-unreadable): recovery.yaml: Permission denied" in told) == (
        64,
        True,
    ), told


def test_a_scenario_that_nobody_may_look_at_is_not_unknown(asked: Asked, here: Path) -> None:
    for name in ("shut/s.yaml", str(here / "shut" / "s")):
        code, told = asked("rehearse", name)
        assert (code, "error (scenario-invalid): s.yaml is no scenario: " in told) == (64, True), (
            told
        )


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("shut/t.yaml", "tree: .*shut/t.yaml cannot be read: Permission denied"),
        ("gone.yaml", "tree: .*gone.yaml cannot be read: No such file"),
        ("a\0b", "is no tree: .*null"),
        ("b", "is no tree: .*utf-8"),
    ],
)
def test_nor_is_its_tree(here: Path, tree: str, said: str) -> None:
    """Mutant: catch only what the system and the parser of YAML say."""
    path = alone("healthy", here)
    raw = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**raw, "tree": tree}))
    (here / "b").write_bytes(b"\xff\xfe")

    with pytest.raises(ScenarioInvalid, match=said):
        load_scenario(path)


def test_what_is_written_where_nobody_may_look_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: take what may not be looked at for there already; ``resolve``, which raises for a loop."""
    shut = here / "shut" / "f"
    outputfile.must_be_free(shut, force=False)
    for path in (shut, here / "loop" / "f"):
        with pytest.raises(OutputFailed, match="cannot write"):
            outputfile.write(path, "text")
    with pytest.raises(OutputFailed, match="cannot write"):
        placed._write(placed.Placed(), shut, "text")
    kept: list[Path] = []
    monkeypatch.setattr(recordings, "keep", lambda _recording, path: kept.append(path))
    recording: Any = SimpleNamespace(scenario=SimpleNamespace(name="night"))
    assert kept == []
    assert recordings.write_to(here / "shut", recording) == kept[0]


def test_a_template_that_nobody_may_look_at_is_said(here: Path) -> None:
    with pytest.raises(UsageWrong) as caught:
        markdown.loader_for(here / "shut" / "t", "report.md.j2")
    assert caught.value.reference == "template-invalid"


def test_watches_that_cannot_be_looked_for_keep_nobody_from_a_recovery(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are said. Mutants: let it end the command; say nothing; ``resolve``, which raises for a loop."""
    plan: Any = SimpleNamespace(cluster="home")
    watches = here / "state" / "rekindle" / "watches"
    watches.mkdir(parents=True)
    (watches / "w.db").symlink_to("w.db")

    handover.refuse_beside(plan, here / "j.db")
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "shut"))
    handover.refuse_beside(plan, here / "j.db")

    told = capsys.readouterr().err.splitlines()
    assert [line.split(" cannot be read (journal-unreadable): ")[0] for line in told] == [
        f"WARNING: {watches}/w.db",
        f"WARNING: {here}/shut/rekindle",
    ]
