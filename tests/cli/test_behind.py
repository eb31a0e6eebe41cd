"""What a cause blocks, in a few words."""

from __future__ import annotations

import pytest

from rekindle.behind import blocked

MANY = (*(f"kustomization/a/{n}" for n in range(5)), "helmrelease/a/b", "odd/x", "crd/y", "pod/z/1")


@pytest.mark.parametrize(
    ("victims", "through", "told"),
    [
        ((), "", ""),
        (("crd/a",), "", "blocks 1: crd a"),
        (("crd/a", "pod/x/y", "pod/x/z"), "crd/a", "blocks 3: crd a, pod x/y, pod x/z"),
        (MANY, "", "blocks 9: 5 Kustomizations, 1 HelmRelease, 1 CRD, 2 others"),
        (
            MANY,
            "kustomization/a/0",
            "blocks 9: kustomization a/0 → 4 Kustomizations, 1 HelmRelease, 1 CRD, 2 others",
        ),
        (tuple(f"pod/a/{n}" for n in range(4)), "", "blocks 4: 4 pods"),
    ],
)
def test_a_few_are_named_and_many_are_counted_by_kind(
    victims: tuple[str, ...], through: str, told: str
) -> None:
    """Mutants: count what it goes through twice; lose the kinds that have no name."""
    assert blocked(victims, through) == told


def test_a_wide_screen_has_room_for_more_names() -> None:
    assert blocked(MANY[:5], named=5).startswith("blocks 5: kustomization a/0, ")
