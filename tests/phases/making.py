"""A plan of three control planes and a small tree, and what a test says about facts and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.allowing import asked
from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import Plan, merged, of_parts
from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases.recipe import recipe
from phases.snapshot import KINDS

START = 10_000.0
SECTION: dict[str, Any] = {
    "talos": {
        "talosconfig": "talosconfig",
        "nodes": {
            f"cp-{n}": {"address": f"192.0.2.1{n}", "config": f"cp-{n}.yaml", "sha256": f"sha-{n}"}
            for n in (1, 2, 3)
        },
    },
    "kubernetes": {"kubeconfig": "kubeconfig"},
    "cni": {
        "daemonset": "kube-system/cilium",
        "deployments": ["kube-system/coredns"],
        "command": "bootstrap",
    },
    "flux": {"roots": "roots.yaml"},
    "crds": {"directory": "crds", "available": ["widgets.example.com"]},
    "inventory": {
        "schema": "rekindle.inventory/1",
        "roots": ["flux-system/cluster"],
        "namespaces": ["apps"],
        "kustomizations": [{"key": "flux-system/cluster"}, {"key": "flux-system/apps"}],
        "helmreleases": [{"key": "apps/web"}],
        "externalsecrets": [{"key": "apps/login", "store": "vault"}],
        "stores": ["vault"],
        "crds": [{"name": "gadgets.example.com"}],
        "workloads": [
            {"kind": "Deployment", "key": "apps/web", "pods": 2},
            {"kind": "StatefulSet", "key": "apps/db", "pods": 1},
        ],
        "pods": 3,
    },
    "commands": {"bootstrap": {"argv": ["helmfile", "sync"]}},
}


def plan(
    section: Mapping[str, Any] | None = None, machine: Mapping[str, Any] | None = None
) -> Plan:
    table = merged(recipe().machine, machine or {})
    return of_parts("home", table, merged(SECTION, section or {}), recipe())


def fact(subject: str, said: Any) -> Fact:  # noqa: ANN401  a code, or a fact as YAML has it
    body: dict[str, Any] = {"code": said} if isinstance(said, str) else dict(said)
    detail = body.pop("detail", {})
    if subject.startswith("node/"):
        name = subject.removeprefix("node/")
        detail = {
            "role": "controlplane",
            "uuid": f"uuid-{name}",
            "boot_id": f"boot-{name}",
            "etcd": "",
            "etcd_healthy": False,
            "members": None,
            "learners": [],
            **detail,
        }
    if body["code"] == "Blocked" or "uid" in detail:
        detail = {"uid": "u1", "generation": 1, **detail}
    if subject.partition("/")[0] in {"deployment", "statefulset", "daemonset"}:
        detail = {"ready": 0, "expected": 1, **detail}
    return Fact(detail=detail, **body)


def facts(said: Mapping[str, Any], unlisted: tuple[str, ...] = ()) -> dict[str, Fact]:
    kinds = {
        f"kind/{kind}": Fact("Unobservable" if kind in unlisted else "Seen", "refused")
        for kind in KINDS
    }
    return {**kinds, **{subject: fact(subject, body) for subject, body in said.items()}}


def opened(for_plan: Plan) -> e.RunOpened:
    return e.RunOpened(
        at=START,
        run_id="r1",
        purpose="run",
        cluster="home",
        identity={},
        plan=for_plan.compiled(),
        plan_digest=for_plan.digest(),
        version="0",
        initial="node-maintenance",
    )


def memory_of(
    for_plan: Plan, known: dict[str, Fact], said: Mapping[str, Any], now: float
) -> Memory:
    """
    *said*: attempts (verb, target, outcome, code, evidence, at, arguments; no outcome: open); findings if *found* is.
    """
    entries: list[AnyEntry] = [opened(for_plan), e.Observed(at=START, changed=known)]
    if "found" in said:
        named = msgspec.convert(said["findings"], dict[str, e.Finding])
        entries.append(e.FindingsChanged(at=START + said["found"], changed=named))
    for number, attempt in enumerate(said.get("attempts", ()), start=1):
        at = START + attempt.get("at", 0)
        entries.append(
            e.ActionIntended(
                at=at,
                action=f"a{number}",
                verb=attempt["verb"],
                target=attempt["target"],
                attempt=1,
                epoch=1,
                deadline_seconds=60.0,
                arguments=attempt.get("arguments", {}),
            )
        )
        if "outcome" in attempt:
            entries.append(
                e.ActionSettled(
                    at=at,
                    action=f"a{number}",
                    verb=attempt["verb"],
                    target=attempt["target"],
                    outcome=e.Outcome(attempt["outcome"]),
                    code=attempt.get("code", ""),
                    evidence=attempt.get("evidence", {}),
                )
            )
    entries.append(e.Note(at=START + now, text="", actor=""))
    return fold_all(Memory(), entries)


def given(memory: Memory, subject: str, ask: Any) -> Memory:  # noqa: ANN401
    question = asked(memory, subject, ask)
    yes = e.ApprovalGiven(
        at=memory.now, approval=question.approval, digest=question.digest, actor="p"
    )
    return fold_all(memory, [question, yes])


def decoded(raw: bytes, struct: Any) -> Any:  # noqa: ANN401
    return msgspec.json.decode(raw, type=struct)
