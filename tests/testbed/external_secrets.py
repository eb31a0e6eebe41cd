"""
Plays the External Secrets operator while its Deployment has a ready pod and its CRDs exist.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.testbed.api import NOT_FOUND, ApiError

if TYPE_CHECKING:
    from tests.testbed.api import Api

DEPLOYMENT = "/apis/apps/v1/namespaces/external-secrets/deployments/external-secrets"
GROUP = "/apis/external-secrets.io"


class SecretsPlayer:
    """
    A store that has every secret that anybody asks for.
    """

    def step(self, api: Api) -> None:
        """
        One reconciliation of everything.
        """
        deployment = api.get(DEPLOYMENT) or {}
        group = api.get(GROUP)
        if not group or not deployment.get("status", {}).get("readyReplicas"):
            return
        version = f"/apis/{group['preferredVersion']['groupVersion']}"
        for store in api.items(f"{version}/clustersecretstores"):
            if not _is_ready(store):
                path = f"{version}/clustersecretstores/{store['metadata']['name']}"
                status = {"capabilities": "ReadWrite", "conditions": [_ready("Valid", store)]}
                _patch_status(api, path, status)
        for wanted in api.items(f"{version}/externalsecrets"):
            self._sync(api, version, wanted)

    def _sync(self, api: Api, version: str, wanted: dict[str, Any]) -> None:
        metadata, spec = wanted["metadata"], wanted["spec"]
        if metadata.get("deletionTimestamp"):
            return
        name = spec.get("target", {}).get("name") or metadata["name"]
        secrets = f"/api/v1/namespaces/{metadata['namespace']}/secrets"
        digest = hashlib.sha256(str(sorted(metadata.get("labels", {}).items())).encode())
        revision = f"{metadata['generation']}-{digest.hexdigest()[:56]}"
        synced = wanted.get("status", {}).get("syncedResourceVersion") == revision
        if synced and api.get(f"{secrets}/{name}"):
            return
        _create(api, secrets, _secret(name, wanted))
        path = f"{version}/namespaces/{metadata['namespace']}/externalsecrets/{metadata['name']}"
        status = {
            "binding": {"name": name},
            "conditions": [_ready("SecretSynced", wanted) | {"message": "secret synced"}],
            "refreshTime": _now(),
            "syncedResourceVersion": revision,
        }
        _patch_status(api, path, status)


def _secret(name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    owner = {
        "apiVersion": wanted["apiVersion"],
        "kind": "ExternalSecret",
        "name": wanted["metadata"]["name"],
        "uid": wanted["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    keys = [entry["secretKey"] for entry in wanted["spec"].get("data") or []] or ["value"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "labels": {"reconcile.external-secrets.io/managed": "true"},
            "ownerReferences": [owner],
        },
        "data": {key: base64.b64encode(b"testbed").decode() for key in keys},
    }


def _create(api: Api, path: str, body: dict[str, Any]) -> None:
    if not api.get(f"{path}/{body['metadata']['name']}"):
        api.call("POST", path, body)


def _is_ready(thing: dict[str, Any]) -> bool:
    conditions = thing.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _ready(reason: str, thing: dict[str, Any]) -> dict[str, str]:
    for old in thing.get("status", {}).get("conditions") or []:
        if old["type"] == "Ready" and old["status"] == "True":
            return dict(old)
    message = "store validated" if reason == "Valid" else ""
    return {
        "type": "Ready",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": _now(),
    }


def _patch_status(api: Api, path: str, status: dict[str, Any]) -> None:
    """
    Through the status subresource, or where the CRD has none through the object.
    """
    try:
        api.merge(f"{path}/status", {"status": status})
    except ApiError as error:
        if error.status != NOT_FOUND or not api.get(path):
            raise
        api.merge(path, {"status": status})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
