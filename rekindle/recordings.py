"""
Recorded runs: found by id or by file, made into a scenario, and kept as files that a rehearsal can live from.

The scenario's files stand beside the journal of the rehearsal, which then needs the journal that it came from no more.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from msgspec.structs import replace

from engine.errors import UsageWrong
from engine.plan import of_parts
from engine.yamlfile import Marks
from journal import entries as e
from journal.entries import Fact
from journal.reader import Reader
from phases import codes
from phases.facts import reduce
from rekindle.looks.film import film_of
from rekindle.output import tell
from rekindle.outputfile import write
from rekindle.recipes import recipe
from rekindle.rehearsal import plan_of
from rekindle.retold import rows_of
from rekindle.runs import Source
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.inferred import inferred
from rekindle.simulator.recorded import Recording, name_of, recording_of
from rekindle.simulator.witnessed import BLIND
from rekindle.simulator.world import SimWorld
from rekindle.simulator.written import scenario_text, tree_text
from rekindle.there import is_there, may_be_there


def read(source: Source) -> Recording:
    """
    Make a scenario of a run. A journal that nobody writes is verified before it is believed.

    :raises ChainBroken: when it is not what was written.
    :raises UsageWrong: when the run saw nothing of its cluster, or had no plan and no Node either.
    """
    film = film_of(source.journal, source.run_id)
    if may_be_there(film):  # whole or not: who has recorded a night believes that it counts here
        tell(
            f"a scenario is made of the journal alone; the looks in {film} are for `rekindle replay`"
        )
    with Reader(source.journal) as reader:
        if reader.holder_alive() is not True:
            reader.verify()
        opened = next(run.opened for run in reader.runs() if run.run_id == source.run_id)
        entries = [row.entry for row in rows_of(reader.rows(source.run_id))]
    notes: tuple[str, ...] = ()
    unplanned = not opened.plan["section"]["talos"]["nodes"]
    if unplanned:
        opened, entries, notes = _with_machines(opened, entries)
    usual = of_parts(opened.cluster, recipe().machine, opened.plan["section"], recipe())
    found = recording_of(opened, entries, usual.compiled()["machine"])
    if found is None or (unplanned and not found.seen.look):
        saw = "never saw every kind of object" if found else "never saw anything of its cluster"
        raise UsageWrong(
            f"run {source.run_id} {saw}: there is nothing to rehearse",
            reference="run-unseen",
            hint="name another run; `rekindle log` shows what it did see",
        )
    found.remarks.assumed[:0] = notes
    return found


def _with_machines(
    opened: e.RunOpened, entries: list[e.AnyEntry | None]
) -> tuple[e.RunOpened, list[e.AnyEntry | None], tuple[str, ...]]:
    """
    Give a watch that had no plan the machines of its Nodes.

    :raises UsageWrong: when it expected no Node: nobody can say what a machine would be.
    """
    found = inferred(opened, entries)
    if found is None:
        raise UsageWrong(
            f"run {opened.run_id} watched without a plan, and without a Node: no machine can be made of it",
            reference="watch-unplanned",
            hint="`rekindle init REPOSITORY` drafts a plan; what `rekindle watch PLAN` records can be rehearsed",
        )
    tell(f"{opened.run_id} began without a plan: its machines are made of its Nodes")
    return found.opened, found.entries, found.notes


def scenario_beside(journal: Path, source: Source) -> Path:
    """Name the file that a rehearsal's scenario is kept in, beside the rehearsal's own journal."""
    return journal.with_name(f"{journal.name}.{name_of(source.run_id)}.yaml")


def keep(recording: Recording, path: Path) -> None:
    """Write a scenario and its tree, the scenario last: where it is, its tree is. Raises ``OutputFailed``."""
    tree = path.with_suffix(".tree.yaml")
    named = dataclasses.replace(recording, scenario=replace(recording.scenario, tree=tree.name))
    write(tree, tree_text(named))
    write(path, scenario_text(named, otherwise(named)))


def write_to(folder: Path, recording: Recording) -> Path:
    """
    Write a scenario and its tree into a folder; nothing that is there is replaced.

    :raises UsageWrong: when either is there already.
    """
    path = folder / f"{recording.scenario.name}.yaml"
    for one in (path, path.with_suffix(".tree.yaml")):
        if is_there(one):
            raise UsageWrong(
                f"{one} is there already",
                reference="output-exists",
                hint="name another folder, or take it away; it may have been edited",
            )
    keep(recording, path)
    return path


def otherwise(recording: Recording) -> list[str]:
    """Look at the scenario's cluster, and say what is not as the run saw it: the simulator is only a model."""
    scenario = recording.scenario
    plan = plan_of(scenario, Marks(f"{scenario.name}.yaml", {}), recording.tree)
    # Without our kubeconfig there is nothing to compare: it is what the run got first.
    shown = replace(scenario, initial=replace(scenario.initial, kubeconfig="ours"))
    facts = reduce(plan, SimWorld(SimCluster(shown, tree=recording.tree)).look())
    found = []
    for subject, then in sorted(recording.seen.situation.items()):
        here = facts.get(subject, Fact(codes.UNOBSERVABLE))
        if subject.startswith(("holder/", "kind/", "holders/", codes.KUBECONFIG, "restarts")):
            continue
        if then.code not in BLIND and _said(then) != _said(here):
            found.append(f"{subject}: {_said(here)}, recorded {_said(then)}")
    return found


def _said(fact: Fact) -> str:
    ready = fact.detail.get("ready")
    return fact.code if ready is None else f"{fact.code} with {ready} pods ready"
