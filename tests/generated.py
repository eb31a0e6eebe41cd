"""
Documents that are made from the code: ``make docs`` writes them, ``make check`` refuses stale ones.

``python -m tests.generated --write`` or ``--check``.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import click

from engine.machine import mermaid
from engine.patience import spoken
from engine.plan import of_parts
from phases.recipe import recipe
from rekindle.cli.main import COMMANDS
from rekindle.rehearsal import load
from tests.pictures import june_12, pictures

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PICTURES = ROOT / "docs" / "pictures"
README = ROOT / "README.md"
FENCE = re.compile(r"(<!-- states -->\n)(.*?)(<!-- /states -->)", re.DOTALL)


def commands() -> str:
    """Every command's help, as the program prints it."""
    lines = ["# Commands", "", "Made from the code by `make docs`.", ""]
    for name in sorted(COMMANDS):
        command: click.Command = import_module(f"rekindle.cli.{name}").command
        context = click.Context(command, info_name=f"rekindle {name}", max_content_width=100)
        lines += [f"## rekindle {name}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


def states() -> str:
    """The default machine, as a picture and as a table of limits."""
    _, scenario, plan = load("june-12")
    del scenario
    plan = of_parts(plan.cluster, recipe().machine, plan.section, recipe())
    lines = ["# The machine", "", "Made from the code by `make docs`.", "", "```mermaid"]
    lines += [
        mermaid(plan),
        "```",
        "",
        "| state | deadline | counts | held for |",
        "| --- | --- | --- | --- |",
    ]
    for name in plan.states:
        state = plan.machine.states[name]
        stable = spoken(state.stable) if state.stable else "-"
        lines.append(
            f"| {name} | {spoken(state.deadline.after)} | {state.deadline.policy} | {stable} |"
        )
    lines += [
        "",
        "| verb | effect | deadline | attempts | approval | destroys |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, verb in plan.verbs.items():
        approval = "typed" if verb.typed_approval else "-"
        lines.append(
            f"| `{name}` | {verb.effect} | {spoken(verb.deadline_seconds)} | {verb.retry.attempts} | {approval} "
            f"| {verb.destroys or '-'} |"
        )
    return "\n".join([*lines, ""])


def readme() -> str:
    """The README with today's picture of the machine."""
    _, _, plan = load("june-12")
    picture = f"```mermaid\n{mermaid(plan)}\n```\n"
    return FENCE.sub(
        lambda found: found[1] + picture + found[3], README.read_text(encoding="utf-8")
    )


def main() -> int:
    """Write, or say what is stale."""
    made = {
        REFERENCE / "commands.md": commands(),
        REFERENCE / "machine.md": states(),
        README: readme(),
    }
    made |= {PICTURES / name: text for name, text in pictures(june_12()).items()}
    if "--write" in sys.argv:
        for path, text in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [
        p for p, text in made.items() if not p.exists() or p.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is stale: make docs\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
