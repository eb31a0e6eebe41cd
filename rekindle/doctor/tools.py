"""The programs that a recovery calls: there or not, and of the version that the machine configurations ask for."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from phases.probing import row_of
from rekindle.adapters import authorities
from rekindle.doctor import needs
from rekindle.doctor.check import Check, Verdict, ok, unknown, warning

if TYPE_CHECKING:
    from phases.section import Command, Notify, Probe, Section
    from rekindle.doctor.host import Host

Version = tuple[int, int]
_VERSION = re.compile(r"\bv(\d{1,3})\.(\d{1,3})\.\d")
_LOWEST_PYTHON = (3, 11)
# https://sqlite.org/changes.html: two connections that reset the write-ahead log at once may lose pages before it.
_CHECKPOINTERS = (3, 51, 3)
# What a program calls in its turn.
_CALLS = {"helmfile": "helm", "talhelper": "talosctl", "topf": "talosctl"}
Which = Callable[[str], str | None]


def rows(
    host: Host, section: Section | None, askers: Mapping[str, Collection[str]] | None = None
) -> list[Check]:
    """
    Look at what is on PATH; the plan says what is called besides.

    *askers*: the commands of the states that ask each probe, as ``phases.probing`` tells them.
    """
    program = section.talos.talosctl if section is not None else "talosctl"
    said = host.said(program, "version", "--client") if host.which(program) else None
    found = [
        talosctl(program, host.which(program), said, wanted_versions(section)),
        renderer(host.which("kubectl"), host.which("kustomize")),
        git(host.which("git")),
        python(sys.version_info[:3]),
        sqlite(sqlite3.sqlite_version_info),
    ]
    for name, command in section.commands.items() if section is not None else ():
        found += command_rows(name, command, host.which)
    for name, probe in section.probes.items() if section is not None else ():
        found += probe_rows(name, probe, host.which, (askers or {}).get(name, ()))
    if section is not None and section.notify is not None:
        found.append(notify(section.notify, host.which))
    return found


def wanted_versions(section: Section | None) -> tuple[Version, ...]:
    """Return the versions of Talos that the machine configurations install, lowest first."""
    found = set()
    for node in section.talos.nodes.values() if section is not None else ():
        try:
            image = authorities.machine_config(Path(node.config)).installer
        except authorities.Unreadable:
            continue
        found |= {version} if (version := version_in(image.rpartition(":")[2])) else set()
    return tuple(sorted(found))


def version_in(text: str | None) -> Version | None:
    """Find the first version in what a program says."""
    match = _VERSION.search(text or "")
    return (int(match[1]), int(match[2])) if match else None


def talosctl(program: str, found: str | None, said: str | None, wanted: Iterable[Version]) -> Check:
    """Judge talosctl: Talos supports a client of a neighbouring minor version."""
    name = "tools.talosctl"
    if found is None:
        todo = "install talosctl in the cluster's version, or name it in the plan: talos.talosctl"
        return Check(name, program, Verdict.RED, "not on PATH", todo, needs.TALOSCONFIG)
    version = version_in(said)
    if version is None:
        return unknown(
            name, program, "does not tell its version", f"try `{program} version --client`"
        )
    told = spelled(version)
    far = [other for other in wanted if other[0] != version[0] or abs(other[1] - version[1]) > 1]
    if far:
        others = ", ".join(map(spelled, far))
        said = f"is {told}, and the machine configurations install {others}"
        return warning(name, program, said, f"install talosctl {spelled(far[-1])}")
    return ok(name, program, told)


def spelled(version: Version) -> str:
    """Write a version as people do."""
    return f"v{version[0]}.{version[1]}"


def renderer(kubectl: str | None, kustomize: str | None) -> Check:
    """Judge what builds the Git tree. No verb of a run needs it; an inventory does."""
    name = "tools.kustomize"
    if kustomize or kubectl:
        return ok(name, "kustomize" if kustomize else "kubectl kustomize", "there")
    todo = "install kustomize or kubectl before `rekindle inventory --from git`; a run goes without"
    return warning(name, "kustomize", "neither kustomize nor kubectl is on PATH", todo)


def git(found: str | None) -> Check:
    """Judge git: without it nobody knows which revision should be reached."""
    if found:
        return ok("tools.git", "git", "there")
    todo = "install git; without it the revision that everything should reach is unknown"
    return warning("tools.git", "git", "not on PATH", todo)


def python(version: tuple[int, ...]) -> Check:
    """Judge the interpreter."""
    told = ".".join(map(str, version))
    if version >= _LOWEST_PYTHON:
        return ok("tools.python", "Python", told)
    todo = "install rekindle anew with Python 3.11 or later: `pipx reinstall --python python3.13 kubectl-rekindle`"
    return warning("tools.python", "Python", f"{told} is too old", todo)


def sqlite(version: tuple[int, ...]) -> Check:
    """Judge SQLite; of ours only one connection ever checkpoints, so that others must not."""
    told = ".".join(map(str, version))
    if version >= _CHECKPOINTERS:
        return ok("tools.sqlite", "SQLite", told)
    said = f"{told}; before 3.51.3 two that checkpoint at once can lose pages, and rekindle's writer is the only one"
    return ok("tools.sqlite", "SQLite", f"{said} while no other tool opens a journal for writing")


def command_rows(name: str, command: Command, which: Which) -> list[Check]:
    """Judge a command of the plan: its program, the files that it names, and what its program calls in its turn."""
    row, program, target = f"tools.command/{name}", command.argv[0], f"command/{name}"
    path = command.environment.get("PATH")
    if said := _absent(command, which):
        todo = f"install {program}, or name it in the plan: commands.{name}.argv"
        return [Check(row, program, Verdict.RED, said, todo, needs.COMMANDS, target)]
    if said := _without_file(command):
        todo = f"mend commands.{name} in the plan (argv, directory), or bring the file back"
        return [warning(row, program, said, todo)]
    needed = _CALLS.get(Path(program).name)
    if needed is not None and path is None and which(needed) is None:
        said = f"calls {needed}, which is not on PATH"
        return [warning(row, program, said, f"install {needed}")]
    return [ok(row, program, "there")]


def probe_rows(
    name: str, probe: Probe, which: Which, commands: Collection[str] = ()
) -> list[Check]:
    """
    Judge a probe of the plan: what it does not tell stays unknown, and *commands* wait for it until their deadline.

    "" is a state that has no command. A probe that no state asks holds nothing up.
    """
    row, program = row_of(name), probe.argv[0]
    mend = f"mend probes.{name} in the plan (argv, directory)"
    if said := _absent(probe, which):
        todo = f"install {program}, or {mend}: until then nobody knows what it asks"
        if not commands:
            return [warning(row, program, said, todo)]
        return [
            Check(row, program, Verdict.RED, said, todo, needs.COMMANDS, f"command/{command}")
            if command
            else Check(row, program, Verdict.RED, said, todo)
            for command in sorted(commands)
        ]
    if said := _without_file(probe):
        return [warning(row, program, said, f"{mend}, or bring the file back")]
    return [ok(row, program, "there")]


def notify(command: Notify, which: Which) -> Check:
    """Judge the command that wakes somebody: without it nobody hears, and the run goes on."""
    program = command.argv[0]
    if "PATH" in command.environment or _there(program, Path(command.directory), which):
        return ok("tools.notify", program, "there")
    todo = f"install {program}, or mend notify.argv in the plan: until then nobody is woken"
    return warning("tools.notify", program, "is not there", todo)


def _absent(command: Command | Probe, which: Which) -> str:
    """Say that a program is not there; empty where it is, or where the plan gives it a PATH of its own."""
    program = command.argv[0]
    named = "PATH" in command.environment or "{" in program  # a node's name is put in later
    if named or _there(program, Path(command.directory), which):
        return ""
    return f"{program} is not there" if "/" in program else f"{program} is not on PATH"


def _without_file(command: Command | Probe) -> str:
    directory = Path(command.directory)
    for word in command.argv[1:]:
        if _is_script(word) and not (directory / word).exists():
            return f"{word} is not in {directory}"
    return ""


def _there(program: str, directory: Path, which: Which) -> bool:
    """A program with a slash is looked for in the command's folder, as the system does."""
    return which(str(directory / program) if "/" in program else program) is not None


def _is_script(word: str) -> bool:
    return not word.startswith("-") and "{" not in word and word.endswith((".sh", ".bash", ".py"))
