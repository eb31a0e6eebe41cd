"""Rights as anybody has them, for tests that root runs as well: a mode says nothing to root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION, _CAPABILITIES = (
    0x20080522,
    0b1110,
)  # linux/capability.h: DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER


@contextmanager
def with_rights_as_anybody() -> Iterator[None]:
    """Let modes count for this thread, and for those that it begins."""
    if os.geteuid() != 0:
        yield
        return
    library = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(_VERSION, 0), (ctypes.c_uint32 * 6)()
    assert library.capget(header, before) == 0
    without = (ctypes.c_uint32 * 6)(*before)
    without[0] &= ~_CAPABILITIES
    assert library.capset(header, without) == 0
    try:
        yield
    finally:
        assert library.capset(header, before) == 0
