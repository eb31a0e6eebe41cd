"""
The command table. Commands are imported when they are called: ``--help`` must start fast.

The short texts stand here as well as in the commands; a test holds them equal.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from rekindle import __version__

COMMANDS: dict[str, str] = {
    "approve": "Answer a question that a run waits for.",
    "cancel": "Ask a run to stop for good at the next safe point.",
    "diagnose": "Say why things are not there and whether waiting can help; changes nothing.",
    "history": "List the runs of a journal.",
    "log": "Show a run entry by entry, or verify the chain.",
    "plan": "Look at the cluster and say what a run would do; changes nothing.",
    "rehearse": "Recover a simulated cluster from a disaster.",
    "resume": "Go on with the newest run of a journal.",
    "run": "Recover the cluster of a plan; goes on with an open run.",
    "status": "Say where a run stands, in three sentences.",
}


class Table(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"rekindle.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the short texts without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rekindle")
def cli() -> None:
    """Bring a Talos + Flux cluster back, by the least destructive path; kill it at any time and resume."""


def main() -> None:
    """Run, and answer with the exit code of the table."""
    from rekindle.cli.failing import guarded

    sys.exit(guarded(cli))
