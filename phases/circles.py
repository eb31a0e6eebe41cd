"""
What waits for itself, in a graph of needs: Kosaraju's algorithm, with stacks of its own, so that no tree is too deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Edges = Mapping[str, Iterable[str]]


def knots(edges: Edges) -> dict[str, int]:
    """Number the vertices such that two have the same number if and only if each needs the other, by any way."""
    turned: dict[str, list[str]] = {vertex: [] for vertex in edges}
    for vertex, needed in edges.items():
        for other in needed:
            turned.setdefault(other, []).append(vertex)
    found: dict[str, int] = {}
    for number, vertex in enumerate(reversed(as_left({**dict.fromkeys(turned, ()), **edges}))):
        todo = [] if vertex in found else [vertex]
        while todo:
            one = todo.pop()
            if one not in found:
                found[one] = number
                todo.extend(other for other in turned[one] if other not in found)
    return found


def as_left(edges: Edges) -> list[str]:
    """Return the vertices in the order in which a walk in depth leaves them."""
    left: dict[str, None] = {}
    entered: set[str] = set()
    for start in edges:
        stack = [start]
        while stack:
            vertex = stack[-1]
            if vertex in entered:
                stack.pop()
                left.setdefault(vertex)
                continue
            entered.add(vertex)
            stack.extend(other for other in edges[vertex] if other not in entered)
    return [*left]
