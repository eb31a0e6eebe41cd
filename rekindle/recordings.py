"""
Recorded runs: found by id or by file, made into a scenario, and kept as files that a rehearsal can live from.

The scenario's files stand beside the journal of the rehearsal, which then needs the journal that it came from no more.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from engine.errors import UsageWrong
from engine.plan import of_parts
from journal.entries import Fact
from journal.errors import Diagnosed
from journal.reader import Reader
from phases import codes
from phases.facts import reduce
from phases.recipe import recipe
from rekindle.paths import all_journals
from rekindle.rehearsal import plan_of
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.recorded import Recording, name_of, recording_of
from rekindle.simulator.witnessed import BLIND
from rekindle.simulator.world import SimWorld
from rekindle.simulator.written import scenario_text, tree_text
from rekindle.wholefile import write

HISTORY = "`rekindle history --journal FILE` lists the runs of a journal"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A run, and the journal that has it."""

    journal: Path
    run_id: str
    entries: int = 0


def find_run(name: str, *also: Path | None) -> Source:
    """
    Find a run by its id or the beginning of one, in the journals of this user and in *also*; or a file's newest run.

    :raises UsageWrong: when there is none, or several begin so.
    """
    if os.sep in name or name.endswith(".db") or Path(name).is_file():
        return _newest_of(Path(name).absolute())
    found: dict[str, Source] = {}
    unread: list[str] = []
    for path in dict.fromkeys((*(one for one in also if one is not None), *all_journals())):
        try:
            for source in _runs_of(path):
                longest = found.get(source.run_id, source)  # a copy may be of an earlier hour
                found[source.run_id] = max(longest, source, key=lambda one: one.entries)
        except Diagnosed as error:
            unread.append(f"{path} ({error.reference})")
    matching = sorted(run_id for run_id in found if name and run_id.startswith(name))
    if name in found or len(matching) == 1:
        return found[name if name in found else matching[0]]
    if matching:
        named = ", ".join(matching[:SHOWN]) + (", ..." if len(matching) > SHOWN else "")
        raise UsageWrong(
            f"{len(matching)} runs begin with {name}: {named}",
            reference="run-ambiguous",
            hint="give more of the id, or the journal's file",
        )
    not_read = f"; could not be read: {', '.join(unread)}" if unread else ""
    raise UsageWrong(
        f"no journal that is known here has a run {name!r}{not_read}",
        reference="run-unknown",
        hint=f"name the journal's file in place of the id; {HISTORY}",
    )


def _runs_of(path: Path) -> Iterator[Source]:
    if path.exists():
        with Reader(path) as reader:
            for run in reader.runs():
                yield Source(path, run.run_id, run.last_seq)


def _newest_of(path: Path) -> Source:
    if not path.exists():
        raise UsageWrong(
            f"there is no journal at {path}",
            reference="no-journal",
            hint="check what --from names; a run's id is found without its file, if its journal is in the usual folder",
        )
    runs = list(_runs_of(path))
    if not runs:
        raise UsageWrong(f"{path} has no run", reference="run-unknown", hint=HISTORY)
    return runs[-1]


def read(source: Source) -> Recording:
    """
    Make a scenario of a run. A journal that nobody writes is verified before it is believed.

    :raises ChainBroken: when it is not what was written.
    :raises UsageWrong: when the run saw nothing of its cluster.
    """
    with Reader(source.journal) as reader:
        if reader.holder_alive() is not True:
            reader.verify()
        opened = next(run.opened for run in reader.runs() if run.run_id == source.run_id)
        entries = [row.entry for row in reader.rows(source.run_id)]
    usual = of_parts(opened.cluster, recipe().machine, opened.plan["section"], recipe())
    found = recording_of(opened, entries, usual.compiled()["machine"])
    if found is None:
        raise UsageWrong(
            f"run {source.run_id} never saw anything of its cluster: there is nothing to rehearse",
            reference="run-unseen",
            hint="name another run; `rekindle log` shows what it did see",
        )
    return found


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
        if one.exists():
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
    plan = plan_of(Path(f"{scenario.name}.yaml"), scenario, recording.tree)
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
