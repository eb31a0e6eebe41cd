"""
One description of the nodes of several: which, and why; or a refusal that lists them.

Two of one tool are two clusters, or one that is stale: nothing here can say which. Of one cluster described by two
tools (a repository on its way from talhelper to topf) either will do as long as both say the same of its nodes.
"""

from __future__ import annotations

from engine.errors import UsageWrong
from rekindle.adopting import talhelper, template, topf
from rekindle.adopting.found import Found, is_talhelper, is_topf, names_of
from rekindle.adopting.machines import Machines
from rekindle.adopting.reading import SourceUnreadable, wrong

_ONE = "`rekindle init --talos FILE`"


def machines(found: Found, given: str) -> tuple[Machines, list[str], list[str]]:
    """
    Return the nodes, what was taken of several and why, and what is not known; *given* was named (empty: none was).

    :raises UsageWrong: when there is none, or nothing says which of several.
    :raises SourceUnreadable: when the one that is taken cannot be read.
    """
    if given:
        return _read(found, given), [], []
    kinds = [[file for file in found.sources if is_(file)] for is_ in (is_topf, is_talhelper)]
    for files in kinds:
        if len(files) > 1:
            raise _several("describe nodes", files)
    inputs = [file for file in found.sources if not is_topf(file) and not is_talhelper(file)]
    described = [_read(found, file) for files in kinds for file in files]
    if len(described) > 1:
        return _of_two(found, described[0], described[1], inputs)
    if described:
        notes = [note for file in inputs for note in _differs(found, described[0], file)]
        return described[0], [], notes
    if len(inputs) > 1:
        raise _several("describe nodes", inputs)
    if inputs:
        return _read(found, inputs[0]), [], []
    raise UsageWrong(
        f"{found.root} describes no nodes: there is no talconfig.yaml, no topf.yaml, and no nodes.yaml or cluster.toml",
        reference="init-nothing-found",
        hint="name the folder of the cluster's Git repository, or write a plan by hand: examples/minimal/recovery.yaml "
        "is the smallest",
    )


def _of_two(
    found: Found, new: Machines, old: Machines, inputs: list[str]
) -> tuple[Machines, list[str], list[str]]:
    """Take topf's or talhelper's of the same nodes: the one whose rendered files are there, else the newer."""
    if new.described != old.described:
        lines = [f"{one.file}: {_spelled(one)}" for one in (new, old)]
        raise _several("describe different nodes", lines)
    rendered = [_rendered(found, one) for one in (new, old)]
    taken, left = (old, new) if rendered[1] > rendered[0] else (new, old)
    why = "both describe the same nodes, and topf is what the template uses today"
    if rendered[0] != rendered[1]:
        why = f"both describe the same nodes, and what `{taken.render}` writes is here"
    notes = [note for file in inputs for note in _differs(found, taken, file)]
    return taken, [f"{taken.file} rather than {left.file}: {why}"], notes


def _rendered(found: Found, one: Machines) -> int:
    return sum(found.has(node.config.value) for node in one.nodes if node.config.known)


def _differs(found: Found, taken: Machines, file: str) -> list[str]:
    """The template's inputs say the same as what was rendered of them, or somebody should know."""
    try:
        other = template.read(found, file)
    except SourceUnreadable as error:
        return [f"whether {file} says the same: {error.message}"]
    if taken.described == other.described:
        return []
    both = f"{_spelled(other)} rather than {_spelled(taken)}"
    return [f"why {file} differs from {taken.file}, which is what nodes get: {both}"]


def _spelled(one: Machines) -> str:
    return ", ".join(
        f"{node.name.value or '?'} {node.address.value or '?'} {node.role.value or '?'}"
        for node in one.nodes
    )


def _read(found: Found, file: str) -> Machines:
    if is_topf(file):
        read = topf.read
    elif file.rpartition("/")[2] in {template.NODES, template.CLUSTER}:
        read = template.read
    else:
        read = talhelper.read
    made = read(found, file)
    seen: dict[str, str] = {}
    for node in made.nodes:
        if node.name.known and node.name.value in seen:
            text = f"{node.name.value} is the name of {seen[node.name.value]} already"
            raise wrong(f"{node.name.origin}: {text}")
        seen[node.name.value] = node.name.origin
    return made


def _several(what: str, lines: list[str]) -> UsageWrong:
    return UsageWrong(
        f"{len(lines)} files {what}, and nothing says which is this cluster's:\n"
        + "\n".join(names_of(lines)),
        reference="init-ambiguous",
        hint=f"name the one that nodes are configured from: {_ONE}; nothing was written",
    )
