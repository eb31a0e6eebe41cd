"""The inventory of a Git tree, rendered by the real kustomize."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from journal.errors import Diagnosed
from rekindle.adapters import gitops, manifests
from tests.testbed import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kustomize(monkeypatch: pytest.MonkeyPatch) -> None:
    """The testbed's kubectl on PATH: its kustomize is the real one, on every machine the same."""
    monkeypatch.setenv("PATH", f"{build.ensure()}{os.pathsep}{os.environ['PATH']}")


needs_kustomize = pytest.mark.usefixtures("kustomize")

KUSTOMIZATION = """
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 1h
  path: {path}
  sourceRef: {{kind: GitRepository, name: {source}}}
"""
SOURCE = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
---
"""
NAMESPACED = """
kind: Kustomization
apiVersion: kustomize.config.k8s.io/v1beta1
namespace: media
resources: [namespace.yaml, ks.yaml]
"""
APP = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: jellyfin}
spec: {dependsOn: [{name: rook, namespace: storage}]}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: keys}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: onepassword}}
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: onepassword}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "web-${WHERE}"}
spec: {replicas: 3}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec: {group: example.com}
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def add_root(tree: Path, name: str, path: str) -> None:
    """One more Kustomization beside the roots."""
    with (tree / "roots" / "ks.yaml").open("a") as file:
        file.write("---" + KUSTOMIZATION.format(name=name, path=path, source="flux-system"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    roots = SOURCE + KUSTOMIZATION.format(name="apps", path="./apps", source="flux-system")
    write(root / "roots" / "ks.yaml", roots)
    write(root / "apps" / "media" / "kustomization.yaml", NAMESPACED)
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n"
    write(root / "apps" / "media" / "namespace.yaml", namespace)
    child = KUSTOMIZATION.format(name="jellyfin", path="./apps/media/app", source="flux-system")
    more = "  targetNamespace: media\n  wait: true\n  dependsOn: [{name: rook}]\n"
    reference = child.replace("name: flux-system}", "name: flux-system, namespace: flux-system}")
    substitute = "  postBuild: {substitute: {WHERE: here}}\n"
    write(root / "apps" / "media" / "ks.yaml", reference + more + substitute)
    write(root / "apps" / "media" / "app" / "deep" / "app.yaml", APP)
    return root


def render(tree: Path) -> gitops.Rendered:
    return gitops.inventory(tree, tree / "roots", ["n1", "n2"])


@pytest.mark.system
@needs_kustomize
def test_the_tree_is_followed_from_its_roots(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    rendered = render(tree)
    parent = "media/jellyfin"

    assert (rendered.unknown, rendered.notes) == ({}, ())
    assert rendered.inventory == {
        "schema": "rekindle.inventory/1",
        "nodes": ["n1", "n2"],
        "source": {"kind": "GitRepository", "namespace": "flux-system", "name": "flux-system"},
        "roots": ["flux-system/apps"],
        "namespaces": ["media"],
        "kustomizations": [
            {
                "key": "flux-system/apps",
                "parent": None,
                "depends_on": [],
                "wait": False,
                "suspended": False,
            },
            {
                "key": parent,
                "parent": "flux-system/apps",
                "depends_on": ["media/rook"],
                "wait": True,
                "suspended": False,
            },
        ],
        "helmreleases": [
            {
                "key": "media/jellyfin",
                "parent": parent,
                "depends_on": ["storage/rook"],
                "suspended": False,
            }
        ],
        "externalsecrets": [{"key": "media/keys", "parent": parent, "store": "onepassword"}],
        "stores": [{"name": "onepassword", "parent": parent}],
        "crds": [{"name": "gadgets.example.com", "provider": f"kustomization/{parent}"}],
        "workloads": [
            {
                "kind": "DaemonSet",
                "key": "media/agent",
                "pods": 2,
                "owner": f"kustomization/{parent}",
            },
            {
                "kind": "Deployment",
                "key": "media/web-here",
                "pods": 3,
                "owner": f"kustomization/{parent}",
            },
        ],
        "pods": 5,
        "unknown": [],
    }
    assert before == {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


KINDS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: oddballs.example.com}
spec: {group: example.com, names: {kind: Oddity, plural: oddballs}}
---
apiVersion: example.com/v1
kind: Oddity
metadata: {name: "${unknown}"}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: a}
"""


@pytest.mark.system
@needs_kustomize
def test_what_a_kustomization_holds_needs_its_kinds(tree: Path) -> None:
    """Mutants: hold only what an inventory counts; guess the name of a CRD that nobody lists."""
    write(tree / "apps" / "media" / "app" / "kinds.yaml", KINDS)
    rendered = render(tree)

    apps, jellyfin = rendered.inventory["kustomizations"]
    assert ("needs" in apps, jellyfin["needs"]) == (False, ["crd/oddballs.example.com"])
    assert ("monitoring.coreos.com", "PodMonitor") in rendered.held["media/jellyfin"]


CHARTS = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: oci, namespace: flux-system}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: repo, namespace: media}
---
apiVersion: source.example.com/v1
kind: OCIRepository
metadata: {name: other, namespace: flux-system}
"""
MADE = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: made}
spec: {sourceRef: {kind: HelmRepository, name: repo}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
"""
REFERENCES = {
    "chartRef: {kind: OCIRepository, name: oci, namespace: flux-system}": [
        "kustomization/a/charts"
    ],
    "chart: {spec: {sourceRef: {kind: HelmRepository, name: repo}}}": ["kustomization/a/charts"],
    "chartRef: {kind: HelmChart, name: made}": ["kustomization/a/charts"],
    "chartRef: {kind: OCIRepository, name: other, namespace: flux-system}": [],
    "chart: {spec: {sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}": [],
    "chart: no mapping": [],
}


@pytest.mark.system
@needs_kustomize
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_release_needs_who_brings_the_source_of_its_chart(reference: str, tree: Path) -> None:
    """Mutants: any group's kinds of that name; what is no spec of a release ends it all."""
    roots = KUSTOMIZATION.format(name="charts", path="./charts", source="flux-system")
    with (tree / "roots" / "ks.yaml").open("a") as file:
        file.write(
            "---"
            + roots.replace("name: charts, namespace: flux-system", "name: charts, namespace: a")
        )
    git = "{kind: GitRepository, name: flux-system}"
    text = (tree / "roots" / "ks.yaml").read_text()
    ours = git.replace("}", ", namespace: flux-system}")
    (tree / "roots" / "ks.yaml").write_text(text.replace(git, ours))
    write(tree / "charts" / "charts.yaml", CHARTS + "---" + SOURCE)
    write(tree / "apps" / "media" / "app" / "release.yaml", f"{MADE}spec: {{{reference}}}\n")

    found = render(tree).inventory["helmreleases"][0]

    assert (found["key"], found.get("needs", [])) == ("media/a", REFERENCES[reference])


NAMING = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec:
  chartRef: {kind: OCIRepository, name: of-a-chart, namespace: charts}
  valuesFrom:
  - {kind: Secret, name: of-a-chart}
  - {kind: Secret, name: written}
  - {kind: Secret, name: maybe, optional: true}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: keys}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, target: {name: written}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: oci}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: b}
spec: {chartRef: {kind: OCIRepository, name: oci}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: own}
spec: {secretStoreRef: {name: near}}
"""


@pytest.mark.system
@needs_kustomize
def test_what_objects_name_and_the_tree_has_not_is_kept_for_the_cluster(tree: Path) -> None:
    """Mutants: what the tree has is kept as well; what is optional is."""
    write(tree / "apps" / "media" / "app" / "deep" / "app.yaml", NAMING)

    named = render(tree).named

    assert named["helmrelease/media/a"] == (
        ("OCIRepository", "charts/of-a-chart"),
        ("Secret", "media/of-a-chart"),
    )
    assert named["helmrelease/media/b"] == ()
    assert named["externalsecret/media/keys"] == (("ClusterSecretStore", "vault"),)
    assert named["externalsecret/media/own"] == (("SecretStore", "media/near"),)


READERS = """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: keys}
spec: {target: {name: written}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: reader}
spec:
  volumeClaimTemplates: null
  template: {spec: {volumes: null, containers: [{name: a, envFrom: [{secretRef: {name: "${NAME}"}}]}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: odd}
spec: {template: {spec: {containers: [{name: a, args: none}]}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec: {valuesFrom: [{kind: Secret, name: written}]}
"""


@pytest.mark.system
@needs_kustomize
def test_readers_need_who_makes_their_secrets(tree: Path) -> None:
    """Mutants: take names before variables are filled in; a null ends it."""
    ks = tree / "apps" / "media" / "ks.yaml"
    ks.write_text(ks.read_text().replace("{WHERE: here}", "{WHERE: here, NAME: written}"))
    write(tree / "apps" / "media" / "app" / "deep" / "app.yaml", READERS)

    found = render(tree).inventory

    needs = {
        item["key"]: item.get("needs") for item in (*found["helmreleases"], *found["workloads"])
    }
    login = ["externalsecret/media/keys"]
    assert needs == {"media/a": login, "media/odd": None, "media/reader": login}


STORED = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: fast}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: claims}
spec: {template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: data}}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: templates}
spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {storageClassName: fast}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: usual}
spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {}}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: fixed}
spec: {storageClassName: fast, volumeName: a-volume}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: fixed}
spec: {template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: fixed}}]}}}
"""
DRIVER = """
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: disks.example.com}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: driver, namespace: storage}
"""


@pytest.mark.system
@needs_kustomize
def test_pods_need_who_brings_the_class_of_their_claims(tree: Path) -> None:
    """Which class is the usual one, a chart may decide: that is not guessed. Mutant: so is a volume that is there."""
    add_root(tree, "storage", "./storage")
    usual = "annotations: {storageclass.kubernetes.io/is-default-class: 'true'}"
    named = f"metadata: {{name: fast, {usual}}}\nprovisioner: disks.example.com\n"
    kind = f"apiVersion: storage.k8s.io/v1\nkind: StorageClass\n{named}---\n{DRIVER}"
    write(tree / "storage" / "class.yaml", kind)
    write(tree / "apps" / "media" / "app" / "deep" / "app.yaml", STORED)

    rendered = render(tree)

    needs = {item["key"]: item.get("needs") for item in rendered.inventory["workloads"]}
    brought = ["deployment/storage/driver", "kustomization/flux-system/storage"]
    assert needs.pop("storage/driver") is None
    assert needs == {
        "media/claims": brought,
        "media/templates": brought,
        "media/usual": None,
        "media/fixed": None,
    }
    assert rendered.classes == {"fast": "kustomization/flux-system/storage"}


RESTORES = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {dataSourceRef: {apiGroup: volsync.backube, kind: ReplicationDestination, name: data}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: taken}
spec: {dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: data}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: restored}
spec: {template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: data}}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: taken}
spec: {template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: taken}}]}}}
"""
SOURCES = """
apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: data, namespace: media}
spec: {restic: {repository: written}}
---
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: data, namespace: media}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: repository, namespace: media}
spec: {target: {name: written}}
"""
MOVERS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: replicationdestinations.volsync.backube}
"""


@pytest.mark.system
@needs_kustomize
def test_pods_need_what_their_claims_are_restored_from(tree: Path) -> None:
    """Mutants: each of the three kinds is not taken in."""
    for name, text in (("restores", SOURCES), ("movers", MOVERS)):
        roots = KUSTOMIZATION.format(name=name, path=f"./{name}", source="flux-system")
        with (tree / "roots" / "ks.yaml").open("a") as file:
            file.write("---" + roots)
        write(tree / name / "all.yaml", text)
    write(tree / "apps" / "media" / "app" / "deep" / "app.yaml", RESTORES)

    needs = {item["key"]: item.get("needs") for item in render(tree).inventory["workloads"]}

    movers, sources = "kustomization/flux-system/movers", "kustomization/flux-system/restores"
    assert needs["media/restored"] == [movers, sources, "externalsecret/media/repository"]
    assert needs["media/taken"] == [sources]


CHECKED = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: check}
webhooks:
- name: a
  clientConfig: {service: {namespace: ops, name: hook}}
  namespaceSelector: {matchLabels: {checked: "yes"}}
  rules: [{apiGroups: [example.com], resources: [oddballs], operations: [CREATE]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hook, namespace: ops}
---
apiVersion: example.com/v1
kind: Oddity
metadata: {name: own, namespace: media}
"""


@pytest.mark.system
@needs_kustomize
@pytest.mark.parametrize("checked", ["yes", "no"])
def test_what_a_webhook_is_asked_about_needs_who_answers(checked: str, tree: Path) -> None:
    with (tree / "roots" / "ks.yaml").open("a") as file:
        file.write("---" + KUSTOMIZATION.format(name="hook", path="./hook", source="flux-system"))
    write(tree / "hook" / "hook.yaml", CHECKED)
    write(tree / "apps" / "media" / "app" / "kinds.yaml", KINDS)
    labels = f"{{name: _, labels: {{checked: '{checked}'}}}}"
    namespace = f"apiVersion: v1\nkind: Namespace\nmetadata: {labels}\n"
    write(tree / "apps" / "media" / "namespace.yaml", namespace)

    found = render(tree).inventory["kustomizations"]

    needs = {item["key"]: item.get("needs") for item in found}
    crd, hook = "crd/oddballs.example.com", ["deployment/ops/hook"] if checked == "yes" else []
    assert needs["media/jellyfin"] == [crd, *hook]
    assert needs["flux-system/hook"] == [crd]


CHOOSING = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: check}
webhooks:
- name: a
  clientConfig: {service: {namespace: ops, name: hook}}
  objectSelector: {matchLabels: SELECTOR}
  rules: [{apiGroups: ["*"], resources: ["*"], operations: ["*"]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hook, namespace: ops}
"""
LABELLED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {team: a, "here": "${WHERE}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, labels: {team: b}}
"""
BY_LABELS = {
    "{team: b}": True,
    "{team: a}": False,
    "{team: c}": False,
    "{cluster: home}": True,
    "{kustomize.toolkit.fluxcd.io/name: jellyfin, kustomize.toolkit.fluxcd.io/namespace: media}": True,
}


@pytest.mark.system
@needs_kustomize
@pytest.mark.parametrize("selector", BY_LABELS)
def test_a_webhook_chooses_by_the_labels_that_objects_will_have(selector: str, tree: Path) -> None:
    """Mutants: labels with a variable in them are taken as they stand; Flux's own, or common ones, are not."""
    with (tree / "roots" / "ks.yaml").open("a") as file:
        file.write("---" + KUSTOMIZATION.format(name="hook", path="./hook", source="flux-system"))
    write(tree / "hook" / "hook.yaml", CHOOSING.replace("SELECTOR", selector))
    write(tree / "apps" / "media" / "app" / "labelled.yaml", LABELLED)
    ks = tree / "apps" / "media" / "ks.yaml"
    ks.write_text(ks.read_text() + "  commonMetadata: {labels: {cluster: home}}\n")

    found = render(tree).inventory["kustomizations"]

    needs = {item["key"]: item.get("needs", []) for item in found}
    assert ("deployment/ops/hook" in needs["media/jellyfin"]) == BY_LABELS[selector]
    assert "deployment/ops/hook" not in needs["flux-system/hook"]


@pytest.mark.system
@needs_kustomize
def test_another_source_is_listed_and_not_rendered(tree: Path) -> None:
    child = KUSTOMIZATION.format(name="else", path="./nowhere", source="elsewhere")
    with (tree / "roots" / "ks.yaml").open("a") as file:
        file.write("---" + child)
    rendered = render(tree)

    assert rendered.unknown == {"flux-system/else": "GitRepository flux-system/elsewhere"}
    assert rendered.inventory["unknown"] == ["flux-system/else"]
    assert "flux-system/else" in [item["key"] for item in rendered.inventory["kustomizations"]]


@pytest.mark.system
@needs_kustomize
def test_a_key_that_stands_twice_is_named_in_the_operators_own_file(tree: Path) -> None:
    file = tree / "apps" / "media" / "app" / "twice.yaml"
    write(file, "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {}\ndata: {}\n")
    with pytest.raises(Diagnosed, match=rf"{file}:5: the key 'data'") as raised:
        render(tree)

    assert raised.value.reference == "duplicate-key"


@pytest.mark.system
@needs_kustomize
@pytest.mark.parametrize("path", ["./nowhere", "../..", "/etc/../.."])
def test_a_path_that_is_not_in_the_tree_is_refused(path: str, tree: Path) -> None:
    text = SOURCE + KUSTOMIZATION.format(name="apps", path=path, source="flux-system")
    write(tree / "roots" / "ks.yaml", text)
    with pytest.raises(Diagnosed) as raised:
        render(tree)

    assert (raised.value.reference, raised.value.exit_code) == ("path-missing", 78)


@pytest.mark.system
@needs_kustomize
def test_a_folder_that_does_not_build_is_named(tree: Path) -> None:
    write(tree / "apps" / "media" / "kustomization.yaml", "resources: [missing.yaml]\n")
    with pytest.raises(Diagnosed, match=r"\./apps does not build: .*missing.yaml") as raised:
        render(tree)

    assert raised.value.reference == "kustomize-failed"


def test_without_a_kustomize_there_is_a_hint(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(Diagnosed) as raised:
        render(tree)

    assert (raised.value.reference, raised.value.exit_code) == ("kustomize-missing", 78)


def test_a_lone_equals_sign_is_text() -> None:
    """As an argument of a probe or a filter; PyYAML alone calls it a type that it cannot make."""
    assert list(manifests.parse("args: [a, =, b]\n", "f")) == [{"args": ["a", "=", "b"]}]


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-20",
        "2024-02-31",
        "2024-01-01T25:00:00Z",
        "0000-00-00",
        "!!timestamp soon",
        "0x_",
        "-0b_",
        "!!int x",
        "!!int ''",
        "!!float x",
        "!!bool x",
    ],
)
def test_what_is_no_value_to_go_is_text(text: str) -> None:
    """kustomize writes some of them without quotes. Mutants: YAML 1.1's dates; numbers as PyYAML makes them."""
    said = text.rpartition(" ")[2].strip("'")

    assert list(manifests.parse(f"a: {text}\n", "f")) == [{"a": said}]


def test_what_is_a_value_to_go_stays_one() -> None:
    made = list(manifests.parse("a: [1, 0x1f, 1.5, true, null, '2']\n", "f"))

    assert made == [{"a": [1, 31, 1.5, True, None, "2"]}]


@pytest.mark.program  # a git
def test_the_revision_is_the_commit(tmp_path: Path) -> None:
    assert gitops.revision(tmp_path) == ""
    assert gitops.revision(tmp_path / "none") == ""

    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.com"]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *arguments], check=True)
    assert len(gitops.revision(tmp_path)) == 40
