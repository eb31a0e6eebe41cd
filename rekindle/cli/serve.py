"""``rekindle serve``: the journal in a browser; it reads and does nothing else."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import click

from engine.errors import EnvironmentWrong
from rekindle.cli.options import existing_journal, journal_option, json_option
from rekindle.output import print_json, tell

NEEDED = ("werkzeug", "waitress")
LOOPBACK = "127.0.0.1"


@click.command("serve")
@journal_option()
@json_option(
    "Print one JSON document on stdout as soon as it answers: the address, with its token."
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="Listen there; anything but loopback lets other machines ask.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, show_default="a free one", metavar="PORT"
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="Answer under that name, too: of a proxy or of this machine.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Keep the token there (it is made, for you alone): then open pages come back after a restart.",
)
def command(
    journal: str | None,
    host: str,
    port: int,
    names: tuple[str, ...],
    token_file: str | None,
    *,
    as_json: bool,
) -> int:
    """
    Show runs in a browser: live, at any moment, and the report; read only.

    The address that is printed has a token and is for you alone. Ctrl-C ends it; runs do not notice.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise EnvironmentWrong(
            f"rekindle serve needs {' and '.join(missing)}, which are not installed",
            reference="web-missing",
            hint="pipx inject kubectl-rekindle werkzeug waitress, or install kubectl-rekindle[web]",
        )
    path = existing_journal(journal)
    with suppress(KeyboardInterrupt):  # before it began to answer, or while it ended
        _serve(path, host, port, names, token_file, as_json=as_json)
    return 0


def _serve(
    path: Path,
    host: str,
    port: int,
    names: tuple[str, ...],
    token_file: str | None,
    *,
    as_json: bool,
) -> None:
    from threading import Event

    from journal.reader import Reader
    from rekindle.web import server
    from rekindle.web.application import Application
    from rekindle.web.guard import PARAMETER, Guard, allowed
    from rekindle.web.stream import HostPace

    with Reader(path):
        pass  # what cannot be read is said here, and not in a browser
    token = server.token_of(Path(token_file) if token_file else None)
    bound = server.listen(host, port)
    local = server.is_loopback(bound)
    number = bound.getsockname()[1]
    guard = Guard(token, f"rekindle-{number}", allowed(host, names), literals=not local)
    stop = Event()
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{number}/?{PARAMETER}={token}"

    def ready() -> None:
        if not local:
            tell(
                f"warning: other machines reach {host} port {number}; whoever has the address reads this journal, and "
                "nothing is encrypted on the way. Better: an SSH tunnel to the default address"
            )
        tell(f"open {address}\nCtrl-C ends it; runs do not notice")
        if as_json:
            document = {"schema": "rekindle.serve/1", "journal": str(path), "address": address}
            print_json(document)

    server.serve(Application(path, guard, HostPace(stop)), bound, stop, ready)
