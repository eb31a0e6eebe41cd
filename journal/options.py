"""What rehearsals and tests set otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from journal.filesystem import filesystem_of
from journal.stamp import Stamp, host_stamp

Synchronous = Literal["full", "normal", "off"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """
    The host's clocks, how its file systems are told apart, and what a commit has to survive.

    *synchronous* "full": a power cut (every run of a real cluster). "normal": the end of every process; a power cut
    loses the newest entries and damages nothing (rehearsals: the simulated cluster is gone then as well). "off": tests.
    """

    stamp: Callable[[], Stamp] = host_stamp
    filesystem: Callable[[Path], str] = filesystem_of
    synchronous: Synchronous = "full"


DEFAULTS: Final = Options()
REHEARSAL: Final = Options(synchronous="normal")
