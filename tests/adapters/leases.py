"""The lease of a cluster, as an API server keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rekindle.adapters.cluster_lease import NAME, PATH
from tests.adapters.scripted import Answer, refused

if TYPE_CHECKING:
    from tests.adapters.scripted import Asked, ScriptedApi

ONE = f"{PATH}/{NAME}"


@dataclass
class Stored:
    """A write is of the version that was read, or it is refused."""

    spec: dict[str, Any] | None = None
    version: int = 1
    writes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def holder(self) -> str:
        return str((self.spec or {}).get("holderIdentity", ""))

    def serve(self, scripted: ScriptedApi) -> None:
        scripted.on(ONE, self.get)
        scripted.on(PATH, self.create, method="POST")
        scripted.on(ONE, self.replace, method="PUT")

    def reply(self, asked: Asked) -> Answer:
        """Answer for a server of another kind than a scripted one."""
        return {"GET": self.get, "POST": self.create, "PUT": self.replace}[asked.method](asked)

    def get(self, _asked: Asked) -> Answer:
        if self.spec is None:
            return refused(404)
        metadata = {"name": NAME, "uid": "u", "resourceVersion": str(self.version)}
        return Answer(
            json.dumps({"kind": "Lease", "metadata": metadata, "spec": self.spec}).encode()
        )

    def create(self, asked: Asked) -> Answer:
        return refused(409) if self.spec is not None else self._write(asked)

    def replace(self, asked: Asked) -> Answer:
        body: Any = asked.json()
        if body["metadata"].get("resourceVersion") != str(self.version):
            return refused(409)
        return self._write(asked)

    def _write(self, asked: Asked) -> Answer:
        body: Any = asked.json()
        self.spec, self.version = body["spec"], self.version + 1
        self.writes.append(body["spec"])
        return Answer(asked.body)
