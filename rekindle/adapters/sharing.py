"""
The words that thousands of objects have in common, kept once.

A decoder makes every text anew: of ten thousand pods the word "True" forty thousand times, and each costs as much as a
struct. What is replaced is equal to what it replaces, and nobody has seen the object yet.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import force_setattr

if TYPE_CHECKING:
    from phases.objects import Pod

_OF_CONDITIONS: Final = ("type", "status", "reason")


def shared(pod: Pod) -> Pod:
    """Return the same pod; its phase, node, namespace and conditions share their words with all others."""
    _share(pod.metadata, ("namespace",))
    _share(pod.spec, ("node_name",))
    _share(pod.status, ("phase",))
    for condition in pod.status.conditions:
        _share(condition, _OF_CONDITIONS)
    return pod


def _share(struct: Any, names: tuple[str, ...]) -> None:  # noqa: ANN401  any struct
    for name in names:
        force_setattr(struct, name, intern(getattr(struct, name)))
