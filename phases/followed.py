"""
Objects of a kind, look after look: what changes is paid for, and what stays the same is shared.

A look is never changed once it was given away. So fifty thousand pods would be copied for the one that changed, were
not the new look made of the same mapping as the old one and of what has changed in it since.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

Objects = Mapping[str, Any]
FOLLOWED_AT_LEAST = (
    1000  # fewer are copied: that is cheaper than what follows, and reads as fast as a dict
)
CHANGES_PER_BASE = 8  # an eighth of the base may change before all is put together again
Change = tuple[str, Any]


class _Shared:
    """
    A mapping, and what has changed in it since; looks that came one from the other have it in common.

    *base* stays as it is, and the changes only ever grow: who knows how many of them are his own sees the same for
    ever, in whatever thread. *places* says of each key at which of the changes it is.
    """

    __slots__ = ("base", "changes", "places")

    def __init__(self, base: dict[str, Any]) -> None:
        self.base = base
        self.changes: list[Change] = []
        self.places: dict[str, list[int]] = {}

    def find(self, key: str, upto: int) -> Any:  # noqa: ANN401  any kind
        """Return an object as it was after so many changes; None: there is none."""
        places = self.places.get(key)
        if places:
            last = bisect_left(places, upto) - 1
            if last >= 0:
                return self.changes[places[last]][1]
        return self.base.get(key)

    def add(self, key: str, found: object) -> int:
        """Note a change; return by how many objects there are more."""
        before = self.find(key, len(self.changes))
        self.places.setdefault(key, []).append(len(self.changes))
        self.changes.append((key, found))
        return (found is not None) - (before is not None)

    @property
    def is_worn(self) -> bool:
        """Say whether so much has changed that a new base costs no more, change by change, than this one did."""
        return len(self.changes) * CHANGES_PER_BASE >= len(self.base)


class Followed(Mapping[str, Any]):
    """
    Objects of a kind that know which of them changed since an earlier look.

    All that came one from the other share a list of changed keys, and each knows how much of it it has seen: what
    rests on fifty thousand pods is brought up to date by the one that changed. A list that has grown longer than the
    kind is left behind, and the next look shares nothing with the one before.

    A look of many objects is put together as one mapping only when somebody goes through it, in the order in which a
    dict would have it.
    """

    __slots__ = ("_count", "_shared", "_upto", "_whole", "log", "seen")

    def __init__(self, objects: Objects | None = None) -> None:
        """Begin anew."""
        self._begin(dict(objects or {}))
        self.log: list[str] = []
        self.seen = 0

    def _begin(self, whole: dict[str, Any]) -> None:
        """Rest on a mapping of one's own."""
        self._whole: dict[str, Any] | None = whole
        self._shared = _Shared(whole)
        self._upto = 0
        self._count = len(whole)

    def after(self, changes: Iterable[Change]) -> Followed:
        """Return the objects after some changes (None: it is gone); this one stays as it is."""
        made = list(changes)
        fresh = Followed()
        if len(self) < FOLLOWED_AT_LEAST:
            fresh._begin(_changed(self._together(), made))
        else:
            fresh._share(self._basis(), len(self), made)
        if len(self.log) == self.seen and self.seen < max(len(self), FOLLOWED_AT_LEAST):
            fresh.log = self.log
            fresh.log.extend(key for key, _ in made)
            fresh.seen = len(fresh.log)
        return fresh

    def changed_since(self, earlier: object) -> set[str] | None:
        """Return what may differ from an earlier look; None: nobody knows, it may be everything."""
        if not isinstance(earlier, Followed) or earlier.log is not self.log:
            return None
        return set(self.log[earlier.seen : self.seen]) if earlier.seen <= self.seen else None

    def _basis(self) -> _Shared:
        """Return what the next look may go on from: what nobody else has gone on from, or a new beginning."""
        shared = self._shared
        is_last = len(shared.changes) == self._upto
        if self._whole is None and is_last and not shared.is_worn:
            return shared
        return _Shared(
            self._together()
        )  # what was put together anyway lets go of all that was replaced

    def _share(self, shared: _Shared, count: int, made: list[Change]) -> None:
        """Go on from what had so many objects."""
        self._whole, self._shared = None, shared
        self._count = count + sum(shared.add(key, found) for key, found in made)
        self._upto = len(shared.changes)

    def _together(self) -> dict[str, Any]:
        """Return all as one mapping, which nobody may change. Two threads may both make it; it is the same."""
        whole = self._whole
        if whole is None:
            whole = _changed(self._shared.base, self._shared.changes[: self._upto])
            self._whole = whole
        return whole

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401  any kind
        """Return an object, if it is there."""
        whole = self._whole
        if whole is not None:
            return whole.get(key, default)
        found = self._shared.find(key, self._upto)
        return default if found is None else found

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  any kind
        """Return an object that is there."""
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        """Say whether an object is there."""
        return isinstance(key, str) and self.get(key) is not None

    def __len__(self) -> int:
        """Count."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Go through the keys."""
        return iter(self._together())

    def keys(self) -> KeysView[str]:
        """Return the keys; ``in`` this mapping itself asks for one without putting all together."""
        return self._together().keys()

    def values(self) -> ValuesView[Any]:
        """Return the objects."""
        return self._together().values()

    def items(self) -> ItemsView[str, Any]:
        """Return both."""
        return self._together().items()

    def __repr__(self) -> str:
        """Show it as a dict would."""
        return repr(self._together())


def _changed(base: dict[str, Any], made: Iterable[Change]) -> dict[str, Any]:
    """Return a copy with changes."""
    whole = dict(base)
    for key, found in made:
        if found is None:
            whole.pop(key, None)
        else:
            whole[key] = found
    return whole
