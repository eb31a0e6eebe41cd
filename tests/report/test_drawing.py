"""
Promise: every picture is one well-formed image with a text alternative, whatever the names in it are; names are text
and never markup, numbers are the same on every machine, and the same graph is the same picture.

Mutants that turn it red: ``escaped`` without one of its entities; ``clean`` returns its argument; ``number`` with
``str``; ``_circles`` returns nothing; ``sorted`` taken out of ``lay_out``.
"""

from __future__ import annotations

import itertools
import math
import random
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.report.drawing import blocked, gantt, layers, pods, svg, writing
from rekindle.report.drawing.axes import Scale, ticks
from rekindle.report.drawing.shapes import Bar, Edge, Level, Look, Mark, Node, Phase, Row

BEGUN = 1_749_686_400.0
SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "g", "text", "rect", "line", "path", "defs", "pattern", "marker"}
HOSTILE = [
    "</title></svg><script>alert(1)</script>",
    '" onload="alert(1)',
    "' onmouseover='alert(1)",
    "]]><!--",
    "&amp;&lt;&#0;",
    "\x00\x01\x1b[31m\x7f\x9b",
    "\u202egnp.exe",
    "\ud800",
    "\ufffe",
    "a\n\tb",
    "url(#x)}*{color:red",
    "\u4e2d\u6587" * 40,
    "\ufdfd" * 9,
    "W" * 300,
    "e\u0301" * 50,
    "",
]
ANY = st.characters(exclude_categories=())
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(ANY, max_size=60))
SPANS = st.tuples(st.floats(0, 90_000), st.floats(0, 9_000))


def read(image: str) -> ET.Element:
    """Parse a picture, and hold what is true of all of them."""
    image.encode()
    root = ET.fromstring(image)  # noqa: S314  our own text
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    ids = {one.get("id") for one in root.iter() if one.get("id")}
    for name in (root.get("aria-labelledby") or "").split():
        assert name in ids
    assert len(ids) == sum(one.get("id") is not None for one in root.iter())
    for one in root.iter():
        assert one.tag.removeprefix(SVG) in ALLOWED
        for key, value in one.attrib.items():
            assert not key.startswith("on")
            assert key not in {"href", "style"}
            assert "url(" not in value or re.fullmatch(r"url\(#[a-z-]+\)", value)
    assert root.find(f"{SVG}title") is not None
    assert (root.find(f"{SVG}desc").text or "").strip()  # type: ignore[union-attr]
    return root


def words(root: ET.Element) -> list[str]:
    return [("".join(t for t in one.itertext())) for one in root.iter() if one.tag != f"{SVG}g"]


def bars(draw: st.DrawFn, count: int) -> tuple[Bar, ...]:
    made = []
    for _ in range(count):
        begun, lasted = draw(SPANS)
        look = draw(st.sampled_from(list(Look)))
        made.append(Bar(BEGUN + begun, BEGUN + begun + lasted, draw(TEXTS), draw(TEXTS), look))
    return tuple(made)


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    return [
        Row(draw(TEXTS), bars(draw, draw(st.integers(0, 12))))
        for _ in range(draw(st.integers(0, 5)))
    ]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], list[Edge]]:
    names = draw(st.lists(TEXTS, min_size=0, max_size=14, unique=True))
    kinds = st.sampled_from(["Kustomization", "Namespace", ""])
    nodes = [
        Node(name, draw(TEXTS), draw(kinds), draw(TEXTS), root=draw(st.booleans()))
        for name in names
    ]
    one = st.sampled_from([*names, "nobody"])
    edges = draw(st.lists(st.builds(Edge, one, one), max_size=30))
    return nodes, edges


@given(
    st.lists(st.tuples(SPANS, st.none() | st.integers(0, 20_000), st.none() | st.integers(0, 300))),
    st.lists(st.tuples(TEXTS, SPANS), max_size=8),
    st.lists(st.tuples(st.floats(0, 90_000), TEXTS, TEXTS), max_size=30),
)
def test_pods_over_time_is_a_well_formed_image(
    levels: list[tuple[tuple[float, float], int | None, int | None]],
    phases: list[tuple[str, tuple[float, float]]],
    marks: list[tuple[float, str, str]],
) -> None:
    drawn = pods.pods_over_time(
        sorted(
            (Level(BEGUN + at, ready, want) for (at, _), ready, want in levels), key=lambda v: v.at
        ),
        [Phase(name, BEGUN + at, BEGUN + at + span) for name, (at, span) in phases],
        [Mark(BEGUN + at, name, hint) for at, name, hint in marks],
    )

    read(drawn)


@given(rows())
def test_a_gantt_is_a_well_formed_image(made: list[Row]) -> None:
    read(gantt.gantt(made, BEGUN, BEGUN + 99_000.0))


@given(graphs())
def test_a_graph_is_a_well_formed_image_with_and_without_circles(
    graph: tuple[list[Node], list[Edge]],
) -> None:
    read(blocked.blocked_by(*graph))


@given(graphs(), st.randoms(use_true_random=False))
def test_the_same_graph_is_the_same_picture_whatever_order_it_comes_in(
    graph: tuple[list[Node], list[Edge]], dice: random.Random
) -> None:
    nodes, edges = graph
    drawn = blocked.blocked_by(nodes, edges)
    laid_out = layers.lay_out([node.id for node in nodes], edges)
    dice.shuffle(nodes)
    dice.shuffle(edges)

    assert drawn == blocked.blocked_by(nodes, edges)
    assert laid_out == layers.lay_out([node.id for node in nodes], edges)


@given(graphs())
def test_a_layout_has_every_node_once_and_no_edge_within_a_layer(
    graph: tuple[list[Node], list[Edge]],
) -> None:
    nodes, edges = graph
    made = layers.lay_out([node.id for node in nodes], edges)
    layer = {name: index for index, names in enumerate(made.layers) for name in names}

    assert sorted(name for name in layer if name not in made.places) == sorted(n.id for n in nodes)
    for edge, route in made.routes.items():
        assert (route[0], route[-1]) == (edge.blocker, edge.blocked)
        step = -1 if edge in made.circles else 1
        assert [layer[b] - layer[a] for a, b in itertools.pairwise(route)] == [step] * (
            len(route) - 1
        )


@given(TEXTS)
def test_a_text_is_read_back_as_itself(text: str) -> None:
    image = svg.element("svg", svg.element("title", svg.escaped(text)), class_=f"x{text}")
    root = ET.fromstring(image)  # noqa: S314  our own text

    assert (root[0].text or "") == svg.one_line(text)
    assert root.get("class") == svg.one_line(f"x{text}")
    assert not set(svg.clean(text)) & set("\x00\x1b\x7f\x9b\u202e\ud800\ufffe")


@given(TEXTS, st.floats(0, 400))
def test_a_text_never_takes_more_room_than_it_has(text: str, room: float) -> None:
    shown = writing.fitted(text, room)

    assert writing.width(shown) <= room
    assert shown == svg.one_line(text) or shown == "" or shown.endswith("…")


def test_a_text_that_was_cut_has_the_whole_as_its_hint() -> None:
    whole = "kustomization/" + "very-long-" * 20
    root = ET.fromstring(writing.label(whole, (0, 0), 100.0))  # noqa: S314

    assert root.find("title").text == whole  # type: ignore[union-attr]
    assert (root[0].tail or "").endswith("…")


def test_letters_of_unknown_width_are_given_the_width_that_was_counted_on() -> None:
    root = ET.fromstring(writing.label("\ufdfd", (0, 0), 100.0))  # noqa: S314

    assert float(root.get("textLength") or 0) == pytest.approx(writing.width("\ufdfd"), abs=0.01)
    assert "textLength" not in writing.label("plain", (0, 0), 100.0)


@given(st.floats(-1e9, 1e9))
def test_a_number_is_plain_and_short(value: float) -> None:
    shown = svg.number(value)

    assert re.fullmatch(r"-?(0|[1-9]\d*)(\.\d{1,2})?", shown)
    assert shown != "-0"
    assert float(shown) == pytest.approx(value, abs=0.0051)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_drawn_nowhere(value: float) -> None:
    with pytest.raises(ValueError, match="not a place"):
        svg.number(value)


@given(st.floats(0, 4e8), st.floats(200, 2000))
def test_the_axis_writes_few_instants_and_round_ones(span: float, wide: float) -> None:
    found = ticks(Scale(BEGUN, BEGUN + span, 0.0, wide))

    assert len(found) <= wide / 80 + 2
    assert all(BEGUN <= at <= BEGUN + max(1.0, span) for at, _ in found)
    assert len({said for _, said in found}) == len(found)


def test_an_unseen_count_is_a_gap_and_no_line() -> None:
    seen = [Level(BEGUN, 5, 9), Level(BEGUN + 10, None, 9), Level(BEGUN + 20, 7, 9)]

    root = read(pods.pods_over_time(seen, [], []))

    assert sum(one.get("class") == "curve" for one in root.iter()) == 2


def test_each_look_has_a_pattern_or_a_form_of_its_own() -> None:
    row = Row(
        "verb", tuple(Bar(BEGUN + i, BEGUN + i, "x", "y", look) for i, look in enumerate(Look))
    )
    root = read(gantt.gantt([row], BEGUN, BEGUN + 60))
    fills = {one.get("fill") for one in root.iter() if "bar" in (one.get("class") or "").split()}
    defined = {f"url(#{one.get('id')})" for one in root.iter() if one.tag == f"{SVG}pattern"}

    assert fills - {None} == defined
    assert (
        len(defined) == len(Look) - 2
    )  # a state and what is done are plain; they never share a row


def test_many_actions_at_once_are_one_bar_that_says_the_worst() -> None:
    many = [Bar(BEGUN + i / 10, BEGUN + i / 10, f"n{i}", "", Look.DONE) for i in range(500)]
    many.append(Bar(BEGUN + 20, BEGUN + 20, "bad", "", Look.FAILED))
    root = read(gantt.gantt([Row("flux.nudge", tuple(many))], BEGUN, BEGUN + 9_000))
    drawn = [one for one in root.iter() if (one.get("class") or "").startswith("bar ")]

    assert len(drawn) < 60
    assert "1 failed" in " ".join(words(root))
    assert "flux.nudge \N{MULTIPLICATION SIGN}501" in words(root)


def test_an_object_that_is_called_like_a_place_of_an_edge_is_still_an_object() -> None:
    """Mutant: no ``while`` in ``lay_out``; the edge from a to c then runs through the object."""
    edges = [Edge("a", "b"), Edge("b", "c"), Edge("a", "c")]
    liar = "a > c in 1"

    made = layers.lay_out(["a", "b", "c", liar], [*edges, Edge("a", liar)])

    assert liar not in made.places
    assert liar not in made.routes[Edge("a", "c")]


def test_equal_victims_are_one_box_with_their_number() -> None:
    nodes = [Node("ns", "storage", "Namespace", "held", root=True)]
    nodes += [Node(f"k{i}", f"app-{i}", "Kustomization") for i in range(40)]
    edges = [Edge("ns", f"k{i}") for i in range(40)]

    boxes, links, left_out = blocked.condensed(nodes, edges)

    assert [box.label for box in boxes] == ["storage", "40 \N{MULTIPLICATION SIGN} Kustomization"]
    assert links == [Edge("ns", "k0")]
    assert left_out == 0


def test_a_graph_that_is_too_large_keeps_what_is_nearest_to_the_causes() -> None:
    chain = [Node("n000", "root", "x", root=True)]
    chain += [Node(f"n{i:03}", f"n{i}", "x") for i in range(1, 200)]
    edges = [Edge(f"n{i:03}", f"n{i + 1:03}") for i in range(199)]

    boxes, _, left_out = blocked.condensed(chain, edges)

    assert [box.id for box in boxes] == [f"n{i:03}" for i in range(blocked.MOST)]
    assert left_out == 200 - blocked.MOST
    assert f"Not drawn, but in the table: {left_out}." in blocked.blocked_by(chain, edges)


def test_the_words_of_the_curve_are_its_first_its_lowest_and_its_last() -> None:
    levels = [Level(BEGUN, 23, 104), Level(BEGUN + 60, 11, 104), Level(BEGUN + 900, 104, 104)]

    told = pods.told(levels, [Phase("cni-up", BEGUN, BEGUN + 900)])

    assert "23 of 104 pods Ready at 00:00:00" in told
    assert "the fewest 11 at 00:01:00" in told
    assert "104 of 104 at 00:15:00" in told
    assert "cni-up for 15 m" in told


def test_a_file_of_its_own_has_the_style_inside() -> None:
    image = pods.pods_over_time([Level(BEGUN, 1, 2)], [], [])

    root = ET.fromstring(svg.standing_alone(image, "a > b { fill: red }"))  # noqa: S314

    assert root.find(f"{SVG}style") is not None
