"""
The testbed for people: `python -m tests.testbed up DIRECTORY` starts it and stays until Ctrl-C.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path

from tests.testbed.build import EXIT_CONFIGURATION, CannotBuildError
from tests.testbed.testbed import Testbed

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "anton"


def main() -> int:
    """
    Start, say how to use it, wait.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.testbed")
    up = parser.add_subparsers(required=True).add_parser("up", help="start and stay until Ctrl-C")
    up.add_argument("directory", type=Path, help="a folder for logs and state, made if missing")
    up.add_argument("--tree", type=Path, default=EXAMPLE, help="what the Git server serves")
    up.add_argument("--nodes", type=int, default=3)
    up.add_argument("--running", action="store_true", help="recover the cluster by hand, too")
    arguments = parser.parse_args()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    try:
        with Testbed(arguments.directory, arguments.tree, nodes=arguments.nodes) as bed:
            if arguments.running:
                bed.running()
            _tell(bed)
            signal.pause()
    except CannotBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        pass
    return 0


def _tell(bed: Testbed) -> None:
    for name, value in bed.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    for name, address in bed.nodes.items():
        print(f"# {name} is {address}, its config {bed.machine_configs[name]}")
    print(f"# logs: {bed.directory / 'logs'}; Ctrl-C ends it all", flush=True)


if __name__ == "__main__":
    sys.exit(main())
