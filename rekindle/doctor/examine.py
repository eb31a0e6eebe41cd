"""
All families of checks, side by side: most of their time is waiting for programs to answer.

``doctor`` looks at everything. A run's preflight leaves out what only people need, the rendering (a run applies what is
there) and the journal, which it has open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.doctor import disk, packages
from rekindle.doctor.check import Check, Verdict, cleaned, unknown
from rekindle.doctor.host import Host

if TYPE_CHECKING:
    from phases.section import Section

Askers = Mapping[str, Collection[str]]
Family = tuple[str, Callable[[], list[Check]]]
PACKAGES, SECRETS = "packages", "secrets"
LOOK = "look"  # the row of a family that failed: FAMILY.look
THREADS = 6


def everything(
    host: Host,
    section: Section | None,
    journal: Path,
    allowed: Collection[str] = (),
    askers: Askers | None = None,
) -> tuple[Check, ...]:
    """
    Look at all that can be looked at; *section* is the plan's, None without one, and *allowed* are its verbs.

    *askers*: which commands wait for each of its probes.
    """
    own = packages.rows()
    if packages.broken(own):
        return (*own, _stopped())
    from rekindle.doctor import journal as journals
    from rekindle.doctor import rendering, tools

    families: list[Family] = [
        ("tools", lambda: tools.rows(host, section, askers)),
        *(_of_plan(host, section, allowed) if section is not None else ()),
        *([("machines", lambda: rendering.rows(host, section))] if section is not None else ()),
        ("disk", lambda: disk.rows(host, journal)),
        ("journal", lambda: journals.rows(host, journal)),
    ]
    return cleaned([*own, *_side_by_side(families, allowed)])


def family_of(name: str) -> str:
    """Return the family of a row, by its id."""
    return name.partition(".")[0]


def failed(checks: Collection[Check]) -> frozenset[str]:
    """Name the families that could not be looked at by a mistake of ours: nothing is known of them."""
    return frozenset(
        family_of(check.id) for check in checks if check.id == f"{family_of(check.id)}.{LOOK}"
    )


def preflight(
    host: Host,
    section: Section,
    journal: Path,
    only: Collection[str] | None = None,
    allowed: Collection[str] = (),
    askers: Askers | None = None,
) -> tuple[Check, ...]:
    """
    Look at what a session needs, offline and within seconds.

    *only*: at no other families than these; *allowed*: the verbs that the plan does not forbid anyway; *askers*: which
    commands wait for each probe.
    """
    own = packages.rows() if only is None or PACKAGES in only else []
    if packages.broken(own):
        return tuple(own)
    from rekindle.doctor import tools

    families: list[Family] = [
        ("tools", lambda: tools.rows(host, section, askers)),
        *_of_plan(host, section, allowed),
        ("disk", lambda: disk.rows(host, journal)),
    ]
    wanted = [family for family in families if only is None or family[0] in only]
    return cleaned([*own, *_side_by_side(wanted, allowed)])


def _of_plan(host: Host, section: Section, allowed: Collection[str]) -> list[Family]:
    from rekindle.doctor import access, machines, secrets, tree

    repository = Path(section.repository)
    return [
        ("access", lambda: access.rows(host, section)),
        ("machines", lambda: machines.rows(host, section)),
        (SECRETS, lambda: secrets.rows(host, repository, section.commands, allowed)),
        ("tree", lambda: tree.rows(host, section)),
    ]


def _side_by_side(families: Sequence[Family], allowed: Collection[str]) -> list[Check]:
    def looked_at(family: Family) -> list[Check]:
        return _looked_at(family, allowed)

    with ThreadPoolExecutor(THREADS) as pool:
        return [check for found in pool.map(looked_at, families) for check in found]


def _looked_at(family: Family, allowed: Collection[str]) -> list[Check]:
    """
    Look; a mistake of ours in one family is one row that nobody could tell.

    It forbids nothing but to wipe a node where it was the secrets that nobody looked at: no row says then that they can
    be read, and afterwards it is too late.
    """
    name, rows = family
    try:
        return rows()
    except Exception as error:  # noqa: BLE001  its text may quote a secret: only its class is told
        said = f"could not be looked at: our own mistake ({type(error).__name__})"
        todo = "please report it; what this would have found is not known"
        blocks = _wipes(allowed) if name == SECRETS else frozenset()
        verdict = Verdict.RED if blocks else Verdict.UNKNOWN
        return [Check(f"{name}.{LOOK}", name, verdict, said, todo, blocks)]


def _wipes(allowed: Collection[str]) -> frozenset[str]:
    from rekindle.doctor import needs

    return needs.WIPES & set(allowed)


def _stopped() -> Check:
    said = "not looked at: whatever would look may be of another program"
    todo = "mend the packages first, then look again"
    return unknown("doctor.rest", "everything else", said, todo)
