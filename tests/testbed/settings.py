"""
Where everything listens. The ports are fixed, so one testbed runs on a machine at a time.
"""

from __future__ import annotations

CLUSTER = "anton"
VIP = "127.0.1.10"
ENDPOINT = f"https://{VIP}:6443"

API_PORT = 16443
ETCD_PORT = 12379
ETCD_PEER_PORT = 12380
CONTROLLER_MANAGER_PORT = 16457
SCHEDULER_PORT = 16459
KWOK_PORT = 16247
GIT_PORT = 16091
ARTIFACT_PORT = 16090
CONTROL_PORT = 16093
FLUX_FIRST_PORT = 16081  # two for each controller
ANSWERS_PORT = 16094  # plain; the next one speaks TLS
NOBODY_PORT = 16099  # nothing listens there, ever


def node_addresses(count: int) -> dict[str, str]:
    """
    The nodes' names and addresses.
    """
    return {f"k8s-{i}": f"127.0.0.{i}" for i in range(1, count + 1)}
