"""
Webhooks without which objects are not applied: who must answer first, by the kinds and namespaces of what is made.

Only what is certain: rules that name custom kinds (no ``*``), failurePolicy Fail, a Service whose workload is known. A
webhook that chooses by labels of objects or by expressions is left out, for nobody here reads those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.answer import Subject
from phases import codes
from phases.more_objects import Requirement, Selector, Webhook, WebhookConfiguration

CONFIGURATIONS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
NAME_LABEL = "kubernetes.io/metadata.name"  # which the API server gives to every namespace
ALL = Selector()
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook: the workload behind it, what brings it, and what it is asked about when it is made."""

    backend: Subject
    owner: Subject
    crds: frozenset[str]
    namespaces: Selector


@dataclass(frozen=True, slots=True)
class Hooks:
    """All of them, and the labels of the namespaces that are known."""

    found: tuple[Hook, ...] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)

    def needs(self, subject: Subject, held: Mapping[str, Iterable[str]]) -> list[Subject]:
        """Name the workloads that must answer before *held* can be applied: namespaces by the name of their CRD."""
        backends = {
            hook.backend
            for hook in self.found
            if hook.owner != subject
            for name in hook.crds & held.keys()
            if any(self._is_asked(hook, namespace) for namespace in held[name])
        }
        return sorted(backends)

    def _is_asked(self, hook: Hook, namespace: str) -> bool:
        """Say whether a webhook is asked about a namespace; what is in none is chosen by none."""
        if not namespace or hook.namespaces == ALL:
            return True
        labels = self.labels.get(namespace)
        return labels is not None and _fits(hook.namespaces, {**labels, NAME_LABEL: namespace})


def hooks_of(
    configurations: Iterable[tuple[WebhookConfiguration, Subject]],
    workloads: Iterable[Mapping[str, Any]],
    labels: Mapping[str, Labels],
) -> Hooks:
    """*configurations*: each with what brings it. *workloads*: items of an inventory."""
    items = tuple(workloads)
    found = (
        Hook(backend, owner, crds, webhook.namespace_selector)
        for configuration, owner in configurations
        for webhook in configuration.webhooks
        if (crds := frozenset(_crds(webhook))) and (backend := _backend(webhook, owner, items))
    )
    return Hooks(tuple(found), labels)


def _crds(webhook: Webhook) -> Iterator[str]:
    """Name the CRDs of the kinds whose making a webhook may refuse."""
    chosen = webhook.object_selector != ALL or webhook.match_conditions
    if webhook.failure_policy != "Fail" or chosen:
        return
    for rule in webhook.rules:
        if {"CREATE", "*"}.isdisjoint(rule.operations):
            continue
        for group in rule.api_groups:
            yield from (f"{plural}.{group}" for plural in rule.resources)


def _backend(webhook: Webhook, owner: Subject, workloads: tuple[Mapping[str, Any], ...]) -> Subject:
    """Name the workload of the Service's name, else the only one that its owner brings; empty where neither is told."""
    service = webhook.client_config.service
    if service is None:
        return ""
    key = f"{service.namespace}/{service.name}"
    found = [item for item in workloads if item["key"] == key]
    found = found or [item for item in workloads if owner and item["owner"] == owner]
    return codes.subject(found[0]["kind"], found[0]["key"]) if len(found) == 1 else ""


def _fits(selector: Selector, labels: Labels) -> bool:
    equal = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return equal and all(_holds(one, labels) for one in selector.match_expressions)


def _holds(one: Requirement, labels: Labels) -> bool:
    match one.operator:
        case "In":
            return labels.get(one.key) in one.values
        case "NotIn":
            return labels.get(one.key) not in one.values
        case "Exists":
            return one.key in labels
        case _:
            return one.key not in labels
