"""
Promise: what the reference lists is what the code has, and README says of its picture what the picture shows.

``make check`` holds every page that is made against the code; here is what the tables themselves could leave out.

Mutants that turn it red: leave a class out of ``NAMES`` (``rekindle/ledger.py``); write another number of pods into
README; list a metric by hand.
"""

from __future__ import annotations

import re

import pytest

from phases.diagnosis.catalogue import BY_ID
from rekindle.ledger import NAMES
from tests import generated, reference

PAGES = {
    "rules.md": reference.rules,
    "dead-waits.md": reference.dead_waits,
    "metrics.md": reference.metrics,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(name: str) -> None:
    assert (generated.REFERENCE / name).read_text("utf-8") == PAGES[name]()


def test_every_rule_class_and_metric_is_listed() -> None:
    rules, metrics = reference.rules(), reference.metrics()
    told = (generated.ROOT / "docs" / "how-to" / "metrics-and-traces.md").read_text("utf-8")

    assert set(re.findall(r"^\| `([A-Z]+\d+)` ", rules, re.MULTILINE)) == set(BY_ID)
    assert reference.classes() == set(NAMES)
    listed = set(re.findall(r"^\| `(rekindle_\w+)` ", metrics, re.MULTILINE))
    assert listed == set(re.findall(r"`(rekindle_\w+)`", told))


def test_readme_says_of_its_picture_what_it_shows() -> None:
    drawn = {"pods.svg": (generated.PICTURES / "pods.svg").read_text("utf-8")}

    assert generated.readme(drawn) == generated.README.read_text("utf-8")
    changed = {"pods.svg": drawn["pods.svg"].replace(" of 104 pods", " of 105 pods")}
    assert "of 105 pods Ready at" in generated.readme(changed)
