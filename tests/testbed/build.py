"""
Compiles the testbed's programs, once per set of sources, into a cache outside the checkout.

Everything comes from Go modules at the versions and checksums in the four `go.sum` files beside
this one. A first build takes a quarter of an hour on two cores; after that `ensure()` only hashes.

A build that is ended ends the compilers that it started, however it is ended: it asks them itself, and where it cannot,
the keeper does (see keeper.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.testbed.processes import GATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PR_SET_PDEATHSIG = 1
BUILDING = "building-"
HERE = Path(__file__).resolve().parent
GO_AT_LEAST = (1, 26)
EXIT_CONFIGURATION = 78
KUBERNETES = "1.36.3"
FLUX_MODULES = (
    "github.com/fluxcd/source-controller",
    "github.com/fluxcd/kustomize-controller",
    "github.com/fluxcd/helm-controller",
    "github.com/fluxcd/notification-controller",
)
IN_ONE_BINARY = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
)


class CannotBuildError(Exception):
    """The machine lacks something; the message names it."""


@dataclass(frozen=True)
class Program:
    """
    One `go build`.
    """

    name: str
    module: str
    package: str
    ldflags: str = "-s -w"


def _versioned(version: str) -> str:
    """
    Link flags for Kubernetes' programs, which would call themselves v0.0.0-master without.
    """
    major, minor, _ = version.split(".")
    values = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
        "buildDate": "2026-01-01T00:00:00Z",
    }
    stamps = [f"-X k8s.io/component-base/version.{key}={value}" for key, value in values.items()]
    return " ".join(["-s -w", *stamps])


PROGRAMS = (
    Program("standin", "standin", "."),
    Program("cp", "controlplane", "./cmd/cp", _versioned(KUBERNETES)),
    Program("kustomize-controller", "controlplane", "github.com/fluxcd/kustomize-controller"),
    Program("source-controller", "controlplane", "github.com/fluxcd/source-controller"),
    Program("helm-controller", "controlplane", "github.com/fluxcd/helm-controller"),
    # Both are in the graph of modules for kustomize-controller's sake, which decrypts with the same code.
    Program("sops", "controlplane", "github.com/getsops/sops/v3/cmd/sops"),
    Program("age", "controlplane", "filippo.io/age/cmd/age"),
    Program("age-keygen", "controlplane", "filippo.io/age/cmd/age-keygen"),
    Program("parsers", "parsers", "."),
    Program("talosctl", "talosctl", "github.com/siderolabs/talos/cmd/talosctl"),
)


def cache() -> Path:
    """
    The folder that all builds are kept in.
    """
    if chosen := os.environ.get("REKINDLE_TESTBED_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "rekindle-testbed"


def fingerprint() -> str:
    """
    A digest of everything that a build is made from.
    """
    sources = [
        path
        for module in ("controlplane", "parsers", "standin", "talosctl")
        for path in sorted((HERE / module).rglob("*"))
        if path.is_file()
    ]
    digest = hashlib.sha256()
    for path in [*sources, Path(__file__).resolve()]:
        digest.update(f"{path.relative_to(HERE)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def ensure() -> Path:
    """
    Build unless it was built already; the folder of the programs.
    """
    place = cache() / fingerprint()
    if not (place / "bin").is_dir():
        cache().mkdir(parents=True, exist_ok=True)
        with _only_one_builder():
            if not (place / "bin").is_dir():
                _build(place)
    return place / "bin"


@contextlib.contextmanager
def _only_one_builder() -> Iterator[None]:
    with (cache() / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in cache().glob(
            f"{BUILDING}*"
        ):  # by a build that was killed: nobody else builds now
            shutil.rmtree(left, ignore_errors=True)
        yield


def _build(place: Path) -> None:
    _require_tools()
    with tempfile.TemporaryDirectory(dir=cache(), prefix=BUILDING) as scratch:
        target = Path(scratch) / "bin"
        target.mkdir()
        for program in PROGRAMS:
            _compile(program, target, Path(scratch))
        for name in IN_ONE_BINARY:
            (target / name).symlink_to("cp")
        _copy_crds(target / "crds")
        place.mkdir(exist_ok=True)
        target.rename(place / "bin")


def _compile(program: Program, target: Path, scratch: Path) -> None:
    print(f"{program.name} ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    flags = ("-ldflags", program.ldflags, "-o", str(target))
    _go(program.module, "build", *flags, program.package, GOTMPDIR=str(scratch))
    minutes = (time.monotonic() - start) / 60
    print(f"{program.name}: {minutes:.1f} minutes", file=sys.stderr, flush=True)


def _copy_crds(target: Path) -> None:
    """
    Flux' custom resource definitions, as they lie in the controllers' modules.
    """
    target.mkdir()
    for module in FLUX_MODULES:
        folder = json.loads(_go("controlplane", "mod", "download", "-json", module))["Dir"]
        for source in sorted(Path(folder, "config", "crd", "bases").glob("*.yaml")):
            shutil.copyfile(source, target / source.name)


def _go(module: str, *arguments: str, **environment: str) -> str:
    environ = _go_environment() | environment
    code, told = _kept([_tool("go"), *arguments], HERE / module, environ)
    if code:
        raise CannotBuildError(f"go {' '.join(arguments)} failed in {HERE / module}")
    return told


def _kept(argv: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """
    Run a command in a process group of its own, which does not outlive us; its exit code and what it printed.

    The keeper ends what is on its list as soon as our end of its pipe is closed, by us or because we died.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-S", "-E", str(Path(__file__).with_name("keeper.py"))],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with keeper, contextlib.ExitStack() as last:
        child = subprocess.Popen(
            ["/bin/sh", "-c", GATE, argv[0], *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        last.callback(_end, child, keeper)
        if keeper.stdin:
            keeper.stdin.write(f"+{child.pid}\n")
            keeper.stdin.flush()
        told, _ = child.communicate("go\n")
        return child.returncode, told


def _end(child: subprocess.Popen[str], keeper: subprocess.Popen[str]) -> None:
    """
    Let the keeper end what has not ended yet, and leave nobody of its group behind.
    """
    if keeper.stdin:
        keeper.stdin.close()
    keeper.wait()
    if child.returncode is None:  # not reaped yet, so the number is still this group's
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _go_environment() -> dict[str, str]:
    """
    Modules from the configured proxies only: never a forge, never another toolchain.
    """
    proxies = subprocess.run(
        [_tool("go"), "env", "GOPROXY"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-p=2 -trimpath -buildvcs=false -mod=readonly",
        "GOPROXY": re.sub(r"[,|]direct\b", "", proxies),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise CannotBuildError(f"{name} is missing: the testbed needs it")
    return found


def _require_tools() -> None:
    for name in ("git", "openssl"):
        _tool(name)
    told = subprocess.run(
        [_tool("go"), "version"],
        env=os.environ | {"GOTOOLCHAIN": "local"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    version = re.search(r"go(\d+)\.(\d+)", told)
    if not version or (int(version[1]), int(version[2])) < GO_AT_LEAST:
        wanted = ".".join(map(str, GO_AT_LEAST))
        raise CannotBuildError(f"Go {wanted} or newer is needed, found: {told.strip()}")


def _end_with_what_started_us() -> None:
    """
    Turn a signal into an exit that cleans up, and the death of who started us into a signal.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _stop)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # we are at it
    sys.exit(128 + number)


def main() -> int:
    """
    Build and print where to.
    """
    _end_with_what_started_us()
    try:
        print(ensure())
    except CannotBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main())
