"""
A watch without a plan becomes a scenario all the same: machines are made of its Nodes, and what is invented is said.

Mutants, each killed here: forget the role of a Node's label; take no Node for a control plane; take a silent Node for a
machine that runs; count no boots; count boots where machines were asked later; keep flux-synced where there is no Flux;
take the invented plan though there is one; leave out the definitions that nobody brings, or the namespaces that no
inventory has; take a definition whose kind is listed for absent; let Flux that is nowhere work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.plan import from_compiled
from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases import codes
from phases.facts import reduce
from phases.inventory import SCHEMA, Inventory
from phases.snapshot import KINDS, Snapshot
from rekindle.recipes import recipe
from rekindle.recordings import keep, otherwise
from rekindle.rehearsal import load
from rekindle.simulator.inferred import FIRST_ADDRESS, Inferred, inferred
from rekindle.simulator.recorded import Recording, recording_of
from rekindle.unplanned import Named, plan_of
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene
from tests.simulator.recordings import START

NODES = ("n1", "n2", "n3", "n4")
CILIUM = {"kind": "DaemonSet", "key": "kube-system/cilium", "pods": 4}
WEB = {"kind": "Deployment", "key": "apps/web", "pods": 1}
SECRET = {"key": "apps/login", "parent": "flux-system/cluster", "store": "vault"}
FLUX = {
    "source": {"namespace": "flux-system", "name": "flux-system"},
    "roots": ["flux-system/cluster"],
    "kustomizations": [{"key": "flux-system/cluster"}],
    "externalsecrets": [SECRET],
    "stores": ["vault"],
}


def watched(**fields: Any) -> e.RunOpened:  # noqa: ANN401  an inventory's
    body = {"schema": SCHEMA, "nodes": NODES, "workloads": [CILIUM, WEB], **fields}
    plan = plan_of(Named(Path("/k"), "c"), Inventory.model_validate(body))
    return e.RunOpened(
        at=START,
        run_id="r1",
        purpose="watch",
        cluster="c",
        identity={},
        plan=plan.compiled(),
        plan_digest=plan.digest(),
        version="1",
        initial=plan.machine.initial,
    )


def ready(role: str = "worker") -> Fact:
    return Fact(codes.READY, detail={"role": role})


def look(at: float, **more: Fact) -> e.Observed:
    """Everything is there; *more*: but for this, with ``__`` for a slash and ``_`` for a dash."""
    facts = {codes.kind(name): Fact(codes.SEEN) for name in KINDS}
    facts |= {codes.API: Fact(codes.UP), codes.KUBECONFIG: Fact("ours")}
    facts |= {codes.k8s_node(name): ready("controlplane") for name in NODES[:3]}
    facts |= {codes.k8s_node("n4"): ready(), "daemonset/kube-system/cilium": Fact(codes.READY)}
    facts |= {"deployment/apps/web": Fact(codes.READY)}
    told = {name.replace("__", "/").replace("_", "-"): fact for name, fact in more.items()}
    return e.Observed(at=START + at, changed=facts | told)


def changed(at: float, name: str, fact: Fact) -> e.Observed:
    return e.Observed(at=START + at, changed={codes.k8s_node(name): fact})


SILENT = Fact(codes.PROGRESSING, "Kubelet stopped posting node status.")


def found_of(opened: e.RunOpened, *entries: AnyEntry) -> Inferred:
    found = inferred(opened, [opened, *entries])
    assert found is not None
    return found


def recording(found: Inferred) -> Recording:
    made_of = recording_of(found.opened, found.entries, dict(recipe().machine))
    assert made_of is not None
    return made_of


def test_machines_have_the_names_and_roles_of_the_nodes() -> None:
    found = found_of(watched(), look(0.0))

    nodes = recording(found).scenario.nodes
    assert {name: (node.role, node.state) for name, node in nodes.items()} == {
        **dict.fromkeys(NODES[:3], ("controlplane", "running")),
        "n4": ("worker", "running"),
    }
    assert [node.address for node in nodes.values()] == [
        str(FIRST_ADDRESS + index) for index in range(4)
    ]
    assert any("198.18.0.1 and following" in note for note in found.notes)


def test_a_node_says_by_its_label_what_it_is_where_no_machine_is_asked() -> None:
    opened = watched()
    plan = from_compiled(opened.plan, recipe())
    labels = {"node-role.kubernetes.io/control-plane": ""}
    plane = made.node("n1")
    plane["metadata"]["labels"] = labels
    objects = scene(plane, made.node("n2")).snapshot.objects

    facts = reduce(plan, Snapshot(at=100.0, objects=objects))

    roles = [facts[codes.k8s_node(name)].detail.get("role") for name in NODES]
    assert roles == ["controlplane", "worker", None, None]


def test_without_a_word_of_control_planes_the_first_node_is_taken_and_that_is_said() -> None:
    plain = {f"k8s_node__{name}": Fact(codes.READY) for name in NODES}

    found = found_of(watched(), look(0.0, **plain))

    roles = [node.role for node in recording(found).scenario.nodes.values()]
    assert roles == ["controlplane", "worker", "worker", "worker"]
    assert "no Node says that it is a control plane: n1 is taken as the only one" in found.notes
    assert "what n1, n2, n3, n4 is was never seen: taken as workers" in found.notes


def test_a_machine_whose_node_is_silent_is_off_until_it_speaks_again() -> None:
    night = (
        look(0.0, k8s_node__n4=SILENT, k8s_node__n3=Fact(codes.ABSENT)),
        changed(400.0, "n4", ready()),
        changed(500.0, "n1", SILENT),
        changed(560.0, "n1", ready("controlplane")),
        changed(600.0, "n2", SILENT),
    )

    events = recording(found_of(watched(), *night)).scenario.events

    happened = [(event.do, event.node) for event in events]
    assert sorted(happened[:2]) == [("power-off", "n3"), ("power-off", "n4")]
    assert happened[2:] == [("power-on", "n4"), ("reboot", "n1"), ("power-off", "n2")]


def test_what_came_of_it_is_rehearsable(tmp_path: Path) -> None:
    """Also where nothing in the inventory brings the definitions of what it has."""
    there = dict.fromkeys(
        ("kustomization__flux_system__cluster", "store__vault", "externalsecret__apps__login"),
        Fact(codes.READY),
    )
    gone = Fact(codes.ABSENT, detail={"ready": 0})
    found = found_of(watched(**FLUX), look(0.0, deployment__apps__web=gone, **there))
    made_of = recording(found)
    path = tmp_path / "night.yaml"

    keep(made_of, path)

    _, scenario, plan = load(str(path))
    assert plan.states == tuple(from_compiled(plan.compiled(), recipe()).states)
    assert plan.states[0] == "node-maintenance"
    assert "flux-synced" in plan.states
    assert scenario.commands["network"].helmreleases[0] == "kube-system/cilium"
    assert scenario.initial.left is not None
    assert "Deployment/apps/web" not in scenario.initial.left.objects
    assert {"externalsecrets.external-secrets.io"} < set(scenario.initial.left.crds)
    assert scenario.initial.left.namespaces == ("apps", "flux-system", "kube-system")
    families = ("node/", "k8s-node/", "kustomization/", "deployment/apps", "store/")
    assert [line for line in otherwise(made_of) if line.startswith(families)] == []


def test_without_flux_nobody_asks_for_it_and_nobody_heals(tmp_path: Path) -> None:
    absent = Fact(codes.ABSENT, detail={"ready": 0})
    found = found_of(watched(), look(0.0, deployment__apps__web=absent))
    made_of = recording(found)
    path = tmp_path / "night.yaml"

    keep(made_of, path)

    _, scenario, plan = load(str(path))
    assert plan.states == ("node-maintenance", "talos-ready", "cni-up", "pods-healthy")
    assert scenario.initial.before == 600.0
    assert any(note.startswith("there was no Flux: nobody brings back") for note in found.notes)
    gone = "deployment/apps/web"
    assert not [line for line in otherwise(made_of) if line.startswith(gone)]


def test_a_network_that_nobody_knows_is_none_that_nodes_need() -> None:
    found = found_of(watched(workloads=[WEB]), look(0.0))

    assert "no network was recognised: here nodes are Ready without one" in found.notes
    assert not [line for line in otherwise(recording(found)) if line.startswith("k8s-node/")]


def test_a_run_that_was_taken_over_has_the_plan_that_it_got() -> None:
    """Its machines were asked from then on, and say by ids of their own that they are what they were."""
    opened = watched()
    planned = found_of(opened, look(0.0)).opened.plan
    given = e.PlanChanged(
        at=START + 60.0, plan=planned, plan_digest="d", previous_digest="p", verdict="compatible"
    )
    real = Fact(codes.RUNNING, detail={"role": "worker", "boot_id": "b9", "members": None})
    later = e.Observed(at=START + 61.0, changed={codes.node("n4"): real})

    found = found_of(opened, look(0.0), changed(10.0, "n4", SILENT), given, later)

    assert found.opened.plan == planned
    assert [note for note in found.notes if "invented" in note] == []
    assert {event.do for event in recording(found).scenario.events} <= {"power-off", "power-on"}
    quiet = found_of(opened, look(0.0), given, later)
    assert recording(quiet).scenario.events == ()


def test_without_a_node_there_is_nothing_to_make_a_machine_of() -> None:
    opened = watched(nodes=[])

    assert inferred(opened, [opened, look(0.0)]) is None
