"""Which verbs need what. A red row blocks these and no others."""

from __future__ import annotations

from phases.lives import RESET
from phases.verbs import (
    APPLY,
    BOOTSTRAP,
    COMMAND,
    GIVE_BACK,
    KUBECONFIG,
    NUDGE,
    PREAPPLY,
    RECOVER,
    RELEASE,
    REMOVE_MEMBER,
    ROOT,
    SNAPSHOT,
    UNHOOK,
    UNSERVE,
)

ETCD = frozenset({RECOVER, REMOVE_MEMBER, SNAPSHOT})
TALOSCONFIG = frozenset({APPLY, BOOTSTRAP, KUBECONFIG, RESET, *ETCD})
# A node in maintenance is given its configuration without a client certificate.
TALOS_CLIENT = frozenset({BOOTSTRAP, KUBECONFIG, RESET, *ETCD})
MACHINE_CONFIG = frozenset({APPLY})
API = frozenset({GIVE_BACK, NUDGE, PREAPPLY, RELEASE, ROOT, UNHOOK, UNSERVE})
COMMANDS = frozenset({COMMAND})
# Whoever cannot read the secrets of the repository cannot make again what these would destroy.
WIPES = frozenset({RESET})
