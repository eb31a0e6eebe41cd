"""
Compiles this GitOps tree: its inventory, the simulator's tree, the bootstrap manifests.

With --check nothing is written, and files that are stale end it with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import yaml
from manifests import Manifest, nodes, pods, workload
from simulated import WORKLOADS, simulated
from tree import ROOT, ROOTS_FILE, Broken, Rendered, Tree, depends_on, depth, key_of, load_tree

if TYPE_CHECKING:
    from pathlib import Path

SIMULATOR = ROOT.parents[1] / "rekindle/simulator/data/anton.yaml"
GENERATED = ("bootstrap/crds", "bootstrap/manifests", "bootstrap/root")
BOOTSTRAP = (  # in the order in which they are applied
    "kube-system/cilium",
    "kube-system/coredns",
    "flux-system/flux-operator",
    "flux-system/flux-instance",
)
EXPECTED = {
    "nodes": 3,
    "namespaces": 13,
    "kustomizations": 49,
    "helmreleases": 31,
    "externalsecrets": 22,
    "stores": 1,
    "pods": 104,
    "dependencies": 32,
    "depth": 3,
}
HEADER = "# Written by compile.py. Edit the tree, then run compile.py again.\n"
# What an editor checks the inventory by.
EDITOR = "# yaml-language-server: $schema=../../docs/reference/inventory.schema.json\n"


def workloads(tree: Tree) -> list[Manifest]:
    """List what should run, with what brings it."""
    found = [
        (f"helmrelease/{key}", workload(release, values))
        for key, (*_, release) in tree.releases.items()
        for values in release.workloads
    ]
    found += [(f"kustomization/{key}", it) for key, it in tree.objects() if it["kind"] in WORKLOADS]
    rows = [
        {"kind": it["kind"], "key": key_of(it), "pods": pods(it), "owner": owner}
        for owner, it in found
    ]
    return sorted(rows, key=lambda row: (row["key"], row["kind"]))


def inventory(tree: Tree) -> Manifest:
    """Say what a healthy cluster has."""
    running = workloads(tree)
    crds = [
        {"name": crd["metadata"]["name"], "provider": f"helmrelease/{key}"}
        for key, (*_, release) in tree.releases.items()
        for crd, _ in release.crds
    ]
    secrets = [
        {"key": key_of(it), "parent": key, "store": it["spec"]["secretStoreRef"]["name"]}
        for key, it in tree.objects()
        if it["kind"] == "ExternalSecret"
    ]
    kustomizations = [
        {
            "key": key,
            "parent": rendered.parent,
            "depends_on": rendered.depends_on,
            "wait": rendered.manifest["spec"].get("wait", False),
            "suspended": rendered.manifest["spec"].get("suspend", False),
            **_needs(held_crds(tree, rendered)),
        }
        for key, rendered in sorted(tree.kustomizations.items())
    ]
    return {
        "schema": "rekindle.inventory/1",
        "nodes": list(nodes()),
        "source": {"kind": "GitRepository", "namespace": "flux-system", "name": "flux-system"},
        "roots": tree.roots,
        "namespaces": _names(tree, "Namespace"),
        "kustomizations": kustomizations,
        "helmreleases": [
            {"key": key, "parent": parent, "depends_on": depends_on(manifest)}
            for key, (manifest, parent, _) in sorted(tree.releases.items())
        ],
        "externalsecrets": sorted(secrets, key=lambda row: str(row["key"])),
        "stores": [
            {"name": key_of(it), "parent": key}
            for key, it in tree.objects()
            if it["kind"] == "ClusterSecretStore"
        ],
        "crds": sorted(crds, key=lambda row: str(row["name"])),
        "workloads": running,
        "pods": sum(row["pods"] for row in running),
    }


def held_crds(tree: Tree, rendered: Rendered) -> set[str]:
    """Name the CRDs of what a Kustomization holds."""
    kinds = ((it["apiVersion"].rpartition("/")[0], it["kind"]) for it in rendered.objects)
    crds = tree.crds()
    return {f"crd/{crds[kind]['metadata']['name']}" for kind in kinds if kind in crds}


def _needs(found: set[str]) -> Manifest:
    return {"needs": sorted(found)} if found else {}


def _names(tree: Tree, kind: str) -> list[str]:
    return sorted(key_of(manifest) for _, manifest in tree.objects() if manifest["kind"] == kind)


def counts(tree: Tree, listed: Manifest) -> dict[str, int]:
    """Count what the README promises."""
    figures = {
        name: value if isinstance(value := listed[name], int) else len(value)
        for name in EXPECTED
        if name in listed
    }
    figures["dependencies"] = sum(len(it.depends_on) for it in tree.kustomizations.values())
    figures["depth"] = max(depth(tree, key) for key in tree.kustomizations)
    return figures


def check_tree(tree: Tree, listed: Manifest) -> dict[str, int]:
    """Refuse a tree that is no longer the cluster it stands for."""
    figures = counts(tree, listed)
    wrong = [
        f"{name}: {figures[name]}, not {EXPECTED[name]}"
        for name in EXPECTED
        if figures[name] != EXPECTED[name]
    ]
    wrong += [
        f"a bare {it['kind']}: {key_of(it)}"
        for _, it in tree.objects()
        if it["kind"] in {"Pod", "Job", "CronJob"}
    ]
    known = {(kind, key) for kind, key in ((it["kind"], key_of(it)) for _, it in tree.objects())}
    wrong += [
        f"{key} checks {check['kind']} {check['namespace']}/{check['name']}, which is nowhere"
        for key, rendered in tree.kustomizations.items()
        for check in rendered.manifest["spec"].get("healthChecks", [])
        if (check["kind"], f"{check['namespace']}/{check['name']}") not in known
    ]
    if wrong:
        raise Broken("\n".join(wrong))
    return figures


def bootstrap(tree: Tree) -> dict[Path, str]:
    """Write what must be there before Flux is: the roots, the CRDs, CNI, DNS and Flux."""
    folder = ROOT / "bootstrap"
    files = {folder / "root/ks.yaml": HEADER + ROOTS_FILE.read_text(encoding="utf-8")}
    for *_, release in tree.releases.values():
        for crd, owned in release.crds:
            text = dump(release.owned(crd) if owned else crd)
            files[folder / f"crds/{crd['metadata']['name']}.yaml"] = text
    spaces = {key.partition("/")[0] for key in BOOTSTRAP}
    namespaces = [
        it for _, it in tree.objects() if it["kind"] == "Namespace" and key_of(it) in spaces
    ]
    files[folder / "manifests/00-namespaces.yaml"] = dump(*namespaces)
    for number, key in enumerate(BOOTSTRAP, start=1):
        release = tree.releases[key][2]
        name = f"manifests/{number}0-{release.name}.yaml"
        files[folder / name] = dump(*(workload(release, values) for values in release.workloads))
    return files


def dump(*documents: Manifest, flow: bool | None = False) -> str:
    """Write YAML: in block style, or with *flow* None, each innermost map on a line of its own."""
    text = [
        yaml.safe_dump(it, sort_keys=False, default_flow_style=flow, width=4096) for it in documents
    ]
    return HEADER + "---\n" + "---\n".join(text)


def stale(files: dict[Path, str]) -> list[Path]:
    """Tell which files differ from what the tree says, and which it no longer mentions."""
    old = {path for name in GENERATED for path in (ROOT / name).glob("*")} - set(files)
    new = {
        path
        for path, text in files.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    return sorted(old | new)


def write(files: dict[Path, str]) -> None:
    """Bring the files on disk up to date, and only those that are not."""
    for path in stale(files):
        if path not in files:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")


def main() -> int:
    """Compile, or with --check only compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if files are stale"
    )
    arguments = parser.parse_args()
    try:
        tree = load_tree()
        listed = inventory(tree)
        figures = check_tree(tree, listed)
    except Broken as error:
        sys.stderr.write(f"{error}\n")
        return 2
    files = bootstrap(tree) | {
        ROOT / "inventory.yaml": EDITOR + dump(listed, flow=None),
        SIMULATOR: dump(simulated(tree), flow=None),
    }
    if arguments.check and (old := stale(files)):
        sys.stderr.writelines(f"stale: {path.relative_to(ROOT.parents[1])}\n" for path in old)
        return 1
    if not arguments.check:
        write(files)
    sys.stdout.write(", ".join(f"{name} {value}" for name, value in figures.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
