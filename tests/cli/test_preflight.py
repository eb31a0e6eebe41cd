"""
What a session looks at before it acts: red forbids exactly the verbs that need it, the rest goes on.

The cluster is a scenario's, said to be real; what its preflight finds is said, too. Mutants: forbid a verb for every
target; do not write what was found; write it in a rehearsal; look again and again at what is in order.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from engine.memory import Memory
from engine.ports import NO_REQUESTS
from journal import entries as e
from journal.reader import Reader
from phases.lives import RESET
from phases.verbs import COMMAND
from rekindle import preflight
from rekindle.doctor.check import EVERYTHING, Check, Verdict, ok, unknown, warning
from rekindle.planfile import read_plan
from rekindle.rehearsal import load
from tests.cli.conftest import Program
from tests.cli.terminal import on_terminal
from tests.doctor.making import ALICE, encrypted

pytestmark = pytest.mark.program
ROOT = Path(__file__).parents[2]

STAGED = """
import rekindle.cli.run, rekindle.planfile, rekindle.preflight, rekindle.rehearsal, rekindle.worlds
from rekindle.doctor.check import Check, Verdict, ok, warning
plan, world = rekindle.rehearsal.in_process("{scenario}")
rekindle.planfile.read_plan = lambda path, missing=None: plan
rekindle.worlds.real = lambda plan, journal: world
rekindle.preflight.of_plan = lambda plan, journal, simulated, only=None: ({checks})
"""
# The simulated world of ``in_process``, said to be real by its identity as well.
REAL = """
import msgspec
import rekindle.simulator.client, rekindle.rehearsal as rehearsal
made = rehearsal.in_process
def real(name):
    plan, world = made(name)
    identity = msgspec.structs.replace(world.identity(), kind="real")
    type(world).identity = lambda self: identity
    return plan, world
rehearsal.in_process = real
"""
FOREIGN = (
    "Check('machines.config/k8s-2', 'k8s-2.yaml', Verdict.RED, 'is of another cluster', 'render it', "
    "frozenset({'talos.apply'}), 'node/k8s-2'), ok('tools.git', 'git', 'there'),"
)
DIRTY = "warning('tree.clean', 'repository', 'changed: a', 'commit it'),"


def staged(scenario: str, checks: str) -> str:
    return STAGED.format(scenario=scenario, checks=checks)


def entries(journal: Path) -> list[e.AnyEntry]:
    with Reader(journal) as reader:
        return [row.entry for row in reader.rows() if row.entry is not None]


def found_in(journal: Path) -> list[e.Preflighted]:
    return [entry for entry in entries(journal) if isinstance(entry, e.Preflighted)]


def test_a_red_row_blocks_only_the_verb_that_needs_it(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    answer = rekindle(
        "run", "--journal", str(journal), "--json", code=staged("cold-start", FOREIGN)
    )

    begun = [x for x in entries(journal) if isinstance(x, e.ActionIntended)]
    assert ["talos.apply node/k8s-1", "talos.apply node/k8s-3"] == [
        f"{one.verb} {one.target}" for one in begun
    ]
    assert answer.code == 2
    assert answer.document["answers"]["node/k8s-2"]["reference"] == "preflight-failed"
    assert "render it" in answer.document["answers"]["node/k8s-2"]["hint"]
    (row,) = found_in(journal)[0].objections
    assert (2, ("talos.apply",), "node/k8s-2") == (
        found_in(journal)[0].checked,
        row.blocks,
        row.target,
    )
    assert rekindle("replay", "--journal", str(journal)).code == 0
    assert (
        "preflight of 2 rows: machines.config/k8s-2 red"
        in rekindle("log", "--journal", str(journal)).out
    )


def test_what_is_red_and_not_needed_stops_nothing(rekindle: Program, tmp_path: Path) -> None:
    unneeded = FOREIGN.replace("talos.apply", "etcd.bootstrap")
    journal = str(tmp_path / "j.db")

    assert rekindle("run", "--journal", journal, code=staged("june-12", unneeded)).code == 0


def test_a_warning_is_said_once_and_stops_nothing(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    terminal = on_terminal(
        rekindle, "run", "--journal", str(journal), code=REAL + staged("node-lost", DIRTY)
    )
    terminal.until("begin? [y/N]")
    assert "WARN  tree.clean  repository: changed: a" in terminal.plain
    assert "do: commit it" in terminal.plain
    terminal.type("y\r")

    assert terminal.ended() == 0
    assert terminal.plain.count("changed: a") == 1
    assert ["warning"] == [row.verdict for one in found_in(journal) for row in one.objections]


def test_the_plan_shows_what_is_forbidden(rekindle: Program) -> None:
    code = staged("cold-start", FOREIGN)
    answer = rekindle("plan", "recovery.yaml", code=code)
    document = rekindle("plan", "recovery.yaml", "--json", code=code).document
    acts = [act for state in document["states"] for act in state.get("actions", ())]

    assert answer.code == 2
    assert "  forbidden   talos.apply node/k8s-2 is needed, and machines.config/k8s-2" in answer.out
    assert {"node/k8s-2"} == {act["target"] for act in acts if "forbidden" in act}
    assert ["red", "ok"] == [row["verdict"] for row in document["preflight"]]


def test_resume_looks_again_and_what_was_mended_is_done(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    rekindle("run", "--journal", str(journal), code=staged("cold-start", FOREIGN))
    again = staged("cold-start", "ok('machines.config/k8s-2', 'k8s-2.yaml', 'rendered'),")
    rekindle("run", "--journal", str(journal), code=again)

    assert [1, 0] == [len(one.objections) for one in found_in(journal)]
    assert "talos.apply node/k8s-2" in {
        f"{x.verb} {x.target}" for x in entries(journal) if isinstance(x, e.ActionIntended)
    }


@pytest.mark.parametrize(("scenario", "forbidden"), [("wipe", True), ("healthy", False)])
def test_a_plan_that_may_wipe_is_asked_for_proof_that_its_secrets_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str, *, forbidden: bool
) -> None:
    """Mutant: the session's preflight is not told which verbs the plan allows."""
    encrypted(tmp_path / "a.sops.yaml", ALICE)
    (tmp_path / "keys.txt").write_text("AGE-SECRET-KEY-1QQQQ")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / "keys.txt"))
    monkeypatch.setenv("PATH", str(tmp_path))
    _, _, plan = load(scenario)
    target = plan.target.model_copy(update={"repository": str(tmp_path)})
    plan = replace(plan, target=target)
    found = preflight.of_plan(plan, tmp_path / "j.db", simulated=False, only=("secrets",))

    assert [frozenset({RESET})] * forbidden == [check.blocks for check in found if check.blocks]


@pytest.mark.parametrize("program", ["no-such-probe", "bin/not-there"])
def test_the_probes_of_a_plan_are_looked_at(
    rekindle: Program, tmp_path: Path, program: str
) -> None:
    """
    ``doctor`` had no row for them, and a run waited for the state's deadline.

    Mutants: leave *askers* out of either; look at commands alone.
    """
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    file = tmp_path / "examples" / "own-states" / "recovery.yaml"
    written = yaml.safe_load(file.read_text())
    written["probes"]["drained"]["argv"] = [program, "{node}"]
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    plan = read_plan(file, [])  # talosconfig and the machines' files are the operator's own
    found = preflight.of_plan(plan, tmp_path / "j.db", simulated=False, only=("tools",))
    shown = rekindle("doctor", str(file), "--json").document["checks"]

    probes = [check for check in found if check.id.startswith("tools.probe/")]
    assert ["ok", "red", "ok", "ok"] == [str(check.verdict) for check in probes]
    assert (frozenset({COMMAND}), "command/drain") == (probes[1].blocks, probes[1].target)
    assert [(check.id, [*check.blocks]) for check in probes] == [
        (row["id"], row["blocks"]) for row in shown if row["id"].startswith("tools.probe/")
    ]


def test_a_rehearsal_asks_nothing_of_this_machine(journal_of_a_night: Path) -> None:
    assert [] == found_in(journal_of_a_night)


def test_a_rehearsal_is_not_run_by_packages_that_are_not_ours(
    rekindle: Program, tmp_path: Path
) -> None:
    code = """
from rekindle.doctor import packages
from rekindle.doctor.check import EVERYTHING, Check, Verdict
packages.rows = lambda: [Check('packages.phases', 'phases', Verdict.RED, 'is another', 'again', EVERYTHING)]
"""
    journal = tmp_path / "j.db"
    answer = rekindle("rehearse", "cold-start", "--journal", str(journal), "--json", code=code)

    assert answer.code == 2
    assert not any(isinstance(entry, e.ActionIntended) for entry in entries(journal))


# --- what is written, and when it is looked at again -----------------------------------------------


RED = Check("a.b", "it", Verdict.RED, "broken", "mend it", frozenset({"talos.apply"}))


def test_what_is_in_order_is_counted_and_the_rest_is_written_red_first() -> None:
    entry = preflight.entry_of(
        (ok("a.a", "it", "fine"), warning("a.c", "it", "old", "renew"), RED), 7.0
    )

    assert (3, ["red", "warning"]) == (entry.checked, [row.verdict for row in entry.objections])


def test_what_does_not_fit_stays_forbidden() -> None:
    many = [
        Check(f"a.b/{n}", "it", Verdict.RED, "x" * 1_000, "y", frozenset({"v" if n < 50 else "w"}))
        for n in range(60)
    ]
    objections = preflight.entry_of(many, 7.0).objections

    assert preflight.OBJECTIONS_LIMIT + 1 == len(objections)
    assert ("v", "w") == objections[-1].blocks
    assert max(len(row.said) for row in objections) == preflight.TEXT_LIMIT


def again(
    looking: Callable[[], list[Check]], known: list[Check], clock: list[float]
) -> preflight.Again:
    return preflight.Again(lambda _only: looking(), tuple(known), lambda: clock[0])


def took(looks: preflight.Again) -> list[e.AnyEntry]:
    requests = looks.beside(NO_REQUESTS)
    found = [entry for entry, _ in requests.take(Memory(), 9.0)]
    for thread in threading.enumerate():
        if thread.name == "preflight":
            thread.join(10)
    return [*found, *(entry for entry, _ in requests.take(Memory(), 9.0))]


def test_what_is_forbidden_is_looked_at_again_until_it_is_mended() -> None:
    clock, seen = [0.0], [RED]
    looks = again(lambda: list(seen), [RED], clock)

    assert [] == took(looks)  # not due yet
    clock[0] += preflight.AGAIN_SECONDS
    assert [] == took(looks)  # looked: the same
    seen.clear()
    assert [] == took(looks)  # not due yet
    clock[0] += preflight.AGAIN_SECONDS
    (entry,) = took(looks)
    assert isinstance(entry, e.Preflighted)
    assert () == entry.objections
    clock[0] += preflight.AGAIN_SECONDS
    seen.append(RED)
    assert [] == took(looks)  # nothing is forbidden: nothing is looked at


def test_another_figure_in_a_text_is_no_news() -> None:
    """A disk that fills is not told of on every look, least of all on that disk. Mutant: compare the texts."""
    clock, seen = [0.0], [replace(RED, said="9 MiB free")]
    looks = again(lambda: list(seen), [replace(RED, said="10 MiB free")], clock)
    took(looks)
    clock[0] += preflight.AGAIN_SECONDS

    assert [] == took(looks)
    seen[:] = [replace(RED, blocks=frozenset({"talos.apply", "etcd.bootstrap"}))]
    clock[0] += preflight.AGAIN_SECONDS
    assert 1 == len([*took(looks), *took(looks)])


def test_only_the_families_that_forbid_something_are_looked_at_again() -> None:
    """The others may ask for a touch or a passphrase. Mutant: look at everything; forget what was not looked at."""
    clock, asked = [0.0], []
    other = warning("secrets.key", "it", "shared", "chmod")

    def looking(only: Collection[str]) -> list[Check]:
        asked.append(set(only))
        return []

    looks = preflight.Again(looking, (RED, other), lambda: clock[0])
    took(looks)
    clock[0] += preflight.AGAIN_SECONDS
    entry = next(iter([*took(looks), *took(looks)]))

    assert asked == [{"a"}]
    assert isinstance(entry, e.Preflighted)
    assert ["secrets.key"] == [row.check for row in entry.objections]


def test_a_look_that_fails_leaves_what_stood_and_is_made_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Mutants: let the thread die (it never looks again); take a look that failed for one that found nothing."""
    clock, troubles = [0.0], [RuntimeError("no such user: a-secret")]

    def looking() -> list[Check]:
        if troubles:
            raise troubles.pop()
        return []

    looks = again(looking, [RED], clock)
    took(looks)
    clock[0] += preflight.AGAIN_SECONDS
    assert [] == took(looks)
    took(looks)  # the next is due from here
    clock[0] += preflight.AGAIN_SECONDS

    (entry,) = [*took(looks), *took(looks)]
    assert isinstance(entry, e.Preflighted)
    assert () == entry.objections
    assert "a-secret" not in capfd.readouterr().err


def test_a_family_that_fails_at_a_later_look_leaves_what_it_forbade() -> None:
    """Mutant: let the row of the failure take the place of what was found before."""
    clock = [0.0]
    red, other = replace(RED, id="secrets.age/x"), replace(RED, id="disk.room")
    lost = unknown("secrets.look", "secrets", "our own mistake", "report it")
    seen = [lost]
    looks = again(lambda: list(seen), [red, other], clock)
    took(looks)
    clock[0] += preflight.AGAIN_SECONDS
    (entry,) = [*took(looks), *took(looks)]

    assert isinstance(entry, e.Preflighted)
    assert ["secrets.age/x"] == [row.check for row in entry.objections]
    seen.clear()
    clock[0] += preflight.AGAIN_SECONDS
    (mended,) = [*took(looks), *took(looks)]
    assert isinstance(mended, e.Preflighted)
    assert () == mended.objections


def test_one_look_at_a_time() -> None:
    """Mutant: begin another thread while one is looking."""
    clock, going, begun = [0.0], threading.Event(), []

    def looking() -> list[Check]:
        begun.append(1)
        going.wait(10)
        return [RED]

    looks = again(looking, [RED], clock)
    requests = looks.beside(NO_REQUESTS)
    requests.take(Memory(), 9.0)
    clock[0] += preflight.AGAIN_SECONDS
    for _ in range(5):
        requests.take(Memory(), 9.0)
    going.set()
    took(looks)

    assert begun == [1]


@pytest.mark.parametrize("checks", [[], [warning("a.c", "it", "old", "renew")]])
def test_what_forbids_nothing_is_looked_at_once(checks: list[Check]) -> None:
    clock = [0.0]
    looks = again(lambda: [RED], checks, clock)
    took(looks)
    clock[0] += 10 * preflight.AGAIN_SECONDS

    assert [] == took(looks)


def test_a_rehearsals_journal_says_only_what_forbids_something() -> None:
    everything = Check("a.b", "it", Verdict.RED, "x", "y", EVERYTHING)
    warned = warning("a.c", "it", "old", "renew")

    assert [True, True, False] == [
        preflight.is_worth_writing((warned,), simulated=False),
        preflight.is_worth_writing((everything,), simulated=True),
        preflight.is_worth_writing((warned,), simulated=True),
    ]
