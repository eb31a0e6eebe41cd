"""
A stand-in for ``kustomize build``, for machines without one: what the example repositories use of it, and no more.

Resources, components, ``namespace`` (which names a Namespace as well, as kustomize's transformer does) and generated
ConfigMaps. A resource with a key twice is refused, in the words of kustomize's YAML parser. A test marked ``system``
holds it against the real one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

PROGRAM = (
    f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
)
PROGRAM += "from tests.init.kustomize import main\nmain()\n"


class _Strict(yaml.SafeLoader):
    """What reads resources."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Refuse a key that stands twice."""
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                sys.exit(
                    "map[string]interface {}(nil): yaml: unmarshal errors:\n"
                    f'  line {line}: mapping key "{key.value}" already defined at line {seen[key.value]}'
                )
            seen[key.value] = line
        return super().construct_mapping(node, deep)


def build(folder: Path) -> list[dict[str, Any]]:
    """Return what a folder brings."""
    content = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    objects: list[dict[str, Any]] = []
    for name in [*content.get("resources", []), *content.get("components", [])]:
        path = folder / name
        if path.is_dir():
            objects += build(path)
        else:
            read = yaml.load_all(path.read_text("utf-8"), Loader=_Strict)
            objects += [one for one in read if one]
    for made in content.get("configMapGenerator", []):
        objects.append(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": made["name"]}}
        )
    namespace = content.get("namespace")
    for one in objects if namespace else ():
        one["metadata"]["name" if one["kind"] == "Namespace" else "namespace"] = namespace
    return objects


def main() -> None:
    """``kustomize build [OPTION...] FOLDER``."""
    print(yaml.safe_dump_all(build(Path(sys.argv[-1]))))


def put_on_path(folder: Path) -> str:
    """Write the program into a folder, and return that as a part of PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "kustomize"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    return str(folder)
