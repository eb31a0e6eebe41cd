"""
What was done about a cause: by its verb within its time, and by waking what had waited for it.

Mutants that turn one of these red: take actions on the subject alone; end a nudge's time with its cause; let any
command be about any cause; forget the plurals of a kind; leave the next cause of the same object out of ``until``.
"""

from __future__ import annotations

import pytest

from phases.clearing import CLEARED
from phases.readiness.releases import GIVEN_UP
from rekindle.report import html, phrases
from rekindle.report.happenings import Action
from rekindle.report.markdown import page
from rekindle.report.mending import Actions, actions_of
from rekindle.report.reasons import Cause
from tests.report.conftest import Night


def act(verb: str, target: str, begun: float, because: str = "", outcome: str = "done") -> Action:
    return Action(
        action="a1",
        verb=verb,
        target=target,
        name=target,
        attempt=1,
        effect="convergent",
        intended=begun,
        outcome=outcome,
        settled=begun + 5.0,
        because=because,
    )


def stood(
    rule: str,
    subject: str,
    verb: str = "",
    found: float = 10.0,
    victims: tuple[str, ...] = (),
    evidence: tuple[str, ...] = (),
) -> Cause:
    return Cause(
        id=f"{rule}:{subject}",
        rule=rule,
        subject=subject,
        name=subject,
        message="m",
        verb=verb,
        found=found,
        cleared=found + 20.0,
        victims=victims,
        evidence=evidence,
    )


ROOT = stood("X2", "gitrepository/flux-system/flux-system", "root.apply")


@pytest.mark.parametrize(
    ("cause", "action", "about"),
    [
        (ROOT, act("root.apply", "root", 20.0), True),
        (ROOT, act("root.apply", "root", 40.0), False),
        (ROOT, act("root.apply", "root", 1.0), False),
        (ROOT, act("root.apply", "root", 20.0, outcome="failed"), False),
        (ROOT, act("command.run", "command/cni", 20.0), False),
        (stood("T1", "machines", victims=("node/a",)), act("talos.apply", "node/a", 20.0), True),
        (stood("T1", "machines", victims=("node/a",)), act("talos.apply", "node/b", 20.0), False),
        (stood("T8", "etcd"), act("etcd.bootstrap", "node/a", 1.0), True),
        (stood("T8", "etcd", found=30.0), act("etcd.bootstrap", "node/a", 1.0), False),
        (stood("N1", "namespace/a"), act("apiservice.remove", "apiservice/v1.x", 20.0), True),
        (stood("N1", "namespace/a"), act("apiservice.remove", "apiservice/v1.x", 40.0), False),
        (stood("N2", "namespace/a"), act("apiservice.remove", "apiservice/v1.x", 20.0), False),
        (stood("AP1", "apiservice/y"), act("apiservice.remove", "apiservice/v1.x", 20.0), False),
        (stood("N1", "namespace/a"), act("webhook.remove", "w", 20.0), False),
        (stood("T8", "etcd"), act("etcd.recover", "node/a", 20.0), True),
        (stood("T19", "etcd", "etcd.recover"), act("etcd.recover", "node/a", 20.0), True),
        (stood("T19", "etcd", "etcd.recover"), act("etcd.snapshot", "node/a", 20.0), True),
        (stood("T19", "etcd", "etcd.recover"), act("etcd.recover", "node/a", 40.0), False),
        (stood("T19", "etcd"), act("etcd.snapshot", "node/a", 20.0), False),
        (stood("K4", "helmrelease/a/b", "crd.preapply"), act("crd.preapply", "crd/x", 20.0), False),
    ],
)
def test_the_verb_that_clears_a_cause_is_about_it_within_its_time(
    cause: Cause, action: Action, *, about: bool
) -> None:
    assert actions_of(cause, [cause], [action], 100.0) == (("a1",) if about else ())
    assert not about or Actions([action]).about(cause) == [action]


@pytest.mark.parametrize(
    ("subject", "because"),
    [
        ("store/onepassword", "store:onepassword"),
        ("kustomization/net/dns", "dependency:net/dns"),
        ("crd/externalsecrets.external-secrets.io", "kind:ExternalSecret.external-secrets.io"),
        ("crd/networkpolicies.cilium.io", "kind:NetworkPolicy.cilium.io"),
        ("namespace/storage", "namespace-gone:storage"),
        ("gitrepository/flux-system/flux-system", "source:flux-system/flux-system"),
        ("deployment/net/dns", "health:Deployment/net/dns,Service/net/dns"),
        ("service/net/dns", "object:Service/net/dns"),
        ("secret/flux-system/sops-age", "resumed:object:Secret/flux-system/sops-age"),
    ],
)
def test_what_is_woken_after_a_cause_cleared_is_about_that_cause(
    subject: str, because: str
) -> None:
    cause = stood("E1", subject)
    woken = act("flux.nudge", "kustomization/a/b", 35.0, because)
    family = because.partition(":")[0]
    other = act("flux.nudge", "kustomization/a/b", 35.0, f"{family}:Other/else.where")

    assert actions_of(cause, [cause], [woken], 100.0) == ("a1",)
    assert actions_of(cause, [cause], [other], 100.0) == ()
    assert woken in Actions([other, woken]).about(cause)


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("", ""),
        ("store:onepassword", "the store onepassword is Ready"),
        ("dependency:net/dns", "net/dns is Ready"),
        ("kind:NetworkPolicy.cilium.io", "the kind NetworkPolicy.cilium.io is served"),
        (
            f"health:{','.join(f'Pod/a/{n}' for n in range(9))}",
            "Pod/a/0,Pod/a/1,Pod/a/2,Pod/a/3,Pod/a/4 and 4 more (3ceb3538) is Ready",
        ),
        (
            "resumed:reason:BuildFailed",
            "a person resumed after the run was stuck: only an attempt shows whether reason:BuildFailed is mended",
        ),
        ("gone@1749716000", "what it waited for is over: gone@1749716000"),
    ],
)
def test_an_action_says_why_its_object_was_woken(because: str, said: str) -> None:
    assert phrases.because(act("flux.nudge", "kustomization/a/b", 1.0, because)) == said


def test_every_family_that_is_ever_cleared_has_words() -> None:
    """What has none of its own is ended by what it says itself, and no family."""
    assert CLEARED.keys() - phrases.OVER.keys() == {*GIVEN_UP, "release"}


def test_both_pages_say_why_an_object_was_woken(night: Night) -> None:
    woken = [one for one in night.story.actions if one.because == "store:onepassword"]

    assert woken
    for text in (page(night.story), html.page(night.story)):
        assert text.count("the store onepassword is Ready") == len(woken)


def test_a_gateway_is_no_gateway_class() -> None:
    cause = stood("C1", "crd/gatewayclasses.gateway.io")
    woken = act("flux.nudge", "kustomization/a/b", 35.0, "kind:Gateway.gateway.io")

    assert actions_of(cause, [cause], [woken], 100.0) == ()


def test_a_nudge_after_it_went_again_is_of_the_second_time() -> None:
    first, second = stood("E1", "store/a"), stood("E1", "store/a", found=50.0)
    woken = act("flux.nudge", "externalsecret/a/b", 75.0, "store:a")

    assert actions_of(first, [first, second], [woken], 100.0) == ()
    assert actions_of(second, [first, second], [woken], 100.0) == ("a1",)


def test_the_parent_that_was_asked_again_is_about_what_had_gone() -> None:
    cause = stood(
        "X2", "deployment/a/web", evidence=("Deployment/a/web absent", "Kustomization/a/app Ready")
    )
    woken = act("flux.nudge", "kustomization/a/app", 20.0, "gone:deployment/a/web@17")
    other = act("flux.nudge", "kustomization/a/other", 20.0, "gone@17")

    assert actions_of(cause, [cause], [woken], 100.0) == ("a1",)
    assert actions_of(cause, [cause], [other], 100.0) == ()
    assert woken in Actions([other, woken]).about(cause)


def test_of_june_12_each_cause_that_the_run_mended_says_by_what(night: Night) -> None:
    verbs = {one.action: one.verb for one in night.story.actions}
    done = {cause.subject: {verbs[one] for one in cause.done} for cause in night.story.causes}

    assert done["gitrepository/flux-system/flux-system"] == {"root.apply"}
    assert done["store/onepassword"] == {"flux.nudge"}
    assert done["cni"] == {"command.run"}
