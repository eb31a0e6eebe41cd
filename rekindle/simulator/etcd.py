"""etcd: clusters, their members, and what it takes to have a quorum. A second cluster is the disaster to count."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Content = Mapping[str, Mapping[str, Any]]  # objects by kind and key


@dataclass(eq=False)
class EtcdCluster:
    """
    One etcd cluster: its members' host names in the order in which they came, and who still learns.

    *ids* are the members' own, new each time that one joins; *alarms* are of the whole cluster. *peers* has addresses
    of first members: their ids are made of those and of no time, so that who begins anew has its old one.
    """

    ident: int
    members: list[str] = field(default_factory=list)
    learners: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    joined: int = 0
    peers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give the first members their ids."""
        names, self.members = self.members, []
        for name in names:
            self.admit(name)
            self.ids[name] = first_id(self.peers.get(name, name))

    def admit(self, name: str) -> None:
        """Count a member; one of the same name that was counted before is another, and goes."""
        self.expel(name)
        self.joined += 1
        self.members.append(name)
        self.ids[name] = f"{self.ident:08x}{self.joined:08x}"

    def expel(self, name: str) -> None:
        """Count a member no more."""
        if name in self.ids:
            self.members.remove(name)
            self.learners.discard(name)
            self.running.discard(name)
            del self.ids[name]

    def voters(self) -> list[str]:
        """Return the members that vote."""
        return [name for name in self.members if name not in self.learners]

    def healthy(self) -> bool:
        """Say whether more than half of those that vote are running."""
        voters = self.voters()
        return 2 * len([name for name in voters if name in self.running]) > len(voters)

    def leader(self) -> str:
        """Return the id of the member that all follow (empty: nobody can be elected)."""
        if not self.healthy():
            return ""
        return next(self.ids[name] for name in self.voters() if name in self.running)


def first_id(address: str) -> str:
    """Return the id of a member that a cluster begins with (etcd v3.6 membership/member.go, computeMemberID)."""
    made = hashlib.sha1(f"https://{address}:2380etcd-cluster".encode(), usedforsecurity=False)
    return made.hexdigest()[:16]


@dataclass(frozen=True)
class Kept:
    """A snapshot: what the cluster's API held, and its digest, by which it is found again."""

    path: str
    sha256: str
    size: int
    content: Content
