"""
A phase of another distribution, held to its contract: what it raises is its own error, what it returns is looked at.

It may wish for what can be repeated, and no more: verbs that are done once (a bootstrap, a finalizer) rest on
conditions of the phases that were written for them.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from engine.answer import Act, Answer, Ask, Done, Stuck, Subject, Wait
from engine.errors import EnvironmentWrong
from engine.recipe import Effect, Facts, Findings, Judgement

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.plan import Plan

FUNCTIONS: Final = ("check", "guard", "decide")
REPEATABLE: Final = (Effect.READ, Effect.CONVERGENT)


def lacks(found: object) -> list[str]:
    """Name what of the contract is not there."""
    missing = [name for name in FUNCTIONS if not callable(getattr(found, name, None))]
    return missing if isinstance(getattr(found, "VERSION", None), str) else ["VERSION", *missing]


@dataclass(frozen=True, slots=True)
class Hosted:
    """A phase of another distribution; *whose* names that with its version."""

    name: str
    whose: str
    phase: Any

    @property
    def VERSION(self) -> str:  # noqa: N802  the contract's
        """The phase's own."""
        return str(self.phase.VERSION)

    def check(self, plan: Plan, state: str) -> Sequence[str]:
        """Ask it about a state's options; what it raises is wrong with them as well."""
        try:
            return [str(text) for text in self.phase.check(plan, state)]
        except Exception as error:  # noqa: BLE001  it is somebody else's code
            return [f"the phase {self.name!r} of {self.whose} failed: {where(error)}"]

    def guard(self, plan: Plan, state: str, facts: Facts) -> Judgement:
        """
        Ask it whether the goal holds.

        :raises EnvironmentWrong: when it raises, or answers anything but a Judgement.
        """
        try:
            said = self.phase.guard(plan, state, facts)
        except Exception as error:  # noqa: BLE001  it is somebody else's code
            self._failed(state, where(error), error)
        if not isinstance(said, Judgement):
            self._failed(state, f"its guard answered {type(said).__name__}, not a Judgement")
        return said

    def decide(
        self, plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
    ) -> Mapping[Subject, Answer]:
        """
        Ask it what to do.

        :raises EnvironmentWrong: when it raises, answers none of the five answers, or wishes what it may not.
        """
        try:
            said = dict(self.phase.decide(plan, state, facts, findings, memory))
        except Exception as error:  # noqa: BLE001  it is somebody else's code
            self._failed(state, where(error), error)
        for subject, answer in said.items():
            if not isinstance(subject, str) or not isinstance(
                answer, Done | Wait | Act | Ask | Stuck
            ):
                self._failed(state, f"it answered {type(answer).__name__} for {subject!r}")
            if isinstance(answer, Act):
                self._allow(plan, state, answer.verb)
        return said

    def _allow(self, plan: Plan, state: str, verb: str) -> None:
        known = plan.verbs.get(verb)
        if known is None:
            self._failed(state, f"it wishes {verb!r}, and there is no such verb")
        elif known.effect not in REPEATABLE:
            self._failed(state, f"it wishes {verb}, which is done once: only built-in phases may")

    def _failed(self, state: str, what: str, cause: Exception | None = None) -> NoReturn:
        raise EnvironmentWrong(
            f"the phase {self.name!r} of {self.whose} failed in the state {state}: {what}",
            reference="phase-failed",
            hint="nothing was begun; mend the phase or install another version, then `rekindle resume` goes on",
        ) from cause


def where(error: Exception) -> str:
    """Name an error by its class and its line; its text may quote what no log should have."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
