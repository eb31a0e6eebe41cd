"""
Sources that cannot be fetched, and consumers that find nothing to consume (catalogue K5, S1-S5).

Reasons and texts are source-controller 1.9.1's (api/v1/condition_types.go, internal/controller/*_controller.go,
internal/helm/chart/errors.go). Exactly one S rule speaks for a source that is not Ready, so that there is one cause for
all that wait for it. A source that failed keeps the artifact it has: consumers go on at the old revision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.controllers import DEFAULT_NAMESPACE, deployment_of
from phases.diagnosis.missing_objects import any_begins, maker_of
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import (
    NO,
    UNKNOWN,
    Proof,
    Rule,
    look,
    never,
    nudge,
    reversible,
)
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.structure import blames_source, has_artifact, is_well
from phases.diagnosis.to_come import may_come
from phases.more_objects import Chart
from phases.objects import Condition, Flux, condition, key_of
from phases.readiness.lacking import asked

KINDS: Final = ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart")
# A chart says these while it waits for its own source; the source says why.
WAITS_FOR_SOURCE: Final = {"NoSourceArtifact", "SourceUnavailable"}
STORAGE: Final = {
    "ArchiveOperationFailed",
    "DirectoryCreationFailed",
    "ReadOperationFailed",
    "StatOperationFailed",
    "SymlinkUpdateFailed",
}
UNVERIFIED: Final = {"ChartVerificationError", "VerificationError"}
CREDENTIALS: Final = re.compile(
    r"authentication required|unable to authenticate|authorization failed|invalid credentials"
    r"|repository not found",
    re.IGNORECASE,
)
# In this order: what the text says first is not always what matters.
REMOTE: Final = (
    ("host-key", re.compile(r"knownhosts: key|host key|hostkey", re.IGNORECASE)),
    (
        "reference",
        re.compile(r"couldn't find remote ref|unable to find remote ref|reference not found"),
    ),
    ("dns", re.compile(r"no such host|server misbehaving|lookup \S+.*timeout")),
    ("unreachable", re.compile(r"connection refused|no route to host|timeout|deadline exceeded")),
)
REGISTRY: Final = (
    ("limit", re.compile(r"\b429\b|toomanyrequests|too many requests|rate limit", re.IGNORECASE)),
    ("refused", re.compile(r"\b40[13]\b|unauthorized|denied|forbidden", re.IGNORECASE)),
    ("chart-reference", re.compile(r"invalid chart reference")),
    (
        "absent",
        re.compile(
            r"\b404\b|not found|MANIFEST_UNKNOWN|NAME_UNKNOWN|no match found", re.IGNORECASE
        ),
    ),
    *REMOTE[2:],
)
LOOKS: Final = {
    "absent": "whether chart, tag or version still exists at its registry",
    "chart-reference": "correct chart name, path or version in Git",
    "dns": "whether CoreDNS runs: it comes before all sources",
    "host-key": "compare the server's host key with known_hosts in the Secret",
    "limit": "wait until the quota is refilled, or pull through a mirror; every retry costs quota",
    "reference": "correct branch, tag or commit of the source in Git",
    "refused": "whether the pull Secret exists, and is the right one",
    "unreachable": "whether the server answers from inside the cluster: network, DNS, then the server",
}
# The longest pause between two attempts (``--max-retry-delay``), and an attempt.
RETRIED_SECONDS: Final = 15 * 60.0 + 60.0
# What may pass by itself, and what nobody has told apart; all else is for somebody to mend.
MAY_PASS: Final = {"dns", "git", "limit", "pull", "unreachable"}


OF_AN_INDEX: Final = {"absent", "chart-reference"}  # another index may have it


class Ill(NamedTuple):
    """A source that is Ready=False: which rule speaks for it, and the cause in a word."""

    kind: str
    found: Any
    ready: Condition
    rule: str
    cause: str


def ill_sources(scene: Scene) -> list[Ill]:
    """Classify every source that failed; the result is kept for the other rules that ask."""

    def classify() -> list[Ill]:
        return [
            Ill(kind, found, ready, *_classified(kind, found, ready))
            for kind in KINDS
            for found in scene.of(kind).values()
            if (ready := condition(found.status.conditions, "Ready")) is not None
            and ready.status == "False"
            and ready.reason not in WAITS_FOR_SOURCE
            and found.metadata.deletion_timestamp is None
        ]

    return scene.once("ill-sources", classify)


def _classified(kind: str, found: Any, ready: Condition) -> tuple[str, str]:  # noqa: ANN401
    storage = condition(found.status.conditions, "StorageOperationFailed")
    verified = condition(found.status.conditions, "SourceVerified")
    if ready.reason in STORAGE or (storage is not None and storage.status == "True"):
        return "S5", "storage"
    if ready.reason in UNVERIFIED or (verified is not None and verified.status == "False"):
        return "S4", "unverified"
    if kind == "GitRepository":
        if ready.reason == "AuthenticationFailed" or CREDENTIALS.search(ready.message):
            return "S1", "credentials"
        return "S2", _first(REMOTE, ready.message) or "git"
    if ready.reason == "AuthenticationFailed":
        return "S3", "refused"
    return "S3", _first(REGISTRY, ready.message) or "pull"


def _first(patterns: Iterable[tuple[str, re.Pattern[str]]], text: str) -> str:
    return next((name for name, pattern in patterns if pattern.search(text)), "")


def consumers(scene: Scene, kind: str, key: str) -> tuple[Subject, ...]:
    """
    Name what is not well and gets nothing from a source, beyond the Kustomizations that the structure knows.

    With an artifact of the source they go on (helm-controller 1.6.3 isReady), unless they say themselves that they do
    not; a chart that is well serves its releases, whatever became of its repository.
    """
    found: list[Subject] = []
    empty = {f"{kind}/{key}": not has_artifact(scene.get(kind, key))}
    for chart_key, chart in scene.of("HelmChart").items():
        ref = chart.spec.source_ref
        if ref is None or (ref.kind, f"{chart.metadata.namespace}/{ref.name}") != (kind, key):
            continue
        if not is_well(chart) and (empty[f"{kind}/{key}"] or _lacks_source(chart)):
            empty[f"HelmChart/{chart_key}"] = not has_artifact(chart)
            found.append(codes.subject("HelmChart", chart_key))
    for release in scene.of("HelmRelease").values():
        lacks = empty.get(chart_of(release))
        if lacks is not None and not is_well(release) and (lacks or blames_source(release)):
            found.append(subject_of("HelmRelease", release.metadata))
    return tuple(found)


def _lacks_source(chart: Chart) -> bool:
    """Say whether a chart waits for its source, or is not in what that served last: it may be in what comes next."""
    ready = condition(chart.status.conditions, "Ready")
    if ready is None or ready.status != "False":
        return False
    return ready.reason in WAITS_FOR_SOURCE or _first(REGISTRY, ready.message) in OF_AN_INDEX


def chart_of(release: Flux) -> str:
    """Return what a HelmRelease takes its chart from, as ``Kind/namespace/name``."""
    ref = release.spec.chart_ref
    if ref is not None:
        return f"{ref.kind}/{ref.namespace or release.metadata.namespace}/{ref.name}"
    return f"HelmChart/{release.status.helm_chart}" if release.status.helm_chart else ""


def _finding(scene: Scene, ill: Ill, message: str, *remedies: Any, clears: str = "") -> Finding:  # noqa: ANN401
    maker = _maker(scene, ill)
    return Finding(
        subject=subject_of(ill.kind, ill.found.metadata),
        cause=ill.cause,
        message=f"{ill.kind} {key_of(ill.found.metadata)} {message}{_serves(ill)}: {quote(ill.ready.message)}",
        blocks=consumers(scene, ill.kind, key_of(ill.found.metadata)),
        clears_itself=clears or _clears(scene, ill),
        rule=ill.rule,
        uid=ill.found.metadata.uid,
        since=instant(ill.ready),
        evidence=(path_of(ill.kind, ill.found.metadata, "status.conditions[Ready]"),),
        clears_when=f"the {ill.kind} is Ready",
        remedies=(*((look(f"why {maker} has not made its Secret"),) if maker else ()), *remedies),
    )


def _clears(scene: Scene, ill: Ill) -> str:
    """What may pass by itself may clear; so may a Secret that is not there, while somebody is left who may bring it."""
    lacks = asked(ill.ready, ill.found.metadata.namespace)
    if lacks is None:
        return UNKNOWN if ill.cause in MAY_PASS else NO
    since = instant(ill.ready)
    left = (
        _maker(scene, ill)
        or not scene.seen("ExternalSecret")
        or any_begins(scene, since, RETRIED_SECONDS)
        or may_come(scene, _unserved(scene), ("Secret", lacks.key), since, RETRIED_SECONDS)
    )
    return UNKNOWN if left else NO


def _unserved(scene: Scene) -> frozenset[Subject]:
    """Return the sources whose Secret nobody is known to make, and who waits for these: none brings another's."""

    def find() -> Iterator[Subject]:
        for ill in ill_sources(scene):
            if asked(ill.ready, ill.found.metadata.namespace) and not _maker(scene, ill):
                yield subject_of(ill.kind, ill.found.metadata)
                yield from consumers(scene, ill.kind, key_of(ill.found.metadata))

    return scene.once("unserved", lambda: frozenset(find()))


def _maker(scene: Scene, ill: Ill) -> Subject:
    """Name the ExternalSecret that would make the Secret which it lacks; empty: it lacks none, or nobody would."""
    lacks = asked(ill.ready, ill.found.metadata.namespace)
    return maker_of(scene, lacks.key) if lacks is not None else ""


def _serves(ill: Ill) -> str:
    """Say whether it still has something to serve: then only what is new is missing."""
    return " (it still serves what it fetched before)" if has_artifact(ill.found) else ""


def _credentials(scene: Scene) -> Iterator[Finding]:
    """S1: the repository does not accept us."""
    for ill in _of(scene, "S1"):
        yield _finding(
            scene,
            ill,
            "is refused by its server",
            reversible("apply the deploy key's Secret again from SOPS, then nudge the source"),
            never("put the password into the URL"),
        )


def _remote(scene: Scene) -> Iterator[Finding]:
    """S2: the repository, or the reference in it, cannot be reached."""
    for ill in _of(scene, "S2"):
        yield _finding(
            scene,
            ill,
            "cannot be fetched",
            look(LOOKS.get(ill.cause, "what its message says")),
            nudge("annotate the source with reconcile.fluxcd.io/requestedAt once it answers"),
            *([never("switch the host key check off")] if ill.cause == "host-key" else []),
        )


def _registry(scene: Scene) -> Iterator[Finding]:
    """S3: an artifact, an index or a chart cannot be pulled or built."""
    for ill in _of(scene, "S3"):
        yield _finding(
            scene,
            ill,
            "cannot be pulled",
            look(LOOKS.get(ill.cause, "what its message says")),
        )


def _verification(scene: Scene) -> Iterator[Finding]:
    """S4: the signature does not verify: a clock that is off, or somebody else's artifact."""
    for ill in _of(scene, "S4"):
        yield _finding(
            scene,
            ill,
            "has no signature that verifies",
            look("the time on the nodes first: after a cold start clocks are off"),
            never("take the verification out"),
            clears=UNKNOWN,
        )


def _storage(scene: Scene) -> Iterator[Finding]:
    """S5: source-controller cannot write: one cause for all of its sources."""
    ills = _of(scene, "S5")
    if not ills:
        return
    work = deployment_of(scene, "source-controller")
    key = f"{DEFAULT_NAMESPACE}/source-controller" if work is None else key_of(work.metadata)
    first = ills[0]
    blocked = {subject_of(ill.kind, ill.found.metadata): None for ill in ills}
    for ill in ills:
        blocked.update(dict.fromkeys(consumers(scene, ill.kind, key_of(ill.found.metadata))))
    starts = [at for ill in ills if (at := instant(ill.ready)) is not None]
    yield Finding(
        subject=codes.subject("deployment", key),
        cause="storage",
        message=f"source-controller cannot write its storage, {len(ills)} sources fail: {quote(first.ready.message)}",
        blocks=tuple(blocked),
        clears_itself=NO,
        rule="S5",
        uid="" if work is None else work.metadata.uid,
        since=min(starts, default=None),
        evidence=tuple(path_of(i.kind, i.found.metadata, "status.conditions[Ready]") for i in ills),
        clears_when="the sources are Ready",
        remedies=(
            look("whether the volume at /data of source-controller is full"),
            reversible(f"restart {key}: it fetches everything anew"),
        ),
    )


def _of(scene: Scene, rule: str) -> list[Ill]:
    return [ill for ill in ill_sources(scene) if ill.rule == rule]


_SOURCE = "source-controller 1.9.1 internal/controller"
_FIND: tuple[tuple[str, str, Proof, Callable[[Scene], Iterable[Finding]]], ...] = (
    ("S1", "a Git server refuses us", Proof.CONTROLLER, _credentials),
    ("S2", "a Git repository cannot be fetched", Proof.CONTROLLER, _remote),
    ("S3", "an artifact or a chart cannot be pulled", Proof.CONTROLLER, _registry),
    ("S4", "a signature does not verify", Proof.CONTROLLER, _verification),
    ("S5", "source-controller cannot write its storage", Proof.CONTROLLER, _storage),
)
RULES = tuple(Rule(name, title, proof, _SOURCE, find) for name, title, proof, find in _FIND)
