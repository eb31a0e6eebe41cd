"""
Kinds without a rule of their own, judged as kstatus does (cli-utils, pkg/kstatus/status/{generic,status}.go).

The order matters, and the first hit wins. kstatus never calls Ready=False a failure, and calls what says nothing
Current: "nothing says otherwise" is all that Ready means here. A ``healthCheckExprs`` of a Kustomization may say
otherwise; only its controller evaluates it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from journal.entries import Fact
from phases.codes import FAILED, PROGRESSING, READY
from phases.objects import Condition, Meta, condition
from phases.readiness.saying import (
    absent,
    failed,
    is_stale,
    is_true,
    since_of,
    terminating,
    text_of,
)

NOTHING_SAYS_OTHERWISE = "nothing says otherwise"


class HasMeta(Protocol):
    """Any object of the API."""

    @property
    def metadata(self) -> Meta:
        """What every object has."""


def existing(found: HasMeta | None) -> Fact:
    """Judge what is ready by being there, observed: CronJob, Secret, ConfigMap, PodDisruptionBudget."""
    return absent() if found is None else _common(found) or Fact(READY)


def generic(found: HasMeta | None) -> Fact:
    """Judge an object by what kinds have in common: deletion, generation, Reconciling, Stalled, Ready."""
    if found is None:
        return absent()
    common = _common(found)
    if common is not None:
        return common
    ready = condition(_conditions(found), "Ready")
    if ready is None:
        return Fact(READY, NOTHING_SAYS_OTHERWISE)
    if is_true(ready):
        return Fact(READY)
    return Fact(PROGRESSING, text_of(ready), since_of(ready))


def _common(found: HasMeta) -> Fact | None:
    """Return the verdict of what comes before the rule of any kind."""
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    observed = getattr(getattr(found, "status", None), "observed_generation", 0)
    if is_stale(found.metadata, observed):
        return Fact(PROGRESSING, "the latest generation is not observed")
    for said in _conditions(found):
        if said.type == "Reconciling" and is_true(said):
            return Fact(PROGRESSING, text_of(said), since_of(said))
        if said.type == "Stalled" and is_true(said):
            cause = f"reason:{said.reason}"
            return failed(text_of(said), cause, terminal=True, since=since_of(said))
    return None


def _conditions(found: HasMeta) -> tuple[Condition, ...]:
    return getattr(getattr(found, "status", None), "conditions", ())


def ends_wait(codes: Iterable[str], *, fail_fast: bool) -> bool:
    """
    Say whether Flux stops waiting for objects with these verdicts (fluxcd/pkg ssa/manager_wait.go).

    All well, or nothing but well and failed; with *fail_fast* (health checks; not the stages) at the first failure.
    What is Terminating, Absent or in progress never ends a wait before its timeout.
    """
    found = set(codes)
    if fail_fast and FAILED in found:
        return True
    return found <= {READY, FAILED}
