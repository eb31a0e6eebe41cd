"""
Whether something is there, as far as the system lets us look.

``Path.exists`` and its like raise where a folder may not be entered or a name is too long, and say no in later
versions of Python. Neither will do: what may not be looked at is neither there nor absent, and whoever opens it hears
the system's own reason.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


def home() -> Path:
    """Return the user's home. Where nobody knows it, as of a container's bare number, a ``~`` with nothing below it."""
    return Path(os.path.expanduser("~"))  # noqa: PTH111  ``Path.home`` raises then


def lacking(path: Path) -> str:
    """Say why nothing can be had from there; empty where something is."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except OSError as error:
        return f"cannot be looked at: {error.strerror or error}"
    except ValueError:  # it has a NUL, which only a file of YAML can bring
        return "cannot be the name of a file"
    return ""


def is_there(path: Path) -> bool:
    """Say whether something is surely there."""
    return not lacking(path)


def is_folder(path: Path) -> bool:
    """Say whether it is surely a folder."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def is_special(path: Path) -> bool:
    """Say whether it is surely neither a file nor a folder: a device, a pipe, a socket."""
    mode = _mode(path)
    return bool(mode) and not (stat.S_ISREG(mode or 0) or stat.S_ISDIR(mode or 0))


def may_be_there(path: Path) -> bool:
    """Say whether something is there, or may be: nobody can look."""
    return _mode(path) is not None


def may_be_file(path: Path) -> bool:
    """Say whether it is a file, or may be one: nobody can look."""
    mode = _mode(path)
    return mode is not None and (mode == 0 or stat.S_ISREG(mode))


def _mode(path: Path) -> int | None:
    """Return its mode; None: nothing is there; 0: nobody can look."""
    try:
        return path.stat().st_mode
    except OSError as error:
        return None if error.errno in _ABSENT else 0
    except ValueError:
        return None
