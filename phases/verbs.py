"""
Every action that a recovery may take: its effect class, its probe, its guard at the target, and what it destroys.

Arguments that an intent carries, by verb (strings unless said otherwise); doers need nothing else:

``talos.apply``        node, address, config (path of the machine configuration), sha256 (of that file), insecure (bool)
``etcd.bootstrap``     node, address, machine_uuid, boot_id (as seen when it was decided)
``node.reset``         node, address, machine_uuid, boot_id (both as seen), scope (labels to wipe), graceful (bool),
                       snapshot (of a control plane: what there is of etcd, or why there is none)
``etcd.snapshot``      node, address, machine_uuid, file (its name beside the journal), quorum (the verdict then),
                       members (as that node told them, None: not at all), apart (who told others at that time)
``etcd.recover``       as etcd.bootstrap; snapshot (path), sha256 (of it), copied (bool: of the data directory, so
                       without a hash of its own), taken (instant, None: not known), others (addresses by name of the
                       other control planes, which are asked once more)
``etcd.remove-member``  node, address (of a healthy member), member (id), name (that the id must still have)
``kubeconfig.fetch``   node, address, path (where our own kubeconfig file goes)
``command.run``        command (its name in the plan); argv and directory come from the plan; node, address (if it is
                       run for one node: they go into the argv)
``crd.preapply``       crd (name), path (manifest; applied server-side, field manager ``rekindle``)
``root.apply``         path (file or folder of manifests; applied server-side, field manager ``rekindle``)
``flux.nudge``         kind, namespace, name, uid, generation (int), requested_at (the token), reset (bool), cause,
                       once, ready (bool: it said so of itself when this was decided; absent: it did not)
``finalizer.release``  group, version, resource, kind, namespace, name, uid, finalizers (list of str to take off)
``apiservice.remove``  kind, name, uid (the DELETE is of this uid and of no other)
``apply.give-back``    path (as it was applied; what its owner owns as well by now is no longer ours), owner (of a CRD,
                       that is through before all is; absent: the end asks); done with ``owed``: some is only ours
``git.ancestry``       repository (path of the operator's clone), old, new (commits); changes nothing of it
``webhook.remove``     kind (Validating- or MutatingWebhookConfiguration), name, uid

Settlement codes are those of ``engine.world``; a command's is ``exit-N`` or ``timeout``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.answer import Act, Subject
from engine.memory import Attempt
from engine.patience import seconds
from engine.recipe import Effect, Facts, Happened, Retry, Verb
from engine.world import CONFLICT, NOT_FOUND, PRECONDITION, TRANSIENT, Intent
from journal.entries import Outcome
from phases import codes
from phases.lives import RESET, bootstrap_undone, reset_happened

if TYPE_CHECKING:
    from engine.plan import Plan

APPLY = "talos.apply"
BOOTSTRAP = "etcd.bootstrap"
SNAPSHOT = "etcd.snapshot"
RECOVER = "etcd.recover"
REMOVE_MEMBER = "etcd.remove-member"
KUBECONFIG = "kubeconfig.fetch"
COMMAND = "command.run"
PREAPPLY = "crd.preapply"
ROOT = "root.apply"
NUDGE = "flux.nudge"
RELEASE = "finalizer.release"
UNSERVE = "apiservice.remove"
UNHOOK = "webhook.remove"
ANCESTRY = "git.ancestry"
GIVE_BACK = "apply.give-back"


def bootstrap_happened(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """
    Say what the control planes show of a bootstrap whose outcome is in doubt.

    A member list proves that it happened. Nothing proves that it did not: etcd may take minutes to show itself.
    """
    del intent
    for name in plan.target.talos.control_planes:
        fact = facts.get(codes.node(name))
        if fact is not None and fact.detail.get("members"):
            return Happened.YES
    return Happened.UNKNOWN


def member_removed(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """Say whether a member is gone, by its id: those who tell a list have it, or have it not."""
    lists = [
        fact.detail["ids"]
        for name in plan.target.talos.control_planes
        if (fact := facts.get(codes.node(name))) is not None
        and fact.code != codes.UNSEEN
        and fact.detail.get("ids")
    ]
    if not lists:
        return Happened.UNKNOWN
    gone = [intent.arguments["member"] not in ids for ids in lists]
    if all(gone):
        return Happened.YES
    return Happened.UNKNOWN if any(gone) else Happened.NO


def release_happened(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """
    Say whether the finalizers are off: the object is gone, or holds nothing any more.

    Only a listing of what holds its namespace or its CRD can tell; without one it stays unknown.
    """
    del plan
    scopes = (
        f"namespace/{intent.arguments['namespace']}",
        f"crd/{intent.arguments['resource']}.{intent.arguments['group']}",
    )
    owners = [found for scope in scopes if (found := facts.get(scope)) is not None]
    if any(owner.code == codes.ABSENT for owner in owners):
        return Happened.YES
    listed = [facts[f"holders/{scope}"] for scope in scopes if f"holders/{scope}" in facts]
    if not any(found.code == codes.SEEN for found in listed):
        return Happened.UNKNOWN
    found = facts.get(codes.subject("holder", str(intent.arguments["uid"])))
    if found is None:
        return Happened.YES
    left = set(found.detail["finalizers"]) & set(intent.arguments["finalizers"])
    return Happened.NO if left else Happened.YES


def removed_happened(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """
    Say whether an object is gone: it is not listed, or another one has its name.

    Only a list of its kind can tell; without one it stays unknown.
    """
    del plan
    kind, name = str(intent.arguments["kind"]), str(intent.arguments["name"])
    listed = facts.get(codes.kind(kind))
    if listed is None or listed.code != codes.SEEN:
        return Happened.UNKNOWN
    found = facts.get(codes.subject(kind, name))
    if found is None or found.detail.get("uid") != intent.arguments["uid"]:
        return Happened.YES
    return Happened.NO


def nudge_happened(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """Say whether a nudge reached its object: its token is on it, or it is not."""
    del plan
    parts = (str(intent.arguments["namespace"]), str(intent.arguments["name"]))
    key = "/".join(filter(None, parts))  # a ClusterSecretStore has no namespace
    found = facts.get(codes.subject(str(intent.arguments["kind"]), key))
    if found is None or "uid" not in found.detail:
        return Happened.UNKNOWN
    if found.detail.get("requested_at") == intent.arguments["requested_at"]:
        return Happened.YES
    return Happened.NO


def _removal(name: str, destroys: str) -> Verb:
    """
    Make the verb for deleting one object.

    A conflict means that the name is another object's by now, which nobody was asked about: it is never tried again.
    """
    return Verb(
        name=name,
        effect=Effect.ONCE,
        deadline_seconds=30.0,
        retry=Retry(attempts=5, backoff_seconds=2.0, backoff_limit_seconds=30.0, on=(TRANSIENT,)),
        probe=removed_happened,
        guard="the API refuses where the object's UID is another",
        destroys=destroys,
        typed_approval=True,
    )


def settled(last: Attempt | None, span: float) -> float | None:
    """Return the instant until which a look may be older than what was done."""
    if last is None or last.outcome is not Outcome.DONE or last.settled_at is None:
        return None
    return last.settled_at + span


VERBS: dict[str, Verb] = {
    APPLY: Verb(
        name=APPLY,
        effect=Effect.CONVERGENT,
        deadline_seconds=60.0,
        retry=Retry(attempts=5, backoff_seconds=2.0, backoff_limit_seconds=60.0, on=(TRANSIENT,)),
    ),
    BOOTSTRAP: Verb(
        name=BOOTSTRAP,
        effect=Effect.ONCE,
        deadline_seconds=60.0,
        retry=Retry(
            attempts=30,
            backoff_seconds=10.0,
            backoff_limit_seconds=10.0,
            full_jitter=False,
            on=(PRECONDITION, TRANSIENT, CONFLICT),
        ),
        probe=bootstrap_happened,
        guard="Talos refuses with AlreadyExists where etcd's data directory is not empty; before that, every "
        "planned control plane is asked and none may show a member",
        destroys="nothing by itself; a second bootstrap makes a second cluster",
        scope="cluster",
        undone=bootstrap_undone,
    ),
    RESET: Verb(
        name=RESET,
        effect=Effect.ONCE,
        deadline_seconds=60.0,  # it answers at once; what becomes of it the node shows
        retry=Retry(
            attempts=3,
            backoff_seconds=5.0,
            backoff_limit_seconds=60.0,
            on=(TRANSIENT, CONFLICT),  # another boot than was seen: nothing was done, look again
        ),
        probe=reset_happened,
        guard="the machine UUID and the boot id are read just before and must be those that were agreed to; a machine "
        "in maintenance refuses",
        destroys="the labels that are wiped: STATE, the machine configuration; EPHEMERAL, etcd's data, images, logs "
        "and local volumes",
        typed_approval=True,
        enabled=False,
    ),
    SNAPSHOT: Verb(
        name=SNAPSHOT,
        effect=Effect.KEYED,  # its file's name: never overwritten, and a second one costs room and nothing else
        deadline_seconds=300.0,
        retry=Retry(attempts=5, backoff_seconds=5.0, backoff_limit_seconds=60.0),
    ),
    RECOVER: Verb(
        name=RECOVER,
        effect=Effect.ONCE,
        deadline_seconds=600.0,
        retry=Retry(
            attempts=30,
            backoff_seconds=10.0,
            backoff_limit_seconds=10.0,
            full_jitter=False,
            on=(PRECONDITION, TRANSIENT, CONFLICT),
        ),
        probe=bootstrap_happened,
        guard="every other control plane is asked once more, and none may tell a member; Talos refuses with "
        "AlreadyExists where etcd's data directory is not empty",
        destroys="what was written to etcd after the snapshot was taken; a second recovery makes a second cluster",
        typed_approval=True,
        scope="cluster",
        enabled=False,
        undone=bootstrap_undone,
    ),
    REMOVE_MEMBER: Verb(
        name=REMOVE_MEMBER,
        effect=Effect.ONCE,
        deadline_seconds=30.0,
        retry=Retry(attempts=5, backoff_seconds=5.0, backoff_limit_seconds=60.0, on=(TRANSIENT,)),
        probe=member_removed,
        guard="the member's id must still have the name that was approved; etcd knows no id twice, and refuses a "
        "removal that would cost it its quorum",
        destroys="the member: its machine has to join anew, with an empty data directory",
        typed_approval=True,
        scope="cluster",
        enabled=False,
    ),
    KUBECONFIG: Verb(
        name=KUBECONFIG,
        effect=Effect.CONVERGENT,
        deadline_seconds=30.0,
        retry=Retry(attempts=20, backoff_seconds=2.0, backoff_limit_seconds=30.0),
    ),
    COMMAND: Verb(
        name=COMMAND,
        effect=Effect.CONVERGENT,
        deadline_seconds=900.0,
        retry=Retry(
            attempts=3,
            backoff_seconds=10.0,
            backoff_limit_seconds=60.0,
            on=(TRANSIENT, "exit-1", "timeout"),
        ),
    ),
    PREAPPLY: Verb(
        name=PREAPPLY,
        effect=Effect.CONVERGENT,
        deadline_seconds=30.0,
        retry=Retry(attempts=8, backoff_seconds=2.0, backoff_limit_seconds=30.0),
        returned_by=GIVE_BACK,
    ),
    GIVE_BACK: Verb(
        name=GIVE_BACK,
        effect=Effect.CONVERGENT,
        deadline_seconds=30.0,
        retry=Retry(
            attempts=3,
            backoff_seconds=2.0,
            backoff_limit_seconds=30.0,
            on=(TRANSIENT, CONFLICT, NOT_FOUND),
        ),
    ),
    ANCESTRY: Verb(name=ANCESTRY, effect=Effect.READ, deadline_seconds=120.0),
    ROOT: Verb(
        name=ROOT,
        effect=Effect.CONVERGENT,
        deadline_seconds=30.0,
        retry=Retry(
            attempts=12,
            backoff_seconds=2.0,
            backoff_limit_seconds=30.0,
            on=(TRANSIENT, NOT_FOUND),
        ),
        returned_by=GIVE_BACK,
    ),
    NUDGE: Verb(
        name=NUDGE,
        effect=Effect.CONVERGENT,
        deadline_seconds=15.0,
        retry=Retry(
            attempts=6,  # for each cause, as it is sent once for each
            backoff_seconds=2.0,
            backoff_limit_seconds=30.0,
            # Suspended or being deleted by now: the look that it was decided on was older, and the next one shows it.
            on=(PRECONDITION, TRANSIENT, CONFLICT, NOT_FOUND),
        ),
        probe=nudge_happened,
    ),
    RELEASE: Verb(
        name=RELEASE,
        effect=Effect.ONCE,
        deadline_seconds=30.0,
        retry=Retry(
            attempts=5,
            backoff_seconds=2.0,
            backoff_limit_seconds=30.0,
            on=(TRANSIENT, CONFLICT),  # changed in between, so nothing was done: look again
        ),
        probe=release_happened,
        guard="the API refuses where the object's UID or resourceVersion is another, or it is not being deleted",
        destroys="what the finalizer's controller would have cleaned up outside the cluster is left behind",
        typed_approval=True,
    ),
    UNSERVE: _removal(
        UNSERVE, "the aggregated API is gone until what provides it is applied again"
    ),
    UNHOOK: _removal(
        UNHOOK,
        "what the webhooks of the configuration check is let through until their operator makes it anew",
    ),
}


def command_target(name: str, node: str = "") -> Subject:
    """Subject of one of the plan's commands, where it is run for one node after the other: of that node's."""
    return f"command/{name}/{node}" if node else f"command/{name}"


def run_command(plan: Plan, name: str, reason: str, about: Mapping[str, str] | None = None) -> Act:
    """
    Run one of the plan's commands; its effect is judged by what it was to bring, never by its exit code.

    *about*: the node that it is run for, with its address.
    """
    values = dict(about or {})
    deadline = seconds(plan.target.commands[name].deadline)
    target = command_target(name, values.get("node", ""))
    return Act(COMMAND, target, {"command": name, **values}, reason, deadline_seconds=deadline)
