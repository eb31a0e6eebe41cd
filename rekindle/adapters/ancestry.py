"""
Whether one commit descends from another, asked of the operator's clone.

Nothing is written into the clone. Where it has not got the newer of the two, which is so after a push from elsewhere,
that one is fetched from the clone's own remotes, its objects into a folder that goes again, and the older with it if it
is of its history. All of that history without the older is the proof of the contrary. A clone that is shallow cannot
tell: no ancestor found is then no proof that there is none. So the whole history of the newer one, of commits alone
where the remote can do that, is fetched into a repository of its own, which goes again as well.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.world import INVALID
from phases.revisions import DESCENDS, REWRITTEN, UNTOLD
from rekindle.adapters import settling
from rekindle.adapters.programs import Answer, ProgramFailed, ask

if TYPE_CHECKING:
    from engine.world import Intent, Settlement

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# git of a repository that was left in the middle of something must neither wait for a lock nor ask anybody.
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "SSH_ASKPASS_REQUIRE": "never",
}
# A commit-graph knows commits that are there no more.
_EACH_READ = ("-c", "core.commitGraph=false", "rev-list", "--quiet")
# No ref is made, nothing pruned or tidied up: of the clone itself not a byte is written.
_PLAIN_FETCH = (
    *("-c", "fetch.writeCommitGraph=false", "fetch", "--quiet", "--refmap=", "--no-tags"),
    *("--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--no-prune"),
)
_SHORT = 12
_SHA256 = 64
# Of the action's deadline, for a look into the clone, and for all that goes over the network.
LOOK_SHARE, FETCH_SHARE = 0.05, 0.6
WHOLE_SHARE = 0.4  # a shallow clone takes more looks
NOWHERE_ELSE: Mapping[str, str] = {}
# `git rev-parse --local-env-vars`, by their beginnings (git 2.39).
_LEADS = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)


def ancestry(intent: Intent) -> Settlement:
    """Settle ``git.ancestry``: descends, rewritten, or untold with why."""
    old, new = str(intent.arguments["old"]), str(intent.arguments["new"])
    if not (_COMMIT.fullmatch(old) and _COMMIT.fullmatch(new)):
        return settling.failed(intent, INVALID, why="these are no commits")
    tree = Path(str(intent.arguments["repository"]))
    try:
        return _asked(intent, tree, old, new)
    except ProgramFailed as error:
        return settling.done(intent, UNTOLD, why=str(error))
    except OSError as error:
        return settling.done(intent, UNTOLD, why=f"no room to ask git: {error.strerror}")


def _asked(intent: Intent, tree: Path, old: str, new: str) -> Settlement:
    cut = _git(intent, tree, "rev-parse", "--is-shallow-repository")
    if cut.code:
        return settling.done(intent, UNTOLD, why=f"{tree} is no repository")
    shallow = cut.stdout.strip() != b"false"
    here = _told(intent, tree, old, new, shallow=shallow) if _has(intent, tree, new) else None
    if here is not None and (here.code != UNTOLD or not shallow):
        return here
    if shallow:
        lacks = f"{tree} has no commit {new[:_SHORT]}, and is shallow"
        return _of_whole(intent, tree, old, new) or here or _untold(intent, lacks)
    with tempfile.TemporaryDirectory(prefix="rekindle-git-") as folder:
        beside = _beside(intent, tree, Path(folder))
        if not _fetched(intent, tree, new, _PLAIN_FETCH, beside, FETCH_SHARE):
            return _untold(
                intent, f"{tree} has no commit {new[:_SHORT]}, and no remote of it gives that"
            )
        return _told(intent, tree, old, new, shallow=False, beside=beside)


def _untold(intent: Intent, why: str) -> Settlement:
    return settling.done(intent, UNTOLD, why=why)


def _of_whole(intent: Intent, tree: Path, old: str, new: str) -> Settlement | None:
    """
    Ask a repository of its own, which has the remotes of *tree* and what leads to them; None: none of them gives it.

    Fetched into a shallow clone, or beside it, the history would end where that one's does.
    """
    with tempfile.TemporaryDirectory(prefix="rekindle-git-") as folder:
        alone = {"GIT_DIR": folder}
        form = "sha256" if len(new) == _SHA256 else "sha1"
        _git(intent, tree, "init", "--bare", "--quiet", f"--object-format={form}", folder)
        path = _git(intent, tree, "rev-parse", "--path-format=absolute", "--git-path", "config")
        config = os.fsdecode(path.stdout.rstrip(b"\n"))
        words = ("-c", f"include.path={config}", *_PLAIN_FETCH, "--filter=tree:0")
        if not _fetched(intent, tree, new, words, alone, WHOLE_SHARE):
            return None
        return _told(intent, tree, old, new, shallow=False, beside=alone)


def _told(
    intent: Intent,
    tree: Path,
    old: str,
    new: str,
    *,
    shallow: bool,
    beside: Mapping[str, str] = NOWHERE_ELSE,
) -> Settlement:
    """
    Ask where the newer one is by now.

    Where the older is nowhere it is no ancestor, if nothing of the newer one's history is missing.
    """
    there = _has(intent, tree, old, beside)
    words = ("merge-base", "--is-ancestor", old, new) if there else (*_EACH_READ, new)
    found = _git(intent, tree, *words, more=beside)
    if there and found.code == 0:
        return settling.done(intent, DESCENDS)
    if found.code != (1 if there else 0) or shallow:
        why = "the clone is shallow" if shallow else f"git ended with {found.code}"
        return settling.done(intent, UNTOLD, why=why)
    return settling.done(intent, REWRITTEN)


def _has(intent: Intent, tree: Path, commit: str, beside: Mapping[str, str] = NOWHERE_ELSE) -> bool:
    return not _git(intent, tree, "cat-file", "-e", f"{commit}^{{commit}}", more=beside).code


def _beside(intent: Intent, tree: Path, folder: Path) -> dict[str, str]:
    """Let git read the clone's objects, and write its new ones into *folder*."""
    words = ("rev-parse", "--path-format=absolute", "--git-path", "objects")
    objects = os.fsdecode(_git(intent, tree, *words).stdout.rstrip(b"\n"))
    quoted = objects.replace("\\", "\\\\").replace('"', '\\"')
    return {
        "GIT_OBJECT_DIRECTORY": str(folder),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"',
    }


def _fetched(
    intent: Intent,
    tree: Path,
    commit: str,
    words: tuple[str, ...],
    beside: Mapping[str, str],
    share: float,
) -> bool:
    """Fetch one commit with its history from whatever remote has it; what they say is told to nobody."""
    remotes = _git(intent, tree, "remote").stdout.decode(errors="surrogateescape").split()
    return any(
        _fetched_from(intent, tree, (*words, name, commit), beside, share / len(remotes))
        for name in remotes
    )


def _fetched_from(
    intent: Intent, tree: Path, words: tuple[str, ...], beside: Mapping[str, str], share: float
) -> bool:
    try:
        return not _git(intent, tree, *words, share=share, more=beside).code
    except ProgramFailed:
        return False  # one that hangs is one that does not tell; another may


def _git(
    intent: Intent,
    tree: Path,
    *words: str,
    share: float = LOOK_SHARE,
    more: Mapping[str, str] = NOWHERE_ELSE,
) -> Answer:
    environment = {**without_git(os.environ), **_QUIET, **more}
    seconds = intent.deadline_seconds * share
    return ask(["git", "-C", str(tree), *words], seconds=seconds, environment=environment)


def without_git(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would lead git to another repository than the one named: a hook has it set, and an alias."""
    return {name: value for name, value in environment.items() if not name.startswith(_LEADS)}
