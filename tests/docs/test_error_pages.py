"""
Promise: what an error page shows is what the program prints, to the last word of its hint.

The literal parts of a message and of its hint are taken from the source; what stands between them may be made up on the
page. A variable is followed to its assignments in the same function, and what etcd's quorum says of itself to where a
``Quorum`` is made; what comes from elsewhere may be anything.

Mutants: cut the second half off a hint, in a page or in the source; take ``fullmatch`` for ``match``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.test_errors import NAMING, PRINTED, ROOMS, ROOT, STUCK, pages, strings

ANYTHING = "(?s:.*?)"
JOURNAL = re.compile(r" --journal [^\s`]+")
BLOCK = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
# One message with its hint; several may stand in a block, and what is printed before one is not its own.
SHOWN = re.compile(
    r"^(?:error|stuck) \(([a-z0-9-]+)\): (.*?)(?:\n+hint: ([^\n]*)(?:\n|\Z)|(?=^(?:error|stuck) \()|\Z)",
    re.MULTILINE | re.DOTALL,
)
DEPTH = 4
# Of this class two fields are a message and its hint; whoever imports it shows no others of these names.
FOLLOWED, FIELDS, MAKING = "Quorum", ("verdict", "said", "way_out"), ROOT / "phases/etcd_quorum.py"
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module


class Module:
    """A module's tree, and the function that each part of it stands in."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text("utf-8")
        self.tree = tree = ast.parse(self.text)
        self.around: dict[ast.AST, Function] = {}
        self._walk(tree, tree)

    def _walk(self, node: ast.AST, inside: Function) -> None:
        for child in ast.iter_child_nodes(node):
            self.around[child] = inside
            own = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else inside
            self._walk(child, own)

    def patterns(self, node: ast.expr | None, at: ast.AST, depth: int = DEPTH) -> list[str]:
        """What an expression may print, as regular expressions."""
        match node:
            case ast.Constant(value=str(text)):
                return [re.escape(JOURNAL.sub("", text))]
            case ast.JoinedStr(values=parts):
                return self._joined(parts, at, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right], at, depth)
            case ast.IfExp(body=body, orelse=orelse):
                return self.patterns(body, at, depth) + self.patterns(orelse, at, depth)
            case (
                ast.FormattedValue(value=value, conversion=-1)
                | ast.Call(func=ast.Name(id="str"), args=[value])
            ):
                return self.patterns(value, at, depth)
            case ast.Name(id=name) if depth:
                return self._assigned(name, at, depth - 1) or [ANYTHING]
            case ast.Attribute(attr=name) if name in FIELDS and FOLLOWED in self.text:
                return of_quorum()[name]
        return [ANYTHING]

    def _joined(self, parts: list[ast.expr], at: ast.AST, depth: int) -> list[str]:
        made = [""]
        for part in parts:
            more = self.patterns(part, at, depth)
            more = more if len(made) * len(more) <= 64 else [ANYTHING]
            made = [before + one for before in made for one in more]
        return made

    def _assigned(self, name: str, at: ast.AST, depth: int) -> list[str]:
        inside = self.around.get(at, self.tree)
        found: list[str] = []
        for scope in (inside, self.tree):
            for node in ast.walk(scope):
                if isinstance(node, ast.Assign) and any(
                    isinstance(target, ast.Name) and target.id == name for target in node.targets
                ):
                    found += self.patterns(node.value, node, depth)
            if found or any(one.arg == name for one in _arguments(inside)):
                break
        return found


def _arguments(function: Function) -> list[ast.arg]:
    if isinstance(function, ast.Module):
        return []
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


@cache
def of_quorum() -> dict[str, list[str]]:
    """What the fields of a quorum may say."""
    module, found = Module(MAKING), {name: ["-"] for name in FIELDS}
    for call in ast.walk(module.tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == FOLLOWED:
            for name, value in zip(FIELDS, call.args, strict=False):
                found[name] += module.patterns(value, call)
    return found


@cache
def sources() -> dict[str, tuple[list[str], list[str]]]:
    """By reference: what its messages, and what its hints may be."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    for module in (Module(path) for path in paths if NAMING.search(path.read_text("utf-8"))):
        for name in PRINTED.findall(module.text):
            for kept in found.setdefault(name, ([], [])):
                kept.append(ANYTHING)
        for names, message, hint, call in made_in(module.tree):
            for name in names:
                messages, hints = found.setdefault(name, ([], []))
                messages += module.patterns(message, call)
                hints += module.patterns(hint, call)
    return found


def made_in(
    tree: ast.Module,
) -> Iterator[tuple[list[str], ast.expr | None, ast.expr | None, ast.Call]]:
    """Each call that makes an error: its references, its message, its hint."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        given = {item.arg: item.value for item in call.keywords}
        positional = list(call.args)
        if ast.unparse(call.func).rpartition(".")[2] == STUCK:
            given |= dict(zip(("reference", "message", "hint"), positional, strict=False))
        elif positional:
            given["message"] = positional[0]
        if "reference" in given:
            yield strings(given["reference"]), given.get("message"), given.get("hint"), call


def shown(text: str) -> list[tuple[str, str]]:
    """The messages of a page, each with its hint (empty: none is shown)."""
    return [
        (JOURNAL.sub("", message.strip()), JOURNAL.sub("", hint))
        for block in BLOCK.findall(text)
        for _, message, hint in SHOWN.findall(block)
    ]


def is_printed(text: str, patterns: list[str]) -> bool:
    """Say whether the source may print that; of what no pattern is known nothing can be said."""
    return not patterns or any(re.fullmatch(one, text) for one in patterns)


@pytest.mark.parametrize("reference", sorted(pages()))
def test_a_page_shows_what_is_printed(reference: str) -> None:
    messages, hints = sources().get(reference, ([], []))

    for message, hint in shown(pages()[reference]):
        assert is_printed(message, messages), (message, messages)
        assert not hint or is_printed(hint, hints), (hint, hints)


@pytest.mark.parametrize(
    "reference",
    ["etcd-data-left", "etcd-foreign", "etcd-member-stale", "etcd-quorum-lost", "lease-held"],
)
def test_half_a_hint_is_not_what_is_printed(reference: str) -> None:
    ((message, hint), *_) = shown(pages()[reference])
    messages, hints = sources()[reference]

    assert is_printed(hint, hints)
    assert not is_printed(hint[: hint.rindex(" ")], hints)
    assert not is_printed(message.partition(" ")[2], messages)
