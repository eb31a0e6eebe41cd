"""
Images that cannot be pulled (catalogue L6, L7).

A registry's rate limit is one cause, however many workloads it stops. The kubelet's message has the reason only while
it tries (ErrImagePull), and since kubernetes v1.32 while it backs off as well (pkg/kubelet/images/image_manager.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.answer import Subject
from journal.entries import Finding
from phases.diagnosis.pods import Group, Trouble, containers, grouped, unready_since
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import NO, UNKNOWN, YES, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, path_of
from phases.diagnosis.words import counted, listed
from phases.objects import Pod

PULL_REASONS: Final = frozenset({"ImagePullBackOff", "ErrImagePull", "RegistryUnavailable"})
RATE_LIMIT: Final = re.compile(
    r"toomanyrequests|429 Too Many Requests|pull rate limit", re.IGNORECASE
)
IMAGE: Final = re.compile(r'(?:pull and unpack image|pulling image|resolve reference) "([^"]+)"')
DEFAULT_REGISTRY: Final = "docker.io"
# What the message says beside the image's name, in words, and whether that passes by itself; the first that it has.
PULL_FAILURES: Final = (
    (r"no such host|server misbehaving", "the node cannot resolve the registry's name", UNKNOWN),
    (r"i/o timeout|connection refused|no route to host", "the registry is not reached", UNKNOWN),
    # By a clock that is not in sync yet, or of what still brings the authority, none is trusted.
    (r"x509|certificate", "the registry's certificate is not trusted", UNKNOWN),
    (
        r"(?i:unauthorized|forbidden)|\b40[13]\b|authentication required|denied",
        "the registry refuses the credentials",
        NO,
    ),
    (r"(?i:not found)|manifest unknown|\b404\b", "the registry has no such image", NO),
)
SOURCE: Final = (
    "kubernetes v1.36 pkg/kubelet/images/image_manager.go; containerd v2 core/remotes/docker"
)


def _pulling(_: Scene, pod: Pod) -> Iterator[Trouble]:
    for container in containers(pod):
        waiting = container.state.waiting
        if waiting is not None and waiting.reason in PULL_REASONS:
            where = path_of(
                "Pod", pod.metadata, f"status.containerStatuses[{container.name}].state"
            )
            yield Trouble(pod, waiting.message, unready_since(pod), where)


@dataclass(slots=True)
class Limit:
    """A registry that refuses, and whom."""

    groups: dict[Subject, Group] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)


def _limited(scene: Scene) -> Iterable[Finding]:
    """L6: a registry's rate limit is reached."""
    limits: dict[str, Limit] = {}
    for subject, group in grouped(scene, _pulling).items():
        for trouble in group.troubles:
            if RATE_LIMIT.search(trouble.text):
                limit = limits.setdefault(registry_of(trouble.text), Limit())
                limit.groups[subject] = group
                limit.troubles.append(trouble)
    for registry, limit in limits.items():
        waiting = (victim for group in limit.groups.values() for victim in group.victims(scene))
        since = (t.since for t in limit.troubles if t.since is not None)
        yield Finding(
            subject=f"registry/{registry}",
            cause="rate-limited",
            message=f"registry {registry} refuses {counted(len(limit.groups), 'workload')} "
            f"({listed(g.name for g in limit.groups.values())}): its rate limit is reached",
            blocks=tuple(dict.fromkeys((*limit.groups, *waiting))),
            clears_itself=YES,
            rule="L6",
            since=min(since, default=None),
            evidence=tuple(dict.fromkeys(trouble.evidence for trouble in limit.troubles)),
            clears_when="the registry counts anew (Docker Hub: within six hours), and the kubelet tries again",
            remedies=(
                look("wait, and start nothing anew that pulls from it"),
                reversible("pull through a mirror, or with credentials that have a higher limit"),
                never("restart the pods: every attempt counts"),
            ),
        )


def registry_of(message: str) -> str:
    """Return the registry of the image that a message names; an image without one is Docker Hub's."""
    found = IMAGE.search(message)
    first, slash, _ = (found.group(1) if found is not None else "").partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if is_host else DEFAULT_REGISTRY


def _unpullable(scene: Scene) -> Iterable[Finding]:
    """L7: an image cannot be pulled, for another reason than the registry's limit."""
    for group in grouped(scene, _pulling).values():
        troubles = [t for t in group.troubles if not RATE_LIMIT.search(t.text)]
        if not troubles:
            continue
        # The longest message is the one of an attempt; a back-off of old kubelets says nothing but its name.
        text = max((t.text for t in troubles), key=len)
        named = IMAGE.search(text)
        image = named.group(1) if named is not None else ""
        why, clears = _why(text, image)
        what = f"image {image}" if image else "an image"
        yield group.finding(
            scene,
            "L7",
            cause="image",
            message=f"{group.name} cannot pull {what}: {why}",
            clears_itself=clears,
            clears_when="the kubelet has pulled the image",
            remedies=(
                look("the tag and the pull secret in Git; the name and the way to the registry"),
                reversible("correct them in Git"),
            ),
        )


def _why(text: str, image: str) -> tuple[str, str]:
    # A name is no reason: there are images of exporters of x509 certificates, and tags with any number.
    beside = text.replace(image, "") if image else text
    for pattern, words, clears in PULL_FAILURES:
        if re.search(pattern, beside):
            return words, clears
    # An attempt says why; a back-off alone does not.
    told = quote(text) if "Back-off pulling" not in text or ": " in text else ""
    return told or "the kubelet does not say why", UNKNOWN


RULES = (
    Rule("L6", "a registry's rate limit", Proof.SOURCE, SOURCE, _limited),
    Rule("L7", "an image cannot be pulled", Proof.SOURCE, SOURCE, _unpullable),
)
