"""
Compiles the testbed's programs, once per set of sources, into a cache outside the checkout.

Everything comes from Go modules at the versions and checksums in the three `go.sum` files beside
this one. A first build takes a quarter of an hour on two cores; after that `ensure()` only hashes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        for module in ("controlplane", "standin", "talosctl")
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
        yield


def _build(place: Path) -> None:
    _require_tools()
    with tempfile.TemporaryDirectory(dir=cache(), prefix="building-") as scratch:
        target = Path(scratch) / "bin"
        target.mkdir()
        for program in PROGRAMS:
            _compile(program, target)
        for name in IN_ONE_BINARY:
            (target / name).symlink_to("cp")
        _copy_crds(target / "crds")
        place.mkdir(exist_ok=True)
        target.rename(place / "bin")


def _compile(program: Program, target: Path) -> None:
    print(f"{program.name} ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    _go(program.module, "build", "-ldflags", program.ldflags, "-o", str(target), program.package)
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


def _go(module: str, *arguments: str) -> str:
    completed = subprocess.run(
        [_tool("go"), *arguments],
        cwd=HERE / module,
        env=_go_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if completed.returncode:
        raise CannotBuildError(f"go {' '.join(arguments)} failed in {HERE / module}")
    return completed.stdout


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


def main() -> int:
    """
    Build and print where to.
    """
    try:
        print(ensure())
    except CannotBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main())
