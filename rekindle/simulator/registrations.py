"""
Aggregated APIs and admission webhooks: registrations in the API for what is served by somebody else.

They outlive what serves them, as in reality: a dead API keeps every namespace from going (the deleter cannot list all
kinds), a dead webhook with failurePolicy Fail refuses whatever its rules match. Only their backend, or their being
deleted, ends that. Webhooks that answer say yes.
"""

from __future__ import annotations

from collections.abc import Iterable

from phases.more_objects import (
    ApiService,
    ApiServiceSpec,
    ClientConfig,
    EndpointSlice,
    ServiceReference,
    Webhook,
    WebhookConfiguration,
    WebhookRule,
)
from phases.objects import Condition, ConditionsStatus
from rekindle.simulator.api import Api
from rekindle.simulator.events import Loop
from rekindle.simulator.kinds import guess
from rekindle.simulator.labels import SERVICE_NAME
from rekindle.simulator.scenario import AdmissionWebhook, AggregatedApi
from rekindle.simulator.services import SERVICE, SLICE, Services
from rekindle.simulator.shapes import meta_of, with_condition

API_SERVICE = "APIService"
WEBHOOKS = {
    "mutating": "MutatingWebhookConfiguration",  # asked first
    "validating": "ValidatingWebhookConfiguration",
}
NOTICED_SECONDS = 1.0
PORT = 443


class Registrations:
    """The aggregator's controller, and admission: both look at the Service and its endpoints, and at nothing else."""

    def __init__(self, loop: Loop, api: Api, services: Services) -> None:
        self._loop = loop
        self._api = api
        self._services = services
        self._served: dict[str, AggregatedApi] = {}
        self._hooks: dict[tuple[str, str], AdmissionWebhook] = {}

    def register(self, apis: Iterable[AggregatedApi], hooks: Iterable[AdmissionWebhook]) -> None:
        """Put the registrations into the API, whether anybody serves them or not."""
        self._served = {one.name: one for one in apis}
        self._hooks = {(WEBHOOKS[one.type], one.configuration): one for one in hooks}
        all_of_them: tuple[AggregatedApi | AdmissionWebhook, ...] = (
            *self._served.values(),
            *self._hooks.values(),
        )
        for one_of_them in all_of_them:
            if one_of_them.backend:
                self._services.select(one_of_them.service, one_of_them.backend)
        for one in self._served.values():
            version, _, group = one.name.partition(".")
            spec = ApiServiceSpec(group, version, _reference(one.service))
            self._api.create(API_SERVICE, ApiService(meta_of(one.name), spec))
        for (kind, name), hook in self._hooks.items():
            rules = tuple(_rule(resource, hook.operations) for resource in hook.resources)
            client = ClientConfig(_reference(hook.service))
            webhook = Webhook(hook.name, client, hook.policy, rules)
            self._api.create(kind, WebhookConfiguration(meta_of(name), (webhook,)))
        if self._served:
            self._api.watch(SERVICE, lambda key, _old, _new: self._backend_changed(key))
            self._api.watch(SLICE, lambda _key, old, new: self._endpoints_changed(new or old))
            self._check()
        if self._hooks:
            self._api.admission = self._refusal

    def unserved(self) -> list[str]:
        """Return the group versions that discovery cannot tell about."""
        dead = [
            f"{found.spec.group}/{found.spec.version}"
            for found in self._api.all(API_SERVICE).values()
            if any(c.type == "Available" and c.status != "True" for c in found.status.conditions)
        ]
        return sorted(dead)

    # --- aggregated APIs -------------------------------------------------------------------------

    def _backend_changed(self, key: str) -> None:
        if any(one.service == key for one in self._served.values()):
            self._api.later(NOTICED_SECONDS, self._check)

    def _endpoints_changed(self, found: EndpointSlice) -> None:
        name = found.metadata.labels.get(SERVICE_NAME, "")
        self._backend_changed(f"{found.metadata.namespace}/{name}")

    def _check(self) -> None:
        for name, one in self._served.items():
            found: ApiService | None = self._api.get(API_SERVICE, name)
            if found is None:
                continue
            now = self._loop.now
            conditions = with_condition(found.status.conditions, self._available(one), now)
            self._api.update(API_SERVICE, name, status=ConditionsStatus(conditions=conditions))

    def _available(self, one: AggregatedApi) -> Condition:
        namespace, _, name = one.service.partition("/")
        if self._services.answers(one.service):
            return Condition("Available", "True", "Passed", "all checks passed")
        if not self._services.exists(one.service):
            text = f'service/{name} in "{namespace}" is not present'
            return Condition("Available", "False", "ServiceNotFound", text)
        text = f'endpoints for service/{name} in "{namespace}" have no addresses'
        return Condition("Available", "False", "MissingEndpoints", text)

    # --- admission -------------------------------------------------------------------------------

    def _refusal(self, kind: str, namespace: str, operation: str) -> str:
        """Say what the API answers to a request that a dead webhook matches; empty: it is let through."""
        where = guess(kind)
        resource = f"{where.plural}.{where.group}" if where.group else where.plural
        for (configuration, name), hook in self._hooks.items():
            asked = resource in hook.resources and operation in hook.operations
            selected = not hook.namespaces or namespace in hook.namespaces
            there = self._api.get(configuration, name) is not None
            why = self._unreachable(hook) if asked and selected and there else ""
            if why and hook.policy == "Fail":
                return why
        return ""

    def _unreachable(self, hook: AdmissionWebhook) -> str:
        if self._services.answers(hook.service):
            return ""
        namespace, _, name = hook.service.partition("/")
        why = (
            f'no endpoints available for service "{name}"'
            if self._services.exists(hook.service)
            else f'service "{name}" not found'
        )
        url = f"https://{name}.{namespace}.svc:{PORT}/admit?timeout=10s"
        return (
            f'Internal error occurred: failed calling webhook "{hook.name}":'
            f' failed to call webhook: Post "{url}": {why}'
        )


def _reference(service: str) -> ServiceReference:
    namespace, _, name = service.partition("/")
    return ServiceReference(namespace, name, PORT)


def _rule(resource: str, operations: tuple[str, ...]) -> WebhookRule:
    plural, _, group = resource.partition(".")
    return WebhookRule((group,), (plural,), operations)
