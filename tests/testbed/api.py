"""
A few lines in place of a Kubernetes client: JSON over HTTPS with a client certificate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from pathlib import Path

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
TIMEOUT_SECONDS = 20.0
NOT_FOUND = 404
CONFLICT = 409
FIRST_ERROR = 400


class ApiError(Exception):
    """
    The API server said no, or (status 0) nothing at all.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Identity:
    """
    Files that a client needs: the CA, its own certificate and key.
    """

    ca: Path
    certificate: Path
    key: Path


class Api:
    """
    One API server and who calls it.
    """

    def __init__(self, server: str, identity: Identity) -> None:
        self._server = server
        self._pool = urllib3.PoolManager(
            ca_certs=str(identity.ca),
            cert_file=str(identity.certificate),
            key_file=str(identity.key),
            retries=False,
            timeout=TIMEOUT_SECONDS,
            maxsize=4,
        )

    def call(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Any:  # noqa: ANN401 - whatever JSON the server sends
        """
        The answer as JSON, or as text when it is none.
        """
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            answer = self._pool.request(method, self._server + path, body=data, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, str(error)) from error
        text = answer.data.decode()
        if answer.status >= FIRST_ERROR:
            raise ApiError(answer.status, text)
        return json.loads(text) if text[:1] in ("{", "[") else text

    def get(self, path: str) -> Any:  # noqa: ANN401 - as call
        """
        The object, or None when there is none.
        """
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def items(self, path: str) -> list[dict[str, Any]]:
        """
        A list's items; empty too when the server does not know the kind.
        """
        return list((self.get(path) or {}).get("items") or [])

    def merge(self, path: str, patch: object, content_type: str = MERGE) -> None:
        """
        Patch an object.
        """
        self.call("PATCH", path, patch, content_type)

    def close(self) -> None:
        """
        Drop the connections.
        """
        self._pool.clear()
