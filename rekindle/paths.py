"""Where journals are: one a cluster, under the user's state folder."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from engine.errors import EnvironmentWrong, UsageWrong
from journal import files
from rekindle.typed import command

ENVIRONMENT = "REKINDLE_JOURNAL"
CA_DIGITS = 8
PLAN = "recovery.yaml"  # in the folder where one stands


def state_folder() -> Path:
    """
    ``$XDG_STATE_HOME/rekindle`` or the platform's own place; ours, so 0700.

    :raises EnvironmentWrong: when neither is known, as to a user of a container that is a bare number.
    """
    given = os.environ.get("XDG_STATE_HOME")
    if given:
        return Path(given) / "rekindle"
    from platformdirs import user_state_path  # only who names no journal needs to know

    try:
        return user_state_path("rekindle")
    except RuntimeError as error:
        raise EnvironmentWrong(
            f"nobody knows where journals are: HOME is not set, and user {os.getuid()} has no home in the system",
            reference="home-unknown",
            hint="`export HOME=FOLDER` (or XDG_STATE_HOME), on a local disk that stays; or name --journal FILE",
        ) from error


def journal_for_cluster(cluster: str) -> Path:
    """The journal of a real cluster; the folder is made."""
    return _ours(place_for_cluster(cluster))


def place_for_cluster(cluster: str) -> Path:
    """Where the journal of a real cluster is, or would be; nothing is made."""
    return state_folder() / f"{_file_name(cluster)}.db"


def journal_for_watch(cluster: str, ca: str = "") -> Path:
    """
    The journal of a watch without a plan: whoever recovers that cluster has one of their own.

    Half of all clusters are called ``kubernetes`` in their kubeconfigs: the CA tells them apart.
    """
    name = f"{cluster}-{ca[:CA_DIGITS]}" if ca else cluster
    return _ours(state_folder() / "watches" / f"{_file_name(name)}.db")


def journals_of_watches() -> list[Path]:
    """
    Every journal of a watch without a plan in the state folder.

    :raises JournalFailed: when that cannot be looked into.
    """
    return _journals_in(state_folder() / "watches")


def journal_for_rehearsal(scenario: str) -> Path:
    """The journal of a rehearsal: of the package's by its name, of a file by the file's."""
    name = Path(scenario).stem if scenario.endswith((".yaml", ".yml")) else scenario
    return _ours(state_folder() / "rehearsals" / f"{_file_name(name)}.db")


def given_journal(option: str | None) -> Path | None:
    """The journal that was named, by option or environment."""
    return Path(option).absolute() if option else None


def newest_journal(option: str | None) -> Path:
    """
    The journal that was named, else the one that was written last.

    :raises UsageWrong: when it is not there, or there is none at all.
    :raises JournalFailed: when nobody may look whether it is.
    """
    given = given_journal(option)
    found = given if given is not None else _newest()
    if found is None:
        raise UsageWrong(
            f"there is no journal in {state_folder()}",
            reference="no-journal",
            hint="name one with --journal FILE, or begin: `rekindle rehearse june-12`",
        )
    if not files.is_there(found):
        raise UsageWrong(
            f"there is no journal at {found}",
            reference="no-journal",
            hint=f"check --journal and ${ENVIRONMENT}; {_instead()}",
        )
    return found


def all_journals() -> list[Path]:
    """
    Every journal in the state folder, of clusters before those of watches and rehearsals.

    :raises JournalFailed: when that cannot be looked into: none that was seen is not none.
    """
    folder = state_folder()
    folders = (folder, folder / "watches", folder / "rehearsals")
    return [path for one in folders for path in _journals_in(one)]


def _journals_in(folder: Path) -> list[Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208  names are what is needed
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise files.unreadable(folder, error) from error
    return sorted(folder / name for name in names if name.endswith(".db"))


def _newest() -> Path | None:
    return max(all_journals(), key=_written, default=None)


def _instead() -> str:
    try:
        newest = _newest()
    except EnvironmentWrong:  # what was named is not there either way
        newest = None
    if newest is None:
        return "or begin: `rekindle rehearse june-12`"
    return f"the newest that you have: `{command('status', journal=newest)}`"


def _written(path: Path) -> float:
    """Say when it was written last; what went meanwhile, or may not be looked at, is the oldest."""
    newest = 0.0
    for one in (path, path.with_name(path.name + "-wal")):
        with suppress(OSError):
            newest = max(newest, one.stat().st_mtime)
    return newest


def _ours(path: Path) -> Path:
    """:raises JournalFailed: when a folder of it cannot be made."""
    for folder in (path.parent.parent, path.parent):
        if folder.name in {"rekindle", "rehearsals", "watches"}:
            files.make_folder(folder)
    return path


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:100] or "cluster"
