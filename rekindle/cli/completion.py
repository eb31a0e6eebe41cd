"""``rekindle completion``: what a shell needs in order to complete commands, runs and questions."""

from __future__ import annotations

import click

from rekindle.output import print_line

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "rekindle"
VARIABLE = "_REKINDLE_COMPLETE"
# Click's script for fish takes what stands beside a word only as far as its first comma.
SPLIT_ALL, SPLIT_ONCE = 'string split "," $completion', 'string split --max 1 "," $completion'


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> int:
    """
    Print the completion of a shell: options, runs, open questions, references.

    \b
    bash: eval "$(rekindle completion bash)"                in ~/.bashrc
    zsh:  eval "$(rekindle completion zsh)"                 in ~/.zshrc, after compinit
    fish: rekindle completion fish > ~/.config/fish/completions/rekindle.fish

    `kubectl rekindle` is completed by kubectl's own completion, without anything else.
    """  # noqa: D301  click takes the character, and not its name, for "do not wrap"
    from click.shell_completion import get_completion_class

    from rekindle.cli.table import cli

    known = get_completion_class(shell)
    if known is None:
        raise AssertionError(shell)
    # Not ``source()``: it refuses a bash that is too old for it, and asks the one of this machine, which may be none.
    script = known(cli, {}, PROGRAM, VARIABLE)
    template = script.source_template.replace(SPLIT_ALL, SPLIT_ONCE)
    print_line((template % script.source_vars()).strip())
    return 0
