"""
YAML with places: data, and for every path in it the line and column where it stands.

Duplicate keys are an error here: one of them broke the cluster that this program comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from engine.errors import Problem

Path = tuple[str | int, ...]
MAXIMUM_BYTES = 4 * 1024 * 1024
MAXIMUM_DEPTH = 64
MAXIMUM_NODES = 200_000
TOO_DEEP = "nested too deeply"
# A libyaml that counts brackets itself meets a long row of them before our own count does: one fault, one sentence.
OURS = {"exceeded maximum nesting depth": TOO_DEEP}


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's name, for messages, and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each path stands; lines and columns count from 1."""

    file: str
    places: dict[Path, tuple[int, int]]

    def problem(self, path: Path, message: str) -> Problem:
        """Say *message* at the nearest place that is known for *path*."""
        near = path
        while near and near not in self.places:
            near = near[:-1]
        line, column = self.places.get(near, (1, 1))
        return Problem(self.file, line, column, spelled(path), message)


def spelled(path: Path) -> str:
    """Write a path as ``machine.states.cni-up.deadline`` or ``workloads[3].pods``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "$"


def read_yaml(file: YamlFile) -> tuple[Any, Marks, list[Problem]]:
    """Compose one document; syntax errors and duplicate keys come back as problems, never as exceptions."""
    marks = Marks(file.name, {})
    problems: list[Problem] = []
    if len(file.text) > MAXIMUM_BYTES:
        return None, marks, [_too_large(file)]
    data: Any = {}
    loader = yaml.CSafeLoader(file.text)
    with _told(file.name, problems):
        _check_depth(file.text)
        node = loader.get_single_node()
        if node is None:
            problems.append(Problem(file.name, 1, 1, "$", "the file is empty"))
        else:
            data = _build(node, (), marks, problems, loader)
    loader.dispose()
    return data, marks, problems


def read_documents(file: YamlFile) -> tuple[list[tuple[Any, Marks]], list[Problem]]:
    """Compose every document of a stream, each with its own marks; problems as of ``read_yaml``."""
    problems: list[Problem] = []
    found: list[tuple[Any, Marks]] = []
    if len(file.text) > MAXIMUM_BYTES:
        return found, [_too_large(file)]
    loader = yaml.CSafeLoader(file.text)
    with _told(file.name, problems):
        _check_depth(file.text)
        while (node := loader.get_node() if loader.check_node() else None) is not None:
            marks = Marks(file.name, {})
            found.append((_build(node, (), marks, problems, loader), marks))
    loader.dispose()
    return found, problems


@contextmanager
def _told(name: str, problems: list[Problem]) -> Iterator[None]:
    """Turn what is no YAML into a problem."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = error.problem or "not YAML"
        problems.append(Problem(name, line, column, "$", OURS.get(said, said)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append(Problem(name, 1, 1, "$", f"not YAML: {error}"))


def _too_large(file: YamlFile) -> Problem:
    return Problem(file.name, 1, 1, "$", f"larger than {MAXIMUM_BYTES} bytes")


def _check_depth(text: str) -> None:
    """Refuse what is nested too deeply before it is composed: composing recurses in C, and would kill the process."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAXIMUM_DEPTH:
            raise _too_deep(event.start_mark)


def _too_deep(mark: Any) -> yaml.MarkedYAMLError:  # noqa: ANN401  two kinds of marks
    return yaml.MarkedYAMLError(problem=TOO_DEEP, problem_mark=mark)


def _build(
    node: yaml.Node, path: Path, marks: Marks, problems: list[Problem], loader: yaml.CSafeLoader
) -> Any:  # noqa: ANN401  YAML is anything
    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    marks.places.setdefault(path, place)
    if len(path) > MAXIMUM_DEPTH:
        raise _too_deep(node.start_mark)
    if len(marks.places) > MAXIMUM_NODES:
        message = f"more than {MAXIMUM_NODES} values"
        raise ValueError(message)
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(item, (*path, index), marks, problems, loader)
            for index, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, marks, problems, loader)
    try:
        return loader.construct_object(node, deep=True)
    except (LookupError, AttributeError):  # as PyYAML ends where a tag and its value do not fit
        what = f"this value is no {node.tag.rpartition(':')[2]}"
        raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark) from None


def _mapping(
    node: yaml.MappingNode,
    path: Path,
    marks: Marks,
    problems: list[Problem],
    loader: yaml.CSafeLoader,
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(marks.file, *place, spelled(path), "a key must be plain text"))
            continue
        key = str(key_node.value)
        here = (*path, key)
        if key in data:
            first = marks.places[here][0]
            problems.append(
                Problem(
                    marks.file, *place, spelled(here), f"this key stands at line {first} already"
                )
            )
            continue
        marks.places[here] = place
        data[key] = _build(value_node, here, marks, problems, loader)
    return data
