"""
A rehearsal's script: which cluster, in which state, what its commands bring, what happens to it, who answers.

Scenarios and trees travel as package data: ``scenarios/NAME.yaml`` and ``data/NAME.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from engine.errors import Problem
from engine.yamlfile import Marks, YamlFile, read_yaml
from engine.yamlfile import Path as Place
from rekindle.simulator.checking import wrong_with
from rekindle.simulator.errors import ScenarioInvalid
from rekindle.simulator.fitting import unfit
from rekindle.simulator.tree import Item, Tree, load_tree
from rekindle.there import may_be_file

SCHEMA = "rekindle.scenario/1"
FOLDER = Path(__file__).parent
# Of a plan, before it is checked as a plan.
LOOKED_INTO = ("commands", "crds", "flux", "machine", "probes")
SCENARIOS = FOLDER / "scenarios"
TREES = FOLDER / "data"
Role = Literal["controlplane", "worker"]
NodeState = Literal["maintenance", "booting", "running", "off", "foreign"]
NodeWork = Literal["", "cordon", "drain", "upgrade", "uncordon"]
Happening = Literal[
    "reboot", "power-off", "power-on", "wipe", "replace", "empty", "alarm", "delete", "push"
]
KubeconfigState = Literal["absent", "ours", "foreign"]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt key is an error."""


class NodeSpec(Strict, frozen=True):
    """A machine. *state* at the start: maintenance, booting (configured, without etcd), running, off, foreign."""

    address: str
    role: Role = "controlplane"
    state: NodeState = "maintenance"


class Left(Strict, frozen=True):
    """
    What is left of a cluster.

    *releases* are whole releases with all that they installed, *objects* further ones as
    ``Kind/namespace/name``, *terminating* the namespaces whose deletion was asked for when the accident happened.
    """

    namespaces: tuple[str, ...] = ()
    terminating: tuple[str, ...] = ()
    crds: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


class AggregatedApi(Strict, frozen=True):
    """
    An APIService (VERSION.GROUP) for a *service* (``namespace/name``).

    *backend* is the Deployment that serves it (empty: the workload of the Service's own name, if there is one; else
    nothing does, and nothing in the tree brings it back).
    """

    name: str
    service: str
    backend: str = ""


class AdmissionWebhook(Strict, frozen=True):
    """
    A webhook, in a *configuration* of its own, for a *service* (``namespace/name``).

    *resources* are ``PLURAL.GROUP``, *namespaces* those that it is asked about (none: all). *backend*: as above.
    """

    configuration: str
    name: str
    service: str
    resources: tuple[str, ...]
    type: Literal["validating", "mutating"] = "validating"
    policy: Literal["Fail", "Ignore"] = "Fail"
    operations: tuple[str, ...] = ("CREATE", "UPDATE")
    namespaces: tuple[str, ...] = ()
    backend: str = ""


class Initial(Strict, frozen=True):
    """
    The state at the start.

    The cluster was built *age* seconds before the start, was healthy until *before* seconds before it, and since then
    has only what *left* says (None: all of it). *apis* and *webhooks* are registered in it since then, whether anything
    serves them or not. The world runs alone from there to the start.
    """

    cluster: bool = False
    age: float = 864000.0
    before: float = 0.0
    kubeconfig: KubeconfigState = "absent"
    left: Left | None = None
    apis: tuple[AggregatedApi, ...] = ()
    webhooks: tuple[AdmissionWebhook, ...] = ()


class CommandSpec(Strict, frozen=True):
    """
    What a command of the operator's repository does: how long it takes, how it exits, what it brings.

    *does* something to the node that it is run for (an upgrade is to *version*), *marks* what it leaves behind for a
    probe to see, by a name of its own.
    """

    duration: float
    exit: int = 0
    does: NodeWork = ""
    version: str = ""
    marks: str = ""
    helmreleases: tuple[str, ...] = ()
    objects: tuple[Item, ...] = ()


class ProbeSpec(Strict, frozen=True):
    """What a probe of the plan sees: of the node that it is run for, or a *mark* that a command leaves."""

    sees: Literal["cordoned", "drained", "schedulable", "version", "mark"]
    version: str = ""
    mark: str = ""


class EventSpec(Strict, frozen=True):
    """
    Something that happens by itself, *at* seconds after the start (or before it, if negative).

    A push *rewrites* history when its revision does not descend from the one before.
    ``wipe`` takes everything from a node, ``empty`` its EPHEMERAL partition alone, ``replace`` is a new machine in its
    place; ``alarm`` raises NOSPACE in the etcd that it is a member of.
    """

    at: float
    do: Happening
    node: str = ""
    kind: str = ""
    key: str = ""
    revision: str = ""
    rewrites: bool = False


class OperatorRule(Strict, frozen=True):
    """How the scenario's operator answers a question (a part of it, or a glob), after some seconds of thought."""

    question: str
    answer: bool = True
    think: float = 20.0

    def matches(self, question: str, subject: str) -> bool:
        """Say whether the rule is about that question."""
        return any(
            self.question in text or fnmatchcase(text, self.question)
            for text in (question, subject)
        )


class Parameters(Strict, frozen=True):
    """How fast this cluster is, and the flags of its controllers."""

    etcd_delay: float = 8.0
    pod_slowness: float = 1.0
    requeue_dependency: float = 30.0
    kustomize_workers: int = 4
    helm_workers: int = 4


class Recorded(Strict, frozen=True):
    """The run that a scenario was made from: its id, its purpose, and the version that wrote it."""

    run: str
    purpose: str
    version: str = ""


class Scenario(Strict, frozen=True):
    """
    A rehearsal's script.

    *plan* is the domain's section of a recovery plan, *tree* a file (absolute once loaded). *request*: what is asked of
    the run that rehearses it, by verb. *recorded*: it is not invented, but made from a run.
    """

    schema: str
    name: str
    title: str
    description: str
    cluster: str
    tree: str
    start: datetime
    nodes: dict[str, NodeSpec]
    commands: dict[str, CommandSpec]
    plan: dict[str, Any]
    probes: dict[str, ProbeSpec] = {}
    seed: int = 0
    initial: Initial = Initial()
    parameters: Parameters = Parameters()
    events: tuple[EventSpec, ...] = ()
    operator: tuple[OperatorRule, ...] = ()
    request: dict[str, Any] = {}
    recorded: Recorded | None = None


def names() -> list[str]:
    """List the scenarios that come with the package."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def find_scenario(name: str) -> Path:
    """Return the path of a scenario: a file, or one of the package's by name."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and may_be_file(path):
        return path
    path = SCENARIOS / f"{name}.yaml"
    if not may_be_file(path):
        raise ScenarioInvalid(
            f"there is no scenario {name!r}",
            reference="scenario-unknown",
            hint=f"the package has {', '.join(names())}; a path to a file works too",
        )
    return path


def identity(path: Path) -> str:
    """Name a scenario so that it is found again from anywhere: the package's own by name, a file by its whole path."""
    resolved = path.resolve()
    return path.stem if resolved.parent == SCENARIOS.resolve() else str(resolved)


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario; all that is wrong with it is said at once."""
    return read_scenario(path)[0]


def read_scenario(path: Path) -> tuple[Scenario, Marks]:
    """Read and check a scenario as a plan is read, and say where in its file everything stands."""
    try:
        raw, marks, problems = read_yaml(YamlFile(str(path), path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioInvalid(
            f"{path.name} is no scenario: {error}",
            reference="scenario-invalid",
            hint=f"it must follow {SCHEMA}",
        ) from error
    if not problems:
        problems = wrong_with(Scenario, raw, marks)
    if problems:
        raise _invalid(problems, f"it must follow {SCHEMA}")
    scenario = msgspec.convert(raw, Scenario)
    tree = tree_path(scenario, path)
    found = [marks.problem(at, said) for at, said in _unfit(scenario, load_tree(tree))]
    parts = {name: scenario.plan.get(name, {}) for name in LOOKED_INTO}
    found += [
        marks.problem(("plan", name), "must be a mapping")
        for name, part in parts.items()
        if not isinstance(part, dict)
    ]
    if found:
        raise _invalid(found, "mend what is named above")
    check_commands(scenario, parts["commands"])
    check_probes(scenario, parts["probes"])
    return replace(scenario, tree=str(tree)), marks


def _invalid(problems: list[Problem], hint: str) -> ScenarioInvalid:
    said = "\n".join(map(str, sorted(problems)))
    return ScenarioInvalid(said, reference="scenario-invalid", hint=hint)


def tree_path(scenario: Scenario, path: Path) -> Path:
    """Return the path of a scenario's tree: beside the scenario, else in the package."""
    beside = path.resolve().parent / scenario.tree
    return beside if may_be_file(beside) else TREES / scenario.tree


def check_commands(scenario: Scenario, names: Iterable[str]) -> None:
    """Refuse a plan that has commands of which the scenario does not say what they do."""
    missing = sorted(set(names) - set(scenario.commands))
    if missing:
        raise ScenarioInvalid(
            f"scenario {scenario.name} does not declare {', '.join(missing)}",
            reference="command-undeclared",
            hint="give each command its duration, its exit code and what it brings",
        )


def check_probes(scenario: Scenario, names: Iterable[str]) -> None:
    """Refuse a plan that has probes of which the scenario does not say what they see."""
    missing = sorted(set(names) - set(scenario.probes))
    if missing:
        raise ScenarioInvalid(
            f"scenario {scenario.name} does not declare {', '.join(missing)}",
            reference="probe-undeclared",
            hint="say of each probe what it sees: probes: {NAME: {sees: cordoned}}",
        )


def _unfit(scenario: Scenario, tree: Tree) -> Iterator[tuple[Place, str]]:
    """Say what does not hold together, and where it stands."""
    if scenario.schema != SCHEMA:
        yield ("schema",), f"its schema is {scenario.schema!r}, not {SCHEMA!r}"
    if scenario.start.tzinfo is None:
        yield ("start",), "start has no time zone"
    yield from unfit(scenario, tree)
