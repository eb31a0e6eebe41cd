"""
One look at a whole cluster, without a plan and without watches: every kind listed once, and what holds what goes.

The ends of a few logs are read for diagnosis, which tell what no object does. What cannot be listed is Unseen, with the
reason; the rest is looked at all the same.
"""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from phases.snapshot import ALL_KINDS, Seen, Snapshot, Unseen
from rekindle.adapters.background import ODD, outliving
from rekindle.adapters.connection import Connection, UnansweredError
from rekindle.adapters.discovery import Discovery
from rekindle.adapters.holders import look_at, terminating
from rekindle.adapters.kubernetes import Api, RefusedError, code_of
from rekindle.adapters.lister import Lister, NotInstalledError
from rekindle.adapters.pod_logs import look_at_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from phases.followed import Objects
    from rekindle.adapters.holders import Holders
    from rekindle.adapters.pod_logs import Logs

    Look = Seen[Objects] | Unseen

AT_ONCE = 4
NO_API = (
    "what answers knows none of the kinds that every Kubernetes API has: is something else there?"
)


class _NotInstalled(NamedTuple):
    """The answer at *at* was that there is no such kind. Whatever is no Kubernetes API says that, too."""

    at: float


def list_all(
    kubeconfig: Path,
    *,
    kinds: Iterable[str] = ALL_KINDS,
    logs: bool = False,
    clock: Callable[[], float] = time.time,
) -> Snapshot:
    """
    List every one of these *kinds* (``LISTED_KINDS``: for an inventory), and read *logs* for rules.

    Never raises for what the cluster does.
    """
    asked = tuple(kinds)
    at = clock()
    try:
        connection = Connection(kubeconfig)
    except UnansweredError as error:
        unseen = Unseen(0.0, error.code, str(error))
        return Snapshot(at=at, objects=dict.fromkeys(asked, unseen))
    try:
        with _uncollected(), ThreadPoolExecutor(AT_ONCE) as pool:
            looks = pool.map(lambda kind: _look(connection, kind, clock), asked)
            objects = _believed(dict(zip(asked, looks, strict=True)))
        holders = _holders(connection, objects, clock)
        said = _logs(connection, objects["Pod"], clock) if logs else {}
        return Snapshot(at=clock(), objects=objects, holders=holders, logs=said)
    finally:
        connection.close()


def cluster_of(kubeconfig: Path) -> str:
    """Name the cluster of a kubeconfig's current context; the file's own name where that cannot be told."""
    try:
        content = yaml.load(kubeconfig.read_bytes(), Loader=yaml.CSafeLoader)
        contexts = {item["name"]: item["context"]["cluster"] for item in content["contexts"]}
        return str(contexts[content["current-context"]])
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):  # 2024-02-30 is no day
        return str(kubeconfig)


@contextmanager
def _uncollected() -> Iterator[None]:
    """
    Let the collector rest while objects come by the ten thousand, and never look at them later.

    None of them can be part of a cycle; going through them costs more than diagnosing them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _believed(looks: dict[str, Look | _NotInstalled]) -> dict[str, Look]:
    """Take a kind for empty where it is not installed, but only if the same API listed anything at all."""
    listed = any(isinstance(look, Seen) for look in looks.values())
    return {kind: _of_not_installed(look, listed=listed) for kind, look in looks.items()}


def _of_not_installed(look: Look | _NotInstalled, *, listed: bool) -> Look:
    if not isinstance(look, _NotInstalled):
        return look
    return Seen({}, look.at) if listed else Unseen(0.0, ODD, NO_API)


def _look(connection: Connection, kind: str, clock: Callable[[], float]) -> Look | _NotInstalled:
    look: list[Look | _NotInstalled] = []
    with outliving(lambda why: look.append(Unseen(0.0, ODD, why))):
        look.append(_list(connection, kind, clock))
    return look[0]


def _list(connection: Connection, kind: str, clock: Callable[[], float]) -> Look | _NotInstalled:
    at = clock()
    try:
        return Seen(Lister(connection, kind).list().objects, at)
    except NotInstalledError:
        return _NotInstalled(at)
    except (RefusedError, UnansweredError) as error:
        return Unseen(0.0, code_of(error), str(error))


def _holders(
    connection: Connection, objects: dict[str, Any], clock: Callable[[], float]
) -> Holders:
    namespaces, crds = objects["Namespace"], objects["CustomResourceDefinition"]
    going = terminating(
        namespaces.value if isinstance(namespaces, Seen) else {},
        crds.value if isinstance(crds, Seen) else {},
    )
    found: Holders = {}
    api = Api(connection)
    discovery = Discovery(api)
    for what in going:
        found.update(look_at(what, api, discovery, clock(), 0.0))
    return found


def _logs(connection: Connection, pods: Seen[Objects] | Unseen, clock: Callable[[], float]) -> Logs:
    return look_at_all(Api(connection), pods.value if isinstance(pods, Seen) else {}, clock)
