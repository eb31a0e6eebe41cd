"""``rekindle diagnose``: why something is not there, and whether waiting can help. Any cluster, read only, no plan."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import (
    default_kubeconfig,
    json_option,
    kubeconfig_option,
    verbose_option,
)
from rekindle.output import print_json, print_line, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from phases.inventory import Inventory
    from phases.snapshot import Snapshot

OURS_TO_MEND = frozenset({"denied", "foreign"})  # no waiting for the cluster mends these
EXITS = {"healthy": 0, "warning": 1, "critical": 2, "unknown": 3}


@click.command("diagnose")
@json_option()
@kubeconfig_option
@click.option(
    "--inventory",
    "inventory",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="What should exist: what is absent is found as well.",
)
@click.option("--scenario", metavar="NAME", help="Diagnose a rehearsal's cluster instead.")
@verbose_option("Also evidence, rules, the tree and the versions of Flux's controllers.")
def command(
    kubeconfig: str | None,
    inventory: str | None,
    scenario: str | None,
    *,
    as_json: bool,
    verbose: bool,
) -> int:
    """
    Say why things are not there and whether waiting can help; changes nothing.

    Exit codes: 0 all is well, 1 what is wrong or absent clears by itself, 2 waiting may not help (or nobody knows), 3
    could not tell.
    """
    expected = _inventory(inventory) if inventory is not None else None
    if scenario is not None:
        from rekindle.rehearsal import in_process

        loaded, world = in_process(scenario)
        snapshot, expected = world.look(), expected or loaded.target.inventory
    else:
        snapshot = listed(Path(kubeconfig) if kubeconfig is not None else default_kubeconfig())
        _must_let_us_look(snapshot)
    from phases.diagnosis.scene import Scene
    from rekindle.diagnosed import document, lines, of_scene

    found = of_scene(Scene(snapshot, expected))
    if as_json:
        print_json(document(found))
    else:
        for line in lines(found, verbose=verbose):
            print_line(line)
    return EXITS[found.verdict]


def _must_let_us_look(snapshot: Snapshot) -> None:
    """Refuse a kubeconfig with which nothing can be seen: that is no answer about a cluster."""
    from engine.errors import EnvironmentWrong
    from journal.redactor import redact_text
    from phases.snapshot import Unseen

    looks = [look for look in snapshot.objects.values() if isinstance(look, Unseen)]
    if len(looks) == len(snapshot.objects) and all(look.code in OURS_TO_MEND for look in looks):
        raise EnvironmentWrong(
            f"the cluster does not let us look: {redact_text(looks[0].why or looks[0].code)}",
            reference="kubeconfig-unusable",
            hint="check --kubeconfig, its context and its credentials: `kubectl auth can-i list deployments -A`",
        )


def listed(kubeconfig: Path, meanwhile: Callable[[], None] = lambda: None) -> Snapshot:
    """
    Look once at everything, and learn the rules (and do what else there is to do) while the API works for us.

    What asks is learned before: two who learn at once are as slow as one after the other, and nothing is asked yet.
    """
    import kubernetes.client
    import kubernetes.config  # noqa: F401  for its time

    from rekindle.adapters.listing import list_all

    tell(f"looking through {kubeconfig} ...")
    looking: Future[Snapshot] = Future()

    def look() -> None:
        try:
            looking.set_result(list_all(kubeconfig, logs=True))
        except BaseException as error:  # noqa: BLE001  whoever waits gets it
            looking.set_exception(error)

    # No executor: the end of the program waits for its threads, and a kubeconfig may be a pipe that nobody writes to.
    Thread(target=look, name="look", daemon=True).start()
    import rekindle.diagnosed  # noqa: F401  for its time

    meanwhile()
    return looking.result()


def _inventory(name: str) -> Inventory:
    from rekindle.inventoryfile import read

    return read(Path(name))
