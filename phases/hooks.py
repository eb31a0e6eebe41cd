"""
Webhooks without which objects are not applied: who must answer first, by the kinds and namespaces of what is made.

Only what is certain: failurePolicy Fail, a Service whose workload is known, and selectors that can be evaluated, by the
labels that are known. A webhook that chooses by expressions (matchConditions) is left out, for nobody here reads those.
Source: kubernetes v1.36, apiserver pkg/admission/plugin/webhook (predicates/rules, predicates/namespace, and generic).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.answer import Subject
from phases import codes
from phases.kinds import Where
from phases.more_objects import Requirement, Selector, Webhook, WebhookConfiguration

CONFIGURATIONS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
NAME_LABEL = "kubernetes.io/metadata.name"  # which the API server gives to every namespace
ADMISSION = "admissionregistration.k8s.io"
NAMESPACES = "namespaces."
ALL = Selector()
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hook:
    """
    A webhook: the workload behind it, what brings it, and what it is asked about when it is made.

    *resources*: ``PLURAL.GROUP``, each of which may be ``*``. *in_namespaces*: of these only what is in a namespace.
    """

    backend: Subject
    owner: Subject
    resources: frozenset[str]
    namespaces: Selector
    objects: Selector = ALL
    in_namespaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hooks:
    """All of them, and the labels of the namespaces that are known."""

    found: tuple[Hook, ...] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)

    def needs(self, subject: Subject, held: Mapping[str, Iterable[Where]]) -> list[Subject]:
        """Name the workloads that must answer before *held* can be applied: where it is, by its resource."""
        named = [(_patterns(name), name, places) for name, places in held.items()]
        backends = {
            hook.backend
            for hook in self.found
            if hook.owner != subject
            for patterns, name, places in named
            if not hook.resources.isdisjoint(patterns)
            and any(self._is_asked(hook, name, patterns, place) for place in places)
        }
        return sorted(backends)

    def _is_asked(self, hook: Hook, name: str, patterns: frozenset[str], where: Where) -> bool:
        """Say whether a webhook is certainly asked about an object of a resource."""
        namespace, labels = (where, None) if isinstance(where, str) else where
        if not namespace and hook.resources.isdisjoint(patterns - hook.in_namespaces):
            return False
        chosen = labels is not None and _fits(hook.objects, dict(labels))
        return (hook.objects == ALL or chosen) and self._is_within(hook, name, namespace)

    def _is_within(self, hook: Hook, name: str, namespace: str) -> bool:
        """Say whether a namespace is chosen. What is in none is chosen by none, but a namespace by its own labels."""
        if hook.namespaces == ALL:
            return True
        if not namespace:
            return name != NAMESPACES
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
        Hook(
            backend,
            owner,
            asked[0],
            webhook.namespace_selector,
            webhook.object_selector,
            asked[1],
        )
        for configuration, owner in configurations
        for webhook in configuration.webhooks
        if (asked := _resources(webhook))[0] and (backend := _backend(webhook, owner, items))
    )
    return Hooks(tuple(found), labels)


def _resources(webhook: Webhook) -> tuple[frozenset[str], frozenset[str]]:
    """
    Name the resources whose making a webhook may refuse, and those of them that it is asked about in namespaces alone.

    A rule for what is in no namespace is left out: a manifest without one may yet get one.
    """
    everywhere, within = set[str](), set[str]()
    for rule in webhook.rules if _is_strict(webhook) else ():
        exact = webhook.match_policy == "Exact" and "*" not in rule.api_versions
        if {"CREATE", "*"}.isdisjoint(rule.operations) or exact or rule.scope == "Cluster":
            continue
        found = within if rule.scope == "Namespaced" else everywhere
        for resource in rule.resources:
            plural, _, part = resource.partition("/")
            if part in {"", "*"}:  # all parts of it: also the whole
                found.update(f"{plural}.{group}" for group in rule.api_groups)
    return frozenset(everywhere | within), frozenset(within - everywhere)


def _is_strict(webhook: Webhook) -> bool:
    return webhook.failure_policy == "Fail" and not webhook.match_conditions


def _patterns(name: str) -> frozenset[str]:
    """Name what rules may call a resource; the API asks no webhook about webhooks and their like."""
    plural, _, group = name.partition(".")
    if group == ADMISSION:
        return frozenset()
    return frozenset((name, f"{plural}.*", f"*.{group}", "*.*"))


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
