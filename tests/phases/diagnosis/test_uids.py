"""
A finding has the UID of what it is about, and of nothing else: who acts on it acts on that very object.

``found_by``, by which every case of this folder asks its rule, compares the two; here, that it does.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Finding, Remedy
from phases.diagnosis.catalogue import BY_ID
from phases.diagnosis.rule import UNKNOWN, Proof, Rule, look
from tests.phases.diagnosis.scenes import found_by, made, scene

SUBJECTS = {
    "persistentvolume/pv": "uid-PersistentVolume-pv",
    "crd/widgets.example.com": "uid-CustomResourceDefinition-widgets.example.com",
    "k8s-node/a": "uid-Node-a",
    "store/vault": "uid-ClusterSecretStore-vault",
    "service/x/s": "uid-Service-s",
    # not listed, no kind, and a machine of the plan that a Node is named as
    "service/x/other": "",
    "cni": "",
    "node/a": "",
}
LISTED = (
    made("PersistentVolume", "pv"),
    made("CustomResourceDefinition", "widgets.example.com"),
    made("Node", "a"),
    made("ClusterSecretStore", "vault"),
    made("Service", "x/s"),
)


def made_up(**more: Any) -> Finding:  # noqa: ANN401  fields of a finding
    whole = {
        "cause": "x",
        "message": "x",
        "clears_itself": UNKNOWN,
        "rule": "Z1",
        "evidence": ("x",),
        "clears_when": "x",
        "remedies": (look("x"),),
    }
    return Finding(**{**whole, **more})


@pytest.mark.parametrize("uid", ["", "uid-of-another", *SUBJECTS.values()])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_only_the_uid_of_its_subject_is_let_pass(
    subject: str, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = made_up(subject=subject, uid=uid)
    rule = Rule("Z1", "a rule", Proof.SOURCE, "nowhere", lambda _: [finding])
    monkeypatch.setitem(BY_ID, "Z1", rule)

    if uid == SUBJECTS[subject]:
        assert found_by("Z1", scene(*LISTED)) == [finding]
    else:
        with pytest.raises(AssertionError, match="not the UID of its subject"):
            found_by("Z1", scene(*LISTED))


@pytest.mark.parametrize(
    "lacking",
    [
        {"cause": ""},
        {"message": ""},
        {"clears_itself": ""},
        {"rule": "Z2"},
        {"evidence": ()},
        {"evidence": ("",)},
        {"clears_when": ""},
        {"remedies": ()},
        {"remedies": (Remedy("x", "brave"),)},
    ],
    ids=str,
)
def test_what_says_less_than_every_rule_promises_is_not_let_pass(
    lacking: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: any line of ``found_by``."""
    finding = made_up(subject="cni", **lacking)
    rule = Rule("Z1", "a rule", Proof.SOURCE, "nowhere", lambda _: [finding])
    monkeypatch.setitem(BY_ID, "Z1", rule)

    with pytest.raises(AssertionError):
        found_by("Z1", scene())
