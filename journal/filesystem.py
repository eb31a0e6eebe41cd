"""
Which file systems can hold a journal.

SQLite's locks and its shared memory need one kernel; over a network they seem to work and lose data. We refuse.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from journal.errors import JournalFailed

if TYPE_CHECKING:
    from collections.abc import Callable

_MOUNTS: Final = Path("/proc/self/mountinfo")
_SHARED: Final = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fuse",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb2",
        "smb3",
        "smbfs",
        "virtiofs",
    }
)


def filesystem_of(folder: Path) -> str:
    """Name the type of the file system that holds *folder*, e.g. ``ext4``; empty where the system does not say."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    return _filesystem_in(mounts, folder.resolve())


def _filesystem_in(mounts: list[str], folder: Path) -> str:
    best, found = -1, ""
    for line in mounts:
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:  # noqa: PLR2004  the mount point is the fifth field
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        depth = len(point.parts)
        if depth >= best and (point == folder or point in folder.parents):
            best, found = depth, after.split(" ")[0]
    return found


def is_shared(kind: str) -> bool:
    """Say whether several hosts may write to a file system of this type."""
    return kind in _SHARED or kind.startswith("fuse.")


def refuse_shared(path: Path, filesystem: Callable[[Path], str] = filesystem_of) -> None:
    """Raise ``JournalFailed`` if the journal would live on a network (or FUSE) file system."""
    kind = filesystem(path.parent)
    if is_shared(kind):
        raise JournalFailed(
            f"{path} is on a file system of type {kind}: two hosts could write to it at once, unseen",
            reference="journal-network-filesystem",
            hint="Put the journal on a local disk: --journal PATH, or set XDG_STATE_HOME.",
        )
