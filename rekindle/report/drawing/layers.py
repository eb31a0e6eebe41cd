"""
A layered layout for what blocks what: causes at the left, each victim to the right of all that hold it up.

Longest path for the layer, a few sweeps of barycentres for the order within; ties go by name, so that the same graph
is the same picture whatever order it came in. An edge that closes a circle is turned round for the layout only.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rekindle.report.drawing.shapes import Edge

SWEEPS = 8


@dataclass(slots=True)
class Layout:
    """
    *layers* hold ids from the top to the bottom; an edge over more than one layer passes through places of its own.

    *routes* give for each edge the ids that it goes through, its ends included; *circles* those that close a circle;
    *places* are the ids where an edge passes and no node stands.
    """

    layers: list[list[str]] = field(default_factory=list)
    routes: dict[Edge, tuple[str, ...]] = field(default_factory=dict)
    circles: set[Edge] = field(default_factory=set)
    places: set[str] = field(default_factory=set)


def lay_out(ids: Sequence[str], edges: Sequence[Edge]) -> Layout:
    """Lay a graph out; edges to what is no node are left out, and so are those from a node to itself."""
    nodes = sorted(set(ids))
    known = set(nodes)
    usable = sorted(
        {e for e in edges if e.blocker in known and e.blocked in known and e.blocker != e.blocked},
        key=lambda edge: (edge.blocker, edge.blocked),
    )
    made = Layout(circles=_circles(nodes, usable))
    forward = [(e, *(_ends(e, turned=e in made.circles))) for e in usable]
    depth = _depths(nodes, [(a, b) for _, a, b in forward])
    made.layers = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        made.layers[depth[node]].append(node)
    links: list[tuple[str, str]] = []
    for edge, tail, head in forward:
        route = [tail]
        for layer in range(depth[tail] + 1, depth[head]):
            place = f"{edge.blocker} > {edge.blocked} in {layer}"
            while place in known or place in made.places:  # an object may be called anything
                place += "'"
            made.places.add(place)
            made.layers[layer].append(place)
            route.append(place)
        route.append(head)
        links += itertools.pairwise(route)
        made.routes[edge] = tuple(reversed(route)) if edge in made.circles else tuple(route)
    _order(made.layers, links)
    return made


def _ends(edge: Edge, *, turned: bool) -> tuple[str, str]:
    return (edge.blocked, edge.blocker) if turned else (edge.blocker, edge.blocked)


def _circles(nodes: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """Return the edges that lead back to where the walk came from; without recursion, graphs may be deep."""
    after = _after((e.blocker, e.blocked) for e in edges)
    done: set[str] = set()
    found: set[Edge] = set()
    for start in nodes:
        if start in done:
            continue
        path: dict[str, int] = {start: 0}
        stack = [start]
        while stack:
            node = stack[-1]
            following = after.get(node, [])
            if path[node] == len(following):
                stack.pop()
                del path[node]
                done.add(node)
                continue
            blocked = following[path[node]]
            path[node] += 1
            if blocked in path:
                found.add(Edge(node, blocked))
            elif blocked not in done:
                path[blocked] = 0
                stack.append(blocked)
    return found


def _after(links: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for tail, head in links:
        found[tail].append(head)
    return found


def _depths(nodes: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the longest path to each node; *links* have no circle."""
    after = _after(links)
    waiting = dict.fromkeys(nodes, 0)
    for _, head in links:
        waiting[head] += 1
    depth = dict.fromkeys(nodes, 0)
    free = [node for node in nodes if not waiting[node]]
    while free:
        node = free.pop()
        for head in after.get(node, []):
            depth[head] = max(depth[head], depth[node] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                free.append(head)
    return depth


def _order(layers: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    """Sort each layer by the mean place of its neighbours, to the right and back."""
    left, right = _after((head, tail) for tail, head in links), _after(links)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        neighbours = left if forward else right
        order = range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1)
        for index in order:
            beside = layers[index - 1 if forward else index + 1]
            places = {name: place for place, name in enumerate(beside)}
            now = {name: place for place, name in enumerate(layers[index])}
            layers[index].sort(key=lambda name: (_mean(name, neighbours, places, now), name))


def _mean(
    name: str,
    neighbours: Mapping[str, list[str]],
    places: Mapping[str, int],
    now: Mapping[str, int],
) -> float:
    found = [places[other] for other in neighbours.get(name, []) if other in places]
    return sum(found) / len(found) if found else float(now[name])
