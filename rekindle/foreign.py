"""An import that failed because another distribution has the name of one of our rooms: no bug of ours."""

from __future__ import annotations

from engine.errors import EnvironmentWrong
from rekindle.doctor import packages


def refuse(error: ImportError) -> None:
    """
    Say which package is not ours, if one is not.

    :raises EnvironmentWrong: when one is not.
    """
    found = packages.broken()
    if found:
        raise EnvironmentWrong(
            "; ".join(f"{check.subject} {check.said}" for check in found),
            reference="packages-foreign",
            hint=found[0].todo,
        ) from error
