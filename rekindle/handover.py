"""
Between watching and acting: whose run is open in a journal, and how one that only watched is given hands.

The run stays the same: what was seen, decided and done by hand is what a session with hands goes on from.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from engine.errors import EnvironmentWrong, Exit, UsageWrong
from engine.observing import doubts_left
from engine.plan import Plan, from_compiled
from journal.errors import Diagnosed
from journal.troubles import held
from rekindle import beginning, worlds
from rekindle.folding import Found, newest
from rekindle.output import tell
from rekindle.paths import journals_of_watches, place_for_cluster, state_folder
from rekindle.recipes import recipe
from rekindle.session import Options, resume_run
from rekindle.typed import command as typed


def take_over(found: Found, options: Options, *, yes: bool, plan: Plan | None = None) -> Exit:
    """
    Go on with a run that only watched, with hands; a terminal is asked once, as before a first real run.

    *plan* is the operator's file as it is today: a watch without one gets it from there.

    :raises LeaseHeld: while somebody still watches.
    :raises UsageWrong: when another journal has a run that acts on this cluster.
    :raises EnvironmentWrong: when the plan is not of the cluster that was watched.
    """
    path = options.journal
    if found.alive:  # before its cluster is looked at: who watches is told, not disturbed
        raise held(path)
    planned = can_act(found)
    if plan is None and not planned:
        raise UsageWrong(
            f"{found.memory.run_id} watched without a plan: it knows no machine and no command to act with",
            reference="watch-unplanned",
            hint="`rekindle resume --take-over PLAN` gives it one of the same cluster (`rekindle init REPOSITORY` "
            "drafts it); `rekindle cancel` ends this watch",
        )
    known = plan or from_compiled(found.plan, recipe())
    if not planned:
        _must_be_watched(found, known)
        _must_be_alone(known, path)
    if not found.simulated:
        refuse_beside(known, path)
    world = worlds.world_of(found, known, path) if planned else worlds.real(known, path)
    try:
        asks = not yes and not found.simulated and beginning.somebody_is_there()
        if asks and not beginning.wanted(known, world):
            tell("nothing was taken over")
            return Exit.CANCELLED
        identity = None if planned else worlds.identity_of(world)
        return resume_run(
            found,
            options,
            lambda _found, _plan: world,
            plan=plan,
            take_over=True,
            identity=identity,
        )
    finally:
        world.close()


def _must_be_watched(found: Found, plan: Plan) -> None:
    """
    Hold every machine configuration of a plan against the cluster that was watched, and against the talosconfig.

    :raises EnvironmentWrong: unless each has the CA that the watch saw, and that of Talos by which the run would be
        known from then on; an unknown one is another.
    """
    saw, (ours, has) = str(found.memory.identity.get("ca", "")), _authorities(plan)
    if saw and ours and has == {(ours, saw)}:
        return
    told = ", ".join(sorted({ca[:16] for _, ca in has if ca})) or "unknown"
    if has and {talos for talos, _ in has} != {ours}:
        told += ", and not everywhere that of its talosconfig"
    raise EnvironmentWrong(
        f"this run watched {found.memory.cluster} with CA {saw[:16] or 'unknown'}, and {plan.cluster} of the plan has "
        f"CA {told}",
        reference="foreign-cluster",
        hint="check the machine configurations that the plan names; nothing was asked of either cluster",
    )


def _authorities(plan: Plan) -> tuple[str, set[tuple[str, str]]]:
    """
    Return the CA of Talos in the talosconfig, and those of Talos and Kubernetes in the machine configurations.

    No other file ties machines to an API. What cannot be read has none.
    """
    from rekindle.adapters import authorities

    ours, found = "", set()
    with suppress(authorities.Unreadable):
        ours = authorities.of_talosconfig(Path(plan.target.talos.talosconfig))
    for node in plan.target.talos.nodes.values():
        known = authorities.MachineAuthorities()
        with suppress(authorities.Unreadable):
            known = authorities.of_machine_config(Path(node.config))
        found.add((known.talos, known.kubernetes))
    return ours, found


def _must_be_alone(plan: Plan, journal: Path) -> None:
    """:raises UsageWrong: when the cluster's own journal has an open run, or a doubt that this one knows nothing of."""
    usual = place_for_cluster(plan.cluster)
    before = None if usual.absolute() == journal.absolute() else newest(usual)
    if before is None or before.simulated:
        return
    if not before.memory.outcome or doubts_left(plan, before.memory):
        _refuse(before, usual, in_doubt=bool(before.memory.outcome))


def refuse_beside(plan: Plan, journal: Path) -> None:
    """
    Look for what acts on this cluster out of a journal of ``watches/``: a watch without a plan that was taken over.

    Whoever only watches there is in nobody's way. What cannot be read is said, and keeps nobody from a recovery.

    :raises UsageWrong: when such a run is open, or there is a doubt that the run to begin would know nothing of.
    """
    here = os.path.realpath(journal)
    for path in _of_watches(plan.cluster):
        found = None if os.path.realpath(path) == here else _read(path, plan.cluster)
        if found is None or found.simulated:
            continue
        acts = not found.memory.outcome and not found.memory.watches
        if (acts or doubts_left(plan, found.memory)) and _is_of(found, plan):
            _refuse(found, path, in_doubt=not acts)


def _of_watches(cluster: str) -> list[Path]:
    """Find them; none where they cannot be looked for."""
    try:
        return journals_of_watches()
    except Diagnosed as error:
        _unread(state_folder(), error, cluster)
        return []


def _read(path: Path, cluster: str) -> Found | None:
    """Read what may be of another cluster altogether; None where it cannot be read."""
    try:
        return newest(path)
    except (Diagnosed, OSError, msgspec.MsgspecError) as error:
        _unread(path, error, cluster)
        return None


def _unread(path: Path, error: Exception, cluster: str) -> None:
    why = error.reference if isinstance(error, Diagnosed) else error
    tell(
        f"WARNING: {path} cannot be read ({why}): whether a run in it acts on {cluster} is not known"
    )


def _is_of(found: Found, plan: Plan) -> bool:
    """
    Say whether a run is of the cluster of a plan: it has its name, or one of its CAs.

    Two of one name share a journal everywhere else, too. A run that was taken over has two CAs: that of Kubernetes,
    with which it was opened, and that of Talos.
    """
    if found.memory.cluster == plan.cluster:
        return True
    ours, has = _authorities(plan)
    known = {ours, *(ca for both in has for ca in both)} - {""}
    return any(run.get("ca") in known for run in (found.opened.identity, found.memory.identity))


def _refuse(before: Found, journal: Path, *, in_doubt: bool) -> NoReturn:
    """Name the run that goes first, and what goes on with it."""
    if before.memory.outcome:
        way = typed("run", "PLAN", journal=journal)
    elif before.memory.watches:
        way = typed("resume", *_hands(before), journal=journal)
    else:
        way = typed("resume", journal=journal)
    what = "in which an action is in doubt" if in_doubt else "which is open"
    raise UsageWrong(
        f"{journal} has the run {before.memory.run_id} of {before.memory.cluster}, {what}",
        reference="run-open",
        hint=f"`{typed('status', journal=journal)}` says more; `{way}` goes on from there",
    )


def _hands(watch: Found) -> tuple[str, ...]:
    """Return what lets a watch act: where it has no plan, it needs one for that."""
    return ("--take-over",) if can_act(watch) else ("--take-over", "PLAN")


def can_act(found: Found) -> bool:
    """Say whether a watch can be given hands: without a plan it knows no machine and no command."""
    return bool(found.plan["section"]["talos"]["nodes"])


def refuse_open(found: Found, journal: Path) -> None:
    """Refuse to go on with an open run as something else than it is."""
    watches = found.memory.watches
    on = "watches on" if watches else "goes on with it"
    if watches:
        on += f", `{typed('resume', *_hands(found))}` lets it act"
    raise UsageWrong(
        f"{journal} has an open run, {found.memory.run_id} ({found.memory.purpose})",
        reference="run-open",
        hint=f"`rekindle resume` {on}, `rekindle cancel` closes it for good",
    )
