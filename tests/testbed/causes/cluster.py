"""
A small real cluster that is well, and then, at one blow, in as many situations of the catalogue as it can produce.

The pieces: `start.yaml` and `held.yaml` are applied by hand, `tree/` is what Git serves, `later/` is a commit on top of
it that breaks what was well, `broken.yaml` is broken by hand.
"""

from __future__ import annotations

import base64
import os
import signal
import sys
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Self

from tests.testbed import settings
from tests.testbed.certificates import openssl
from tests.testbed.recovery import Recovery
from tests.testbed.testbed import Testbed

if TYPE_CHECKING:
    from types import TracebackType

HERE = Path(__file__).resolve().parent
LATER = HERE / "later"
STEP_SECONDS = 60.0
GOING = (
    *("behind", "emptied", "fluxed", "held", "metered"),
    *("outlived", "rooked", "snapped", "undeletable"),
)
SOURCES = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories"
KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations"
RELEASES = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases"
NOWHERE = {"spec": {"template": {"spec": {"nodeSelector": {"testbed/no-such-node": "yes"}}}}}


class Causes:
    """
    `with Causes(directory) as causes`: nothing runs yet but the nodes and Git; `begin` makes it well.
    """

    def __init__(self, directory: Path) -> None:
        self.bed = Testbed(directory / "bed", HERE / "tree")
        self._folder = directory

    def __enter__(self) -> Self:
        self.bed.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bed.stop()

    def begin(self) -> None:
        """
        Up to a cluster in which everything is as it should be.
        """
        self._authority = _new_certificate(self._folder, "answers")
        self._other = _new_certificate(self._folder, "others")
        key = self._authority.with_suffix(".key")
        answers: list[str | Path] = [
            sys.executable,
            HERE / "answers.py",
            str(settings.ANSWERS_PORT),
        ]
        self.bed.processes.start("answers", [*answers, str(self._authority), str(key)])
        by_hand = Recovery(self.bed)
        by_hand.configure()
        by_hand.bootstrap()
        crds = str(self.bed.bin / "crds")
        self._apply("start.yaml", "-f", crds)
        self.bed.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        self._apply("held.yaml")
        self._apply("answering.yaml")
        by_hand.synced()
        self.bed.kubectl(
            "wait", "--for=condition=Available", "--timeout=60s", "apiservice", "--all"
        )

    def break_all(self) -> None:
        """
        Everything at once, as far as one thing does not keep another from breaking.
        """
        self._patch(f"{KUSTOMIZATIONS}/paused", {"spec": {"suspend": True}})
        self._apply("broken.yaml")
        self.bed.wait("the webhooks are in force", self._is_guarded, STEP_SECONDS)
        unwritable = self.bed.directory / "flux/artifacts/gitrepository/flux-system/unwritable"
        unwritable.write_text("a file where source-controller wants a folder\n")
        self.bed.kubectl("delete", "namespace", "--wait=false", *GOING)
        self.bed.kubectl("delete", "crd", "--wait=false", "doomed.example.com")
        self.bed.kubectl(
            "delete", "pod", "--namespace=apps", "--grace-period=1", "--wait=false", "haunted"
        )
        self._patch("/apis/apps/v1/namespaces/kube-system/deployments/coredns", NOWHERE)
        self._patch("/apis/apps/v1/namespaces/apps/deployments/drifted", {"spec": {"replicas": 2}})
        self._ask(f"{RELEASES}/drifted")
        changed: dict[str, str | None] = {
            str(path.relative_to(LATER)): path.read_text()
            for path in sorted(LATER.rglob("*"))
            if path.is_file()
        }
        self.bed.git_commit({**changed, "objects/pruned/leaves.yaml": None}, "break it")
        self._ask(f"{SOURCES}/fleet")
        self._apply("ill.yaml")
        self.bed.wait("the circle is closed", self._is_circle, STEP_SECONDS)
        self._ask(f"{SOURCES}/circle")
        self.bed.wait("a first install has failed", self._is_stalled, STEP_SECONDS)
        self._patch(f"{RELEASES}/no-target", {"spec": {"values": {"selector": "two"}}})

    def delete_under_who_is_ready(self) -> None:
        """
        What a Kustomization and a release have made: neither looks again before its interval is over.
        """
        self.bed.kubectl("delete", "deployment", "--namespace=apps", "bereft", "spare")

    def keep_workers_busy(self) -> None:
        """
        As many health checks as kustomize-controller has workers, and more that wait for one.

        Helm-controller gets something to do as well, so that it is at it by the time it is killed.
        """
        self._apply("busy.yaml")
        self._apply("locked.yaml")

    def kill_during_an_install(self) -> None:
        """
        End helm-controller without a warning while it waits for a release; it is started again at once.
        """
        self.bed.wait("the install has begun", self._is_installing, STEP_SECONDS)
        os.kill(self.bed.processes.pid("helm-controller"), signal.SIGKILL)

    def scale_source_controller_away(self) -> None:
        """
        As somebody does who wants it to stop for a moment.
        """
        path = "/apis/apps/v1/namespaces/flux-system/deployments/source-controller"
        self._patch(path, {"spec": {"replicas": 0}})

    def _apply(self, name: str, *more: str) -> None:
        text = Template((HERE / name).read_text()).safe_substitute(
            CA=_encoded(self._authority), OTHER_CA=_encoded(self._other)
        )
        arguments = ("apply", "--server-side", "--force-conflicts")
        self.bed.kubectl(*arguments, "-f", "-", *more, stdin=text)

    def _patch(self, path: str, patch: dict[str, Any]) -> None:
        self.bed.api("PATCH", path, patch, "application/merge-patch+json")

    def _ask(self, path: str) -> None:
        asked = {"reconcile.fluxcd.io/requestedAt": "now"}
        self._patch(path, {"metadata": {"annotations": asked}})

    def _is_guarded(self) -> bool:
        """
        The API server takes a moment to learn of a webhook.
        """
        try:
            self.bed.kubectl(
                "delete", "configmap", "--namespace=guarded", "leaves", "--dry-run=server"
            )
        except RuntimeError as error:
            return "denied the request" in str(error)
        return False

    def _is_circle(self) -> bool:
        names = {item["metadata"]["name"] for item in self.bed.api("GET", KUSTOMIZATIONS)["items"]}
        return {"circle-a", "circle-b"} <= names

    def _is_stalled(self) -> bool:
        for item in self.bed.api("GET", RELEASES)["items"]:
            if item["metadata"]["name"] == "no-target":
                told = item.get("status", {}).get("conditions") or []
                return any(c["type"] == "Stalled" and c["status"] == "True" for c in told)
        return False

    def _is_installing(self) -> bool:
        """
        Helm keeps a release before it makes the release's objects.
        """
        works = self.bed.api("GET", "/apis/apps/v1/namespaces/apps/deployments")["items"]
        return any(work["metadata"]["name"] == "locked" for work in works)


def _new_certificate(folder: Path, name: str) -> Path:
    """
    A certificate that vouches for itself; its key is beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    openssl("req", "-x509", *new_key, "-keyout", key, "-out", certificate, "-days", "2", *names)
    return certificate


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
