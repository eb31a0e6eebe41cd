"""
What breaks while manifests are fetched, built, decrypted and sent to the API (catalogue K6-K12).

Running workloads are not touched by any of these: the one thing not to do is to delete the Kustomization "to clear it".
Signatures: kustomize-controller 1.9.4 (internal/controller, internal/decryptor), fluxcd/pkg ssa/errors and envsubst.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from journal.entries import Finding, Remedy
from phases.diagnosis.attempts import failing
from phases.diagnosis.flux_findings import finding
from phases.diagnosis.missing_objects import found_by
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, destructive, look, never, reversible
from phases.diagnosis.scene import Scene, instant
from phases.objects import Condition, Flux, key_of
from phases.readiness.flux import NO_PATH
from phases.readiness.lacking import asked

WRONG_KEY = re.compile(
    r"no identity matched any of the recipients|cannot get sops data key|[Ee]rror getting data key"
    r"|groups required, got 0|sops data integrity"
)
UNCONFIGURED = re.compile(r"(\S+) is SOPS encrypted, configuring decryption is required")
UNSET = re.compile(r'variable not set \(strict mode\)(?:: "([^"]+)")?')
POST_BUILD = re.compile(r"post build failed for '([^']+)'")
IMMUTABLE = re.compile(r"(\S+) (?:dry-run failed|apply failed).*field is immutable")
# The API says Forbidden of quotas and of namespaces that go as well; of rights it names who has none.
FORBIDDEN = re.compile(r'(\S+) dry-run failed \(Forbidden\): .*[Uu]ser "([^"]+)" cannot')
GIT: Final = look("correct it in Git, then reconcile with its source")
KEEP: Final = destructive(
    "delete the Kustomization: it prunes everything that it ever applied; look at the inventory first"
)
Told = tuple[str, str, tuple[Remedy, ...]]


def _each(
    scene: Scene, rule: str, reasons: set[str], tell: Callable[[Flux, Condition], Told | None]
) -> Iterator[Finding]:
    for found, ready in failing(scene, "Kustomization"):
        told = tell(found, ready) if ready.reason in reasons else None
        if told is None:
            continue
        cause, text, remedies = told
        newer = _is_outdated(scene, found, ready)
        yield finding(
            scene,
            "Kustomization",
            found,
            rule,
            ready,
            cause=cause,
            message=f"Kustomization {key_of(found.metadata)} {text}"
            + ("; its source serves a later revision by now" if newer else ""),
            clears_itself=UNKNOWN if newer else NO,
            clears_when="an attempt at a later revision, or with what was missing, succeeds",
            remedies=remedies,
        )


def _is_outdated(scene: Scene, found: Flux, ready: Condition) -> bool:
    """Say whether its source serves what the last attempt has not seen; where the folder lacks, no attempt is noted."""
    ref = found.spec.source_ref
    if ref is None:
        return False
    source = scene.get(ref.kind, f"{ref.namespace or found.metadata.namespace}/{ref.name}")
    artifact = source.status.artifact if source is not None else None
    if artifact is None or artifact.revision == found.status.last_attempted_revision:
        return False
    since = instant(ready)
    updated = artifact.last_update_time
    return updated is not None and since is not None and updated.timestamp() > since


def _path(scene: Scene) -> Iterable[Finding]:
    """K6: its folder is not in the source."""

    def tell(_: Flux, ready: Condition) -> Told | None:
        if NO_PATH not in ready.message:
            return None
        text = "names a folder that its source does not have"
        return "path", f"{text}: {quote(ready.message)}", (look("path and branch in Git"),)

    return _each(scene, "K6", {"ArtifactFailed"}, tell)


def _wrong_key(scene: Scene) -> Iterable[Finding]:
    """K7: the cluster has a key, and it opens nothing."""

    def tell(_: Flux, ready: Condition) -> Told | None:
        if not WRONG_KEY.search(ready.message):
            return None
        return (
            "wrong-key",
            f"cannot decrypt: the cluster holds another key than its files are encrypted for ({quote(ready.message)})",
            (
                look("compare the public recipient of the sops-age Secret with .sops.yaml"),
                reversible("apply the right key again, then nudge the Kustomization"),
                never("encrypt the files anew for the key that happens to be there"),
            ),
        )

    return _each(scene, "K7", {"BuildFailed"}, tell)


def _no_key(scene: Scene) -> Iterable[Finding]:
    """K8: there is no key, or nobody said that one is needed."""
    yield from found_by(scene, "K8")

    def tell(_: Flux, ready: Condition) -> Told | None:
        said = UNCONFIGURED.search(ready.message)
        if said is None:
            return None
        text = f"holds {said[1]}, which is encrypted, and has no spec.decryption"
        return "undecrypted", text, (look("add spec.decryption in Git, to the child as well"),)

    yield from _each(scene, "K8", {"ReconciliationFailed"}, tell)


def _substitution(scene: Scene) -> Iterable[Finding]:
    """K9: what should be substituted is not known."""
    yield from found_by(scene, "K9")

    def tell(_: Flux, ready: Condition) -> Told | None:
        said = UNSET.search(ready.message)
        if said is None:
            return None
        where = POST_BUILD.search(ready.message)
        text = f"uses the variable {said[1] or '?'}, which nothing sets"
        what = f"{text}, in {where[1]}" if where else text
        return "variable", what, (look("set it in cluster-settings or cluster-secrets"),)

    yield from _each(scene, "K9", {"BuildFailed"}, tell)


def _build(scene: Scene) -> Iterable[Finding]:
    """K10: kustomize cannot build the tree."""

    def tell(found: Flux, ready: Condition) -> Told | None:
        line = " ".join(ready.message.split())
        if WRONG_KEY.search(line) or UNSET.search(line) or asked(ready, found.metadata.namespace):
            return None
        return "build", f"cannot be built: {quote(line)}; what runs is untouched", (GIT, KEEP)

    return _each(scene, "K10", {"BuildFailed"}, tell)


def _immutable(scene: Scene) -> Iterable[Finding]:
    """K11: Git changes what cannot be changed."""

    def tell(_: Flux, ready: Condition) -> Told | None:
        said = IMMUTABLE.search(" ".join(ready.message.split()))
        if said is None:
            return None
        return (
            "immutable",
            f"changes a field of {said[1]} that cannot be changed",
            (
                look(f"rename {said[1]} in Git, or annotate it with force: enabled after a review"),
                destructive(
                    "force: true on the Kustomization: it deletes and makes anew, volumes too"
                ),
            ),
        )

    return _each(scene, "K11", {"ReconciliationFailed"}, tell)


def _forbidden(scene: Scene) -> Iterable[Finding]:
    """K12: its account may not do that."""

    def tell(_: Flux, ready: Condition) -> Told | None:
        said = FORBIDDEN.search(" ".join(ready.message.split()))
        if said is None:
            return None
        text = f"may not apply {said[1]} as {said[2]}"
        return "forbidden", text, (look("bring back its ServiceAccount and RoleBinding"),)

    return _each(scene, "K12", {"ReconciliationFailed"}, tell)


_SOURCE = "kustomize-controller 1.9.4 internal/controller/kustomization_controller.go"
_DECRYPTOR = "kustomize-controller 1.9.4 internal/decryptor/decryptor.go"
_FIND: tuple[tuple[Any, ...], ...] = (
    ("K6", "its path is not in the source", Proof.CONTROLLER, _SOURCE, _path),
    ("K7", "the cluster holds the wrong key", Proof.CONTROLLER, _DECRYPTOR, _wrong_key),
    ("K8", "there is no key to decrypt with", Proof.CONTROLLER, _DECRYPTOR, _no_key),
    (
        "K9",
        "a variable cannot be substituted",
        Proof.CONTROLLER,
        "fluxcd/pkg kustomize_varsub.go, envsubst/template.go",
        _substitution,
    ),
    ("K10", "the tree cannot be built", Proof.CONTROLLER, _SOURCE, _build),
    (
        "K11",
        "a field cannot be changed",
        Proof.CONTROLLER,
        "fluxcd/pkg ssa/errors/errors.go",
        _immutable,
    ),
    ("K12", "its account may not", Proof.CONTROLLER, "fluxcd/pkg ssa/errors/errors.go", _forbidden),
)
RULES = tuple(Rule(*row) for row in _FIND)
