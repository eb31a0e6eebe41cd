"""
The names of the classes of waits, by the catalogue of dead waits, and what tells some of them by itself.
"""

from __future__ import annotations

from phases.lives import RESET
from phases.verbs import (
    APPLY,
    BOOTSTRAP,
    COMMAND,
    KUBECONFIG,
    RECOVER,
    REMOVE_MEMBER,
    ROOT,
    SNAPSHOT,
)

USEFUL, UNKNOWN, NOBODY = "useful", "unknown", "nobody"
RETRY, HEALTH_HOLD, STARVED, DEPENDENCY = "DW1", "DW3", "DW4", "DW5"
FIRST_STAGE, SOURCE_POLL, RELEASE_RETRY, SECRET_RETRY = "DW6", "DW7", "DW8", "DW9"
CRD, POD_RETRY, ATTACHMENT, EVICTION, NS_HELD = "DW10", "DW11", "DW12", "DW13", "DW14"
TOOL, PULL, CERTIFICATE, PERSON, DELETION = "DW15", "DW16", "DW17", "DW18", "DW20"
# Rules of diagnosis whose finding about an object, or about what blocks it, names the class of its wait. Everything
# of a pod that backs off is DW11; K16 and L6 are told by what they block.
BY_RULE = {
    "K16": STARVED,
    "K18": PERSON,
    "K20": DELETION,
    "L13": ATTACHMENT,
    "L20": EVICTION,
    "L6": PULL,
    "L7": POD_RETRY,
    "L8": POD_RETRY,
}
# What an action works on beside its own target, by verb: families of vertices that only it brings.
WORKS_ON = {
    APPLY: {"node"},
    BOOTSTRAP: {"etcd", "node", "api"},
    RESET: {"node"},
    RECOVER: {"etcd", "node", "api"},
    REMOVE_MEMBER: {"etcd"},
    SNAPSHOT: {"etcd"},
    COMMAND: {"daemonset", "deployment", "k8s-node"},
    KUBECONFIG: {"api"},
    ROOT: {"root"},
}
CHECKING = "Running health checks"  # the step in which a Kustomization's worker only waits
CERTIFIED = ("Certificate/", "CertificateRequest/", "Order/", "Challenge/")  # kinds of cert-manager
STABLE = "stable/"
OWN_TIMERS = (STABLE, "damping/")
MACHINES = ("node/", "etcd", "api")  # vertices whose class time alone may change
