"""
A recorded scenario as files to be reviewed: YAML, with what was recorded and what was assumed in comments.

What a cluster says may stand in a comment, so nothing of it may begin a line of its own. All is redacted once more: an
older program may have left what this one would not, and a scenario is sent to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import yaml

from journal.redactor import redact, redact_text
from rekindle.simulator.recorded import Recording
from rekindle.simulator.scenario import NodeSpec, OperatorRule

WIDTH = 120
WHOLE = (NodeSpec, OperatorRule)  # what is reviewed is written out, be it as usual
SHOWN = 40  # remarks of a kind; more is no longer read
_SECTIONS = {
    "nodes": "The machines, as the run saw them first.",
    "initial": "What was left, as the first complete look showed it. Seconds.",
    "commands": "How long each command works by itself (seconds), and what it brings.",
    "events": "What happened during the run, in seconds after its start; not what the run did itself.",
    "request": "What was asked of the run when it was opened, beyond its goal.",
    "operator": "How questions were answered, and after how many seconds. The first rule that fits counts.",
    "plan": "The plan that the run was opened with; its inventory is the tree's.",
    "recorded": "Where all this comes from.",
}


def scenario_text(recording: Recording, otherwise: Iterable[str] = ()) -> str:
    """Write the scenario; *otherwise* is what its first look shows in another way than the run's."""
    lines = [
        "# A recorded run as a scenario, to be reviewed, edited and rehearsed. Secrets are not in it: they are not"
    ]
    lines += ["# in the journal either. Made by `rekindle rehearse --from`."]
    lines += _remarks("Recorded", recording.remarks.recorded)
    lines += _remarks("Assumed, for the journal does not say it", recording.remarks.assumed)
    lines += _remarks(
        "Happened, and is not in here, for a scenario cannot say it",
        recording.remarks.inexpressible,
    )
    lines += _remarks("At the first look otherwise than recorded", otherwise)
    lines.append("---")
    values = _lean(recording.scenario)
    plain = [name for name in values if name not in _SECTIONS]
    lines += [_yaml({name: values[name]}) for name in plain]
    for name, said in _SECTIONS.items():
        if name in values:
            lines += ["", f"# {said}", _yaml({name: values[name]})]
    return "\n".join(lines) + "\n"


def tree_text(recording: Recording) -> str:
    """Write the tree."""
    lines = [
        "# What Git and its releases bring, as the inventory in the run's plan lists it: see the scenario beside."
    ]
    lines += [
        "# `start` is the seconds that a pod takes where its image was never pulled; `beside` is brought by nobody."
    ]
    lines += ["---", _yaml(_lean(recording.tree))]
    return "\n".join(lines) + "\n"


def _remarks(title: str, remarks: Iterable[str]) -> Iterator[str]:
    found = list(dict.fromkeys(remarks))
    if not found:
        return
    yield "#"
    yield f"# {title}:"
    yield from (f"# - {_plain(line)}" for line in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"# - and {len(found) - SHOWN} more"


def _plain(line: str) -> str:
    return "".join(char if char.isprintable() else " " for char in redact_text(line))


def _yaml(value: dict[str, Any]) -> str:
    flat = not any(isinstance(item, dict | list) for item in value.values())
    flow = (
        False if flat else None
    )  # what has no collections in it is one line, but not the whole file
    text: str = yaml.safe_dump(
        redact(value), default_flow_style=flow, width=WIDTH, sort_keys=False, allow_unicode=True
    )
    return text.rstrip("\n")


def _lean(value: Any) -> Any:  # noqa: ANN401  anything that a scenario or a tree is made of
    """Return plain values without most of what is as usual anyway."""
    if isinstance(value, msgspec.Struct):
        found = {}
        for field in msgspec.structs.fields(value):
            own = getattr(value, field.name)
            usual = field.default_factory() if callable(field.default_factory) else field.default
            if own != usual or isinstance(value, WHOLE):
                found[field.name] = _lean(own)
        return found
    if isinstance(value, dict):
        return {key: _lean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_lean(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
