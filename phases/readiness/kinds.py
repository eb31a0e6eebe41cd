"""
Kinds that somebody asks for in vain, as controllers say it: the one reading for verdicts, nudges and diagnosis.

Who asks discovery first says ``no matches for kind "K" in version "g/v"`` (kubernetes v1.36, apimachinery
pkg/api/meta/errors.go). Who knew the kind before its CRD went goes on asking for it, and hears a 404 of the API
server instead: ``the server could not find the requested resource (patch widgets.example.com NAME)`` (apimachinery
pkg/api/errors/errors.go), which Flux (fluxcd/pkg ssa/errors/errors.go) and Helm (v4.2 pkg/kube/client.go,
pkg/action/validate.go) lead in with the object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

NO_MATCH = re.compile(r'no matches for kind "([^"]+)" in version "(?:([^"/]+)/)?([^"]+)"')
# The group of a CRD has a dot, and that of what every API server serves has none or is not asked for in vain.
NOT_SERVED = re.compile(
    r"(?:(?P<flux>[A-Z][A-Za-z0-9]*)/\S+ [^:]*: "
    r'|resource (?P<found>[A-Z][A-Za-z0-9]*) "[^"]*" in namespace "[^"]*": '
    r"|\S+/(?P<version>\w+), Kind=(?P<applied>[A-Z][A-Za-z0-9]*): )?"
    r"the server could not find the requested resource "
    r"\(\w+ (?P<plural>[a-z0-9-]+)\.(?P<group>(?:[a-z0-9-]+\.)+[a-z0-9-]+)[ )]"
)


class Unserved(NamedTuple):
    """A kind that is asked for in vain. *kind* or *version* are empty where nobody said them, *crd* likewise."""

    kind: str
    group: str
    version: str
    crd: str


def unserved(message: str) -> Iterator[Unserved]:
    """Read every kind that a message asks for in vain."""
    for said in NO_MATCH.finditer(message):
        yield Unserved(said[1], said[2] or "", said[3], "")
    for said in NOT_SERVED.finditer(message):
        kind = said["flux"] or said["found"] or said["applied"] or ""
        yield Unserved(
            kind, said["group"], said["version"] or "", f"{said['plural']}.{said['group']}"
        )
