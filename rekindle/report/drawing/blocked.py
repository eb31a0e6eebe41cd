"""
What blocked what: the causes at the left, behind them all that could not go on.

Objects that share their blockers and block the same are one box with their number: a night has seventy victims and
three causes, and the picture is about the three.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rekindle.report.drawing.layers import Layout, lay_out
from rekindle.report.drawing.shapes import Edge, Node
from rekindle.report.drawing.svg import NOTHING, Markup, element, group, number, picture, rect
from rekindle.report.drawing.writing import SMALL, fitted, label, wrapped

BOX, COLUMN = 264.0, 336.0  # widths of a box, and of a box with the room behind it
HEAD, LINE = 28.0, 14.0  # heights of a box without its notes, and of a line of notes
APART, PASSING = 12.0, 16.0  # between boxes, and of a slot that an edge passes through
ROOM = BOX - 20.0
NOTES = 3  # lines that say what a cause is
MARGIN = 12.0
ALONE = 2  # as many equals keep boxes of their own
MOST = 48  # boxes of a picture
NAMED = 12  # of a box's members in its hint


@dataclass(frozen=True, slots=True)
class Box:
    """What is drawn: one node, or several that are equal for this picture."""

    id: str
    label: str
    notes: tuple[str, ...]
    hint: str
    root: bool

    @property
    def height(self) -> float:
        """Return how tall it is drawn."""
        return HEAD + LINE * max(1, len(self.notes))


def blocked_by(nodes: Sequence[Node], edges: Sequence[Edge], *, name: str = "blocked") -> Markup:
    """Draw the graph; nodes without an edge are drawn only where they are roots."""
    boxes, links, left_out = condensed(nodes, edges)
    layout = lay_out([box.id for box in boxes], links)
    drawn = {box.id: box for box in boxes}
    places, size = _places(layout, drawn)
    routes = sorted(layout.routes, key=lambda edge: (edge.blocker, edge.blocked))
    return picture(
        name,
        "What blocked what",
        told(nodes, edges, left_out),
        size,
        _arrow(name),
        *(_edge(layout.routes[one], one in layout.circles, places, name) for one in routes),
        *(_box(drawn[key], places[key]) for key in sorted(drawn)),
    )


def told(nodes: Sequence[Node], edges: Sequence[Edge], left_out: int = 0) -> str:
    """Say in words what the picture shows."""
    roots = sorted((node for node in nodes if node.root), key=lambda node: node.id)
    if not roots:
        return "No cause was found that held something up."
    held = (
        f"{root.label} held up {max(root.held, len(behind(root.id, edges)))}"
        for root in roots[:NAMED]
    )
    more = f" and {len(roots) - NAMED} more causes" if len(roots) > NAMED else ""
    cut = f" Not drawn, but in the table: {left_out}." if left_out else ""
    return f"Causes that nothing else explains, with the number of objects behind each: {'; '.join(held)}{more}.{cut}"


def behind(start: str, edges: Sequence[Edge]) -> set[str]:
    """Return the ids of all that *start* holds up, however far behind."""
    after = _grouped((edge.blocker, edge.blocked) for edge in edges)
    found: set[str] = set()
    left = [start]
    while left:
        for blocked in after.get(left.pop(), ()):
            if blocked not in found:
                found.add(blocked)
                left.append(blocked)
    return found - {start}


def condensed(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[list[Box], list[Edge], int]:
    """Return the boxes to draw, the edges between them, and how many nodes have no place in the picture."""
    known = {node.id: node for node in sorted(nodes, key=lambda node: node.id)}
    real = {e for e in edges if e.blocker in known and e.blocked in known}
    before = _grouped((edge.blocked, edge.blocker) for edge in real)
    after = _grouped((edge.blocker, edge.blocked) for edge in real)
    equals: dict[tuple[object, ...], list[Node]] = defaultdict(list)
    for node in known.values():
        sides = frozenset(before.get(node.id, ())), frozenset(after.get(node.id, ()))
        if node.root:
            equals[node.id,].append(node)
        elif any(sides):
            equals[(node.kind, *sides)].append(node)
    boxes: list[Box] = []
    boxed: dict[str, str] = {}
    for members in equals.values():
        for box, inside in _boxes(members):
            boxes.append(box)
            boxed.update((node.id, box.id) for node in inside)
    links = {Edge(boxed[edge.blocker], boxed[edge.blocked]) for edge in real}
    kept = _nearest(boxes, links)
    drawn = {box.id for box in kept}
    left_out = sum(box not in drawn for box in boxed.values())
    shown = [edge for edge in links if edge.blocker in drawn and edge.blocked in drawn]
    return kept, shown, left_out


def _boxes(members: Sequence[Node]) -> list[tuple[Box, Sequence[Node]]]:
    if len(members) <= ALONE:
        return [(_single(node), (node,)) for node in members]
    names = [node.label for node in members]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    said = f"{len(names)} \N{MULTIPLICATION SIGN} {members[0].kind or 'objects'}"
    hint = f"{said}: {', '.join(names[:NAMED])}{more}"
    few = fitted(", ".join(names[:NAMED]), ROOM, SMALL)
    return [(Box(members[0].id, said, (few,), hint, root=False), members)]


def _single(node: Node) -> Box:
    hint = " ".join(filter(None, (node.kind, node.label)))
    said = f"{hint}: {node.note}" if node.note else hint
    lines = NOTES if node.root else 1
    note = ": ".join(filter(None, ("cause" if node.root else node.kind, node.note)))
    return Box(node.id, node.label, tuple(wrapped(note, ROOM, lines, SMALL)), said, node.root)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def _nearest(boxes: Sequence[Box], links: set[Edge]) -> list[Box]:
    """Keep the boxes that are nearest to a root, as many as a picture may have."""
    after = _grouped((edge.blocker, edge.blocked) for edge in links)
    distance = {box.id: 0 for box in boxes if box.root}
    reached = sorted(distance)
    for box in reached:  # grows while it is read: breadth first
        for blocked in sorted(after.get(box, ())):
            if blocked not in distance:
                distance[blocked] = distance[box] + 1
                reached.append(blocked)
    far = len(boxes)
    return sorted(boxes, key=lambda box: (distance.get(box.id, far), box.id))[:MOST]


def _places(
    layout: Layout, drawn: Mapping[str, Box]
) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """Return the left end and the middle height of each id, and the size of the picture."""
    pitch = {name: box.height + APART for name, box in drawn.items()}
    pitch |= dict.fromkeys(layout.places, PASSING)
    heights = [sum(pitch[name] for name in layer) for layer in layout.layers]
    tallest = max(heights, default=HEAD)
    found: dict[str, tuple[float, float]] = {}
    for index, layer in enumerate(layout.layers):
        y = MARGIN + (tallest - heights[index]) / 2
        for name in layer:
            found[name] = (MARGIN + index * COLUMN, y + pitch[name] / 2)
            y += pitch[name]
    columns = max(1, len(layout.layers))
    return found, (2 * MARGIN + (columns - 1) * COLUMN + BOX, tallest + 2 * MARGIN)


def _arrow(name: str) -> Markup:
    head = element("path", d="M0 0L7 3.5L0 7z", class_="head")
    return element(
        "defs",
        element(
            "marker",
            head,
            id=f"{name}-arrow",
            markerWidth=7.0,
            markerHeight=7.0,
            refX=6.5,
            refY=3.5,
            orient="auto",
            markerUnits="userSpaceOnUse",
        ),
    )


def _edge(
    route: Sequence[str],
    circle: bool,  # noqa: FBT001  the other arguments say what it is of
    places: Mapping[str, tuple[float, float]],
    name: str,
) -> Markup:
    """Draw a line from box to box; one that closes a circle runs back, and is broken."""
    said = ""
    for here, there in pairwise(route):
        (x1, y1), (x2, y2) = places[here], places[there]
        start, end = (x1 + BOX, x2) if x1 < x2 else (x1, x2 + BOX)
        middle = (start + end) / 2
        said += f"{'L' if said else 'M'}{number(start)} {number(y1)}"
        said += f"C{number(middle)} {number(y1)} {number(middle)} {number(y2)} {number(end)} {number(y2)}"
    kind = "link circle" if circle else "link"
    return element("path", d=said, class_=kind, marker_end=f"url(#{name}-arrow)")


def _box(box: Box, place: tuple[float, float]) -> Markup:
    x, y = place[0], place[1] - box.height / 2
    notes = (
        label(note, (x + 12, y + HEAD + 6 + index * LINE), ROOM, class_="muted", size=SMALL)
        for index, note in enumerate(box.notes)
    )
    return group(
        rect(x, y, BOX, box.height, rx=4.0, class_="box root" if box.root else "box"),
        rect(x, y, 5, box.height, class_="flag") if box.root else NOTHING,
        label(box.label, (x + 12, y + 18), ROOM),
        *notes,
        hint=box.hint,
    )
