"""
The tree as the simulator takes it: what its controllers act on, and nothing else.

Durations are in seconds.
"""

from __future__ import annotations

import hashlib
import json
import re

from manifests import KEEP, Manifest, Release, pods, workload
from tree import Rendered, Tree, depends_on, key_of

WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")
FINALIZERS = {
    "CephBlockPool": "cephblockpool.ceph.rook.io",
    "CephCluster": "cephcluster.ceph.rook.io",
}
UNITS = {"h": 3600, "m": 60, "s": 1}


def simulated(tree: Tree) -> Manifest:
    """Reduce the tree to what the simulator's controllers act on."""
    crds = tree.crds()
    body = {
        "kustomizations": {
            key: _simulated_kustomization(rendered, crds)
            for key, rendered in sorted(tree.kustomizations.items())
        },
        "helmreleases": {
            key: _simulated_release(manifest, release)
            for key, (manifest, _, release) in sorted(tree.releases.items())
        },
        "roots": tree.roots,
    }
    digest = hashlib.sha1(json.dumps(body).encode(), usedforsecurity=False).hexdigest()
    return {"schema": "rekindle.tree/1", "revision": f"main@sha1:{digest}", **body}


def _simulated_kustomization(rendered: Rendered, crds: dict[tuple[str, str], Manifest]) -> Manifest:
    spec = rendered.manifest["spec"]
    interval = seconds(spec["interval"])
    return {
        "interval": interval,
        "retry": seconds(spec["retryInterval"]) if "retryInterval" in spec else interval,
        "timeout": seconds(spec["timeout"]) if "timeout" in spec else interval - 30,
        "wait": spec.get("wait", False),
        "prune": spec["prune"],
        "depends_on": rendered.depends_on,
        "health_checks": [
            {"kind": check["kind"], "key": f"{check['namespace']}/{check['name']}"}
            for check in spec.get("healthChecks", [])
        ],
        "objects": [_simulated_object(manifest, crds) for manifest in rendered.objects],
    }


def _simulated_object(manifest: Manifest, crds: dict[tuple[str, str], Manifest]) -> Manifest:
    kind, key = manifest["kind"], key_of(manifest)
    row: Manifest = {"kind": kind, "key" if "/" in key else "name": key}
    crd = crds.get((manifest["apiVersion"].partition("/")[0], kind))
    if kind == "Namespace":
        notes = manifest["metadata"].get("annotations", {})
        row["prune"] = notes.get("kustomize.toolkit.fluxcd.io/prune") != "disabled"
    elif kind == "ExternalSecret":
        row["store"] = manifest["spec"]["secretStoreRef"]["name"]
    elif kind in WORKLOADS:
        row |= {"replicas": pods(manifest), "start": _start(key)}
    elif crd and kind != "ClusterSecretStore":
        row["crd"] = crd["metadata"]["name"]
        if kind in FINALIZERS:
            row["finalizer"] = FINALIZERS[kind]
    return row


def _simulated_release(manifest: Manifest, release: Release) -> Manifest:
    spec = manifest["spec"]
    installs = [_simulated_crd(crd, owned=owned) for crd, owned in release.crds]
    installs += [_simulated_object(workload(release, values), {}) for values in release.workloads]
    return {
        "interval": seconds(spec["interval"]),
        "timeout": seconds(spec.get("timeout", "5m")),
        "retries": spec.get("install", {}).get("remediation", {}).get("retries", 0),
        "depends_on": depends_on(manifest),
        "installs": installs,
    }


def _simulated_crd(crd: Manifest, *, owned: bool) -> Manifest:
    """Tell whether an uninstall leaves the CRD behind: then its objects live on, too."""
    stays = not owned or crd["metadata"].get("annotations", {}).get(KEEP) == "keep"
    row = {"kind": "CustomResourceDefinition", "name": crd["metadata"]["name"]}
    return row | ({"keep": True} if stays else {})


def _start(key: str) -> int:
    return 5 + int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 56


def seconds(duration: str) -> int:
    """Read a duration as Go writes it."""
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([hms])", duration))
