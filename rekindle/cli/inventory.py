"""``rekindle inventory``: what should exist, as a file to review. Reads a Git tree, a cluster, or both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import UsageWrong
from rekindle.cli.options import default_kubeconfig, json_option, kubeconfig_option
from rekindle.output import print_json, print_text, tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rekindle.inventoried import Taken
    from rekindle.planfile import TreePlace

UNHEALTHY = 1


@click.command("inventory")
@click.option(
    "--from",
    "source",
    type=click.Choice(["git", "cluster", "both"]),
    default="git",
    show_default=True,
    help="git renders the tree, without what Helm brings; cluster takes what is there; both takes Git's Flux "
    "objects and the cluster's workloads of them.",
)
@click.option(
    "--plan",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Names the tree, its roots and the nodes; default: recovery.yaml in this folder.",
)
@click.option(
    "--repository",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="The tree, without a plan.",
)
@click.option(
    "--roots",
    metavar="PATH",
    type=click.Path(exists=True),
    help="Manifests of the root Kustomizations and their source, without a plan.",
)
@kubeconfig_option
@click.option("--scenario", metavar="NAME", help="Look at a rehearsal's cluster instead.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(),
    help="Write there instead of stdout, as a whole or not at all.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option(
    "--even-unhealthy",
    is_flag=True,
    help="Take what is left of a cluster that is not healthy; what it lost is not listed.",
)
@json_option("End with one JSON document on stdout, the inventory in it.")
def command(  # noqa: PLR0913  an option each
    source: str,
    plan: str | None,
    repository: str | None,
    roots: str | None,
    kubeconfig: str | None,
    scenario: str | None,
    output: str | None,
    *,
    force: bool,
    even_unhealthy: bool,
    as_json: bool,
) -> int:
    """
    Write down what should exist, from the Git tree or from a healthy cluster.

    It is for people to review and for `inventory: {file: ...}` of a plan, which plan, run and status count against.
    """
    from rekindle import inventoried, inventoryfile, outputfile

    _must_fit(source, tree=(plan, repository, roots), cluster=(kubeconfig, scenario))
    if output is not None:
        outputfile.must_be_free(Path(output), force=force)
    place = None if source == "cluster" else _place(plan, repository, roots)
    taken = _taken(source, place, kubeconfig, scenario)
    if not even_unhealthy:
        inventoried.must_be_healthy(taken)
    text = inventoryfile.text(taken)
    if output is not None:
        outputfile.write(Path(output), text)
    _tell(taken, output)
    if as_json:
        print_json(inventoried.document(taken, output))
    elif output is None:
        print_text(text)
    return UNHEALTHY if taken.unready else 0


def _must_fit(
    source: str, *, tree: tuple[str | None, ...], cluster: tuple[str | None, ...]
) -> None:
    """:raises UsageWrong: for options that would be ignored: nobody gives them for nothing."""
    if source == "cluster" and any(tree):
        text = (
            "--plan, --repository and --roots are about a Git tree, and only the cluster is asked"
        )
    elif source == "git" and any(cluster):
        text = "--kubeconfig and --scenario are about a cluster, and only the Git tree is read"
    elif all(cluster):
        text = "--kubeconfig and --scenario name two clusters"
    elif (tree[1] is None) != (tree[2] is None) or (tree[0] and tree[1]):
        text = "the tree is named by --plan, or by --repository and --roots together"
    else:
        return
    raise UsageWrong(
        text,
        reference="inventory-sources",
        hint="leave one of them away, or say --from git, --from cluster or --from both",
    )


def _place(plan: str | None, repository: str | None, roots: str | None) -> TreePlace:
    from rekindle.paths import PLAN
    from rekindle.planfile import TreePlace, tree_place

    if repository is not None and roots is not None:
        return TreePlace(Path(repository), Path(roots))
    return tree_place(Path(plan or PLAN))


def _taken(
    source: str, place: TreePlace | None, kubeconfig: str | None, scenario: str | None
) -> Taken:
    from rekindle import inventoried

    if place is not None:
        tell(f"rendering {place.repository} from {place.roots} ...")
    git = None if place is None else inventoried.of_git(place, alone=source == "git")
    if git is not None and source == "git":
        return git
    cluster = _of_cluster(kubeconfig, scenario, git.classes if git is not None else {})
    return cluster if git is None else inventoried.of_both(git, cluster)


def _of_cluster(kubeconfig: str | None, scenario: str | None, classes: Mapping[str, str]) -> Taken:
    from rekindle import inventoried

    if scenario is not None:
        from rekindle.rehearsal import in_process

        loaded, world = in_process(scenario)
        return inventoried.of_cluster(
            world.listed(), f"the simulated cluster {loaded.cluster}", classes
        )
    from phases.snapshot import LISTED_KINDS
    from rekindle.adapters.listing import cluster_of, list_all

    path = Path(kubeconfig) if kubeconfig is not None else default_kubeconfig()
    tell(f"looking through {path} ...")
    return inventoried.of_cluster(
        list_all(path, kinds=LISTED_KINDS), f"the cluster {cluster_of(path)}", classes
    )


def _tell(taken: Taken, output: str | None) -> None:
    """Say what was found, and loudly what is wrong with it."""
    from phases.diagnosis.words import counted
    from rekindle.inventoried import autoscaled_in, listed

    found = taken.inventory
    counts = f"{found.pods} pods of {len(found.workloads)} workloads"
    flux = f"{len(found.kustomizations)} Kustomizations, {len(found.helmreleases)} HelmReleases"
    tell(f"{output or 'inventory'}: {counts}; {flux}")
    for note in listed((*taken.foreign, *taken.notes)):
        tell(f"not known: {note}")
    if scaled := autoscaled_in(taken):
        count = counted(len(scaled), "workload")
        tell(f"autoscaled: {count}, counted without the pods that autoscalers add")
    if taken.unready:
        tell(f"WARNING: taken from a cluster in which {len(taken.unready)} things are not ready:")
        for line in listed(taken.unready):
            tell(f"  {line}")
