"""A list is taken apart as it comes, wherever the pieces are cut, and whatever stands inside an item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from phases.objects import Pod
from phases.snapshot import ALL_KINDS
from rekindle.adapters import items
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.decoding import Decoder, Listed

if TYPE_CHECKING:
    from collections.abc import Iterator

POD: dict[str, Any] = {"metadata": {"name": "a", "namespace": "n", "resourceVersion": "7"}}
NESTED: dict[str, Any] = {
    "metadata": {"name": "db", "namespace": "n"},
    "spec": {"volumeClaimTemplates": [{"metadata": {"name": c}} for c in "xyz"]},
    "status": {"readyReplicas": 3},
}
QUOTED: dict[str, Any] = {
    "metadata": {"name": "q", "namespace": "n", "annotations": {"was": '},{"metadata":{}}]}'}}
}


def packed(kind: str, *found: dict[str, Any], token: str = "") -> bytes:
    """Write a list as the server writes its own kinds."""
    metadata = {"resourceVersion": "10", "continue": token}
    body = {"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": list(found)}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def page(kind: str, body: bytes, size: int = 100_000) -> Listed:
    return Decoder(kind, ALL_KINDS[kind]).page(cut(body, size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_wherever_it_is_cut_all_items_are_found(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants: look for the text between two items from the last byte on; drop what is left of a piece."""
    monkeypatch.setattr(items, "_HEAD_BYTES", 80)
    body = packed("Pod", POD, QUOTED, {"metadata": {"name": "b", "namespace": "n"}}, token="t")
    listed = page("Pod", body, size)

    assert (["n/a", "n/q", "n/b"], "10", "t") == (
        list(listed.objects),
        listed.version,
        listed.token,
    )
    assert '},{"metadata":{}}]}' == listed.objects["n/q"].metadata.annotations["was"]


@pytest.mark.parametrize("size", [5, 100_000])
def test_what_looks_like_the_next_item_may_stand_inside_one(size: int) -> None:
    """Mutant: take what does not decode for an error."""
    listed = page("StatefulSet", packed("StatefulSet", NESTED, NESTED | POD), size)

    assert ["n/db", "n/a"] == list(listed.objects)
    assert 3 == listed.objects["n/db"].status.ready_replicas


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_list_is_a_list(count: int) -> None:
    assert count == len(page("Pod", packed("Pod", *[POD] * count)).objects)


def test_where_the_head_comes_last_the_page_is_decoded_as_a_whole() -> None:
    """Custom resources come in this order. Mutant: take a list without a head for none."""
    body = {"apiVersion": "v1", "items": [POD], "kind": "PodList"}
    text = json.dumps({**body, "metadata": {"resourceVersion": "3"}}, separators=(",", ":"))
    listed = page("Pod", text.encode(), 11)

    assert ("3", ["n/a"]) == (listed.version, list(listed.objects))


def test_a_null_that_stands_for_nothing_is_nothing() -> None:
    odd = {"metadata": {"name": "odd", "namespace": "n", "labels": None}}
    listed = page("Pod", packed("Pod", POD, odd, POD | {"metadata": {"name": "last"}}), 9)

    assert ["n/a", "n/odd", "last"] == list(listed.objects)


@pytest.mark.parametrize(
    "body",
    [
        packed("Pod", POD)[:-4],
        packed("Pod", POD, POD)[:-60],
        packed("Pod")[:-3],
        packed("Pod", POD) + b"]}",
        packed("Pod", POD).rstrip()[:-2] + b"}]}",
        packed("Node", POD),
        packed("Pod", POD).replace(b'"10"', b'""'),
        packed("Pod", {"metadata": {"name": ""}}),
        packed("Pod", POD, {"metadata": {"name": 7}}, POD),
    ],
    ids=["cut", "cut item", "cut empty", "more", "odd end", "kind", "version", "name", "type"],
)
@pytest.mark.parametrize("size", [13, 100_000])
def test_what_is_no_whole_list_of_the_kind_is_refused(body: bytes, size: int) -> None:
    """Mutant: give out what was found so far."""
    with pytest.raises(UnansweredError):
        page("Pod", body, size)


def test_an_item_that_never_ends_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try costs as much as the item is long. Mutant: no limit."""
    monkeypatch.setattr(items, "_NESTED_LIMIT", 5)
    parts = [{"metadata": {"name": "x"}}] * 20
    endless = {**POD, "spec": {"parts": parts}}
    with pytest.raises(UnansweredError):
        page("Pod", packed("Pod", endless))


def test_bytes_of_an_item_are_let_go_before_the_next_page_comes() -> None:
    """What is kept at once is an item, not a page. Mutant: gather the pieces first."""
    seen: list[int] = []
    decoder = Decoder("Pod", Pod)
    body = packed("Pod", *({"metadata": {"name": f"p{n}", "x": "y" * 900}} for n in range(100)))

    def watched() -> Iterator[bytes]:
        for piece in cut(body, 1000):
            seen.append(len(decoded))
            yield piece

    decoded: list[Any] = []
    real = decoder._objects

    class Counting:
        def decode(self, raw: bytes) -> Any:  # noqa: ANN401  a pod
            found = real.decode(raw)
            decoded.append(found)
            return found

    decoder._objects = Counting()  # type: ignore[assignment]
    decoder.page(watched())

    assert seen[-1] > 90
