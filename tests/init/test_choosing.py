"""
Promise: of several candidates one is taken for a reason that is said, or none is and all are listed.

Mutants, each tried: take the first of two talconfigs; take topf's though it describes other nodes than talhelper's.
"""

from __future__ import annotations

import pytest

from engine.errors import UsageWrong
from tests.init.conftest import TALCONFIG, TOPF, Read


def test_two_of_one_tool_are_refused_with_both_names(drafted: Read) -> None:
    files = {"a/talconfig.yaml": TALCONFIG, "b/talconfig.yaml": TALCONFIG}
    with pytest.raises(UsageWrong) as raised:
        drafted(files)

    assert (raised.value.reference, raised.value.exit_code) == ("init-ambiguous", 64)
    assert "  a/talconfig.yaml\n  b/talconfig.yaml" in raised.value.message
    assert "--talos FILE" in raised.value.hint
    assert drafted(files, "b/talconfig.yaml").machines.file == "b/talconfig.yaml"


def test_of_both_generations_the_newer_is_taken_where_they_agree(drafted: Read) -> None:
    draft = drafted({"talos/talconfig.yaml": TALCONFIG, "talos/topf.yaml": TOPF})

    assert draft.machines.file == "talos/topf.yaml"
    assert draft.taken[0].startswith("talos/topf.yaml rather than talos/talconfig.yaml: both ")


def test_of_both_generations_the_one_that_was_rendered_is_taken(drafted: Read) -> None:
    rendered = {"talos/clusterconfig/home-k8s-1.yaml": ""}
    draft = drafted({"talos/talconfig.yaml": TALCONFIG, "talos/topf.yaml": TOPF, **rendered})

    assert draft.machines.file == "talos/talconfig.yaml"
    assert "what `talhelper genconfig` writes is here" in draft.taken[0]


def test_generations_that_disagree_are_refused_with_what_each_says(drafted: Read) -> None:
    other = TOPF.replace("192.0.2.12", "192.0.2.13")
    with pytest.raises(UsageWrong) as raised:
        drafted({"talos/talconfig.yaml": TALCONFIG, "talos/topf.yaml": other})

    assert "k8s-2 192.0.2.12 worker" in raised.value.message
    assert "k8s-2 192.0.2.13 worker" in raised.value.message


def test_a_repository_that_says_nothing_of_nodes_is_refused(drafted: Read) -> None:
    with pytest.raises(UsageWrong) as raised:
        drafted({"README.md": "a repository\n"})

    assert (raised.value.reference, raised.value.exit_code) == ("init-nothing-found", 64)
