"""
What the charts of this example render to, without Helm.

A node without a CNI runs no controller, so CNI, DNS and Flux must be there before Helm can apply
them. They come from the same values as their releases and carry Helm's ownership marks:
helm-controller adopts them later and finds nothing to change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

KEEP = "helm.sh/resource-policy"
LIBRARY = "app"
TALOS = Path(__file__).resolve().parent / "talos/talconfig.yaml"


@dataclass(frozen=True, slots=True)
class Release:
    """A HelmRelease with the values it ends up with, and its CRDs, each with: does Helm own it?"""

    namespace: str
    name: str
    chart: str
    registry: str
    workloads: tuple[Manifest, ...]
    crds: tuple[tuple[Manifest, bool], ...]

    @property
    def key(self) -> str:
        """As it is written everywhere: namespace/name."""
        return f"{self.namespace}/{self.name}"

    def owned(self, manifest: Manifest) -> Manifest:
        """Mark *manifest* as this release's, as Helm itself would."""
        meta = dict(manifest["metadata"])
        meta["labels"] = {**meta.get("labels", {}), "app.kubernetes.io/managed-by": "Helm"}
        meta["annotations"] = {
            **meta.get("annotations", {}),
            "meta.helm.sh/release-name": self.name,
            "meta.helm.sh/release-namespace": self.namespace,
        }
        return {**manifest, "metadata": meta}


def load_release(root: Path, helm_release: Manifest) -> Release:
    """Merge the release's values over its chart's, and those over the library chart's."""
    meta, spec = helm_release["metadata"], helm_release["spec"]
    chart = root / spec["chart"]["spec"]["chart"]
    values = _values(chart)
    _merge(values, spec.get("values", {}))
    if chart.name != LIBRARY:
        values = _merge(_values(root / "charts" / LIBRARY), values[LIBRARY])
    return Release(
        namespace=meta["namespace"],
        name=meta["name"],
        chart=chart.name,
        registry=values["registry"],
        workloads=tuple(values["workloads"]),
        crds=(*_crds(chart / "crds", owned=False), *_crds(chart / "templates/crds", owned=True)),
    )


def workload(release: Release, values: Manifest) -> Manifest:
    """Say what charts/app/templates/workloads.yaml says for one entry of the list."""
    name, kind = values["name"], values.get("kind", "Deployment")
    selector = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": release.name}
    labels = {**selector, **values.get("labels", {})}
    spec: Manifest = {} if kind == "DaemonSet" else {"replicas": values.get("replicas", 1)}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    spec |= {
        "selector": {"matchLabels": selector},
        "template": {"metadata": {"labels": labels}, "spec": _pod(release, values)},
    }
    meta = {"name": name, "namespace": release.namespace, "labels": labels}
    return release.owned({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec})


def pods(manifest: Manifest) -> int:
    """How many pods a workload should have."""
    return len(nodes()) if manifest["kind"] == "DaemonSet" else int(manifest["spec"]["replicas"])


@cache
def nodes() -> tuple[str, ...]:
    """Name the nodes, which only Talos' configuration knows."""
    text = TALOS.read_text(encoding="utf-8")
    return tuple(node["hostname"] for node in yaml.safe_load(text)["nodes"])


def _pod(release: Release, values: Manifest) -> Manifest:
    kept = ("hostNetwork", "priorityClassName", "tolerations")
    name = values["name"]
    container: Manifest = {
        "name": values.get("container", name),
        "image": f"{release.registry}/{name}:{values.get('version', '1.0.0')}",
    }
    if "args" in values:
        container["args"] = values["args"]
    container["resources"] = {"requests": {"cpu": "5m", "memory": "16Mi"}}
    return {**{key: values[key] for key in kept if key in values}, "containers": [container]}


def _values(chart: Path) -> Manifest:
    return dict(yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8")))


def _merge(below: Manifest, above: Manifest) -> Manifest:
    """Lay *above* over *below* as Helm does: maps are merged, everything else is replaced."""
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        else:
            below[key] = value
    return below


def _crds(folder: Path, *, owned: bool) -> list[tuple[Manifest, bool]]:
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    return [(yaml.safe_load(file.read_text(encoding="utf-8")), owned) for file in files]
