"""``rekindle doctor``: what a recovery would lack, while there is time to mend it. Nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import FOLDER, journal_option, json_option, verbose_option
from rekindle.output import print_json, print_line, tell
from rekindle.paths import PLAN
from rekindle.there import may_be_there

if TYPE_CHECKING:
    from engine.errors import Problem
    from engine.plan import Plan
    from rekindle.doctor.check import Check

A_PLAN_ADDS = (
    "without a plan: talosconfig and kubeconfig, machine configurations, age keys, the Git tree and the plan's "
    "commands were not looked at; `rekindle doctor PLAN` does"
)
NO_CLUSTER = "cluster"


@click.command("doctor")
@click.argument("plan", type=click.Path(dir_okay=False), required=False)
@journal_option(f"CLUSTER.db in {FOLDER}")
@json_option()
@verbose_option("Also what is in order.")
def command(plan: str | None, journal: str | None, *, as_json: bool, verbose: bool) -> int:
    """
    Say what a recovery would lack: tools, credentials, machine configurations, keys, disk; read only.

    PLAN is recovery.yaml in this folder unless it is given; without either, what needs no plan is looked at. The
    cluster is not asked. Exit codes: 0 all is in order, 1 warnings, 2 something is red, 3 could not tell.
    """
    from rekindle.doctor import packages
    from rekindle.doctor.check import EXITS, document, lines, worst

    named = plan or (PLAN if may_be_there(Path(PLAN)) else None)
    loaded: Plan | None = None
    troubles: tuple[Check, ...] = ()
    if named is not None and not packages.broken():
        loaded, troubles = _read(Path(named))
    checks = (*troubles, *_looked(loaded, journal))
    if as_json:
        cluster = loaded.cluster if loaded is not None else None
        print_json(document(checks, plan=named, cluster=cluster))
    else:
        for line in lines(checks, verbose=verbose):
            print_line(line)
    if named is None:
        tell(A_PLAN_ADDS)
    return EXITS[worst(checks)]


def _read(path: Path) -> tuple[Plan | None, tuple[Check, ...]]:
    """
    Load the plan; one that does not load is a row like any other, and the rest is looked at without it.

    Of what it names and is not there, Talos' files have rows of their own.
    """
    from engine.errors import PlanInvalid
    from rekindle.doctor.check import EVERYTHING, Check, Verdict, cleaned
    from rekindle.planfile import read_plan

    missing: list[Problem] = []
    try:
        loaded = read_plan(path, missing)
    except PlanInvalid as error:
        said = "; ".join(map(str, error.problems))
        todo = f"mend these lines; `rekindle plan --check {path}` looks again. Until then nothing of it was looked at"
        return None, cleaned([Check("plan.file", str(path), Verdict.RED, said, todo, EVERYTHING)])
    todo = "bring it back, or mend that line: `rekindle run` refuses a plan that names what is not there"
    others = [str(problem) for problem in missing if not problem.path.startswith("talos.")]
    return loaded, cleaned(
        Check("plan.file", str(path), Verdict.RED, said, todo, EVERYTHING) for said in others
    )


def _looked(loaded: Plan | None, journal: str | None) -> tuple[Check, ...]:
    from rekindle.doctor.examine import everything
    from rekindle.doctor.host import Host
    from rekindle.paths import given_journal, place_for_cluster

    cluster = loaded.cluster if loaded is not None else NO_CLUSTER
    where = given_journal(journal) or place_for_cluster(cluster)
    if loaded is None:
        return everything(Host(), None, where)
    from phases.probing import askers

    return everything(Host(), loaded.target, where, loaded.allowed, askers(loaded))
