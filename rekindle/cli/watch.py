"""``rekindle watch``: the same engine with its hands tied. It journals what happens, and begins nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import UsageWrong
from rekindle.cli.options import (
    FOLDER,
    Speed,
    about,
    causes_option,
    default_kubeconfig,
    journal_option,
    json_option,
    kubeconfig_option,
    named,
    record_option,
)
from rekindle.output import tell
from rekindle.paths import PLAN
from rekindle.speeds import WATCHED, speed_of
from rekindle.there import may_be_there

if TYPE_CHECKING:
    from engine.plan import Plan
    from phases.inventory import Inventory
    from rekindle.folding import Found
    from rekindle.session import Options


def _key(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Take what can be a DaemonSet's key, and nothing else."""
    from phases.inventory import KEY

    if value is not None and not KEY.fullmatch(value):
        raise click.BadParameter(f"write it as NAMESPACE/NAME, not {value!r}")
    return value


@click.command("watch")
@click.argument("plan", type=click.Path(dir_okay=False), required=False)
@journal_option(
    f"CLUSTER.db (without a plan: watches/CLUSTER-CA.db, with --scenario: rehearsals/NAME.db) in {FOLDER}"
)
@json_option()
@record_option
@causes_option
@kubeconfig_option
@click.option(
    "--inventory",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Without a plan: what should exist; default: what is there when the watch begins.",
)
@click.option(
    "--network",
    metavar="NAMESPACE/NAME",
    callback=_key,
    help="Without a plan: the DaemonSet of the network; default: it is recognised by its name.",
)
@click.option("--scenario", metavar="NAME", help="Watch a rehearsal's cluster instead.")
@click.option(
    "--speed",
    type=Speed(),
    show_default=f"{WATCHED:g}",
    help="Seconds of a scenario's cluster in a second of yours.",
)
@click.option(
    "--until-done/--keep-watching",
    "until_done",
    default=None,
    help="End when everything runs, or watch on until you stop it; default: until done with a plan or a scenario, "
    "watch on without one.",
)
def command(  # noqa: PLR0913  an option each
    plan: str | None,
    journal: str | None,
    kubeconfig: str | None,
    inventory: str | None,
    network: str | None,
    scenario: str | None,
    speed: float | None,
    *,
    until_done: bool | None,
    as_json: bool,
    record: bool,
    verbose: bool,
) -> int:
    """
    Look on, say what it would do and what is done by hand; changes nothing.

    PLAN is recovery.yaml in this folder unless it is given. It begins no action and asks nobody; it journals what
    happens and what it would do, until the goal is reached or you press Ctrl-C. `rekindle resume` watches on, `rekindle
    resume --take-over` goes on with hands.

    Where there is no recovery.yaml, or with --kubeconfig, it watches what the kubeconfig names, without a plan, until
    you press Ctrl-C: it asks the API and no machine. `rekindle resume --take-over PLAN` gives it a plan, and hands.
    """
    without = {"--kubeconfig": kubeconfig, "--inventory": inventory, "--network": network}
    _must_fit(plan, scenario, without)
    if speed is not None and scenario is None:
        raise UsageWrong(
            "--speed is a scenario's: a real cluster keeps its own time",
            reference="watch-what",
            hint="name a rehearsal's cluster with --scenario, or leave --speed away",
        )
    told = Told(journal, until_done, as_json=as_json, record=record, verbose=verbose)
    if scenario is not None:
        return _simulated(scenario, speed, told)
    if plan is None and (any(without.values()) or not may_be_there(Path(PLAN))):
        path = Path(kubeconfig) if kubeconfig is not None else default_kubeconfig()
        return _unplanned(Unplanned(path, inventory, network), told)
    return _real(plan or PLAN, told)


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of any watch; *until_done*: None if nothing was."""

    journal: str | None
    until_done: bool | None
    as_json: bool
    record: bool
    verbose: bool

    def options(self, path: Path) -> Options:
        """How its session behaves."""
        from rekindle.session import Options

        return Options(path, as_json=self.as_json, record=self.record, verbose=self.verbose)

    def lasting(self, *, otherwise: bool) -> bool:
        """Say whether its goal does not end it; *otherwise*: what holds where nothing was said."""
        return otherwise if self.until_done is None else not self.until_done


@dataclass(frozen=True, slots=True)
class Unplanned:
    """What was named of a cluster without a plan."""

    kubeconfig: Path
    inventory: str | None
    network: str | None


def _must_fit(plan: str | None, scenario: str | None, without: dict[str, str | None]) -> None:
    """:raises UsageWrong: for options that would be ignored: nobody gives them for nothing."""
    told = [option for option, value in without.items() if value is not None]
    if scenario is not None and (plan or told):
        said = f"--scenario has a plan of its own; {plan or told[0]} does not go with it"
    elif plan and told:
        said = f"{plan} says what {told[0]} does"
    else:
        return
    raise UsageWrong(said, reference="plan-twice", hint="leave one of them away")


def _real(plan: str, told: Told) -> int:
    from engine.memory import WATCH
    from rekindle.handover import can_act, refuse_open
    from rekindle.paths import given_journal, journal_for_cluster
    from rekindle.planfile import read_plan
    from rekindle.session import Opening, open_run, resume_run
    from rekindle.worlds import identity_of, real, world_of

    loaded = read_plan(Path(plan))
    path = given_journal(told.journal) or journal_for_cluster(loaded.cluster)
    found = _open_watch(path, told)
    if found is not None and not found.memory.outcome and not can_act(found):
        refuse_open(found, path)
    options = told.options(path)
    if found is not None and not found.memory.outcome:
        return resume_run(found, options, lambda f, p: world_of(f, p, path), plan=loaded)
    world = real(loaded, path)
    try:
        lasting = told.lasting(otherwise=False)
        opening = Opening(WATCH, loaded, world.now(), identity_of(world), lasting=lasting)
        return open_run(opening, options, lambda _found, _plan: world, before=found)
    finally:
        world.close()


def _unplanned(named: Unplanned, told: Told) -> int:
    """Watch what a kubeconfig names; an open watch goes on with what it counted against."""
    from engine.memory import WATCH
    from rekindle.adapters.listing import cluster_of
    from rekindle.handover import refuse_open
    from rekindle.paths import given_journal, journal_for_watch
    from rekindle.session import Opening, open_run, resume_run
    from rekindle.worlds import identity_of, real, world_of

    cluster = cluster_of(named.kubeconfig)
    path = given_journal(told.journal) or journal_for_watch(cluster, _authority(named.kubeconfig))
    found = _open_watch(path, told)
    options = told.options(path)
    if found is not None and not found.memory.outcome:
        if not _is_the_same(found, named):
            refuse_open(found, path)
        return resume_run(found, options, lambda f, p: world_of(f, p, path))
    loaded = _seen(named, cluster)
    world = real(loaded, path)
    try:
        lasting = told.lasting(otherwise=True)
        opening = Opening(WATCH, loaded, world.now(), identity_of(world), lasting=lasting)
        return open_run(opening, options, lambda _found, _plan: world, before=found)
    finally:
        world.close()


def _authority(kubeconfig: Path) -> str:
    """Whose cluster it is, as far as the file tells."""
    from rekindle.adapters import authorities

    try:
        return authorities.of_kubeconfig(kubeconfig)
    except authorities.Unreadable:
        return ""


def _is_the_same(found: Found, named: Unplanned) -> bool:
    """Say whether an open watch is what was asked for: it goes on with the file and the count that it began with."""
    section = found.plan["section"]
    same = section["kubernetes"]["kubeconfig"] == str(named.kubeconfig.absolute())
    return same and not section["talos"]["nodes"] and not (named.inventory or named.network)


def _seen(named: Unplanned, cluster: str) -> Plan:
    """Make a plan of what is there, or of the inventory that was named."""
    from rekindle.unplanned import Named, plan_of

    tell(f"no plan: watching {cluster} through {named.kubeconfig}; no machine is asked")
    if named.inventory is not None:
        from rekindle.inventoryfile import read

        found = read(Path(named.inventory))
    else:
        found = _there(named.kubeconfig, cluster)
        tell(
            f"counted against what is there now: {found.pods} pods of {len(found.workloads)} workloads; what was lost "
            "before is not missed (--inventory FILE says what should be there)"
        )
    plan = plan_of(Named(named.kubeconfig, cluster, named.network), found)
    if not plan.target.network:
        tell(
            "no DaemonSet is recognised as the network: cni-up is judged by whether the nodes are Ready (--network "
            "NAMESPACE/NAME names it)"
        )
    return plan


def _there(kubeconfig: Path, cluster: str) -> Inventory:
    """:raises NoApi: when nothing answers."""
    from phases.snapshot import LISTED_KINDS
    from rekindle.adapters.listing import list_all
    from rekindle.inventoried import listed, of_cluster
    from rekindle.typed import command as typed

    given = typed("watch", "--kubeconfig", str(kubeconfig), "--inventory", "FILE")
    silent = (
        "what is there now cannot be counted; a watch that is told what should be there begins all the same: "
        f"`{given}`, or `rekindle watch PLAN`"
    )
    name = f"the cluster {cluster}"
    taken = of_cluster(list_all(kubeconfig, kinds=LISTED_KINDS), name, silent=silent)
    if taken.unready:
        tell(
            f"WARNING: {len(taken.unready)} things are not ready, or cannot be listed and are not counted:"
        )
        for line in listed(taken.unready):
            tell(f"  {line}")
    return taken.inventory


def _simulated(name: str, speed: float | None, told: Told) -> int:
    from engine.memory import WATCH
    from rekindle.cli.rehearse import opening_of
    from rekindle.handover import refuse_open
    from rekindle.paths import given_journal, journal_for_rehearsal
    from rekindle.rehearsal import same_scenario
    from rekindle.session import open_run, resume_run
    from rekindle.worlds import world_of

    path = given_journal(told.journal) or journal_for_rehearsal(name)
    found = _open_watch(path, told)
    options = told.options(path)
    if found is not None and not found.memory.outcome:
        otherwise = speed is not None and speed != speed_of(found.opened)
        if otherwise or not same_scenario(found, name):
            refuse_open(found, path)
        return resume_run(found, options, lambda f, p: world_of(f, p, path))
    opening = opening_of(name, path, speed or WATCHED, WATCH)
    opening = replace(opening, lasting=told.lasting(otherwise=False))
    return open_run(opening, options, lambda f, p: world_of(f, p, path), before=found)


def _open_watch(path: Path, told: Told) -> Found | None:
    """
    Return the journal's newest run.

    :raises UsageWrong: when it is open and acts: nobody looks on by taking its place; when it ends otherwise than told.
    """
    from rekindle.folding import newest
    from rekindle.handover import refuse_open

    about(path, owes_document=told.as_json)
    if not named():
        tell(f"journal {path}")
    found = newest(path)
    if found is not None and not found.memory.outcome:
        otherwise = told.until_done is not None and told.until_done is found.memory.lasting
        if otherwise or not found.memory.watches:
            refuse_open(found, path)
    return found
