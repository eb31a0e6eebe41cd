"""Words of this program that nobody else has, in a line each: its verbs, and what an action's effect means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from phases import verbs as v
from phases.lives import RESET
from rekindle.report.emptied import EMPTIED
from rekindle.report.happenings import Action, HandDeed

VERBS = {
    v.APPLY: "gives a node its machine configuration",
    v.BOOTSTRAP: "begins etcd on one control plane; the one step that must never be done twice",
    RESET: "wipes a node, so that it begins anew in maintenance",
    v.SNAPSHOT: "copies etcd into a file beside the journal",
    v.RECOVER: "begins etcd again from a snapshot",
    v.REMOVE_MEMBER: "takes a lost member out of etcd",
    v.KUBECONFIG: "fetches a kubeconfig of this run's own from Talos",
    v.COMMAND: "runs a command of the plan on this machine",
    v.PREAPPLY: "applies a CRD before the release that brings it, since its consumer cannot wait",
    v.ROOT: "applies the root of the GitOps tree, from which Flux brings all else",
    v.NUDGE: "asks Flux, or the secrets' operator, to reconcile one object now and not at its next interval",
    v.RELEASE: "takes a finalizer off an object whose controller is gone, so that it can be deleted",
    v.UNSERVE: "removes an APIService that nobody answers for",
    v.UNHOOK: "removes a webhook's configuration that nobody answers for",
    v.ANCESTRY: "asks the operator's clone which of two commits came first; changes nothing",
    v.GIVE_BACK: "gives up the ownership of fields that this run applied, now that their owner is there",
    EMPTIED: "etcd's data was gone from a control plane, by whatever took it",
    "node.wipe": "a node lost its configuration, by whatever did it",
    "network.install": "the network's workloads came back, by whatever brought them",
    "flux.install": "Flux' controllers came back, by whatever brought them",
}
EFFECTS = {
    "read": "changes nothing",
    "convergent": "doing it again changes nothing more, so nobody has to be asked",
    "once": "must not happen twice",
    "keyed": "a second one with the same key has no effect",
    "undoable": "can be taken back",
}
# What leaves its mark on the configuration of the cluster, or of a machine; all of etcd's do, but a copy of it.
CONFIGURES = {
    v.APPLY,
    v.ROOT,
    v.PREAPPLY,
    v.COMMAND,
    v.RELEASE,
    v.GIVE_BACK,
    v.UNSERVE,
    v.UNHOOK,
    RESET,
}
ETCD = "etcd."
KINDS = (
    ("plan", "Changes of the plan"),
    ("clock", "Jumps of the host's clock"),
    ("deadline", "Time limits that ran out"),
)


def meaning(verb: str) -> str:
    """Explain a verb in a line."""
    return VERBS.get(verb, "a verb that this version does not know")


def legend(actions: Sequence[Action], by_hand: Sequence[HandDeed]) -> Iterator[tuple[str, str]]:
    """Explain each verb that was used, then the effects of actions that needed no question."""
    used = {one.verb for one in actions} | {deed.verb for deed in by_hand}
    for verb in sorted(used):
        yield verb, meaning(verb)
    for effect in sorted({one.effect for one in actions if not one.approval}):
        if effect in EFFECTS:
            yield effect, EFFECTS[effect]


def configured(actions: Sequence[Action]) -> list[Action]:
    """Return the actions that changed a configuration, or may have, in the order of the instants that are shown."""
    found = [one for one in actions if one.outcome != "failed" and _configures(one.verb)]
    return sorted(found, key=lambda one: one.when("intended" if one.settled is None else "settled"))


def _configures(verb: str) -> bool:
    return verb in CONFIGURES or (verb.startswith(ETCD) and verb != v.SNAPSHOT)
