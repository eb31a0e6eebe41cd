"""Repositories of a few files, and the draft that is read of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rekindle.adopting.draft import Draft, draft

TALCONFIG = """\
clusterName: home
talosVersion: v1.13.7
endpoint: https://192.0.2.10:6443
cniConfig: {name: none}
nodes:
  - hostname: k8s-1
    ipAddress: 192.0.2.11
    controlPlane: true
  - hostname: k8s-2
    ipAddress: 192.0.2.12
    controlPlane: false
"""
TOPF = """\
clusterName: home
clusterEndpoint: https://192.0.2.10:6443
talosVersion: v1.13.7
nodes:
  - host: k8s-1
    ip: 192.0.2.11
    role: control-plane
  - host: k8s-2
    ip: 192.0.2.12
    role: worker
"""

Make = Callable[[dict[str, str]], Path]
Read = Callable[..., Draft]


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Make:
    """A repository of these files."""
    return lambda files: write(tmp_path, files)


@pytest.fixture
def drafted(tmp_path: Path) -> Read:
    """The draft of a repository of these files."""

    def read(files: dict[str, str], talos: str | None = None, roots: str | None = None) -> Draft:
        root = write(tmp_path, files)
        first, second = (None if name is None else str(root / name) for name in (talos, roots))
        return draft(root, first, second)

    return read


@pytest.fixture(autouse=True)
def nobody_s_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    """What whoever runs the tests has in their environment is none of their business."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
