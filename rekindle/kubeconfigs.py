"""Which kubeconfigs are the operator's own: what ``$KUBECONFIG`` names, as kubectl reads it."""

from __future__ import annotations

import os
from pathlib import Path

from rekindle.there import may_be_there


def named() -> list[Path]:
    """Return its files, in order; kubectl passes over names that are empty."""
    return [Path(one) for one in os.environ.get("KUBECONFIG", "").split(os.pathsep) if one]


def first_named() -> Path | None:
    """Return the first that is there, for kubectl passes over what is missing; else the first; None: it names none."""
    files = named()
    return next(filter(may_be_there, files), files[0] if files else None)
