"""etcd: clusters, their members, and what it takes to have a quorum. A second cluster is the disaster to count."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class EtcdCluster:
    """One etcd cluster: its members' host names in the order in which they came, and who still learns."""

    ident: int
    members: list[str] = field(default_factory=list)
    learners: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)

    def voters(self) -> list[str]:
        """Return the members that vote."""
        return [name for name in self.members if name not in self.learners]

    def healthy(self) -> bool:
        """Say whether more than half of those that vote are running."""
        voters = self.voters()
        return 2 * len([name for name in voters if name in self.running]) > len(voters)
