"""
Promise: what an error's reference means is one command away, without a browser and without the network.

Mutants: a page that is not in the package; a reference that is not found; a link left in the text.
"""

from __future__ import annotations

import json

import pytest

from engine.errors import UsageWrong
from rekindle import explaining
from tests.cli.conftest import Program
from tests.docs.test_errors import pages

pytestmark = pytest.mark.program


@pytest.mark.parametrize("reference", sorted(pages()))
def test_every_page_is_shown_whole(reference: str) -> None:
    shown = explaining.page(reference)

    assert shown.startswith(f"# {reference}\n")
    assert "**What to do.**" in shown
    assert "](" not in shown, "a link that no terminal follows"


def test_all_references_are_listed_with_their_exit_codes(rekindle: Program) -> None:
    answer = rekindle("explain")

    assert answer.code == 0
    listed = {line.split()[0]: int(line.split()[1]) for line in answer.out.splitlines()}
    assert sorted(listed) == sorted(pages())
    assert listed["lease-held"] == 76


def test_a_reference_is_taken_as_it_stands_in_the_message(rekindle: Program) -> None:
    answer = rekindle("explain", "(etcd-data-left)", "--json")

    assert answer.document["reference"] == "etcd-data-left"
    assert "Another bootstrap is never the answer" in answer.document["text"].replace("\n", " ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("LEASE-HELD", "lease-held"),
        (" Lease-Held\n", "lease-held"),
        ("lease held", "lease-held"),
        ("lease_held", "lease-held"),
        ("error (lease-held): night.db is being written by me@here (pid 4711)", "lease-held"),
        ("`lease-held`,", "lease-held"),
        (" n5 ", "N5"),
        ("N5:namespace/rook-ceph", "N5"),
    ],
)
def test_what_is_typed_by_tired_hands_or_pasted_is_what_was_meant(typed: str, meant: str) -> None:
    """Mutants: take it as it was typed; take off brackets alone; leave the subject of a finding on it."""
    name, text = explaining.explained(typed)

    assert meant == name
    assert text.startswith(f"# {meant}\n")


def test_a_rule_of_diagnosis_is_explained_with_its_proof(rekindle: Program) -> None:
    answer = rekindle("explain", "n5")

    assert "finalizers hold a namespace" in answer.out
    assert "seen on a real controller" in answer.out
    assert "kubernetes v1" in answer.out


def test_a_slip_is_answered_with_what_may_have_been_meant(rekindle: Program) -> None:
    answer = rekindle("explain", "etcd-data")

    assert answer.code == 64
    assert "error (reference-unknown): no error and no rule is called 'etcd-data'" in answer.err
    assert "did you mean etcd-data-left?" in answer.err


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("lease", "did you mean lease-held or lease-lost? `rekindle explain` lists them all"),
        ("jurnal-unreadable", "did you mean journal-unreadable or "),
        (
            "n99",
            "did you mean N9? `rekindle diagnose -v` and `rekindle status -v` name the rule of",
        ),
        ("qq", "`rekindle explain` lists them all"),
        ("", "`rekindle explain` lists them all"),
    ],
)
def test_what_is_near_is_named_and_else_where_to_look(typed: str, hint: str) -> None:
    """
    ``rekindle explain`` lists no rule, so it is no way to one.

    Mutants: name what is written alike alone, or two letters of everything; send to the list for a rule.
    """
    with pytest.raises(UsageWrong) as refused:
        explaining.explained(typed)

    assert refused.value.hint.startswith(hint)


def test_a_rule_that_does_not_exist_is_no_traceback() -> None:
    with pytest.raises(UsageWrong, match="no error and no rule is called 'Z99'"):
        explaining.rule("Z99")


def test_the_list_is_a_json_document_too(rekindle: Program) -> None:
    document = json.loads(rekindle("explain", "--json").out)

    assert document["schema"] == "rekindle.explain/1"
    assert {one["reference"] for one in document["references"]} == set(pages())
