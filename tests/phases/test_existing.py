"""What exists, as an inventory: whose an object is, Flux's labels say."""

from __future__ import annotations

from typing import Any

import pytest

from phases.existing import inventory_of
from phases.inventory import Inventory
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import recorded, scene

OTHER = {"kind": "OCIRepository", "name": "podinfo"}


def taken(*objects: dict[str, Any], classes: dict[str, str] | None = None) -> Inventory:
    return Inventory.model_validate(inventory_of(scene(*objects), classes))


def test_everything_that_is_there_is_listed_with_whose_it_is() -> None:
    found = taken(*made.healthy())

    assert found.model_dump(mode="json", by_alias=True) == {
        "schema": "rekindle.inventory/1",
        "nodes": ["n1"],
        "source": {"kind": "GitRepository", "namespace": "flux-system", "name": "flux-system"},
        "roots": ["flux-system/cluster"],
        "namespaces": ["apps"],
        "kustomizations": [
            {
                "key": "apps/web",
                "parent": "flux-system/cluster",
                "depends_on": [],
                "wait": False,
                "suspended": False,
            },
            {
                "key": "flux-system/cluster",
                "parent": None,
                "depends_on": [],
                "wait": False,
                "suspended": False,
            },
        ],
        "helmreleases": [
            {"key": "apps/web", "parent": "apps/web", "depends_on": [], "suspended": False}
        ],
        "externalsecrets": [{"key": "apps/login", "parent": "apps/web", "store": "vault"}],
        "stores": ["vault"],
        "crds": [{"name": "gadgets.example.com", "provider": "helmrelease/apps/web"}],
        "workloads": [
            {"kind": "DaemonSet", "key": "apps/agent", "pods": 1, "owner": ""},
            {
                "kind": "Deployment",
                "key": "apps/extra",
                "pods": 1,
                "owner": "kustomization/apps/web",
            },
            {"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": "helmrelease/apps/web"},
        ],
        "pods": 4,
        "unknown": [],
    }


def test_a_real_controller_says_whose_an_object_is() -> None:
    """Recorded from kustomize-controller: a Deployment and a Kustomization that it applied."""
    applied = recorded("deployment-applied-by-flux")
    child = recorded("kustomization-apps-true-reconciliationsucceeded")
    found = taken(applied, child, made.kustomization("flux-system/cluster-apps"))

    (workload,) = found.workloads
    assert (workload.key, workload.pods) == ("apps/web", 30)
    assert workload.owner == "kustomization/flux-system/apps"
    assert [(item.key, item.parent) for item in found.kustomizations] == [
        ("flux-system/apps", "flux-system/cluster-apps"),
        ("flux-system/cluster-apps", None),
    ]


def test_a_store_is_applied_by_the_kustomization_that_its_label_names() -> None:
    applied = made.store("mine", "kustomize:apps/web")
    found = taken(*made.healthy(), applied, made.store("charts", "helm:apps/web"))

    parents = {item.name: item.parent for item in found.stores}
    assert parents == {"charts": None, "mine": "apps/web", "vault": None}


def test_what_the_spec_says_is_kept() -> None:
    depends = [{"name": "b"}, {"name": "c", "namespace": "n"}]
    one = made.kustomization("a/a", wait=True, suspend=True, dependsOn=depends)
    (item,) = taken(one).kustomizations

    assert (item.wait, item.suspended, item.depends_on) == (True, True, ("a/b", "n/c"))


def test_a_root_that_applies_itself_is_a_root() -> None:
    """Mutant: take its own label for a parent, and a cluster of ``flux bootstrap`` has no root."""
    own = made.kustomization("flux-system/flux-system", "kustomize:flux-system/flux-system")

    assert taken(own).roots == ("flux-system/flux-system",)


def test_a_release_that_a_bootstrap_installed_is_known_by_helms_annotations() -> None:
    """Mutant: leave the annotations out: helmfile sets no label of Flux's."""
    helm = {"meta.helm.sh/release-name": "cilium", "meta.helm.sh/release-namespace": "kube-system"}
    installed = made.deployment("kube-system/cilium-operator", annotations=helm)

    (known,) = taken(installed, made.release("kube-system/cilium")).workloads
    (unknown,) = taken(installed).workloads

    assert (known.owner, unknown.owner) == ("helmrelease/kube-system/cilium", "")


@pytest.mark.parametrize(
    ("sources", "unknown"),
    [
        ([made.OURS, made.OURS, OTHER], ("a/k2",)),
        ([made.OURS, made.OURS, {**made.OURS, "name": "second"}], ("a/k2",)),
        ([OTHER, made.OURS], ("a/k0",)),
        ([OTHER], ("a/k0",)),
    ],
)
def test_who_follows_another_source_is_named(
    sources: list[dict[str, Any]], unknown: tuple[str, ...]
) -> None:
    """Mutant: count any kind of source for ours: then an OCIRepository may become the source of all."""
    found = taken(*(made.kustomization(f"a/k{n}", source=one) for n, one in enumerate(sources)))

    assert found.unknown == unknown


def test_a_crd_that_its_release_has_left_behind_is_not_expected() -> None:
    """Mutant: list it, and no recovery ever ends: nothing brings it again."""
    left, own = made.crd("old.example.com", "helm:apps/gone"), made.crd("own.example.com")
    found = taken(*made.healthy(), left, own)

    assert [item.name for item in found.crds] == ["gadgets.example.com", "own.example.com"]


def test_namespaces_that_the_api_server_makes_for_itself_are_left_out() -> None:
    names = ("default", "kube-node-lease", "kube-public", "kube-system")

    assert taken(*map(made.namespace, names)).namespaces == ("default", "kube-system")


def test_what_a_kustomization_applied_needs_its_kinds() -> None:
    """Mutants: go by the plural alone; a CRD that is left over counts."""
    applied = made.holding(
        made.kustomization("a/k"),
        "a_x_example.com_Oddity",
        "a_y_old.io_Left",
        "a_z_apps_Deployment",
        "a_w_example.com_Gadget",
        "odd",
    )
    found = taken(
        applied,
        made.crd("oddballs.example.com", kind="Oddity"),
        made.crd("gadgets.example.com"),
        made.crd("lefts.old.io", "helm:a/gone", kind="Left"),
    )

    assert found.kustomizations[0].needs == (
        "crd/gadgets.example.com",
        "crd/oddballs.example.com",
    )


def chart(kind: str, name: str, **more: str) -> dict[str, Any]:
    return {"spec": {"chart": "web", "sourceRef": {"kind": kind, "name": name, **more}}}


RELEASES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    (
        {"chartRef": {"kind": "OCIRepository", "name": "oci", "namespace": "f"}},
        ("kustomization/f/k",),
    ),
    ({"chart": chart("HelmRepository", "repo", namespace="f")}, ("helmrelease/f/repos",)),
    (
        {"chartRef": {"kind": "HelmChart", "name": "made"}},
        ("helmrelease/f/repos", "kustomization/f/k"),
    ),
    ({"chartRef": {"kind": "OCIRepository", "name": "beside"}}, ()),
    ({"chartRef": {"kind": "OCIRepository", "name": "by-hand"}}, ()),
    ({"chart": chart("GitRepository", "flux-system", namespace="flux-system")}, ()),
    ({"chartRef": {"kind": "OCIRepository", "name": "nowhere"}}, ()),
    ({"chartRef": {"kind": "OCIRepository", "name": "made"}}, ()),
]


@pytest.mark.parametrize(("spec", "needs"), RELEASES)
def test_a_release_needs_who_brings_the_source_of_its_chart(
    spec: dict[str, Any], needs: tuple[str, ...]
) -> None:
    """Mutants: its own parent as well; our own source as well; a HelmChart's source is left out."""
    found = taken(
        made.source(owner="kustomize:f/k"),
        made.source("OCIRepository", "f/oci", "kustomize:f/k"),
        made.source("HelmRepository", "f/repo", "helm:f/repos"),
        made.source(
            "HelmChart",
            "a/made",
            "kustomize:f/k",
            sourceRef={"kind": "HelmRepository", "name": "repo", "namespace": "f"},
        ),
        made.source("OCIRepository", "a/beside", "kustomize:a/own"),
        made.source("OCIRepository", "a/by-hand"),
        made.kustomization("f/k"),
        made.release("a/web", "kustomize:a/own", **spec),
    )

    assert found.helmreleases[0].needs == needs
    assert found.kustomizations[0].needs == ()


LOGIN = "externalsecret/apps/login"
HERE: dict[str, Any] = {"name": "login"}
MAYBE: dict[str, Any] = {"name": "login", "optional": True}


def container(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  fields of a container
    return {"containers": [{"name": "a"}, {"name": "b", **fields}]}


def key_of_secret(reference: dict[str, Any]) -> dict[str, Any]:
    return {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"key": "p", **reference}}}


PODS: list[tuple[dict[str, Any], bool]] = [
    (container(envFrom=[{"secretRef": HERE}]), True),
    (container(envFrom=[{"configMapRef": HERE}]), False),
    (container(envFrom=[{"secretRef": MAYBE}]), False),
    (container(env=[{"name": "A", "value": "x"}, key_of_secret(HERE)]), True),
    (container(env=[key_of_secret(MAYBE)]), False),
    ({"initContainers": [{"name": "a", "env": [key_of_secret(HERE)]}]}, True),
    ({"volumes": [{"name": "a"}, {"name": "b", "secret": {"secretName": "login"}}]}, True),
    ({"volumes": [{"name": "b", "secret": {"secretName": "login", "optional": True}}]}, False),
    ({"volumes": [{"name": "b", "projected": {"sources": [{}, {"secret": HERE}]}}]}, True),
    ({"volumes": [{"name": "b", "projected": {"sources": [{"secret": MAYBE}]}}]}, False),
    ({"imagePullSecrets": [HERE]}, False),  # a kubelet tries without one that is not there
    ({"volumes": [{"name": "b", "secret": {"secretName": "other"}}]}, False),
]


@pytest.mark.parametrize(("spec", "reads"), PODS)
def test_pods_need_who_makes_the_secrets_that_they_read(spec: dict[str, Any], reads: bool) -> None:  # noqa: FBT001
    """Mutants: each kind of reference is left out; what is optional counts as well."""
    work = made.deployment("apps/web", spec={"template": {"spec": spec}})
    (found,) = taken(work, made.secret("apps/login"), made.secret("elsewhere/other")).workloads

    assert found.needs == ((LOGIN,) if reads else ())


FLUX: list[tuple[str, dict[str, Any], bool]] = [
    ("Kustomization", {"postBuild": {"substituteFrom": [{"kind": "Secret", **HERE}]}}, True),
    ("Kustomization", {"postBuild": {"substituteFrom": [{"kind": "ConfigMap", **HERE}]}}, False),
    ("Kustomization", {"postBuild": {"substituteFrom": [{"kind": "Secret", **MAYBE}]}}, False),
    ("Kustomization", {"decryption": {"provider": "sops", "secretRef": HERE}}, True),
    ("Kustomization", {"decryption": {"provider": "sops"}}, False),
    ("Kustomization", {"kubeConfig": {"secretRef": HERE}}, True),
    (
        "HelmRelease",
        {"valuesFrom": [{"kind": "ConfigMap", **HERE}, {"kind": "Secret", **HERE}]},
        True,
    ),
    ("HelmRelease", {"valuesFrom": [{"kind": "Secret", **MAYBE}]}, False),
    ("HelmRelease", {"kubeConfig": {"secretRef": HERE}}, True),
]


@pytest.mark.parametrize(("kind", "spec", "reads"), FLUX)
def test_flux_s_objects_need_who_makes_the_secrets_that_they_read(
    kind: str,
    spec: dict[str, Any],
    reads: bool,  # noqa: FBT001
) -> None:
    """Mutants: a ConfigMap of that name counts; what is optional counts."""
    make = made.kustomization if kind == "Kustomization" else made.release
    found = taken(make("apps/web", **spec), made.secret("apps/login"))
    needs = [item.needs for item in found.kustomizations or found.helmreleases]

    assert needs == [(LOGIN,) if reads else ()]


@pytest.mark.parametrize(
    ("target", "makes"),
    [
        ({"name": "login"}, True),
        ({"name": "login", "creationPolicy": "Orphan"}, True),
        ({"name": "login", "creationPolicy": "Merge"}, False),
        ({"name": "login", "creationPolicy": "None"}, False),
        ({"creationPolicy": "Owner"}, False),
    ],
)
def test_an_external_secret_makes_the_secret_of_its_target(
    target: dict[str, Any],
    makes: bool,  # noqa: FBT001
) -> None:
    """Mutants: go by its own name alone; one that only adds to a Secret makes it."""
    spec = container(env=[key_of_secret(HERE)])
    work = made.deployment("apps/web", spec={"template": {"spec": spec}})
    (found,) = taken(work, made.secret("apps/written", target=target)).workloads

    assert found.needs == (("externalsecret/apps/written",) if makes else ())


CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
STORED: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"volumeClaimTemplates": [{"spec": {"storageClassName": "fast"}}]}, ("helmrelease/s/ceph",)),
    ({"volumeClaimTemplates": [{"spec": {}}]}, ()),
    ({"volumeClaimTemplates": [{"spec": {"storageClassName": "other"}}]}, ()),
    ({"volumeClaimTemplates": [{"spec": {"storageClassName": "own"}}]}, ()),
    ({"template": {"spec": {"volumes": [{"name": "tmp"}, CLAIM]}}}, ("helmrelease/s/ceph",)),
]


@pytest.mark.parametrize(("spec", "needs"), STORED)
def test_pods_need_who_brings_the_class_of_their_claims(
    spec: dict[str, Any], needs: tuple[str, ...]
) -> None:
    """Mutants: only templates count, only claims do; its owner counts as well."""
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": made.meta("apps/data"),
        "spec": {"storageClassName": "fast"},
    }
    work = made.deployment("apps/web", "kustomize:apps/web", spec=spec)
    classes = {"fast": "helmrelease/s/ceph", "own": "kustomization/apps/web"}
    (found,) = taken(work, claim, classes=classes).workloads

    assert found.needs == needs


def webhook(service: str) -> dict[str, Any]:
    namespace, _, name = service.partition("/")
    rule = {"apiGroups": ["example.com"], "resources": ["gadgets"], "operations": ["CREATE"]}
    return {
        "kind": "MutatingWebhookConfiguration",
        "metadata": made.meta("check", "helm:ops/ops"),
        "webhooks": [
            {
                "name": "a",
                "clientConfig": {"service": {"namespace": namespace, "name": name}},
                "rules": [rule],
                "namespaceSelector": {"matchLabels": {"checked": "yes"}},
            }
        ],
    }


def test_a_webhook_that_is_asked_about_everything_is_asked_about_kubernetes_own_kinds() -> None:
    """Mutant: only about kinds that a CRD defines."""
    everything = webhook("ops/hook")
    everything["webhooks"][0] |= {
        "namespaceSelector": {},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "operations": ["*"]}],
    }
    holds = made.holding(made.kustomization("a/k"), "apps_x__ConfigMap")
    found = taken(holds, made.deployment("ops/hook"), everything)

    assert found.kustomizations[0].needs == ("deployment/ops/hook",)


@pytest.mark.parametrize("checked", ["yes", "no"])
def test_what_a_kustomization_applied_needs_the_webhook_that_is_asked_about_it(
    checked: str,
) -> None:
    """Mutants: forget the namespaces, or their labels."""
    space = made.namespace("apps")
    space["metadata"]["labels"] = {"checked": checked}
    found = taken(
        space,
        made.holding(made.kustomization("a/k"), "apps_x_example.com_Gadget", "_c_x.io_Thing"),
        made.crd("gadgets.example.com", kind="Gadget"),
        made.deployment("ops/hook"),
        webhook("ops/hook"),
    )

    hook = ("deployment/ops/hook",) if checked == "yes" else ()
    assert found.kustomizations[0].needs == ("crd/gadgets.example.com", *hook)
