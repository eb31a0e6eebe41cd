"""What happened to a cluster during a recorded run, as far as a scenario can let it happen again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from journal.entries import Fact, Instant
from phases import codes
from phases.deeds import CONFIGURED, DELETE, SUSPEND, WIPE
from phases.lives import RESET
from phases.verbs import APPLY
from rekindle.simulator.planted import CRD
from rekindle.simulator.scenario import EventSpec, Happening, NodeSpec, NodeState
from rekindle.simulator.talos import REBOOT_SECONDS
from rekindle.simulator.witnessed import NOT_ASKED, Change, Remarks, Witness

LONG_SECONDS = 150.0  # a node that is away for longer did not only reboot
PRUNED_SECONDS = 600.0  # so long after a root was deleted, what goes goes because of it
KINDS = {
    "kustomization": "Kustomization",
    "helmrelease": "HelmRelease",
    "namespace": "Namespace",
    "crd": CRD,
}
BARE = {codes.MAINTENANCE, "installing"}
BUSY = {"booting", "rebooting"}


@dataclass
class Night:
    """What no event expresses is in *remarks*. *before*: for how long things had been wrong, in seconds."""

    seen: Witness
    before: float
    remarks: Remarks
    events: list[EventSpec] = field(default_factory=list)

    # --- nodes -----------------------------------------------------------------------------------

    def node(self, name: str, address: str, role: str) -> NodeSpec:
        """Say how a node began, and put what happened to it later among the events."""
        changes = [c for c in self.seen.history.get(codes.node(name), ()) if not _unasked(c[1])]
        state, rest = self._beginning(name, changes)
        self._later(name, rest)
        worker = role == "worker"
        return NodeSpec(address, "worker" if worker else "controlplane", state)

    def _beginning(self, name: str, changes: list[Change]) -> tuple[NodeState, list[Change]]:
        """Return the state at the start, and the changes that came after what it was."""
        lived = self.seen.lived
        fact = self._standing(name) if lived else (changes[0][1] if changes else None)
        if fact is None or fact.code == codes.UNSEEN:
            return self._unseen_at_first(name, fact), changes
        rest = [c for c in changes if c[0] > (self.seen.looked_at or self.seen.opened.at)]
        if fact.code == codes.FOREIGN:
            return "foreign", rest
        if not lived:
            return self._bare(name, fact), rest
        if fact.code in BARE or fact.code == codes.WAITS_FOR_ETCD:
            return self._wiped(name, fact), rest
        if fact.code in BUSY or (changes and changes[0][1].code in BUSY):
            self.events.append(EventSpec(0.0, "reboot", name))
            self.remarks.assumed.append(
                f"{name} was booting when the run began: it reboots at the start"
            )
        return "running", rest

    def _bare(self, name: str, fact: Fact) -> NodeState:
        """Say how a machine began where there was no cluster: it has its configuration, or waits for one."""
        if fact.code in CONFIGURED:
            return "booting"
        if fact.code != codes.MAINTENANCE:
            self.remarks.assumed.append(f"{name} was {fact.code}: taken as in maintenance")
        return "maintenance"

    def _standing(self, name: str) -> Fact | None:
        return self.seen.look.get(codes.node(name)) or self.seen.first.get(codes.node(name))

    def _unseen_at_first(self, name: str, fact: Fact | None) -> NodeState:
        """A node that did not answer may be off, or only out of sight; what it is was not recorded."""
        if not self.seen.lived:
            self.remarks.assumed.append(
                f"{name} did not answer when the run began: it is taken as switched off"
            )
            return "off"
        since = fact.since if fact is not None and fact.since else None
        at = -self.before if since is None else max(since - self.seen.opened.at, -self.before)
        self.events.append(EventSpec(min(at, -1.0), "power-off", name))
        self.remarks.assumed.append(
            f"{name} did not answer when the run began: it is taken as switched off since then"
        )
        return "running"

    def _wiped(self, name: str, fact: Fact) -> NodeState:
        """Tell a machine that was wiped, and is still a member of etcd, from one that is new."""
        if fact.code != codes.MAINTENANCE:
            self.remarks.assumed.append(
                f"{name} was {fact.code} beside a living cluster: taken as in maintenance"
            )
        members = [
            found
            for other in self.seen.node_names
            for found in ((self._standing(other) or Fact("")).detail.get("members") or ())
        ]
        if name not in members:
            return "maintenance"
        self.events.append(EventSpec(-self.before, "wipe", name))
        return "running"

    def _later(self, name: str, changes: list[Change]) -> None:
        """Find reboots, absences and wipes; what the run's own configuration caused is none of them."""
        standing = self._standing(name) if self.seen.lived else None
        boot = str(standing.detail.get("boot_id", "")) if standing is not None else ""
        away: Instant | None = None
        settled = standing is not None and standing.code in {codes.RUNNING, codes.UNHEALTHY}
        was_off = self.seen.lived and not settled
        for at, fact in changes:
            if fact.code == codes.UNSEEN:
                away = at if away is None and settled else away
                continue
            now = str(fact.detail.get("boot_id", ""))
            if was_off and fact.code in CONFIGURED:
                self._add(at - REBOOT_SECONDS, "power-on", name)
            elif settled and fact.code == codes.MAINTENANCE:
                if self._reset(name, at):
                    was_off, away, boot, settled = False, None, "", False
                    continue
                self._add(away or at, "wipe", name)
            elif settled and boot and now and now != boot and not self._ours(name, at):
                self._rebooted(name, away, at)
            elif away is not None and now == boot:
                gap = f"from {self._rel(away):.0f} s to {self._rel(at):.0f} s"
                self.remarks.inexpressible.append(
                    f"{name} could not be seen {gap}, and had not rebooted"
                )
            was_off, away, boot = False, None, now or boot
            settled = settled or fact.code in {codes.RUNNING, codes.UNHEALTHY}
            settled = settled and fact.code in CONFIGURED
        if away is not None:
            self._add(away, "power-off", name)

    def _rebooted(self, name: str, away: Instant | None, at: Instant) -> None:
        if away is None or at - away <= LONG_SECONDS:
            self._add(away or at, "reboot", name)
            return
        self._add(away, "power-off", name)
        self._add(at - REBOOT_SECONDS, "power-on", name)

    def _reset(self, name: str, at: Instant) -> bool:
        """Say whether the run itself had the node wiped: the rehearsal is asked for the same."""
        target = codes.node(name)
        return any(
            i.verb == RESET and i.target == target and i.at <= at for i in self.seen.intended
        )

    def _ours(self, name: str, at: Instant) -> bool:
        """Say whether the run itself gave the node its configuration shortly before."""
        mine = (i for i in self.seen.intended if i.verb == APPLY and i.target == codes.node(name))
        return any(0 <= at - intent.at <= PRUNED_SECONDS for intent in mine)

    # --- objects ---------------------------------------------------------------------------------

    def objects(self) -> None:
        """Find what was deleted by hand, namespaces that began to go, and commits that came."""
        deleted = []
        for deed in self.seen.by_hand:
            family, _, key = deed.target.partition("/")
            if deed.verb == DELETE and family in KINDS:
                deleted.append(deed.at)
                self._add(deed.at, "delete", kind=KINDS[family], key=key)
            elif deed.verb in {DELETE, SUSPEND}:
                self.remarks.inexpressible.append(
                    f"{deed.verb} {deed.target} at {self._rel(deed.at):.0f} s, by hand"
                )
            elif deed.verb != WIPE:
                self.remarks.assumed.append(
                    f"{deed.verb} {deed.target} was done by hand at {self._rel(deed.at):.0f} s: the rehearsal does it"
                )
        pruned = [(at, at + PRUNED_SECONDS) for at in deleted]
        pruned += self._roots_that_went()
        for at, name in self._going():
            if not any(begun <= at <= done for begun, done in pruned):
                self._add(at, "delete", kind="Namespace", key=name)
        for moved in self.seen.goals:
            if moved.previous:
                self._add(moved.at, "push", revision=moved.revision)
        if self.seen.interruptions:
            times = "once" if self.seen.interruptions == 1 else f"{self.seen.interruptions} times"
            self.remarks.inexpressible.append(
                f"the run was interrupted {times}, and the cluster was alone meanwhile"
            )

    def _roots_that_went(self) -> Iterator[tuple[Instant, Instant]]:
        """Yield when a root was being deleted, and what it takes with it goes: here its controller does that again."""
        for key in self.seen.opened.plan["section"]["inventory"]["roots"]:
            changes = self.seen.history.get(codes.subject("kustomization", key), ())
            for (at, fact), (until, _) in pairwise([*changes, (self.seen.end, Fact(""))]):
                if fact.code == codes.TERMINATING:
                    yield at, until + PRUNED_SECONDS

    def _going(self) -> Iterator[tuple[Instant, str]]:
        """Yield each namespace that was well, and then was deleted."""
        for subject, changes in sorted(self.seen.history.items()):
            if not subject.startswith("namespace/"):
                continue
            for (_, old), (at, new) in pairwise(changes):
                if old.code == codes.READY and new.code == codes.TERMINATING:
                    yield at, subject.partition("/")[2]

    def sorted_events(self) -> tuple[EventSpec, ...]:
        """Return everything in its order."""
        return tuple(sorted(self.events, key=lambda event: event.at))

    def _rel(self, at: Instant) -> float:
        return at - self.seen.opened.at

    def _add(
        self,
        at: Instant,
        do: Happening,
        node: str = "",
        *,
        kind: str = "",
        key: str = "",
        revision: str = "",
    ) -> None:
        when = round(max(self._rel(at), 0.0), 1)
        self.events.append(EventSpec(when, do, node, kind, key, revision))


def _unasked(fact: Fact) -> bool:
    return fact.code == codes.UNSEEN and fact.reason.startswith(NOT_ASKED)
