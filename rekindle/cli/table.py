"""The command table. Commands are imported when they are called: ``--help`` must start fast."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from rekindle import __version__
from rekindle.cli.main import COMMANDS, MOMENTS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_CODES = (
    ("0", "goal reached; an answer without objections"),
    (
        "1, 2, 3",
        (
            "plan, status, inventory, doctor, diagnose: warnings, critical, could not tell; "
            "replay, diff: 1 differs; init: 1 incomplete"
        ),
    ),
    ("2, 4, 5", "run, resume, rehearse: stuck, waiting for a person, cancelled"),
    ("64", "usage or plan file"),
    ("69", "inventory from a cluster, watch without plan and inventory: no API answers"),
    ("70", "our bug, with a report to send"),
    ("74", "journal or output: reading or writing failed"),
    ("75", "interrupted and resumable"),
    ("76, 77", "somebody else holds the lease, the chain is broken"),
    ("78", "environment: a missing tool, a foreign cluster"),
)
EXAMPLES = (
    ("rekindle rehearse june-12", "a disaster on a simulated cluster"),
    ("rekindle init", "a first plan, from the repository in this folder"),
    ("rekindle inventory --from both", "what should exist, taken while all is well"),
    ("rekindle doctor recovery.yaml", "what the night would lack, while there is time to mend it"),
    ("rekindle plan recovery.yaml", "look at yours; changes nothing"),
    ("rekindle run recovery.yaml", "recover it; run it again whenever you like"),
    ("rekindle status", "what it waits for, can it succeed, what must I do"),
)


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the command that may have been meant."""
        if args[0] not in COMMANDS:
            from difflib import get_close_matches

            for like in get_close_matches(args[0], COMMANDS, 1):
                ctx.fail(f"No such command {args[0]!r}; did you mean {like!r}?")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the commands without importing any, and our own options."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=said)
            for name, said in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the short texts by the moment at which one wants them, without importing anything."""
        del ctx
        for moment, listed in MOMENTS.items():
            with formatter.section(moment):
                formatter.write_dl(list(listed.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show how it begins, and what the process answers."""
        del ctx
        with formatter.section("Examples"):
            formatter.write_dl(EXAMPLES)
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)


@click.command(cls=Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rekindle")
def cli() -> None:
    """Bring a Talos + Flux cluster back, by the least destructive path; kill it at any time and resume."""
