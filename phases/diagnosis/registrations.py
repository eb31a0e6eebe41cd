"""
Which configuration asked for a webhook that could not be called.

A webhook's name is unique within its configuration alone: two releases of one chart bring the same name twice, and one
may be dead while the other serves. The API server says where it called (kubernetes v1.36, apiserver pkg/util/webhook/
client.go): ``https://NAME.NAMESPACE.svc:PORT/PATH`` of the Service, or the configuration's own URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.answer import Subject
from phases import codes
from phases.diagnosis.backends import ABSENT, EMPTY, SERVED, backend_of
from phases.diagnosis.scene import Scene
from phases.more_objects import Webhook, WebhookConfiguration

CONFIGURATIONS: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
PORT: Final = "443"  # where neither a Service's reference nor a URL says another
_URL = r'https://(\[[^]"]*\]|[^/":?\s]+)(?::(\d+))?/?([^"?\s]*)'
CALLED: Final = re.compile(f'Post "{_URL}')
URL: Final = re.compile(_URL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook is called; without the query, which is the time-out's."""

    host: str
    port: str
    path: str


@dataclass(frozen=True, slots=True)
class Registration:
    """One webhook of one configuration."""

    kind: str
    configuration: WebhookConfiguration
    webhook: Webhook

    @property
    def subject(self) -> Subject:
        """The configuration."""
        return codes.subject(self.kind, self.configuration.metadata.name)

    @property
    def address(self) -> Address:
        """Where the API server calls it."""
        client = self.webhook.client_config
        if client.service is None:
            return _address(URL.search(client.url)) or Address("", "", "")
        service = client.service
        host = f"{service.name}.{service.namespace}.svc"
        return Address(host, str(service.port or PORT), service.path.strip("/"))

    def backend(self, scene: Scene) -> str:
        """Say whether anybody answers there, as ``backend_of`` does; empty outside of the cluster."""
        service = self.webhook.client_config.service
        return "" if service is None else backend_of(scene, service)


def registrations(scene: Scene, kinds: Iterable[str] = CONFIGURATIONS) -> Iterator[Registration]:
    """Everything that the API server has to ask somebody about."""
    for kind in kinds:
        for found in scene.of(kind).values():
            for webhook in found.webhooks:
                yield Registration(kind, found, webhook)


def by_name(found: Iterable[Registration]) -> Mapping[str, Sequence[Registration]]:
    """Sort registrations by their webhook's name, which several may share."""
    known: dict[str, list[Registration]] = {}
    for one in found:
        known.setdefault(one.webhook.name, []).append(one)
    return known


def called(
    scene: Scene, known: Sequence[Registration], said: str, *, unanswered: bool = True
) -> list[Registration]:
    """
    Return which registrations of one name a failed call may have been for, by what the API server *said* of it.

    None: whoever asked for it is gone, or asks elsewhere by now. Several: nothing tells them apart. *unanswered*:
    nobody was there, which is told of one without a backend rather than of one that serves.
    """
    where = _address(CALLED.search(said))
    if where is not None:
        known = [one for one in known if one.address.host == where.host]
        known = [one for one in known if one.address == where] or known
    # One that may be ignored has refused nobody.
    known = [one for one in known if one.webhook.failure_policy == "Fail"] or known
    dead = [one for one in known if unanswered and one.backend(scene) in {ABSENT, EMPTY}]
    return dead or list(known)


def are_one(scene: Scene, found: Sequence[Registration]) -> bool:
    """Say whether registrations stand or fall together: they are called at one address, and nobody serves it."""
    addresses = {one.address for one in found}
    return len(addresses) == 1 and all(one.backend(scene) != SERVED for one in found)


def _address(found: re.Match[str] | None) -> Address | None:
    return None if found is None else Address(found[1], found[2] or PORT, found[3].strip("/"))
