"""stdout is data, stderr is talk."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any


def print_json(document: dict[str, Any]) -> None:
    """Write one document and a newline."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n")
    sys.stdout.flush()


def print_line(text: str) -> None:
    """Write one line of data."""
    sys.stdout.write(text + "\n")


def tell(text: str) -> None:
    """Say something to the person."""
    with suppress(OSError, ValueError):  # the terminal may be gone; what was said is in the journal
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
