"""
recovery.yaml → Plan.

Every error of the file is reported at once as ``file:line:column: path: message``. What is loaded is compiled to plain
JSON, so that the journal can carry it and a run can be read without the operator's files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine import guests
from engine.checked import remains, validated
from engine.errors import PlanInvalid, Problem
from engine.limits import looser
from engine.models import DONE, MAXIMUM_SECONDS, MachineModel
from engine.recipe import Effect, Phase, Recipe, Retry, Verb
from engine.walks import expanded, is_first, refused
from engine.yamlfile import Marks, YamlFile, read_yaml

__all__ = ["DONE", "MachineModel", "Plan", "from_compiled", "load", "merged", "of_parts"]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A compiled plan.

    *section* is the domain's part as JSON, *target* the same as the domain's own type; *verbs* are the recipe's with
    the plan's limits. *own* are the phases that are told their state, *foreign* says whose those are that no package of
    ours brings: by the phase's name its distribution and version.
    """

    cluster: str
    machine: MachineModel
    section: dict[str, Any]
    verbs: Mapping[str, Verb] = field(compare=False)
    target: Any = field(compare=False)
    own: Mapping[str, Phase] = field(compare=False, default_factory=dict)
    foreign: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        """Names in the order of pursuit, from the initial one."""
        names: list[str] = []
        name = self.machine.initial
        while name != DONE and name not in names:
            names.append(name)
            name = self.machine.states[name].next
        return tuple(names)

    @property
    def allowed(self) -> frozenset[str]:
        """Name the verbs that the plan does not switch off."""
        return frozenset(name for name, verb in self.verbs.items() if verb.enabled)

    def compiled(self) -> dict[str, Any]:
        """Return plain JSON: what the journal keeps."""
        return {
            "cluster": self.cluster,
            "machine": self.machine.model_dump(mode="json"),
            "section": self.section,
            **({"phases": {k: dict(v) for k, v in self.foreign.items()}} if self.foreign else {}),
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
    raw_section = {key: value for key, value in data.items() if key not in {"cluster", "machine"}}
    problems.extend(refused(data.get("machine"), marks))
    machine = _machine(data.get("machine"), recipe, raw_section, marks, problems)
    section = recipe.section(raw_section, marks, include, problems)
    if section:
        section = finish(section, marks, problems)
    if problems or machine is None:
        raise PlanInvalid(problems)
    return _compiled(str(cluster), machine, section, recipe, marks)


def from_compiled(raw: Mapping[str, Any], recipe: Recipe) -> Plan:
    """Bring back a plan that a journal carries; a phase that is not there any more says so when it is asked."""
    machine = MachineModel.model_validate(raw["machine"])
    section = dict(raw["section"])
    foreign: dict[str, Mapping[str, str]] = dict(raw.get("phases", {}))
    own = guests.again(machine, recipe, foreign)
    verbs = _verbs(machine, recipe)
    return Plan(raw["cluster"], machine, section, verbs, recipe.target(section), own, foreign)


def of_parts(
    cluster: str,
    machine: Mapping[str, Any],
    section: dict[str, Any],
    recipe: Recipe,
    marks: Marks | None = None,
) -> Plan:
    """Compile a plan from data that is already checked (a scenario's, a test's); *marks*: where its parts stand."""
    problems: list[Problem] = []
    marks = marks or Marks("recovery.yaml", {})
    model = _machine(dict(machine), recipe, section, marks, problems)
    if problems or model is None:
        raise PlanInvalid(problems)
    return _compiled(cluster, model, section, recipe, marks)


def _compiled(
    cluster: str, machine: MachineModel, section: dict[str, Any], recipe: Recipe, marks: Marks
) -> Plan:
    """Put a plan together, and let the phases that are told their state check what it says to them."""
    own, foreign = guests.invited(machine, recipe)
    verbs = _verbs(machine, recipe)
    plan = Plan(cluster, machine, section, verbs, recipe.target(section), own, foreign)
    problems = guests.checked(plan, marks)
    if problems:
        raise PlanInvalid(problems)
    return plan


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
    given: object, recipe: Recipe, section: dict[str, Any], marks: Marks, problems: list[Problem]
) -> MachineModel | None:
    if given is not None and not isinstance(given, dict):
        problems.append(marks.problem(("machine",), "a machine is a mapping"))
        return None
    problems.extend(marks.problem(("machine",), text) for text in recipe.unwelcome)
    override = expanded(given or {}, recipe.items(section), marks, problems)
    if override is None:
        return None  # a walk that cannot be made out leaves a hole, and everything around it would seem wrong
    default = recipe.machine
    if _is_whole(override):
        default = {key: value for key, value in default.items() if key not in {"states", "initial"}}
    data = merged(default, override)
    model = validated(MachineModel, data, marks, ("machine",), problems)
    left = model or remains(MachineModel, data, SPARE)
    if left is None:
        return None
    named = data.get("states")
    names = {*left.states, *(map(str, named) if isinstance(named, dict) else ())}
    _check_names(left, names, recipe, marks, problems)
    _check_verbs(left, recipe, marks, problems)
    reached = _reached(left, named)
    if reached is not None:
        _check_reach(left, reached, marks, problems)
    return model


def _is_whole(override: Mapping[str, Any]) -> bool:
    """A plan that says where to begin and, of each state of its own, where it leads has a machine of its own."""
    states, initial = override.get("states"), override.get("initial")
    if not isinstance(states, dict) or not isinstance(initial, str) or initial not in states:
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
        if is_first(machine, name):
            problems.extend(guests.missing(name, state, recipe, marks))


def _reached(machine: MachineModel, named: object) -> list[str] | None:
    """
    Return the states that the initial one leads to, in this order; None where that is not known.

    A hole (a name that no state has, a ``next`` that is none) would make everything behind it seem unreachable.
    """
    given = named if isinstance(named, dict) else {}
    reached: list[str] = []
    name = machine.initial
    while name != DONE and name not in reached:
        raw = given.get(name)
        if name not in machine.states or not isinstance(raw, dict):
            return None
        if raw.get("next") != machine.states[name].next:
            return None  # what stands there is a spare part of ours
        reached.append(name)
        name = machine.states[name].next
    return reached or None


def _check_reach(
    machine: MachineModel, reached: list[str], marks: Marks, problems: list[Problem]
) -> None:
    states, here = machine.states, ("machine", "states")
    back = states[reached[-1]].next
    if back != DONE:
        problems.append(marks.problem((*here, reached[-1], "next"), f"leads back to {back!r}"))
    problems.extend(
        marks.problem((*here, name), "no state leads here")
        for name in states
        if name not in {*reached, DONE}
    )
    for place, name in enumerate(reached):
        until = states[name].until
        if until and until not in reached[place + 1 :]:
            text = f"{until!r} is no state that comes after this one"
            problems.append(marks.problem((*here, name, "until"), text))


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
        problems.extend(marks.problem((*here, *path), text) for path, text in looser(known, policy))


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
