"""The domain's part of a plan file: read, checked, and every name in it resolved, with all errors at once."""

from __future__ import annotations

from typing import Any

from engine.checked import remains, validated
from engine.errors import Problem
from engine.patience import seconds
from engine.plan import Include
from engine.yamlfile import Marks, read_yaml
from phases.inventory import SCHEMA, Inventory
from phases.placeholders import used
from phases.section import Section

SPARE_NAME = "spare"  # a name that no check may speak of
SPARE: dict[str, Any] = {
    "talos": {"talosconfig": "-", "nodes": {"*": {"address": SPARE_NAME, "config": "-"}}},
    "kubernetes": {"kubeconfig": "-"},
    "cni": {"daemonset": "spare/spare", "command": SPARE_NAME},
    "flux": {"roots": "-"},
    "commands": {"*": {"argv": ["-"]}},
    "probes": {"*": {"argv": ["-"], "not_yet": 1}},
}


def load_section(
    raw: dict[str, Any], marks: Marks, include: Include, problems: list[Problem]
) -> dict[str, Any]:
    """Check the domain's part of a plan; the inventory's file is read and checked as well."""
    data = dict(raw)
    data["inventory"] = _inventory(data.get("inventory"), marks, include, problems)
    section = validated(Section, data, marks, (), problems)
    left = section or remains(Section, data, SPARE)
    if left is not None:
        named = data.get("commands")
        names = {*left.commands, *(map(str, named) if isinstance(named, dict) else ())}
        _check(left, {*names, SPARE_NAME}, marks, problems)
    return section.model_dump(mode="json", by_alias=True) if section is not None else {}


def _inventory(
    given: object, marks: Marks, include: Include, problems: list[Problem]
) -> dict[str, Any]:
    stand_in = {"schema": SCHEMA}
    if not isinstance(given, dict) or set(given) != {"file"} or not isinstance(given["file"], str):
        problems.append(marks.problem(("inventory",), "write it as {file: PATH}"))
        return stand_in
    try:
        file = include(given["file"])
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}; `rekindle inventory` writes one"
        problems.append(marks.problem(("inventory", "file"), text))
        return stand_in
    data, inner, found = read_yaml(file)
    problems.extend(found)
    if found and not data:
        return stand_in
    inventory = validated(Inventory, data, inner, (), problems)
    if inventory is None:
        return stand_in
    total = sum(item.pods for item in inventory.workloads)
    if total != inventory.pods:
        problems.append(inner.problem(("pods",), f"the workloads above have {total} pods"))
    return inventory.model_dump(mode="json", by_alias=True)


def _check(section: Section, names: set[str], marks: Marks, problems: list[Problem]) -> None:
    """Resolve every name that one part of the plan uses of another."""
    if not section.talos.control_planes:
        problems.append(marks.problem(("talos", "nodes"), "no node has the role controlplane"))
    if not section.cni.daemonset:
        problems.append(marks.problem(("cni", "daemonset"), "no DaemonSet is named"))
    wanted = {("cni", "command"): section.cni.command}
    if section.flux.command:
        wanted["flux", "command"] = section.flux.command
    for path, name in wanted.items():
        if name not in names:
            problems.append(marks.problem(path, f"no command {name!r} under commands"))
        elif name in section.commands and (named := used(section.commands[name].argv)):
            text = f"{name!r} names {{{named[0]}}}: only what walks over the nodes is about one"
            problems.append(marks.problem(path, text))
    _check_addresses(section, marks, problems)
    _check_programs(section, marks, problems)


AGAIN = (
    "a command is run again wherever it is not known to have ended well, and nothing makes it an effect once: "
    "let it see for itself what must not happen twice"
)


def _check_addresses(section: Section, marks: Marks, problems: list[Problem]) -> None:
    addresses = [node.address for node in section.talos.nodes.values()]
    for name, node in section.talos.nodes.items():
        if addresses.count(node.address) > 1 and node.address != SPARE_NAME:
            here = ("talos", "nodes", name, "address")
            problems.append(marks.problem(here, f"{node.address} is given to two nodes"))


def _check_programs(section: Section, marks: Marks, problems: list[Problem]) -> None:
    """Check what commands and probes say of themselves."""
    if section.notify is not None:
        _check_span(section.notify.deadline, ("notify", "deadline"), marks, problems)
    for name, probe in section.probes.items():
        for key, text in (("every", probe.every), ("deadline", probe.deadline)):
            _check_span(text, ("probes", name, key), marks, problems)
    for name, command in section.commands.items():
        place = ("commands", name)
        _check_span(command.deadline, (*place, "deadline"), marks, problems)
        once = {
            "effect": command.effect == "once",
            "probe": command.probe,
            "guard": command.guard,
        }
        said = next((key for key, given in once.items() if given), None)
        if said is not None:
            problems.append(marks.problem((*place, said), AGAIN))


def _check_span(text: str, path: tuple[str, ...], marks: Marks, problems: list[Problem]) -> None:
    try:
        seconds(text)
    except ValueError as error:
        problems.append(marks.problem(path, str(error)))
