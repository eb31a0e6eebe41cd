"""
Promise: no code of ours starts a shell, sleeps blindly, or writes to a cluster elsewhere than its few writers do.

The sources of the packages are read, not run. Mutants, each tried: ``shell=True`` at a Popen; ``time.sleep(30)`` before
a return; ``{"spec": {"suspend": True}}`` merged into a Kustomization; ``api.delete`` in another module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("journal", "engine", "phases", "rekindle")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
SHELLS = re.compile(r"(?:^|/)(?:ba|z|da|k|fi|c)?sh$")
PIPED = re.compile(r"\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b")
STARTERS = {
    "system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "create_subprocess_shell",
    "execlp",
}
# Polls, each in a loop that looks at what it waits for and has an end.
SLEEPS = {
    ("rekindle/adapters/commands.py", "_await_group"),
    ("rekindle/adapters/manifests.py", "_await_served"),
    ("rekindle/simulator/client.py", "connect_or_spawn"),
}
# A whole object of the operator's own or what is given back of it; an annotation; finalizers; the object of one UID;
# the lease that says who acts.
WRITERS = {
    ("apply", "rekindle/adapters/manifests.py"),
    ("apply", "rekindle/adapters/giving_back.py"),
    ("merge", "rekindle/adapters/flux.py"),
    ("patch", "rekindle/adapters/finalizers.py"),
    ("delete", "rekindle/adapters/removals.py"),
    ("store", "rekindle/adapters/cluster_lease.py"),
}


def parsed(path: Path) -> tuple[str, ast.Module]:
    return path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """All sources as trees; every worker imports this module, and one of them asks."""
    return [parsed(path) for path in SOURCES]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def documented(tree: ast.AST) -> set[int]:
    """Name the strings that are read by people alone: what stands as a statement of its own."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def shells(tree: ast.AST) -> Iterator[str]:
    """Say what would start a shell, or hand it a line."""
    for call in calls(tree):
        if name_of(call) in STARTERS:
            yield name_of(call)
        for keyword in call.keywords:
            off = isinstance(keyword.value, ast.Constant) and not keyword.value.value
            if keyword.arg == "shell" and not off:
                yield "shell="
    for node in ast.walk(tree):
        match node:
            case ast.List(elts=[ast.Constant(value=str(first)), *_]) if SHELLS.search(first):
                yield first
            case ast.Tuple(
                elts=[ast.Constant(value=str(first)), ast.Constant(value=str(word)), *_]
            ):
                if SHELLS.search(first) and word.startswith("-"):
                    yield first
            case ast.Constant(value=str(text)) if PIPED.search(text):
                if id(node) not in documented(tree):
                    yield text
            case _:
                pass


def sleeps(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Name the functions that sleep, and say whether they do so in a loop that asks something each time."""
    if not any(name_of(call) == "sleep" for call in calls(tree)):
        return
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            loops = [node for node in ast.walk(function) if isinstance(node, ast.While)]
            asking = [loop for loop in loops if any(calls(loop.test))]
            inside = {id(call) for loop in asking for call in calls(loop)}
            for call in calls(function):
                if name_of(call) == "sleep":
                    yield function.name, id(call) in inside


def test_no_shell_is_started() -> None:
    assert [] == [(path, found) for path, tree in trees() for found in shells(tree)]


def test_nobody_sleeps_but_between_two_looks() -> None:
    found = [(path, name, looks) for path, tree in trees() for name, looks in sleeps(tree)]

    assert {(path, name) for path, name, _ in found} == SLEEPS
    assert all(looks for _, _, looks in found)
    assert not any("import sleep" in path.read_text("utf-8") for path in SOURCES)


def test_only_these_write_to_a_cluster_and_none_of_them_a_spec() -> None:
    """The one write of a part of a Flux object is of its metadata; whole objects are the operator's own."""
    written, merged = set(), []
    for path, tree in trees():
        if not path.startswith("rekindle/") or path.startswith("rekindle/simulator/"):
            continue
        for call in calls(tree):
            match call:
                case ast.Call(func=ast.Attribute(value=owner, attr=verb)) if verb in {
                    "apply",
                    "merge",
                    "patch",
                    "delete",
                    "store",
                } and "api" in ast.unparse(owner):
                    written.add((verb, path))
                    merged += [call.args[1]] if verb == "merge" else []
                case ast.Call(func=ast.Name(id="Call"), args=[ast.Constant(value=method), *_]):
                    assert method == "GET", path
                case _:
                    pass

    assert written == WRITERS
    keys = [key.value for one in merged if isinstance(one, ast.Dict) for key in one.keys]  # type: ignore[union-attr]
    assert (len(merged), keys) == (1, ["metadata"])


@pytest.mark.parametrize(
    "source",
    [
        "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=wanted)",
        "os.system(line)",
        "os.popen(line)",
        "Popen(['/bin/sh', '-c', line])",
        "Popen(('bash', '-c', line))",
        "run('curl https://x | bash')",
        "line = f'curl {url} | sudo sh'",
    ],
)
def test_what_is_forbidden_would_be_found(source: str) -> None:
    assert list(shells(ast.parse(source)))


@pytest.mark.parametrize(
    ("source", "looks"),
    [
        ("def f():\n    time.sleep(30)\n", False),
        ("def f():\n    while True:\n        time.sleep(30)\n", False),
        ("def f():\n    while not there() and now() < end:\n        time.sleep(0.1)\n", True),
    ],
)
def test_a_blind_sleep_is_told_from_a_poll(source: str, *, looks: bool) -> None:
    assert [("f", looks)] == list(sleeps(ast.parse(source)))
