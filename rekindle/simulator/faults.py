"""What goes wrong in a simulated world besides its scenario: plain values, so that a test can invent them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """
    Faults, explicit or thrown by the seed. Instants are seconds after the start of the scenario.

    *lost_answers* and *lost_requests* name calls as ``verb#N`` (the N-th call of that verb, from 1) or ``verb`` (each):
    the first are done without our learning it, the second never arrive, and both end without an answer.
    *refusals* (``verb#N``) are certain, transient refusals. The rates do the same at random. *unseen* are windows
    ``(node or "api", from, to)`` in which that one cannot be reached from outside. *reboots* are ``(node, at)``, *off*
    ``(node, from, to)``. *command_failures* are ``(command, N)``: it exits 1 the first N times.
    """

    lost_answers: tuple[str, ...] = ()
    lost_requests: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    lost_answer_rate: float = 0.0
    refusal_rate: float = 0.0
    unseen: tuple[tuple[str, float, float], ...] = ()
    reboots: tuple[tuple[str, float], ...] = ()
    off: tuple[tuple[str, float, float], ...] = ()
    etcd_delay: float | None = None
    pod_slowness: float = 1.0
    command_failures: tuple[tuple[str, int], ...] = ()
