"""JSON Schemas of the files that people write, for their editors: a plan, an inventory, a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.models import MachineModel, WalkModel

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
KINDS: Final = ("recovery", "inventory", "scenario")
Schema = dict[str, Any]


def schema_of(kind: str) -> Schema:
    """Return the schema of one of ``KINDS``."""
    made = {"recovery": recovery, "inventory": inventory, "scenario": scenario}[kind]()
    return {"$schema": DIALECT, "title": f"rekindle {kind}", **made}


def text_of(kind: str) -> str:
    """Return it as a file has it."""
    import json

    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def recovery() -> Schema:
    """
    Describe recovery.yaml.

    A machine may override any part of the built-in one, so nothing of it is required; whether what is left is whole
    only the loader can tell (``rekindle plan --check``).
    """
    from phases.section import Section

    section = Section.model_json_schema(by_alias=True)
    defs = section.pop("$defs")
    for name in ("Inventory", *_only_of(defs, "Inventory")):
        defs.pop(name, None)
    machine = MachineModel.model_json_schema()
    defs |= machine.pop("$defs")
    walk = WalkModel.model_json_schema()
    defs |= walk.pop("$defs")
    state = _partial(defs.pop("StateModel"))
    state["properties"].pop("walked")
    defs.pop("WalkedModel")
    defs |= {"StateModel": state, "WalkModel": walk, "MachineModel": _partial(machine)}
    either = {
        "if": {"required": ["over"]},
        "then": {"$ref": "#/$defs/WalkModel"},
        "else": {"$ref": "#/$defs/StateModel"},
    }
    defs["MachineModel"]["properties"]["states"]["additionalProperties"] = either
    for part in ("talos", "crds"):  # what the loader fills in is no business of an author
        _without(defs, {"talos": "TalosNode", "crds": "Crds"}[part], {"sha256", "available"})
    properties = {
        "cluster": {"type": "string", "description": "The cluster's name."},
        **section["properties"],
        "inventory": {
            "type": "object",
            "properties": {"file": {"type": "string"}},
            "required": ["file"],
            "additionalProperties": False,
        },
        "machine": {"$ref": "#/$defs/MachineModel"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["cluster", *section["required"]],
        "additionalProperties": False,
        "$defs": dict(sorted(_used(properties, defs).items())),
    }


def inventory() -> Schema:
    """Describe an inventory."""
    from phases.inventory import Inventory

    made = Inventory.model_json_schema(by_alias=True)
    made.pop("title", None)
    return made


def scenario() -> Schema:
    """Describe a rehearsal's script; its plan is held against the schema of plans only as it is loaded."""
    import msgspec

    from rekindle.simulator.scenario import Scenario

    return {**msgspec.json.schema(Scenario)}


def _partial(model: Schema) -> Schema:
    return {key: value for key, value in model.items() if key != "required"}


def _without(defs: Schema, name: str, keys: set[str]) -> None:
    properties = defs[name]["properties"]
    defs[name] = {
        **defs[name],
        "properties": {key: value for key, value in properties.items() if key not in keys},
    }


def _only_of(defs: Mapping[str, Any], name: str) -> set[str]:
    """Name the definitions that a definition refers to."""
    return set(_used(defs[name], defs))


def _used(part: object, defs: Mapping[str, Any]) -> Schema:
    """Return the definitions that a part refers to, and those that they refer to."""
    found: Schema = {}
    left = [part]
    while left:
        here = left.pop()
        if isinstance(here, Mapping):
            name = str(here.get("$ref", "")).removeprefix("#/$defs/")
            if name in defs and name not in found:
                found[name] = defs[name]
                left.append(defs[name])
            left.extend(here.values())
        elif isinstance(here, list):
            left.extend(here)
    return found
