"""Which resources an API serves, asked once and again when something is not found."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from rekindle.adapters.background import ODD
from rekindle.adapters.connection import Call, UnansweredError
from rekindle.adapters.kubernetes import RefusedError, ResourcePath, decode

if TYPE_CHECKING:
    from rekindle.adapters.kubernetes import Api

_NOT_FOUND = 404


class _Resource(msgspec.Struct, frozen=True):
    """An entry of an APIResourceList."""

    name: str
    kind: str = ""
    namespaced: bool = False
    verbs: tuple[str, ...] = ()


class _Resources(msgspec.Struct, frozen=True):
    """APIResourceList."""

    resources: tuple[_Resource, ...] | None = None


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    """A version of a group."""

    group_version: str = ""
    version: str = ""


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    """An API group."""

    name: str
    preferred_version: _Version = _Version()
    versions: tuple[_Version, ...] = ()


class _Groups(msgspec.Struct, frozen=True):
    """APIGroupList."""

    groups: tuple[_Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Namespaced:
    """The namespaced resources, and the groups (with a version) of which nobody tells what they have."""

    places: tuple[ResourcePath, ...]
    untold: tuple[tuple[str, RefusedError | UnansweredError], ...]


class Discovery:
    """A cache of what the API serves. Safe for many threads: two that miss at once both ask."""

    def __init__(self, api: Api) -> None:
        """Know nothing yet."""
        self._api = api
        self._lock = threading.Lock()
        self._lists: dict[str, tuple[ResourcePath, ...]] = {}

    def through(self, api: Api) -> Discovery:
        """Share what is known, and ask through another Api: one that a deadline bounds."""
        other = copy.copy(self)
        other._api = api  # noqa: SLF001  our own copy
        return other

    def of_kind(self, api_version: str, kind: str) -> ResourcePath | None:
        """Find a kind; one that is not known is looked for again."""
        for fresh in (False, True):
            for found in self._served(api_version, fresh=fresh):
                if found.kind == kind:
                    return found
        return None

    def of_resource(self, group: str, resource: str) -> ResourcePath | None:
        """Find a resource by group and plural name, in the version that the server prefers."""
        for version in self._versions(group):
            for found in self._served(f"{group}/{version}" if group else version):
                if found.resource == resource:
                    return found
        return None

    def namespaced(self) -> Namespaced:
        """
        List the namespaced resources that can be listed, each in one version.

        One dead APIService makes its group, and no other, fail for ever: it is named, and the rest is told. An API
        that does not answer at all is asked no further.
        """
        every = [entry for entry in self._served("v1") if entry.namespaced]
        untold: list[tuple[str, RefusedError | UnansweredError]] = []
        for group in self._groups():
            version = group.preferred_version.group_version
            try:
                every += [entry for entry in self._served(version) if entry.namespaced]
            except (RefusedError, UnansweredError) as error:
                if isinstance(error, UnansweredError) and error.code != ODD:
                    raise
                untold.append((version, error))
        return Namespaced(tuple(every), tuple(untold))

    def _versions(self, group: str) -> list[str]:
        """Return a group's versions, the preferred one first."""
        if not group:
            return ["v1"]
        for found in self._groups():
            if found.name == group:
                preferred = found.preferred_version.version
                others = [v.version for v in found.versions if v.version != preferred]
                return [preferred, *others]
        return []

    def _groups(self) -> tuple[_Group, ...]:
        """Ask for the groups; they change with every CRD, so they are not kept."""
        return decode(self._api.ask(Call("GET", "/apis")), _Groups).groups

    def _served(self, api_version: str, *, fresh: bool = False) -> tuple[ResourcePath, ...]:
        """Return the resources of a version, from memory unless *fresh*."""
        with self._lock:
            if not fresh and api_version in self._lists:
                return self._lists[api_version]
        found = self._ask(api_version)
        with self._lock:
            self._lists[api_version] = found
        return found

    def _ask(self, api_version: str) -> tuple[ResourcePath, ...]:
        """Ask for the resources of a version; one that is not there has none."""
        group, _, version = api_version.rpartition("/")
        root = f"/apis/{api_version}" if group else f"/api/{version}"
        try:
            body = self._api.ask(Call("GET", root))
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return ()
            raise
        return tuple(
            ResourcePath(group, version, entry.name, entry.kind, entry.namespaced)
            for entry in decode(body, _Resources).resources or ()
            if "/" not in entry.name and "list" in entry.verbs
        )
