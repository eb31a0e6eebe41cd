"""
What stands between a request and the API: aggregated APIs, and the webhooks that must be asked.

Neither is expected of a cluster, and neither is ever a goal: a fact says only which object it is and what serves it,
so that what a dead one blocks can be decided about. A webhook with failurePolicy Ignore is in nobody's way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from journal.entries import Fact
from phases import codes
from phases.more_objects import ApiService, ServiceReference, WebhookConfiguration
from phases.objects import Meta
from phases.readiness.machinery import api_service

CONFIGURATIONS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
# The labels that Flux's controllers put on what they bring; the family is that of their object's subject.
OWNERS = {
    "helmrelease": "helm.toolkit.fluxcd.io",
    "kustomization": "kustomize.toolkit.fluxcd.io",
}


def api_services(listed: Mapping[str, ApiService]) -> dict[str, Fact]:
    """Judge the aggregated APIs; those that the API server serves itself are left out."""
    made: dict[str, Fact] = {}
    for name, found in listed.items():
        service = found.spec.service
        if service is None:
            continue
        verdict = api_service(found)
        detail = {
            **_identity("APIService", found.metadata),
            "api": f"{found.spec.group}/{found.spec.version}",
            "services": [_key(service)],
        }
        made[codes.subject("APIService", name)] = replace(verdict, detail=detail)
    return made


def configurations(kind: str, listed: Mapping[str, WebhookConfiguration]) -> dict[str, Fact]:
    """Say of each configuration which of its webhooks must answer, and which Service each is called at."""
    made: dict[str, Fact] = {}
    for name, found in listed.items():
        strict = [one for one in found.webhooks if one.failure_policy == "Fail"]
        services = {
            one.name: _key(one.client_config.service) if one.client_config.service else ""
            for one in strict
        }
        detail = {
            **_identity(kind, found.metadata),
            "webhooks": services,
            "services": sorted(filter(None, set(services.values()))),
        }
        going = found.metadata.deletion_timestamp is not None
        code = codes.TERMINATING if going else codes.SEEN
        made[codes.subject(kind, name)] = Fact(code, detail=detail)
    return made


def _identity(kind: str, metadata: Meta) -> dict[str, Any]:
    """Name the object as an action needs it, and the object of Flux that brought it (empty: none says so)."""
    return {
        "kind": kind,
        "name": metadata.name,
        "uid": metadata.uid,
        "owner": _owner(metadata.labels),
    }


def _owner(labels: dict[str, str]) -> str:
    for family, group in OWNERS.items():
        name = labels.get(f"{group}/name")
        if name:
            return codes.subject(family, f"{labels.get(f'{group}/namespace')}/{name}")
    return ""


def _key(service: ServiceReference) -> str:
    return f"{service.namespace}/{service.name}"
