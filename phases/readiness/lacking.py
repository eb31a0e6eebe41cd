"""
What a failed attempt says about what is not there, or does not answer: in the controllers' own words.

Secrets and ConfigMaps are never listed, so that what is missing is read from those who miss it: kustomize-controller
(decryption: internal/decryptor/decryptor.go; substitution: fluxcd/pkg kustomize/kustomize_varsub.go), helm-controller
(fluxcd/pkg chartutil/values.go), source-controller (1.9.1 internal/controller/*_controller.go,
internal/helm/getter/client_opts.go; fluxcd/pkg runtime/secrets/reader.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from phases.objects import Condition

SUBSTITUTE: Final = re.compile(r"substitute from '(Secret|ConfigMap)/([^']+)' error: .*not found")
DECRYPTION: Final = re.compile(r"decryption Secret '([^']+)': .*not found")
# From 1.9 on, the controller says no more than what the API said.
BARE: Final = re.compile(r'^secrets? "([^"]+)" not found$', re.IGNORECASE)
VALUES: Final = re.compile(
    r"could not resolve (?:optional )?(Secret|ConfigMap) chart values reference '([^']+)'"
    r"(?: with key '([^']+)')?: (.*)",
    re.DOTALL,
)
# Each of its callers puts words of its own before it; the key in quotes is always the Secret's.
CREDENTIAL: Final = re.compile(
    r"\bsecret '([^'/]+/[^']+)'(?:: failed to get secret '[^']+')?(?:: secrets? \"[^\"]+\")? not found"
)
NO_KEY: Final = "key not found"
# What for.
TO_READ, TO_SUBSTITUTE, TO_DECRYPT = "values", "substitution", "decryption"
TO_FETCH = "credentials"
# Nobody was there, by name or by address (Go's net); what is refused or not found has been reached.
UNREACHED: Final = re.compile(
    r"no such host|server misbehaving|lookup \S+.*timeout|connection refused|no route to host"
    r"|network is unreachable|i/o timeout|deadline exceeded"
)
IN_CLUSTER: Final = re.compile(r"\b([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    An object that a failed attempt asked for in vain, *key* is ``namespace/name``, and what for.

    *is_there*: it lacks only the key *part* (empty: which one was not said).
    """

    purpose: str
    kind: str
    key: str
    part: str = ""
    is_there: bool = False


def asked(ready: Condition, namespace: str) -> Asked | None:
    """Return what an object of *namespace* did not find, by its failed attempt; None: nothing is said to be missing."""
    if ready.reason == "ValuesError":
        said = VALUES.search(ready.message)
        if said is None or not said[4].endswith("not found"):
            return None
        is_there = said[4] == NO_KEY
        return Asked(TO_READ, said[1], said[2], (said[3] or "") if is_there else "", is_there)
    if ready.reason == "AuthenticationFailed":
        said = CREDENTIAL.search(" ".join(ready.message.split()))
        return Asked(TO_FETCH, "Secret", said[1]) if said is not None else None
    if ready.reason != "BuildFailed":
        return None
    line = " ".join(ready.message.split())
    if said := SUBSTITUTE.search(line):
        return Asked(TO_SUBSTITUTE, said[1], f"{namespace}/{said[2]}")
    if said := DECRYPTION.search(line):
        return Asked(TO_DECRYPT, "Secret", said[1])
    said = BARE.search(line)
    return Asked(TO_DECRYPT, "Secret", f"{namespace}/{said[1]}") if said is not None else None


def lacked(ready: Condition, namespace: str) -> str:
    """Name the object that was not found, as ``Kind/namespace/name``; empty: none is said to be missing."""
    found = asked(ready, namespace)
    # Of a key that is not in it nobody is ever told that it came.
    return "" if found is None or found.is_there else f"{found.kind}/{found.key}"


def unreached(message: str) -> bool:
    """Say whether what was called was not there at all."""
    return UNREACHED.search(message) is not None


def backend_in(message: str) -> str:
    """Name the Service of this cluster that was called in vain, as ``namespace/name``; empty: none is named."""
    said = IN_CLUSTER.search(message) if unreached(message) else None
    return f"{said[2]}/{said[1]}" if said is not None else ""
