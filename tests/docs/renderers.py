"""
Stand-ins for talhelper and topf, which need the age key of a repository: they take the words of the documents alone.

What they write has the names that the real ones give (talhelper 3: ``genconfig.go``; topf 0.5: ``render.go``), and no
cluster's secrets. Like the real ones with these flags they want their source, and its secrets beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

NAMES = ("talhelper", "topf")
PROGRAM = (
    f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
)
PROGRAM += "from tests.docs.renderers import main\nmain({name!r})\n"


def put_on_path(folder: Path) -> None:
    """Put both there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        program = folder / name
        program.write_text(PROGRAM.format(name=name))
        program.chmod(0o755)


def main(name: str) -> None:
    """Be the program of that name, in the folder that it was begun in."""
    match (name, *sys.argv[1:]):
        case ("talhelper", "genconfig"):
            source = _source("talconfig.yaml", "talsecret.sops.yaml")
            nodes = [node["hostname"] for node in source["nodes"]]
            folder = Path("clusterconfig")
            _render(folder, {f"{source['clusterName']}-{node}.yaml": node for node in nodes})
            (folder / "talosconfig").write_text(_talosconfig(source["clusterName"]))
        case ("topf", "render", "--output", folder):
            source = _source("topf.yaml", "secrets.sops.yaml")
            _render(
                Path(folder), {f"{node['host']}.yaml": node["host"] for node in source["nodes"]}
            )
        case ("topf", "talosconfig"):
            sys.stdout.write(_talosconfig(_source("topf.yaml", "secrets.sops.yaml")["clusterName"]))
        case words:
            sys.exit(f"nobody taught this stand-in to do {' '.join(words)}")


def _source(name: str, secrets: str) -> dict[str, Any]:
    if not Path(secrets).is_file():
        sys.exit(f"{secrets} is not here: new secrets would be made")
    content: dict[str, Any] = yaml.safe_load(Path(name).read_text("utf-8"))
    return content


def _render(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, host in files.items():
        (folder / name).write_text(f"machine:\n  network: {{hostname: {host}}}\n")


def _talosconfig(cluster: str) -> str:
    return yaml.safe_dump({"context": cluster, "contexts": {cluster: {"endpoints": []}}})
