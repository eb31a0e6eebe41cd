"""
``-v``: every cause of a run in full, with the tree of what it blocks; from the journal, and while a session finds it.

Mutants, each tried, that turn one of these red: name no rule, no evidence, no way out, or draw no tree; leave out what
is explained, or what could not be listed; say nothing of whether a run is closed; say that all is well where nothing
was seen; import the rules without ``-v``; leave a command's ``-v`` unheard; tell a cause each turn, or once for ever.

The same of a moment (``log --at -v``), and where a run is shown again (``replay --speed -v``: ``test_playing``).
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from engine.errors import Exit
from engine.memory import Memory
from journal import entries as e
from journal.entries import Fact, Finding, Remedy
from rekindle import momentary
from rekindle.cli.table import cli
from rekindle.elaborating import elaborated
from rekindle.folding import Found, newest
from rekindle.rehearsal import in_process
from rekindle.remembered import document, lines
from rekindle.session import Options
from tests.cli.conftest import Program
from tests.phases.making import START, facts, opened, plan
from tests.phases.test_path import TREE
from tests.report.nights import written

PLAN = plan(TREE)
APPS, LATE = "kustomization/flux-system/apps", "kustomization/apps/late"
WEB = "helmrelease/apps/web"
ROOT = Finding(
    subject=APPS,
    cause="c",
    message="it cannot be applied",
    blocks=("deployment/x/y",),
    clears_itself="no",
    rule="N6",
    since=START - 60.0,
    evidence=("Kustomization/flux-system/apps .status",),
    remedies=(Remedy("look at it", "look"), Remedy("force it", "never")),
    root=True,
    victims=("deployment/x/y", LATE, WEB),
)
BEHIND = Finding(subject=WEB, cause="c", message="it waits", rule="K13")
FINDINGS = {f"N6:{APPS}": ROOT, f"K13:{WEB}": BEHIND}
SEEN = facts({APPS: "Failed", LATE: "Absent", WEB: "Absent"})
RUN = Memory(run_id="r1", purpose="run", now=START, facts=SEEN, findings=FINDINGS, looked_at=START)
PARAGRAPH = [
    "it cannot be applied (1 m)",
    "  blocks       3: deployment x/y, kustomization apps/late, helmrelease apps/web",
    "  by itself    never clears",
    "  look         look at it",
    "  never        force it",
    "  rule         N6, seen on a real controller (SOURCE)",
    "  evidence     Kustomization/flux-system/apps .status",
    "      deployment/x/y",
    "      kustomization/apps/late",
    "      helmrelease/apps/web: it waits (K13, PROOF)",
]

OTHER = {"N6:a": Finding("a", "c", "m", rule="N6", root=True)}
NEXT = {
    "N6:b": Finding(
        "b", "c", "m", rule="N6", root=True, victims=tuple("pqrs"), next_after=("N6:a",)
    )
}


def found(memory: Memory) -> Found:
    section = {"section": PLAN.compiled()["section"]}
    return Found(memory, opened(PLAN), section, None, alive=False, last_seq=1)


def plain(said: list[str]) -> list[str]:
    """What the catalogue says of a rule is the catalogue's own affair."""
    said = [re.sub(r"(, seen on a real controller) \(.*\)$", r"\1 (SOURCE)", line) for line in said]
    return [
        re.sub(r"\(K13, (seen on a real controller|read in its source)\)", "(K13, PROOF)", line)
        for line in said
    ]


def changed(**changes: Any) -> Memory:  # noqa: ANN401
    return replace(RUN, **changes)


UNSEEN = facts({}, unlisted=("Pod", "Node"))
NOTHING = {name: Fact("Unobservable", "refused") for name in UNSEEN}
CLOSED = " (as it was when the run was closed)"


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        pytest.param(RUN, ["1 cause, 1 more are explained by them", "", *PARAGRAPH], id="open"),
        pytest.param(
            changed(purpose="watch"),
            ["1 cause, 1 more are explained by them", "", *PARAGRAPH],
            id="a watch",
        ),
        pytest.param(
            changed(outcome="cancelled"),
            [f"1 cause, 1 more are explained by them{CLOSED}", "", *PARAGRAPH],
            id="closed",
        ),
        pytest.param(
            changed(findings={**OTHER, **FINDINGS, **NEXT}),
            [
                "2 causes, 1 more are explained by them",
                "",
                *PARAGRAPH,
                "",
                "m",
                "  by itself    may clear",
                PARAGRAPH[5],
                "",
                "will block next: m",
                "  blocks       4: p, q, r, s",
                "  by itself    may clear",
                PARAGRAPH[5],
                *(f"      {victim}" for victim in "pqrs"),
            ],
            id="what blocks most first, and what blocks next last",
        ),
        pytest.param(changed(findings={}), ["nothing is wrong in what was seen"], id="well"),
        pytest.param(
            changed(findings={}, outcome="done"),
            [f"nothing is wrong in what was seen{CLOSED}"],
            id="done",
        ),
        pytest.param(
            changed(findings={}, facts={}, looked_at=None),
            ["nothing was seen, so nothing can be said"],
            id="before the first look",
        ),
        pytest.param(
            changed(findings={}, facts={**SEEN, **UNSEEN}),
            [
                "nothing is wrong in what was seen",
                "",
                "not seen: Node, Pod",
                "  Node: refused",
                "  Pod: refused",
            ],
            id="what could not be listed",
        ),
        pytest.param(
            changed(findings={f"Z9:{APPS}": Finding(APPS, "c", "m", rule="Z9", root=True)}),
            [
                "1 cause",
                "",
                "m",
                "  by itself    may clear",
                "  rule         Z9, which this version does not have",
            ],
            id="a rule of another version",
        ),
    ],
)
def test_what_stands_is_told_as_diagnose_tells_it(memory: Memory, said: list[str]) -> None:
    assert plain(list(lines(found(memory)))) == said


def test_the_graph_and_the_proofs_are_data_as_well() -> None:
    graph = document(found(changed(facts={**SEEN, **UNSEEN})))

    assert graph["blocking"] == {APPS: [LATE, WEB, "deployment/x/y"]}
    assert [one["proof"][:4] for one in graph["findings"].values()] == ["seen", "seen"]
    assert graph["unseen"] == {"Node": "refused", "Pod": "refused"}


@pytest.mark.program
def test_status_tells_all_that_is_behind_each_cause(rekindle: Program, waiting: Path) -> None:
    """The lines above stay those of ``status``, but for the first few causes."""
    journal = ("--journal", str(waiting))
    short, whole = rekindle("status", *journal), rekindle("status", "-v", *journal)
    run = newest(waiting)
    assert run is not None

    assert (short.code, whole.code) == (1, 1)
    above, below = whole.out.split("\n\n", 1)
    kept = [line for line in short.out.splitlines() if " by itself: " not in line]
    assert above.splitlines() == kept
    told = [line.strip() for line in below.splitlines()]
    for one in run.memory.findings.values():
        assert any(line.startswith(one.message) for line in told)
        assert {f"evidence     {path}" for path in one.evidence} <= set(told)
        for victim in one.victims:
            assert any(line == victim or line.startswith(f"{victim}: ") for line in told), victim


@pytest.mark.program
def test_status_has_the_graph_as_json(rekindle: Program, waiting: Path) -> None:
    journal = ("--json", "--journal", str(waiting))
    short, whole = (
        rekindle("status", *journal).document,
        rekindle("status", "-v", *journal).document,
    )

    for name, one in whole["findings"].items():
        assert one.pop("proof")
        reached, todo = set(), [one["subject"]]
        while todo:
            subject = todo.pop()
            if subject not in reached:
                reached.add(subject)
                todo.extend(whole["blocking"].get(subject, ()))
        assert set(one.get("victims", ())) <= reached, name
    assert whole.pop("blocking")
    assert whole.pop("unseen") == {}
    assert whole == short


@pytest.mark.program
@pytest.mark.parametrize(("words", "rules"), [([], False), (["--json"], False), (["-v"], True)])
def test_the_rules_are_imported_only_to_be_told(
    rekindle: Program, waiting: Path, words: list[str], *, rules: bool
) -> None:
    """They take longer to import than all else that ``status`` does."""
    code = "import atexit, sys\n"
    code += "names = ('phases.diagnosis', 'rekindle.remembered', 'rekindle.rooted', 'pydantic')\n"
    code += (
        "said = lambda: print(*(name for name in names if name in sys.modules), file=sys.stderr)\n"
    )
    code += "atexit.register(said)\n"

    answer = rekindle("status", *words, "--journal", str(waiting), code=code)

    assert (answer.err.split() != [], answer.out != "") == (rules, True)


@pytest.mark.program
def test_a_cancelled_run_tells_what_stood_when_it_ended(rekindle: Program, waiting: Path) -> None:
    assert rekindle("cancel", "--journal", str(waiting)).code == 0

    answer = rekindle("status", "-v", "--journal", str(waiting))

    assert re.search(rf"^\d causes?.*{re.escape(CLOSED)}$", answer.out, re.MULTILINE)
    assert "  rule         N6, seen on a real controller (" in answer.out


@pytest.mark.program
def test_a_moment_tells_them_as_status_did_then(rekindle: Program, waiting: Path) -> None:
    """Mutants: tell what stands now; leave the short causes above; answer ``--json`` without the graph."""
    journal = ("--journal", str(waiting))
    status = rekindle("status", "-v", *journal).out
    graph = rekindle("status", "-v", "--json", *journal).document
    run = newest(waiting)
    assert run is not None
    assert rekindle("cancel", *journal).code == 0

    moment = ("--at", str(run.last_seq), "-v")
    told = rekindle("log", *moment, *journal).out
    then = rekindle("log", *moment, "--json", *journal).document

    above, below = status.split("\n\n", 1)
    assert told.endswith(f"\n\n{below}")
    assert told.split("\n", 1)[1].startswith(above)
    assert " by itself: " not in told
    assert "\nfindings" not in told
    kept = ("findings", "blocking", "unseen")
    assert [then[name] for name in kept] == [graph[name] for name in kept]
    assert "blocking" not in rekindle("log", "--at", "9", "--json", *journal).document


def test_before_the_first_look_there_is_nothing_to_tell(waiting: Path) -> None:
    then = list(momentary.lines(momentary.stood(waiting, None, "2"), waiting, verbose=True))

    assert then[-2:] == ["", "nothing was seen, so nothing can be said"]


@pytest.mark.parametrize(
    ("words", "said"), [(("log",), "--at names it"), (("replay",), "--speed shows it")]
)
def test_where_no_causes_are_told_it_is_refused(
    rekindle: Program, waiting: Path, words: tuple[str, ...], said: str
) -> None:
    """Mutant: ignore it."""
    answer = rekindle(*words, "-v", "--journal", str(waiting))

    assert (answer.code, answer.out, said in answer.err) == (64, "", True), answer.err


class Silent:
    """A watcher that shows nothing."""

    def __init__(self) -> None:
        self.turns = 0

    def turned(self, _rules: Any, _turn: Any) -> None:  # noqa: ANN401
        self.turns += 1

    def wrote(self, _rows: Any) -> None:  # noqa: ANN401
        self.turns += 1


WORSE = {f"N6:{APPS}": ROOT, "N6:a": OTHER["N6:a"]}
REWORDED = {f"N6:{APPS}": e.Finding(APPS, "c", "it is worse", rule="N6", root=True)}
SYMPTOM = {f"N6:{APPS}": e.Finding(APPS, "c", ROOT.message, rule="N6")}


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        pytest.param([{}, {}], [], id="none"),
        pytest.param([FINDINGS, FINDINGS], [ROOT.message], id="one that stands"),
        pytest.param([FINDINGS, dict(FINDINGS)], [ROOT.message], id="one that is found again"),
        pytest.param([FINDINGS, WORSE], [ROOT.message, "m"], id="another one"),
        pytest.param([FINDINGS, REWORDED], [ROOT.message, "it is worse"], id="in other words"),
        pytest.param([FINDINGS, {}, FINDINGS], [ROOT.message] * 2, id="one that came back"),
        pytest.param([FINDINGS, SYMPTOM, FINDINGS], [ROOT.message], id="explained meanwhile"),
        pytest.param([SYMPTOM], [], id="what is explained"),
    ],
)
def test_a_session_tells_a_cause_once(turns: list[dict[str, Finding]], told: list[str]) -> None:
    said: list[str] = []
    before = Silent()
    watcher = elaborated(before, said.append, verbose=True)
    rules: Any = SimpleNamespace(plan=PLAN)

    for findings in turns:
        turn: Any = SimpleNamespace(memory=changed(findings=findings))
        watcher.turned(rules, turn)
    watcher.wrote([])

    assert [line for text in said for line in heads_of(text)] == told
    assert before.turns == len(turns) + 1
    assert all(text.startswith("\n") and text.endswith("\n") for text in said)


def heads_of(text: str) -> list[str]:
    """The first lines of the paragraphs, without ages."""
    return [part.strip("\n").split("\n")[0].removesuffix(" (1 m)") for part in text.split("\n\n")]


def test_a_session_that_was_not_asked_is_left_alone() -> None:
    before = Silent()

    assert elaborated(before, print, verbose=False) is before


NAMED = {
    "rehearse": ("rehearse", "node-lost"),
    "resume": ("resume",),
    "run": ("run", "plan.yaml"),
    "watch": ("watch", "plan.yaml"),
    "watch of a scenario": ("watch", "--scenario", "node-lost"),
}


@pytest.mark.parametrize("verbose", [(), ("-v",), ("--verbose",)])
@pytest.mark.parametrize("name", NAMED)
def test_every_command_that_pursues_a_run_hears_it(
    name: str, verbose: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bool] = []

    def session(_what: Any, options: Options, *_rest: Any, **_more: Any) -> Exit:  # noqa: ANN401
        heard.append(options.verbose)
        return Exit.DONE

    loaded, world = in_process("node-lost")
    monkeypatch.setattr("rekindle.planfile.read_plan", lambda _path: loaded)
    monkeypatch.setattr("rekindle.worlds.real", lambda _plan, _journal: world)
    monkeypatch.setattr("rekindle.session.open_run", session)
    monkeypatch.setattr("rekindle.session.resume_run", session)
    journal = tmp_path / "j.db"
    if name == "resume":
        written(journal, [], plan=loaded.compiled())

    cli([*NAMED[name], *verbose, "--journal", str(journal)], standalone_mode=False)

    assert heard == [bool(verbose)]


@pytest.mark.program
@pytest.mark.parametrize("words", [(), ("-v",)])
def test_a_rehearsal_tells_them_where_it_tells_all_else(
    rekindle: Program, tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = rekindle(
        "rehearse", "node-lost", *words, "--journal", str(tmp_path / "j.db"), "--json"
    )

    assert ("\n  rule         T19, read in its source (" in answer.err) == bool(words)
    assert answer.document["outcome"] == "done"
