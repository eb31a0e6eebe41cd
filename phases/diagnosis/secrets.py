"""
Secret stores and ExternalSecrets (catalogue E1-E5; E5 is in ``secrets_targets``).

External Secrets says why only in events: a failed ExternalSecret's condition is the same words for an outage, for a
quota, for a store that was not there and for a key that does not exist (external-secrets helm-chart-2.9.0,
pkg/controllers/externalsecret and secretstore/common.go). So one is told from the other by its neighbours, and by what
was first: a failure that began before its store was Ready says nothing about that store. The instant is that of the
first failure; later ones do not move it. No value of any Secret is ever seen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.missing_objects import missing, target_of
from phases.diagnosis.quoting import meant, quote
from phases.diagnosis.rule import NO, UNKNOWN, YES, Proof, Rule, look, never, nudge, reversible
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.secrets_targets import emptied
from phases.diagnosis.to_come import may_come
from phases.objects import Condition, ExternalSecret, condition, key_of

STORES: Final = ("ClusterSecretStore", "SecretStore")
MANY: Final = 2  # so many at once, and none that works, is no missing key
UNSERVED: Final = "could not get secret data from provider"
WEAK: Final = "ValidationUnknown"
# Where it says one of these it gave its queue no error, so that no other attempt comes by itself.
FINAL: Final = re.compile(
    r"failed to take ownership|owned by another|target is immutable|invalid generic target"
)
# The longest pause between two attempts (pkg/controllers/common/common.go), and an attempt.
RETRIED_SECONDS: Final = 420.0 + 30.0
Store = tuple[str, str]  # its kind and key


def _name(store: Store) -> Subject:
    """Facts call a cluster's store just ``store``."""
    kind, key = store
    return codes.subject(kind, key)


def _store_of(found: ExternalSecret) -> Store | None:
    ref = found.spec.secret_store_ref
    if ref is None or not ref.name:
        return None
    if ref.kind == "ClusterSecretStore":
        return ref.kind, ref.name
    return "SecretStore", f"{found.metadata.namespace}/{ref.name}"


def _ready(found: ExternalSecret) -> Condition | None:
    return condition(found.status.conditions, "Ready")


def _readers(scene: Scene) -> dict[Store, list[ExternalSecret]]:
    """Sort the ExternalSecrets by their store; kept for the other rules."""

    def sort() -> dict[Store, list[ExternalSecret]]:
        made: dict[Store, list[ExternalSecret]] = {}
        for found in scene.of("ExternalSecret").values():
            store = _store_of(found)
            if store is not None and found.metadata.deletion_timestamp is None:
                made.setdefault(store, []).append(found)
        return made

    return scene.once("readers", sort)


def _is_failed(found: ExternalSecret) -> bool:
    ready = _ready(found)
    return ready is not None and ready.status == "False"


def _is_unserved(found: ExternalSecret) -> bool:
    """The backend gave nothing; other failures are its own Secret's."""
    ready = _ready(found)
    return ready is not None and ready.status == "False" and UNSERVED in ready.message


def _is_of_before(scene: Scene, store: Store, found: ExternalSecret) -> bool:
    """Say whether it began to fail before its store was Ready, and its controller may not have asked again since."""
    failed, ready = instant(_ready(found)), instant(_ready(scene.get(*store)))
    if failed is None or ready is None or failed > ready:
        return False
    return not scene.older(ready, RETRIED_SECONDS)


def _is_unsynced(found: ExternalSecret) -> bool:
    ready = _ready(found)
    return ready is None or ready.status != "True"


def _blocked(scene: Scene, found: Iterable[ExternalSecret]) -> tuple[Subject, ...]:
    """Name ExternalSecrets, and of the Secrets that they should make those that somebody misses, or who does."""
    missed = missing(scene)
    subjects: dict[Subject, None] = {}
    for one in found:
        subjects[subject_of("ExternalSecret", one.metadata)] = None
        target = codes.subject("Secret", target_of(one.metadata, one.spec.target.name))
        if target in missed:
            subjects.update(dict.fromkeys(missed[target].blocks))
    return tuple(subjects)


def _broken(scene: Scene) -> Iterator[Finding]:
    """E1: a store is not valid, or not there."""
    readers = _readers(scene)
    for kind in STORES:
        for key, found in scene.of(kind).items():
            ready = _ready(found)
            if ready is None or ready.status != "False":
                continue
            waiting = [r for r in readers.get((kind, key), ()) if _is_unsynced(r)]
            yield _of_store(
                scene,
                "E1",
                (kind, key),
                waiting,
                cause=ready.reason,
                message=f"{kind} {key} cannot reach its backend, or may not: {ready.reason}, {quote(ready.message)}",
                clears_itself=UNKNOWN,
                since=instant(ready),
            )
    for store, waiting in readers.items():
        kind, key = store
        if scene.seen(kind) and scene.get(kind, key) is None and any(map(_is_failed, waiting)):
            stores = () if scene.inventory is None else scene.inventory.stores
            listed = {item.name for item in stores}
            unsynced = [r for r in waiting if _is_unsynced(r)]
            yield _of_store(
                scene,
                "E1",
                store,
                unsynced,
                cause="store-absent",
                message=f"{kind} {key} does not exist{meant(key, scene.of(kind))}",
                clears_itself=UNKNOWN if key in listed or _may_come(scene, unsynced, store) else NO,
            )


def _may_come(scene: Scene, waiting: list[ExternalSecret], store: Store) -> bool:
    """Say whether somebody is left who may bring the store of these: nobody who waits for their Secrets is."""
    behind = set(_blocked(scene, waiting))
    missed = missing(scene)
    askers = behind.union(*(missed[s].askers for s in behind if s in missed))
    return may_come(scene, askers, store)


def _unverified(scene: Scene) -> Iterator[Finding]:
    """E2: a store says Ready, since nobody could ask its backend."""
    for kind in STORES:
        for key, found in scene.of(kind).items():
            ready = _ready(found)
            if ready is not None and (ready.status, ready.reason) == ("True", WEAK):
                readers = _readers(scene).get((kind, key), ())
                yield _of_store(
                    scene,
                    "E2",
                    (kind, key),
                    [r for r in readers if _is_failed(r)],
                    cause=WEAK,
                    message=f"{kind} {key} says Ready, and nobody could ask its backend: that is not verified",
                    clears_itself=UNKNOWN,
                    since=instant(ready),
                )


def _outage(scene: Scene) -> Iterator[Finding]:
    """E3: a store that calls itself valid serves nobody."""
    for store, readers in _readers(scene).items():
        failed = [r for r in readers if _is_unserved(r)]
        if _serves_nobody(scene, store, readers):
            starts = [at for r in failed if (at := instant(_ready(r))) is not None]
            yield _of_store(
                scene,
                "E3",
                store,
                failed,
                cause="outage",
                message=f"{store[0]} {store[1]} says Valid, and all {len(failed)} ExternalSecrets of it fail",
                clears_itself=UNKNOWN,
                since=max(starts, default=None),
            )


def _serves_nobody(scene: Scene, store: Store, readers: list[ExternalSecret]) -> bool:
    """Say whether a sound store gave nothing to anybody, and to some of them since it is sound."""
    if not _is_sound(scene, store) or not all(map(_is_unserved, readers)):
        return False
    return sum(not _is_of_before(scene, store, r) for r in readers) >= MANY


def _single(scene: Scene) -> Iterator[Finding]:
    """E4: one fails where its neighbours do not: what it asks for is not there, or its target refuses it."""
    for store, readers in _readers(scene).items():
        sound = _is_sound(scene, store) and not _serves_nobody(scene, store, readers)
        for found in filter(_is_failed, readers):
            if not _is_unserved(found):
                yield _of_one(scene, store, found, "target", "cannot write its Secret")
            elif sound and _is_of_before(scene, store, found):
                text = "fails since before its store was Ready, and is tried again"
                yield _of_one(scene, store, found, "store", text)
            elif sound:
                text = "fails while its store is Valid: what it names may be missing there, or a quota used up"
                yield _of_one(scene, store, found, "item", text)


def _clears(found: ExternalSecret, cause: str) -> str:
    """An item may come and a quota pass, and of a target most failures are tried again as well."""
    if cause == "store":
        return YES
    ready = _ready(found)
    return NO if ready is not None and FINAL.search(ready.message) else UNKNOWN


def _of_one(scene: Scene, store: Store, found: ExternalSecret, cause: str, text: str) -> Finding:
    ready = _ready(found)
    said = quote(ready.message) if ready is not None else ""
    return Finding(
        subject=subject_of("ExternalSecret", found.metadata),
        cause=cause,
        message=f"ExternalSecret {key_of(found.metadata)} {text} ({said})",
        blocks=_blocked(scene, [found])[1:],
        clears_itself=_clears(found, cause),
        rule="E4",
        uid=found.metadata.uid,
        since=instant(ready),
        evidence=(
            path_of("ExternalSecret", found.metadata, "status.conditions[Ready]"),
            f"{store[0]}/{store[1]} .status.conditions[Ready]",
        ),
        clears_when="it is Ready",
        remedies=(
            look("its events: they name the item, or whose the target is"),
            nudge("annotate the ExternalSecret afterwards"),
        ),
    )


def _is_sound(scene: Scene, store: Store) -> bool:
    found = scene.get(*store)
    ready = _ready(found) if found is not None else None
    return ready is not None and ready.status == "True" and ready.reason != WEAK


def _of_store(
    scene: Scene,
    rule: str,
    store: Store,
    waiting: list[ExternalSecret],
    **fields: Any,  # noqa: ANN401  the fields of Finding
) -> Finding:
    found = scene.get(*store)
    kind, key = store
    path = (
        f"{kind}/{key} is not listed"
        if found is None
        else path_of(kind, found.metadata, "status.conditions[Ready]")
    )
    return Finding(
        subject=_name(store),
        rule=rule,
        blocks=_blocked(scene, waiting),
        uid="" if found is None else found.metadata.uid,
        evidence=(path,),
        clears_when="the store is Ready, with the reason Valid",
        remedies=(
            look(f"whether the backend of {key} runs, and the Secret with its credentials exists"),
            reversible("apply the bootstrap Secret of the backend again, from SOPS"),
            nudge("touch the store, then each failed ExternalSecret once: they do not watch it"),
            never("delete the ExternalSecrets: the Secrets that still work go with them"),
        ),
        **fields,
    )


_STORE = "external-secrets helm-chart-2.9.0 pkg/controllers/secretstore/common.go"
_EXTERNAL = (
    "external-secrets helm-chart-2.9.0 pkg/controllers/externalsecret/externalsecret_controller.go"
)
_FIND: tuple[tuple[Any, ...], ...] = (
    ("E1", "a secret store is not valid", Proof.SOURCE, _STORE, _broken),
    ("E2", "a secret store is not verified", Proof.SOURCE, _STORE, _unverified),
    ("E3", "a secret store serves nobody", Proof.SOURCE, _EXTERNAL, _outage),
    ("E4", "an item of a secret store is missing", Proof.SOURCE, _EXTERNAL, _single),
    ("E5", "Ready, without a Secret", Proof.SOURCE, _EXTERNAL, emptied),
)
RULES = tuple(Rule(*row) for row in _FIND)
