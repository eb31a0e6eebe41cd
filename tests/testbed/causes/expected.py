"""
What each situation is, by the catalogue: the rule, whom it names, whether it clears, and a neighbour that is well.

The neighbour is of the same family, or else the rule could not name it anyhow: no finding of that rule may name it, nor
say that it blocks it. A rule may call itself seen on a real controller exactly if it is in here.
"""

from __future__ import annotations

from typing import NamedTuple

F = "flux-system"
# A subject that stands for many has no neighbour of its own: one of the many that its finding does not name is it.
MANY = {"k8s-nodes": "k8s-node"}


class Cause(NamedTuple):
    """
    A finding that has to be there; `clears` is exactly what it says.
    """

    rule: str
    subject: str
    clears: str
    well: str

    @property
    def id(self) -> str:
        """
        As the diagnosis names it.
        """
        return f"{self.rule}:{self.subject}"

    @property
    def family(self) -> str:
        """
        What its neighbour has to be.
        """
        named = family_of(self.subject)
        return MANY.get(named, named)


def family_of(subject: str) -> str:
    """
    What a subject is, without its name.
    """
    return subject.partition("/")[0]


def _ks(rule: str, name: str, clears: str, well: str = "plain") -> Cause:
    return Cause(rule, f"kustomization/{F}/{name}", clears, f"kustomization/{F}/{well}")


def _hr(rule: str, name: str, clears: str) -> Cause:
    return Cause(rule, f"helmrelease/{F}/{name}", clears, f"helmrelease/{F}/good")


def _ns(rule: str, name: str, clears: str) -> Cause:
    return Cause(rule, f"namespace/{name}", clears, "namespace/apps")


def _source(rule: str, kind: str, name: str, clears: str) -> Cause:
    well = {"helmchart": "app", "helmrepository": "indexed", "ocirepository": "pulled"}
    return Cause(rule, f"{kind}/{F}/{name}", clears, f"{kind}/{F}/{well.get(kind, 'fleet')}")


def _webhook(rule: str, name: str) -> Cause:
    kind = "validatingwebhookconfiguration"
    return Cause(rule, f"{kind}/{name}", "unknown", f"{kind}/answering")


def _api(rule: str, name: str) -> Cause:
    answering = "apiservice/v1.answering.example.com"
    return Cause(rule, f"apiservice/v1.{name}.example.com", "unknown", answering)


def _crd(rule: str, name: str, clears: str) -> Cause:
    return Cause(rule, f"crd/{name}", clears, "crd/cephblockpools.ceph.rook.io")


def _work(rule: str, name: str, clears: str, kind: str = "deployment") -> Cause:
    well = {"job": "job/apps/done"}.get(kind, "deployment/apps/web")
    return Cause(rule, f"{kind}/{name}", clears, well)


# All of these at once, in one cluster, without an inventory.
TOGETHER = (
    *(_api("AP1", "serviceless"), _api("AP2", "podless"), _api("AP3", "deaf")),
    _crd("C1", "doomed.example.com", "unknown"),
    _crd("C2", "gadgets.example.com", "no"),
    _crd("C3", "Nothing.absent.example.com", "unknown"),
    _crd("C3", "Knot.ties.example.com", "unknown"),
    _crd("C5", "skews.example.com", "no"),
    _crd("C5", "widgets.example.com", "no"),
    Cause("E6", "service/apps/nobody", "unknown", "service/apps/answering"),
    _hr("H1", "exhausted", "no"),
    _hr("H2", "no-target", "no"),
    _source("H4", "helmchart", f"{F}-chartless", "unknown"),
    Cause("H5", f"secret/{F}/absent-values", "unknown", f"secret/{F}/values"),
    _hr("H6", "dangling", "unknown"),
    *(_hr("H7", "hooked", "no"), _hr("H7", "waits", "unknown")),
    _hr("H8", "kindless", "no"),
    _hr("H9", "reshaped", "no"),
    _hr("H10", "trespassing", "no"),
    _hr("H11", "undone", "unknown"),
    _hr("H12", "drifted", "no"),
    _ks("K2", "dangling", "unknown", "after-plain"),
    _ks("K3", "after-paused", "no", "after-plain"),
    _ks("K4", "circle-a", "no", "after-plain"),
    _source("K5", "gitrepository", "absent", "unknown"),
    _ks("K6", "no-path", "no"),
    _ks("K7", "wrong-key", "no"),
    Cause("K8", f"secret/{F}/absent-age", "no", f"secret/{F}/age"),
    _ks("K8", "undecrypted", "no"),
    Cause("K9", f"configmap/{F}/absent-settings", "unknown", f"configmap/{F}/settings"),
    _ks("K9", "unset", "no"),
    _ks("K10", "bad-build", "no"),
    _ks("K11", "immutable", "no"),
    _ks("K12", "forbidden", "no"),
    *(_ks("K13", "claiming", "unknown", "awaited"), _ks("K13", "timed-out", "unknown", "awaited")),
    _ks("K14", "failed-early", "unknown", "awaited"),
    _ks("K17", "pruned", "unknown"),
    _ks("K18", "paused", "no"),
    _ks("K19", "not-cel", "no"),
    Cause("K20", "kustomization/fluxed/leaving", "unknown", f"kustomization/{F}/plain"),
    _ks("K21", "bystander", "unknown"),
    _work("L3", "kube-system/coredns", "unknown"),
    Cause("L4", "service/apps/unreachable", "unknown", "service/apps/answering"),
    _work("L5", "apps/too-large", "unknown"),
    Cause(
        "L9", "persistentvolumeclaim/apps/unconsumed", "unknown", "persistentvolumeclaim/apps/kept"
    ),
    Cause("L12", "persistentvolume/old", "no", "persistentvolume/kept"),
    _work("L18", "full/quota", "unknown"),
    _work("L19", "apps/late", "no", "job"),
    Cause("L20", "pods-on/ghost-1", "unknown", "pods-on/k8s-1"),
    *(
        _ns("N1", name, "unknown")
        for name in (
            *("behind", "emptied", "fluxed", "held", "metered"),
            *("outlived", "rooked", "snapped", "undeletable"),
        )
    ),
    _ns("N3", "undeletable", "unknown"),
    *(_ns("N4", "emptied", "yes"), _ns("N4", "outlived", "unknown")),
    *(_ns("N5", "behind", "unknown"), _ns("N5", "held", "unknown")),
    _ns("N6", "rooked", "no"),
    _ns("N7", "fluxed", "unknown"),
    _ns("N8", "snapped", "unknown"),
    _ns("N9", "metered", "no"),
    _ks("N10", "behind", "unknown"),
    _ks("N11", "refused", "unknown"),
    _ks("N12", "twin-a", "no"),
    _source("S1", "gitrepository", "refused", "no"),
    _source("S2", "gitrepository", "no-branch", "no"),
    _source("S2", "gitrepository", "unreachable", "unknown"),
    _source("S3", "helmchart", f"{F}-no-such-chart", "no"),
    _source("S3", "helmrepository", "no-index", "no"),
    _source("S3", "ocirepository", "limited", "unknown"),
    _source("S4", "gitrepository", "unsigned", "unknown"),
    Cause("S5", f"deployment/{F}/source-controller", "no", f"deployment/{F}/helm-controller"),
    Cause("T17", "k8s-nodes", "unknown", "k8s-node/k8s-1"),
    *(_webhook("WH1", "down"), _webhook("WH1", "externalsecret-validate")),
    _webhook("WH2", "untrusted"),
    *(_ks("WH3", "denied", "no"), _ks("WH3", "pruned", "no"), _ns("WH3", "undeletable", "no")),
)
# The same cluster, with an inventory: what else is known to be wrong.
INVENTORIED = (
    Cause("C4", "crd/knots.ties.example.com", "no", "crd/widgets.example.com"),
    _work("L17", "apps/zero", "unknown"),
    _work("X2", "apps/bereft", "no"),
    _work("X2", "apps/spare", "yes"),
    _ks("X2", "uprooted", "unknown"),
)
# One after the other, afterwards.
BUSY = Cause(
    "K16", f"deployment/{F}/kustomize-controller", "unknown", f"deployment/{F}/helm-controller"
)
LOCKED = _hr("H3", "locked", "yes")
AWAY = Cause("F1", f"deployment/{F}/source-controller", "no", f"deployment/{F}/helm-controller")

EVERYTHING = (*TOGETHER, *INVENTORIED, BUSY, LOCKED, AWAY)
