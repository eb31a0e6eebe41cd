"""
Several configurations with a webhook of one name: the one that was called is accused, and where nothing tells, none.

Two releases of ingress-nginx both bring ``validate.nginx.ingress.kubernetes.io``, and one of them may serve.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from engine.memory import Memory
from journal.entries import Fact, Finding
from phases import codes
from phases.blockers import blockers
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from phases.more_objects import WebhookConfiguration
from phases.readiness.admission import CONFIGURATIONS, configurations
from tests.phases.diagnosis.scenes import dangers, endpoints, failed, found_by, made, scene
from tests.phases.making import plan

NAME = "validate.nginx.ingress.kubernetes.io"
WEB = "kustomization/flux-system/web"
VALIDATING, MUTATING = CONFIGURATIONS
Json = dict[str, Any]


def config(
    release: str,
    *,
    service: str = "",
    kind: str = VALIDATING,
    policy: str = "Fail",
    **client: object,
) -> Json:
    """The configuration of a release; *client* are further fields of its Service's reference."""
    reference = {"namespace": "network", "name": service or release, **client}
    hook = {"name": NAME, "failurePolicy": policy, "clientConfig": {"service": reference}}
    return {**made(kind, release), "webhooks": [hook]}


def abroad(release: str, url: str) -> Json:
    """The configuration of a webhook outside of the cluster."""
    hook = {"name": NAME, "failurePolicy": "Fail", "clientConfig": {"url": url}}
    return {**made(VALIDATING, release), "webhooks": [hook]}


def called_at(url: str, why: str = "no endpoints available") -> Json:
    """Who was refused, with the address that the API server called."""
    return refused(f'failed to call webhook: Post "{url}": {why}')


def refused(why: str) -> Json:
    message = f'Ingress/apps/web dry-run failed: failed calling webhook "{NAME}": {why}'
    return failed("Kustomization", "flux-system/web", message)


def address(release: str, rest: str = ":443/networking/v1/ingresses?timeout=10s") -> str:
    return f"https://{release}.network.svc{rest}"


def backend(name: str, *ready: bool) -> tuple[Json, ...]:
    return made("Service", f"network/{name}"), endpoints(f"network/{name}", *ready)


def accused(looked_at: Scene, rule: str = "WH1") -> dict[str, Finding]:
    """What is held responsible for who was refused."""
    return {f.subject: f for f in found_by(rule, looked_at) if WEB in f.blocks}


def of(release: str, kind: str = VALIDATING) -> str:
    return codes.subject(kind, release)


ORDERS = list(permutations(("external", "internal")))


@pytest.mark.parametrize("dead", ["external", "internal"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("told", [True, False], ids=["told", "by its backend"])
def test_of_two_the_dead_one_is_accused(order: tuple[str, str], dead: str, *, told: bool) -> None:
    """
    By the Service in the message, else by who has no backend. Mutants: the last of a name, or the first; no backends.
    """
    (serves,) = {"external", "internal"} - {dead}
    said = called_at(address(dead)) if told else refused("no endpoints available")
    looked_at = scene(
        *(config(name) for name in order),
        *backend(dead, False),
        *backend(serves, True),
        said,
        unlisted=("Deployment",),
    )

    (finding,) = found_by("WH1", looked_at)
    roots = roots_of(diagnose(looked_at), blocking(looked_at))

    assert (finding.subject, finding.blocks) == (of(dead), (WEB,))
    assert finding.uid == f"uid-{VALIDATING}-{dead}"
    assert f"Service network/{dead} has no ready endpoint" in finding.message
    assert [root.id for root in roots] == [f"WH1:{of(dead)}"]


@pytest.mark.parametrize("order", ORDERS)
def test_the_message_goes_before_the_backends(order: tuple[str, str]) -> None:
    """Both are dead, or both serve by now. Mutants: only backends count; the prefix of a name is enough."""
    both = [config(name) for name in order]
    longer = config("external-1")

    dead = scene(*both, longer, called_at(address("external")))
    serving = scene(
        *both,
        *backend("external", True),
        *backend("internal", True),
        called_at(address("external")),
    )

    assert set(accused(dead)) == {of("external")}
    assert [f.subject for f in found_by("WH1", serving)] == [of("external")]
    assert "has endpoints by now" in found_by("WH1", serving)[0].message


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("rest", ["/y?timeout=10s", ":8443/x"])
def test_of_two_at_one_service_the_path_and_the_port_tell(
    order: tuple[str, str], rest: str
) -> None:
    """Mutant: look at the host alone."""
    at: dict[str, Json] = {"external": {"path": "/x"}, "internal": {"path": "/y"}}
    at["external"] |= {"port": 8443} if "8443" in rest else {}
    both = [config(name, service="admission", **at[name]) for name in order]
    called = "internal" if rest.startswith("/y") else "external"

    looked_at = scene(*both, called_at(address("admission", rest)))

    assert set(accused(looked_at)) == {of(called)}


def test_of_one_outside_and_one_inside_the_address_tells() -> None:
    """Mutant: an address of a Service alone is read."""
    outside = abroad("external", "https://hooks.example.com/check")
    both = [outside, config("internal")]

    looked_at = scene(*both, called_at("https://hooks.example.com:443/check?timeout=10s"))

    assert set(accused(looked_at)) == {of("external")}
    assert set(accused(scene(*both, called_at(address("internal"))))) == {of("internal")}


@pytest.mark.parametrize("order", ORDERS)
def test_one_that_may_be_ignored_has_refused_nobody(order: tuple[str, str]) -> None:
    """Mutant: take the policy for nothing."""
    policies = {"external": "Ignore", "internal": "Fail"}
    both = [config(name, policy=policies[name]) for name in order]

    assert set(accused(scene(*both, refused("connection refused")))) == {of("internal")}


def test_the_only_one_of_a_name_has_refused_whatever_its_policy_is_by_now() -> None:
    """Mutant: drop it, and say that its configuration is gone."""
    looked_at = scene(config("external", policy="Ignore"), called_at(address("external")))

    assert set(accused(looked_at)) == {of("external")}


def test_all_that_may_have_been_called_are_named() -> None:
    """Two were refused at two Services, which two configurations each ask. Mutant: the first who complains counts."""
    served = [one for name in ("x", "y") for one in backend(name, True)]
    four = [config(name, service=service) for name, service in zip("abcd", "xxyy", strict=True)]
    other = called_at(address("y"))
    other["metadata"] = {**other["metadata"], "name": "other"}

    (finding,) = accused(scene(*four, *served, called_at(address("x")), other)).values()

    assert [f"{VALIDATING}/{name}" in finding.message for name in "abcd"] == [True] * 4


def test_of_one_configuration_every_webhook_that_was_called_in_vain_is_named() -> None:
    """Mutant: the first that somebody complains about counts."""
    both = config("external")
    both["webhooks"] = [both["webhooks"][0], {**both["webhooks"][0], "name": "other.example.com"}]
    other = refused("connection refused")
    said = other["status"]["conditions"][0]
    said["message"] = said["message"].replace(NAME, "other.example.com")
    other["metadata"] = {**other["metadata"], "name": "other"}
    said_first = refused("connection refused")

    looked_at = scene(both, said_first, other, unlisted=("Service", "EndpointSlice"))

    (finding,) = accused(looked_at).values()
    assert f"2 webhooks (other.example.com, {NAME})" in finding.message


DEAD = (*backend("external", False), *backend("internal", False))
SERVING = (*backend("external", True), *backend("internal", True))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("objects", "unlisted"),
    [((), ()), (DEAD, ()), (SERVING, ()), (DEAD, ("EndpointSlice",))],
    ids=["absent", "dead", "serving", "not seen"],
)
def test_where_nothing_tells_which_none_is_accused(
    order: tuple[str, str], objects: tuple[Json, ...], unlisted: tuple[str, ...]
) -> None:
    """Mutants: accuse both, or any; offer to delete one; say that the configuration is gone."""
    both = [config(name) for name in order]

    looked_at = scene(*both, *objects, refused("context deadline exceeded"), unlisted=unlisted)
    (finding,) = accused(looked_at).values()

    assert (finding.subject, finding.uid) == (f"webhook/{NAME}", "")
    assert (finding.clears_itself, dangers(finding)) == ("unknown", {"look", "never"})
    for name in order:
        assert f"{VALIDATING}/{name}" in finding.message
        assert f"{VALIDATING}/{name}" in finding.evidence
    assert "context deadline exceeded" in finding.message


def test_two_that_call_one_dead_address_are_both_in_the_way() -> None:
    """The API server asks both, one after the other. Mutant: accuse none, and nobody is ever asked."""
    both = [config(name, service="admission") for name in ("external", "internal")]

    dead = scene(*both, called_at(address("admission")))
    serving = scene(*both, *backend("admission", True), called_at(address("admission")))

    assert set(accused(dead)) == {of("external"), of("internal")}
    assert set(accused(serving)) == {f"webhook/{NAME}"}


def test_a_mutating_and_a_validating_one_of_one_name_are_two() -> None:
    """Mutant: look for one kind alone."""
    both = (config("a"), config("b", kind=MUTATING))

    assert set(accused(scene(*both, called_at(address("a"))))) == {of("a")}
    assert set(accused(scene(*both, called_at(address("b"))))) == {of("b", MUTATING)}


def test_who_was_refused_by_one_that_is_gone_accuses_not_the_one_that_is_left() -> None:
    """A person removed the dead one, and nobody tried again yet. Mutant: the only one of a name it must be."""
    left = (config("internal"), *backend("internal", True))

    (finding,) = found_by("WH1", scene(*left, called_at(address("external"))))

    assert (finding.subject, finding.clears_itself) == (f"webhook/{NAME}", "yes")
    assert "nobody asks for it there by now" in finding.message


@pytest.mark.parametrize("order", ORDERS)
def test_one_that_is_not_trusted_is_told_by_its_address_alone(order: tuple[str, str]) -> None:
    """Somebody was there and showed a certificate. Mutant: accuse the one without a backend."""
    x509 = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    both = [config(name) for name in order]
    backends = (*backend("internal", True), *backend("external", False))

    told = scene(*both, *backends, called_at(address("external"), x509))
    untold = scene(*both, *backends, refused(x509))
    (finding,) = accused(untold, "WH2").values()

    assert set(accused(told, "WH2")) == {of("external")}
    assert finding.subject == f"webhook/{NAME}"
    assert dangers(finding) == {"look", "never"}
    assert f"{VALIDATING}/external" in finding.message


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dead", [("external",), ("internal",), ("external", "internal")])
@pytest.mark.parametrize("told", [True, False])
def test_a_run_asks_about_the_dead_one_and_about_no_other(
    order: tuple[str, str], dead: tuple[str, ...], *, told: bool
) -> None:
    """
    From the look to the question. Where both are dead and nothing tells which, it asks about neither.

    Mutant: the last of a name counts: nobody is asked, and the run waits until its deadline.
    """
    said = called_at(address(dead[0])) if told else refused("no endpoints available")
    serving = [one for name in order if name not in dead for one in backend(name, True)]
    looked_at = scene(*(config(name) for name in order), *serving, said)
    listed: dict[str, WebhookConfiguration] = dict(looked_at.of(VALIDATING))
    facts = {
        WEB: Fact(codes.BLOCKED),
        codes.kind(VALIDATING): Fact(codes.SEEN),
        **configurations(VALIDATING, listed),
    }
    findings = diagnose(looked_at)
    memory = Memory(now=1e6, found_at=dict.fromkeys(findings, 0.0))

    answers = blockers(plan().target, facts, findings, memory, {})

    certain = told or len(dead) == 1
    assert set(answers) == ({of(dead[0])} if certain else set())
