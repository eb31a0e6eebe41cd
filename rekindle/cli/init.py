"""``rekindle init``: a first plan from what an operator has. Looks at files, at no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rekindle import output as streams
from rekindle.cli.options import json_option
from rekindle.output import print_json
from rekindle.typed import command as command_of

if TYPE_CHECKING:
    from rekindle.adopting.draft import Draft
    from rekindle.adopting.placed import Placed
    from rekindle.adopting.written import Place

SCHEMA = "rekindle.init/1"
NOT_YET = 1


@click.command("init")
@click.argument("repository", metavar="[REPOSITORY]", type=click.Path(), default=".")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The plan; default: recovery.yaml in REPOSITORY. Roots and inventory go to recovery/ beside it.",
)
@click.option(
    "--talos",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="What describes the nodes: a talconfig.yaml, topf.yaml, nodes.yaml or cluster.toml, where there are several.",
)
@click.option(
    "--roots",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Manifests of the source and the root Kustomizations, where several may be meant.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@json_option()
def command(
    repository: str,
    output: str | None,
    talos: str | None,
    roots: str | None,
    *,
    force: bool,
    as_json: bool,
) -> int:
    """
    Write a first plan from a cluster's Git repository, and say what nobody could know.

    REPOSITORY is this folder unless it is given. Reads talconfig.yaml or topf.yaml, the template's nodes.yaml or
    cluster.toml, talosconfig, kubeconfig, recipes, helmfile and Flux' roots; opens no encrypted file, and takes no
    secret. Without a talosconfig there, it is $TALOSCONFIG or ~/.talos/config if that speaks of these nodes; without a
    kubeconfig, the first of $KUBECONFIG that is there is held against them. Answers 0 when `rekindle plan` accepts
    what was written, 1 when something is missing yet.
    """
    from rekindle.adopting import draft as drafting
    from rekindle.adopting import placed as placing
    from rekindle.adopting.written import Place

    root = Path(repository)
    place = Place(Path(output) if output is not None else root / "recovery.yaml", root)
    placing.must_be_free(place, force=force)
    draft = drafting.draft(root, talos, roots, place.outputs)
    if draft.roots.file or draft.roots.sync:
        tell(f"rendering {root} for the inventory ...")
    placed = placing.write(draft, place)
    _tell(draft, placed, place)
    if as_json:
        print_json(_document(draft, placed, place))
    return NOT_YET if placed.problems else 0


def tell(text: str) -> None:
    """Say a line; what a repository says may neither begin another nor speak to the terminal."""
    from rekindle.adopting.reading import plain

    streams.tell(plain(text))


def _tell(draft: Draft, placed: Placed, place: Place) -> None:
    """Say what was written, what was taken of several, and what is not known."""
    from phases.diagnosis.words import counted

    machines = draft.machines
    name = machines.cluster.value or "a cluster without a name"
    roots = draft.roots.sync.origin if draft.roots.sync else ""
    said = {
        place.file: f"{name} with {counted(len(machines.nodes), 'node')}, from {machines.file}",
        place.roots: f"the first objects of Flux, from {roots}",
        place.inventory: placed.counted,
    }
    for path in placed.files:
        tell(f"{path}: {said[path]}")
    for choice in draft.taken:
        tell(f"took: {choice}")
    for note in (*draft.unknown(), *placed.notes):
        tell(f"not known: {note}")
    if placed.without:
        tell(f"no inventory: {placed.without}")
    for missing in draft.missing:
        tell(f"not there yet: {missing}")
    _tell_next(placed, place)


def _tell_next(placed: Placed, place: Place) -> None:
    """Say whether plan takes it, and what to type next."""
    file = str(place.file)
    check, look = command_of("plan", "--check", file), command_of("plan", file)
    words = ("inventory", "--plan", file, "-o", str(place.inventory))
    if placed.problems:
        tell(f"`{check}` does not accept it yet:")
        for problem in placed.problems:
            tell(f"  {problem}")
    else:
        tell(f"`{check}` accepts it: review it, then `{look}`")
    if placed.without:
        tell(f"the inventory, once that is mended: `{command_of(*words)}`")
    elif placed.notes:
        both = command_of(*words, "--from", "both", "--force")
        tell(f"the inventory with what Git does not say, while all is well: `{both}`")


def _document(draft: Draft, placed: Placed, place: Place) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "plan": str(place.file),
        "written": [str(path) for path in placed.files],
        "cluster": draft.machines.cluster.value,
        "nodes": [node.name.value for node in draft.machines.nodes if node.name.known],
        "from": draft.machines.file,
        "took": draft.taken,
        "not_known": [*draft.unknown(), *placed.notes],
        "not_there": draft.missing,
        "without_inventory": placed.without,
        "accepted": not placed.problems,
        "problems": placed.problems,
    }
