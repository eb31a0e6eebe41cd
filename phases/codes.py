"""
The closed vocabulary of verdicts, and the names of subjects.

A fact's code is one of these; richer than kstatus, because "needs time" and "can never succeed" must differ.
"""

from __future__ import annotations

from functools import lru_cache

# Objects of the Kubernetes API.
READY = "Ready"
PROGRESSING = "Progressing"
BLOCKED = "Blocked"  # detail.cause names what has to clear first
FAILED = "Failed"
ABSENT = "Absent"
TERMINATING = "Terminating"
SUSPENDED = "Suspended"
UNOBSERVABLE = "Unobservable"
SEEN = "Seen"

# Talos nodes; other codes are Talos' own stages.
UNSEEN = "unseen"
MAINTENANCE = "maintenance"
FOREIGN = "foreign"
WAITS_FOR_ETCD = "waits-for-etcd"
RUNNING = "running"
UNHEALTHY = "unhealthy"

# Etcd as a whole.
HEALTHY = "healthy"
FORMING = "forming"
NONE = "none"
UNKNOWN = "unknown"
LOST = "lost"
PARTED = "parted"  # control planes tell other members and follow other leaders

# The API and our kubeconfig.
UP = "up"
PARTIAL = "partial"
DOWN = "down"
OURS = "ours"

# What a plan's own probe says.
HOLDS = "holds"
NOT_YET = "not-yet"

# Of a finding: a circle that ends where the missing kind is defined. A CRD may be applied out of band, a dependency
# may not be.
THROUGH_A_KIND = "circle-through-a-kind"

ETCD = "etcd"
NODES = "nodes"  # all of them together; also what a walk may go over
API = "api"
KUBECONFIG = "kubeconfig"
OPERATOR = "operator"  # whoever has the lease in the cluster
PODS = "pods"
RESTARTS = "restarts"
EXISTING = "pods-existing"
NOT_ASKED = (
    "not-asked"  # how the reason of a machine out of sight begins at which nobody has looked yet
)
LEAVING = "pods-leaving"  # of those that exist: their deletion was asked for
ROOT = "root"
SHORT_NAMES = {"ClusterSecretStore": "store", "CustomResourceDefinition": "crd"}


def node(name: str) -> str:
    """Subject of a planned Talos node."""
    return f"node/{name}"


def k8s_node(name: str) -> str:
    """Subject of a Node object."""
    return f"k8s-node/{name}"


def kind(name: str) -> str:
    """Subject that says whether a kind can be listed at all."""
    return f"kind/{name}"


@lru_cache(maxsize=8192)  # the same few hundred are asked for in every turn
def subject(kind_name: str, key: str) -> str:
    """Subject of an object: its kind in lower case, or the shorter name that facts have for it, and its key."""
    return f"{SHORT_NAMES.get(kind_name) or kind_name.lower()}/{key}"
