"""
recovery.yaml → Plan.

Every error of the file is reported at once as ``file:line:column: path: message``. What is loaded is compiled to plain
JSON, so that the journal can carry it and a run can be read without the operator's files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.checked import remains, validated
from engine.errors import PlanInvalid, Problem
from engine.patience import seconds
from engine.recipe import Effect, Recipe, Retry, Verb
from engine.yamlfile import Marks, YamlFile, read_yaml

MAXIMUM_SECONDS = 7 * 24 * 3600.0
DONE = "done"


def _duration(value: object) -> object:
    return seconds(value) if isinstance(value, str) else value


def _backoff(value: object) -> object:
    if isinstance(value, str) and ".." in value:
        low, high = value.split("..", 1)
        return (seconds(low), seconds(high))
    if isinstance(value, str):
        return (seconds(value), seconds(value))
    return value


def _limit(value: object) -> object:
    if isinstance(value, str):
        count, separator, span = value.partition(" per ")
        if not separator or not count.strip().isdigit():
            message = f"{value!r} is no limit; write it like 3 per 30m"
            raise ValueError(message)
        return (int(count), seconds(span.strip()))
    return value


Duration = Annotated[float, BeforeValidator(_duration), Field(gt=0, le=MAXIMUM_SECONDS)]


class Model(BaseModel):
    """Unknown keys are errors: a misspelt limit must not be silently unlimited."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeadlineModel(Model):
    """How long a state may be pursued. ``active`` counts only while a run holds the lease."""

    after: Duration
    policy: Literal["wall", "active", "restart"] = "active"


class StateModel(Model):
    """A state names the goal that is pursued; guard and phase default to the state's own name."""

    next: str
    deadline: DeadlineModel
    stable: Annotated[float, BeforeValidator(_duration), Field(ge=0, le=3600)] = 0.0
    guard: str = ""
    phase: str = ""
    options: dict[str, Any] = {}


class RegressModel(Model):
    """When a state is left backwards."""

    to: Literal["lowest-broken"] = "lowest-broken"
    damping: Duration = 30.0
    limit: Annotated[tuple[int, float], BeforeValidator(_limit)] = (3, 1800.0)


class RetryModel(Model):
    """How often and how soon a failed action is tried again; what is not said stays the verb's own."""

    attempts: int | None = Field(default=None, ge=1, le=1000)
    backoff: Annotated[tuple[Duration, Duration] | None, BeforeValidator(_backoff)] = None
    jitter: Literal["full", "none"] | None = None
    on: tuple[str, ...] | None = None


class VerbModel(Model):
    """A plan may make a verb stricter, never looser."""

    deadline: Duration | None = None
    retry: RetryModel | None = None
    approval: Literal["typed", "none"] | None = None
    enabled: bool | None = None


class MachineModel(Model):
    """The declarative machine."""

    initial: str
    states: dict[str, StateModel] = Field(min_length=1)
    regress: RegressModel = RegressModel()
    verbs: dict[str, VerbModel] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A compiled plan.

    *section* is the domain's part as JSON, *target* the same as the domain's own type; *verbs* are the recipe's with
    the plan's limits.
    """

    cluster: str
    machine: MachineModel
    section: dict[str, Any]
    verbs: Mapping[str, Verb] = field(compare=False)
    target: Any = field(compare=False)

    @property
    def states(self) -> tuple[str, ...]:
        """Names in the order of pursuit, from the initial one."""
        names: list[str] = []
        name = self.machine.initial
        while name != DONE and name not in names:
            names.append(name)
            name = self.machine.states[name].next
        return tuple(names)

    def compiled(self) -> dict[str, Any]:
        """Return plain JSON: what the journal keeps."""
        return {
            "cluster": self.cluster,
            "machine": self.machine.model_dump(mode="json"),
            "section": self.section,
        }

    def digest(self) -> str:
        """Digest of the meaning: comments, order of keys and notation do not count."""
        body = msgspec.json.encode(self.compiled(), order="deterministic")
        return hashlib.sha256(body).hexdigest()


SPARE: dict[str, Any] = {
    "initial": "",
    "states": {"*": {"next": DONE, "deadline": {"after": MAXIMUM_SECONDS}}},
}
Include = Callable[[str], YamlFile]
Finish = Callable[[dict[str, Any], Marks, list[Problem]], dict[str, Any]]


def load(file: YamlFile, recipe: Recipe, include: Include, finish: Finish) -> Plan:
    """
    Compile a plan file.

    *include* reads another file that the plan names (its inventory); *finish* makes paths absolute and fills in what
    only the disk knows.

    :raises PlanInvalid: with every problem found.
    """
    data, marks, problems = read_yaml(file)
    if problems and not data:
        raise PlanInvalid(problems)  # it is no YAML: what would be missing in it is no news
    if not isinstance(data, dict):
        raise PlanInvalid([*problems, Problem(file.name, 1, 1, "$", "a plan is a mapping")])
    cluster = data.get("cluster")
    if not isinstance(cluster, str) or not cluster:
        said = "is missing" if cluster is None else "must be text"
        problems.append(marks.problem(("cluster",), f"the cluster's name {said}"))
    machine = _machine(data.get("machine"), recipe, marks, problems)
    raw_section = {key: value for key, value in data.items() if key not in {"cluster", "machine"}}
    section = recipe.section(raw_section, marks, include, problems)
    if section:
        section = finish(section, marks, problems)
    if problems or machine is None:
        raise PlanInvalid(problems)
    return Plan(str(cluster), machine, section, _verbs(machine, recipe), recipe.target(section))


def from_compiled(raw: Mapping[str, Any], recipe: Recipe) -> Plan:
    """Bring back a plan that a journal carries."""
    machine = MachineModel.model_validate(raw["machine"])
    section = dict(raw["section"])
    return Plan(raw["cluster"], machine, section, _verbs(machine, recipe), recipe.target(section))


def of_parts(
    cluster: str, machine: Mapping[str, Any], section: dict[str, Any], recipe: Recipe
) -> Plan:
    """Compile a plan from data that is already checked (a scenario's, a test's)."""
    problems: list[Problem] = []
    marks = Marks("recovery.yaml", {})
    model = _machine(dict(machine), recipe, marks, problems)
    if problems or model is None:
        raise PlanInvalid(problems)
    return Plan(cluster, model, section, _verbs(model, recipe), recipe.target(section))


def merged(default: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Lay *override* over *default*, mapping by mapping."""
    result = dict(default)
    for key, value in override.items():
        known = result.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            result[key] = merged(known, value)
        else:
            result[key] = value
    return result


def _machine(
    given: object, recipe: Recipe, marks: Marks, problems: list[Problem]
) -> MachineModel | None:
    if given is not None and not isinstance(given, dict):
        problems.append(marks.problem(("machine",), "a machine is a mapping"))
        return None
    override = given or {}
    default = recipe.machine
    if _is_whole(override):
        default = {key: value for key, value in default.items() if key not in {"states", "initial"}}
    data = merged(default, override)
    before = len(problems)
    model = validated(MachineModel, data, marks, ("machine",), problems)
    left = model or remains(MachineModel, data, SPARE)
    if left is None:
        return None
    named = data.get("states")
    names = {*left.states, *(map(str, named) if isinstance(named, dict) else ())}
    _check_names(left, names, recipe, marks, problems)
    _check_verbs(left, recipe, marks, problems)
    if len(problems) == before:
        _check_reach(left, marks, problems)  # a hole would make everything behind it unreachable
    return model


def _is_whole(override: Mapping[str, Any]) -> bool:
    """A plan that says where to begin and, of each state of its own, where it leads has a machine of its own."""
    states = override.get("states")
    if not isinstance(states, dict) or override.get("initial") not in states:
        return False
    return all(isinstance(state, dict) and "next" in state for state in states.values())


def _check_names(
    machine: MachineModel, names: set[str], recipe: Recipe, marks: Marks, problems: list[Problem]
) -> None:
    states = machine.states
    here = ("machine", "states")
    if machine.initial and machine.initial not in names:
        problems.append(marks.problem(("machine", "initial"), f"no state {machine.initial!r}"))
    for name, state in states.items():
        if name == DONE:
            problems.append(marks.problem((*here, name), "done is where the last state leads"))
        if state.next != DONE and state.next not in names:
            problems.append(marks.problem((*here, name, "next"), f"no state {state.next!r}"))
        if (state.guard or name) not in recipe.guards:
            problems.append(marks.problem((*here, name), f"no guard {state.guard or name!r}"))
        if (state.phase or name) not in recipe.phases:
            problems.append(marks.problem((*here, name), f"no phase {state.phase or name!r}"))


def _check_reach(machine: MachineModel, marks: Marks, problems: list[Problem]) -> None:
    states, here = machine.states, ("machine", "states")
    reached: list[str] = []
    name = machine.initial
    while name in states and name not in reached:
        reached.append(name)
        name = states[name].next
    if name in reached:
        problems.append(marks.problem((*here, reached[-1], "next"), f"leads back to {name!r}"))
    problems.extend(
        marks.problem((*here, name), "no state leads here")
        for name in states
        if name not in reached
    )


def _check_verbs(
    machine: MachineModel, recipe: Recipe, marks: Marks, problems: list[Problem]
) -> None:
    for name, verb in recipe.verbs.items():
        if verb.effect is Effect.ONCE and (verb.probe is None or not verb.guard):
            problems.append(
                marks.problem(
                    ("machine", "verbs", name), "a verb with effect once needs a probe and a guard"
                )
            )
    for name, policy in machine.verbs.items():
        here = ("machine", "verbs", name)
        known = recipe.verbs.get(name)
        if known is None:
            problems.append(marks.problem(here, f"no verb {name!r}"))
            continue
        if known.typed_approval and policy.approval == "none":
            problems.append(marks.problem((*here, "approval"), "a plan may not drop this approval"))
        if known.effect is Effect.ONCE and policy.retry is not None:
            if (policy.retry.attempts or 0) > known.retry.attempts:
                limit = f"at most {known.retry.attempts} attempts"
                problems.append(marks.problem((*here, "retry", "attempts"), limit))
            if not set(policy.retry.on or ()) <= set(known.retry.on):
                text = f"a verb with effect once is retried on {', '.join(known.retry.on)} only"
                problems.append(marks.problem((*here, "retry", "on"), text))


def _verbs(machine: MachineModel, recipe: Recipe) -> dict[str, Verb]:
    from dataclasses import replace

    verbs: dict[str, Verb] = {}
    for name, verb in recipe.verbs.items():
        policy = machine.verbs.get(name)
        if policy is None:
            verbs[name] = verb
            continue
        retry = verb.retry
        if policy.retry is not None:
            said = policy.retry
            low, high = said.backoff or (retry.backoff_seconds, retry.backoff_limit_seconds)
            retry = Retry(
                attempts=said.attempts or retry.attempts,
                backoff_seconds=low,
                backoff_limit_seconds=high,
                full_jitter=retry.full_jitter if said.jitter is None else said.jitter == "full",
                on=retry.on if said.on is None else said.on,
            )
        verbs[name] = replace(
            verb,
            deadline_seconds=policy.deadline or verb.deadline_seconds,
            retry=retry,
            typed_approval=verb.typed_approval or policy.approval == "typed",
            enabled=verb.enabled if policy.enabled is None else policy.enabled,
        )
    return verbs
