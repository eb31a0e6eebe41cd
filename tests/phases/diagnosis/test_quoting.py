"""What findings quote: one line, short, and without what nobody may read."""

from __future__ import annotations

import pytest

from phases.diagnosis.quoting import QUOTED_CHARACTERS, meant, nearest, quote, utc


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("unable to clone 'https://bot:hunter2@git.example.com/x.git': refused", "hunter2"),
        ("unable to clone 'https://bot:hunt@er2@git.example.com/x.git'", "hunt@er2"),
        ("ssh://hunter2@git.example.com", "hunter2"),
        ('spec.template: Invalid value: {"env":"hunter2"}: field is immutable', "hunter2"),
        ("Invalid value: core.PodTemplateSpec{Env: hunter2, cut here", "hunter2"),
        ("failed to decode Kubernetes apiVersion, kind and name from: data: hunter2", "hunter2"),
        ("yaml: line 5: cannot unmarshal !!str `hunter2` into int", "hunter2"),
    ],
)
def test_passwords_and_contents_are_not_quoted(text: str, hidden: str) -> None:
    assert hidden not in quote(text)


def test_what_matters_of_such_a_message_stays() -> None:
    said = quote('Job "x" is invalid: spec.template: Invalid value: {"a":1}: field is immutable')

    assert said == 'Job "x" is invalid: spec.template: Invalid value: field is immutable'


def test_a_quotation_is_one_line_and_short() -> None:
    said = quote("first\nsecond  third " + "x" * 500)

    assert said.startswith("first second third")
    assert (len(said), said[-1]) == (QUOTED_CHARACTERS, "…")


def test_what_is_cut_off_hides_no_password_that_began_before() -> None:
    assert "hunter2" not in quote("x" * 170 + " https://bot:hunter2" + "y" * 40 + "@example.com")


@pytest.mark.parametrize(
    ("key", "known", "near"),
    [
        ("flux-system/rook", ["storage/rook", "flux-system/rooky"], "storage/rook"),
        (
            "flux-system/rook-ceph-cluster",
            ["flux-system/rook-ceph", "a/b"],
            "flux-system/rook-ceph",
        ),
        ("flux-system/x", ["storage/something-else"], ""),
        ("vault", ["vaults", "other"], "vaults"),
        ("flux-system/nobody", ["flux-system/db", "flux-system/infra"], ""),
    ],
)
def test_what_was_probably_meant(key: str, known: list[str], near: str) -> None:
    assert near == nearest(key, known)
    assert meant(key, known) == (f"; did it mean {near}?" if near else "")


def test_instants_are_written_in_utc() -> None:
    assert utc(1_800_000_000.0) == "2027-01-15T08:00:00Z"
