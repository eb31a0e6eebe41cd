"""
What a journal's section says, read without the models of a plan, is what the models say.

Mutants, each tried: another default of ``Flux.controllers``, ``Crds.preapply`` or ``TalosNode.role``; an item without
its ``needs``, or with them under another name; no way back to the models.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from phases import inventory, journaled, section
from phases.needs import Standing, needs_of
from rekindle.rehearsal import load
from rekindle.simulator.scenario import names
from tests.phases.making import SECTION, plan
from tests.phases.test_inventory import PARENTED
from tests.phases.test_path import TREE

STRUCTS = [
    one
    for one in vars(journaled).values()
    if isinstance(one, type) and issubclass(one, msgspec.Struct)
]


def models_of(name: str) -> type[BaseModel]:
    found: type[BaseModel] = getattr(section, name, None) or getattr(inventory, name)
    return found


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_fields_and_defaults_are_those_of_the_models(struct: type[msgspec.Struct]) -> None:
    fields = models_of(struct.__name__).model_fields

    for field in msgspec.structs.fields(struct):
        model = fields[field.name]

        assert model.alias is None
        assert field.required == model.is_required()
        assert as_data(field.default) == as_data(model.default), field.name


def as_data(default: Any) -> Any:  # noqa: ANN401  a default of any field
    """A default as data: models have more fields than what is read of them, with defaults as well."""
    if isinstance(default, msgspec.Struct | BaseModel):
        name = type(default).__name__
        struct = getattr(journaled, name)
        return {field: getattr(default, field) for field in struct.__struct_fields__}
    if default is msgspec.NODEFAULT or not isinstance(default, str | int | tuple | None):
        return "none"
    return default


SECTIONS = [
    *(pytest.param(load(name)[2].section, id=name) for name in names()),
    pytest.param(SECTION, id="bare"),
    pytest.param(plan(TREE).section, id="tree"),
    pytest.param(plan({"inventory": {"stores": [PARENTED, "bare"]}}).section, id="stores"),
]


@pytest.mark.parametrize("compiled", SECTIONS)
def test_the_graph_is_the_one_that_the_models_draw(compiled: dict[str, Any]) -> None:
    mine, theirs = journaled.outline_of(compiled), section.Section.model_validate(compiled)

    assert isinstance(mine, journaled.Section)
    for certain in (True, False):
        assert needs_of(mine, certain=certain) == needs_of(theirs, certain=certain)
    assert mine.workloads == theirs.workloads
    assert mine.node_names == theirs.node_names
    stand, other = (Standing(one, needs_of(theirs)) for one in (mine, theirs))
    for name in ("parent", "brought", "first", "roots"):
        assert getattr(stand, name) == getattr(other, name)


def test_what_only_the_models_take_goes_by_the_models() -> None:
    listed = {**SECTION["inventory"], "workloads": [{**SECTION["inventory"]["workloads"][0]}]}
    listed["workloads"][0]["pods"] = "2"

    found = journaled.outline_of({**SECTION, "inventory": listed})

    assert isinstance(found, section.Section)
    assert found.inventory.workloads[0].pods == 2
