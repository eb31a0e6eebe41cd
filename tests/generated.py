"""
Documents that are made from the code: ``make docs`` writes them, ``make check`` refuses stale ones.

``python -m tests.generated --write`` or ``--check``.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from textwrap import wrap

import click

from engine.machine import mermaid
from engine.patience import spoken
from engine.plan import of_parts
from phases.recipe import recipe
from rekindle.cli.main import COMMANDS
from rekindle.rehearsal import load
from rekindle.schemas import KINDS, text_of
from tests import reference
from tests.pictures import june_12, pictures

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PICTURES = ROOT / "docs" / "pictures"
README = ROOT / "README.md"
WIDTH = 118
ALT = re.compile(r"!\[Pods over time: [^\]]*\]\(docs/pictures/pods\.svg\)")
SEEN = re.compile(r'<desc id="pods-desc">(.*?) States: ')
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
        approval += "" if verb.enabled else "; off unless the plan enables it"
        lines.append(
            f"| `{name}` | {verb.effect} | {spoken(verb.deadline_seconds)} | {verb.retry.attempts} | {approval} "
            f"| {verb.destroys or '-'} |"
        )
    lines += [
        "",
        "Attempts are those at one target in one visit of a state; of `flux.nudge` those for one cause.",
    ]
    return "\n".join([*lines, ""])


def readme(drawn: dict[str, str]) -> str:
    """The README with today's picture of the machine, and with what today's picture of the pods shows."""
    _, _, plan = load("june-12")
    picture = f"```mermaid\n{mermaid(plan)}\n```\n"
    text = FENCE.sub(
        lambda found: found[1] + picture + found[3], README.read_text(encoding="utf-8")
    )
    found = SEEN.search(drawn["pods.svg"])
    assert found is not None, "the picture of the pods says in its words what it shows"
    alt = f"![Pods over time: {found[1]} Below the curve the states and the actions of the rehearsal.]"
    text, changed = ALT.subn("\n".join([*wrap(alt, WIDTH)]) + "(docs/pictures/pods.svg)", text)
    assert changed == 1, "README shows the picture of the pods once"
    return text


def main() -> int:
    """Write, or say what is stale."""
    drawn = pictures(june_12())
    made = {
        REFERENCE / "commands.md": commands(),
        REFERENCE / "machine.md": states(),
        REFERENCE / "rules.md": reference.rules(),
        REFERENCE / "dead-waits.md": reference.dead_waits(),
        REFERENCE / "metrics.md": reference.metrics(),
        README: readme(drawn),
    }
    made |= {REFERENCE / f"{kind}.schema.json": text_of(kind) for kind in KINDS}
    made |= {PICTURES / name: text for name, text in drawn.items()}
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
