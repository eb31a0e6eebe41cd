"""
What is done to etcd through talosctl: a snapshot is taken, a cluster is recovered from one, a member is removed.

A snapshot holds every Secret of the cluster. It is written into a private folder beside the journal, and appears under
its own name, whole, readable by its owner alone, and never in place of another file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.world import CONFLICT, INVALID, NOT_FOUND, TRANSIENT
from journal.entries import Outcome
from phases.etcd_snapshot import DISK_FULL
from phases.readiness.nodes import WAITING_STATES
from rekindle.adapters import settling, talos_text
from rekindle.adapters.programs import ProgramFailed
from rekindle.adapters.talos_actions import judge

if TYPE_CHECKING:
    from engine.world import Intent, Settlement
    from rekindle.adapters.programs import Answer
    from rekindle.adapters.talos import Talosctl
    from rekindle.adapters.talos_actions import TalosActions

HASH_BYTES = hashlib.sha256().digest_size
PAGE_BYTES = (
    512  # a snapshot is whole pages and its own hash (etcd v3.6 etcdutl/snapshot/v3_snapshot.go)
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS = tuple(os.strerror(number).lower() for number in _FULL)
_NOT_NAMED = frozenset("/\\")


class EtcdActions:
    """Doers for etcd. They block, so they are for threads."""

    def __init__(self, actions: TalosActions, talosctl: Talosctl, journal: Path) -> None:
        """Know how a node is acted upon, and where the journal is."""
        self._actions = actions
        self._talosctl = talosctl
        self._journal = journal

    def snapshot(self, intent: Intent) -> Settlement:
        """Take a snapshot from a member, into a new file beside the journal."""
        until = time.monotonic() + intent.deadline_seconds
        name = str(intent.arguments["file"])
        if not name or _NOT_NAMED & set(name):
            return settling.failed(intent, INVALID, why=f"{name!r} is no file name")
        place = self._journal.with_name(f"{self._journal.name}.{name}")
        if place.exists():
            return settling.failed(intent, CONFLICT, why=f"{place} is there already")
        try:
            with tempfile.TemporaryDirectory(dir=place.parent, prefix=".etcd-") as folder:
                fresh = Path(folder) / "snapshot"
                address = str(intent.arguments["address"])
                argv = self._talosctl.argv(address, "etcd", "snapshot", str(fresh))
                settlement = self._actions.do(intent, argv, until, _judged_snapshot)
                if (
                    settlement.outcome is Outcome.UNSETTLED
                ):  # nothing was done to etcd, whatever came of it
                    return settling.failed(intent, TRANSIENT, **settlement.evidence)
                if settlement.outcome is Outcome.FAILED:
                    return settlement
                return _place(intent, fresh, place)
        except OSError as error:
            code = DISK_FULL if error.errno in _FULL else INVALID
            return settling.failed(intent, code, why=f"{place}: {error.strerror or error}")

    def recover(self, intent: Intent) -> Settlement:
        """
        Begin etcd on this machine from a snapshot: the one that was approved, and where no other etcd answers.

        The last two questions are asked here once more: between a decision and its deed somebody else may have acted.
        """
        until = time.monotonic() + intent.deadline_seconds
        path = Path(str(intent.arguments["snapshot"]))
        copied = bool(intent.arguments.get("copied"))
        refusal = (
            _refuse_snapshot(intent, path, copied=copied)
            or self._refuse_beside(intent)
            or self._actions.refuse_machine(intent, str(intent.arguments["address"]))
        )
        if refusal is not None:
            return refusal
        arguments = ["bootstrap", f"--recover-from={path}"]
        if copied:
            arguments.append("--recover-skip-hash-check")
        argv = self._talosctl.argv(str(intent.arguments["address"]), *arguments)
        return self._actions.do(intent, argv, until)

    def remove_member(self, intent: Intent) -> Settlement:
        """Remove a member by its id, if that id still has the name that was approved."""
        until = time.monotonic() + intent.deadline_seconds
        address, member = str(intent.arguments["address"]), str(intent.arguments["member"])
        try:
            told = self._members(address)
        except (ProgramFailed, talos_text.NotUnderstood) as error:
            return settling.failed(intent, TRANSIENT, why=f"the members were not told: {error}")
        if told is None:
            return settling.failed(intent, TRANSIENT, why="the node tells no members: no quorum")
        known = dict(zip(told.ids, told.names, strict=False))
        if member not in known:
            return settling.failed(intent, NOT_FOUND, why=f"there is no member {member}")
        if known[member] != str(intent.arguments["name"]):
            return settling.failed(intent, CONFLICT, why=f"member {member} is {known[member]}")
        argv = self._talosctl.argv(address, "etcd", "remove-member", member)
        return self._actions.do(intent, argv, until)

    def _members(self, address: str) -> talos_text.Members | None:
        """Ask a node for its member list; None: its etcd gives none."""
        answer = self._talosctl.call(address, "etcd", "members")
        if answer.code != 0:
            return None
        return talos_text.etcd_members(answer.stdout.decode(errors="replace"))

    def _refuse_beside(self, intent: Intent) -> Settlement | None:
        """
        Refuse while another control plane has an etcd that runs or tells members, or cannot be asked.

        The service is asked first: what ``etcd members`` says of an etcd that is not there reads like a node that is
        not there.
        """
        others = intent.arguments.get("others") or {}
        for name, address in sorted(others.items()):
            try:
                answer = self._talosctl.call(str(address), "service", "etcd")
                if answer.code != 0:
                    why = f"{name} could not be asked for its etcd"
                    return settling.failed(intent, TRANSIENT, why=why)
                state = talos_text.etcd_service(answer.stdout.decode(errors="replace")).state
                told = self._members(str(address))
            except (ProgramFailed, talos_text.NotUnderstood) as error:
                why = f"{name} could not be asked for its etcd: {error}"
                return settling.failed(intent, TRANSIENT, why=why)
            if told is not None:
                return settling.failed(intent, CONFLICT, why=f"{name} tells members of an etcd")
            if state not in WAITING_STATES:
                return settling.failed(intent, CONFLICT, why=f"the etcd of {name} is {state}")
        return None


def _place(intent: Intent, fresh: Path, place: Path) -> Settlement:
    """Check what came, make it durable, and give it its name; a link never replaces what is there."""
    size = fresh.stat().st_size
    if size % PAGE_BYTES != HASH_BYTES:
        return settling.failed(intent, TRANSIENT, why=f"no whole snapshot came: {size} bytes")
    fresh.chmod(0o600)
    with fresh.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    try:
        os.link(fresh, place)
    except FileExistsError:
        return settling.failed(intent, CONFLICT, why=f"{place} is there already")
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return settling.done(intent, path=str(place), sha256=digest, bytes=size)


def _judged_snapshot(intent: Intent, answer: Answer) -> Settlement:
    """Tell a disk of ours that is full from everything else: no other node would do better."""
    if answer.code != 0 and any(text in answer.stderr.lower() for text in _FULL_TEXTS):
        return settling.failed(intent, DISK_FULL, why="no room beside the journal")
    return judge(intent, answer)


def _refuse_snapshot(intent: Intent, path: Path, *, copied: bool) -> Settlement | None:
    """Refuse a file that is another than was approved, or no snapshot: nothing of it was sent yet."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return settling.failed(intent, INVALID, why=f"{path}: {error.strerror or error}")
    if digest != intent.arguments.get("sha256"):
        return settling.failed(intent, INVALID, why=f"{path} is another file than was approved")
    if not copied and size % PAGE_BYTES != HASH_BYTES:
        why = f"{path} has no hash of its own: a copy of a data directory needs etcd.copied in the plan"
        return settling.failed(intent, INVALID, why=why)
    return None
