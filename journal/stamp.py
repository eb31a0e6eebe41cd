"""
What the writing host's clocks say: columns of each row, besides the world's time in the entry.

The monotonic clock goes on while the host sleeps (where the system offers one that does), so that within one boot the
two clocks together show a jump of the wall clock.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import msgspec


class Stamp(msgspec.Struct, frozen=True):
    """Wall and monotonic nanoseconds, and the boot during which the latter count (empty where it has no id)."""

    wall_ns: int
    monotonic_ns: int
    boot_id: str


@cache
def boot_id() -> str:
    """Name this boot of the host; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def host_stamp() -> Stamp:
    """Read the host's clocks."""
    clock: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Stamp(time.time_ns(), time.clock_gettime_ns(clock), boot_id())
