"""What tests set otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from journal.filesystem import filesystem_of
from journal.stamp import Stamp, host_stamp

Synchronous = Literal["full", "off"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The host's clocks, how its file systems are told apart, and "off", with which a power cut loses entries."""

    stamp: Callable[[], Stamp] = host_stamp
    filesystem: Callable[[Path], str] = filesystem_of
    synchronous: Synchronous = "full"


DEFAULTS: Final = Options()
