"""The process of a simulated world: ``python -m rekindle.simulator``; rekindle starts it, nobody else needs to."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

import msgspec

from journal.errors import Diagnosed
from rekindle.simulator.hosted import Hosted
from rekindle.simulator.scenario import find_scenario
from rekindle.simulator.server import IDLE_SECONDS, Pace, Server, listen


def main(arguments: list[str] | None = None) -> int:
    """Rebuild the world, serve it, and take the socket away at the end."""
    parser = argparse.ArgumentParser(prog="rekindle.simulator", description=__doc__)
    parser.add_argument("--world", required=True)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--speed", type=float, default=0.0)
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS)
    parser.add_argument("--faults", default="{}")
    given = parser.parse_args(arguments)
    try:
        faults = msgspec.json.decode(given.faults)
        scenario = find_scenario(given.scenario)
        hosted = Hosted(given.world, scenario, given.seed, given.log, faults)
        given.socket.unlink(missing_ok=True)
        with listen(given.socket) as listener:
            Server(hosted, listener, Pace(given.speed, given.idle)).serve()
    except Diagnosed as error:
        sys.stderr.write(f"{error.reference}: {error.message}\n")
        return error.exit_code
    with contextlib.suppress(OSError):
        given.socket.unlink()
        given.socket.parent.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
