"""The Git tree: its revision is what everything should reach, and what is not pushed Flux never sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.doctor.check import Check, ok, unknown, warning

if TYPE_CHECKING:
    from phases.section import Section
    from rekindle.doctor.host import Host

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Tree:
    """
    What git says. *revision*: empty where it does not tell; *changed*: paths that no commit has.

    *changed* is None where it does not tell. *unpushed*: commits that the branch's upstream has not, as it was last
    fetched (None: it has no upstream).
    """

    revision: str = ""
    changed: tuple[str, ...] | None = ()
    unpushed: int | None = None


def rows(host: Host, section: Section) -> list[Check]:
    """Ask git; nothing is fetched."""
    repository = Path(section.repository)
    return [
        *judged(str(repository), gathered(host, repository)),
        roots(Path(section.flux.roots), repository),
    ]


def gathered(host: Host, repository: Path) -> Tree:
    """Ask git for the revision, the changes and the distance to the upstream."""
    inside = ("git", "--no-optional-locks", "-C", str(repository))  # not even the index is written
    revision = host.said(*inside, "rev-parse", "HEAD") or ""
    changed = host.said(*inside, "status", "--porcelain", "--", ".")
    ahead = host.said(*inside, "rev-list", "--count", "@{upstream}..HEAD")
    paths = None
    if changed is not None:
        paths = tuple(line.strip().partition(" ")[2].strip() for line in changed.splitlines())
    return Tree(revision, paths, int(ahead) if ahead and ahead.isdigit() else None)


def judged(repository: str, found: Tree) -> list[Check]:
    """Judge what git says."""
    if not found.revision:
        said = "git tells no revision here: what everything should reach is unknown"
        todo = f"`git -C {repository} rev-parse HEAD` says why (no repository, no git, or a foreign owner)"
        return [unknown("tree.revision", repository, said, todo)]
    return [
        ok("tree.revision", repository, found.revision[:12]),
        _changes(repository, found.changed),
        _pushed(repository, found.unpushed),
    ]


def _changes(repository: str, changed: tuple[str, ...] | None) -> Check:
    if changed is None:
        said = "git does not tell in time what is changed here"
        todo = f"look by hand: `git -C {repository} status`"
        return unknown("tree.clean", repository, said, todo)
    if not changed:
        return ok("tree.clean", repository, "no changes")
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    said = f"changed and not committed: {', '.join(changed[:SHOWN])}{more}"
    todo = "commit and push what the cluster should have; Flux reads the remote, not this folder"
    return warning("tree.clean", repository, said, todo)


def _pushed(repository: str, unpushed: int | None) -> Check:
    if unpushed is None:
        said = "the branch has no upstream: whether it was pushed cannot be told"
        todo = f"`git -C {repository} branch -vv` shows it; push, if Flux follows this branch"
        return warning("tree.pushed", repository, said, todo)
    if unpushed:
        todo = "push: Flux never sees what its remote has not"
        said = "1 commit is" if unpushed == 1 else f"{unpushed} commits are"
        return warning("tree.pushed", repository, f"{said} not pushed", todo)
    return ok("tree.pushed", repository, "pushed, as of the last fetch")


def roots(path: Path, repository: Path) -> Check:
    """Judge whether the roots are of the tree whose revision is awaited."""
    name = "tree.roots"
    if path.is_relative_to(repository):
        return ok(name, str(path), "in the repository")
    said = f"not in {repository}: their revision is not the one that is awaited"
    return warning(name, str(path), said, "mend repository or flux.roots in the plan")
