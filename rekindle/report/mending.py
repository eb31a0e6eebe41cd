"""Which actions of a run were about a cause: on it, by the verb that clears it, or waking what had waited for it."""

from __future__ import annotations

from collections.abc import Sequence

from journal.entries import Instant, Outcome
from phases import codes
from phases.verbs import (
    APPLY,
    BOOTSTRAP,
    COMMAND,
    NUDGE,
    PREAPPLY,
    RECOVER,
    ROOT,
    SNAPSHOT,
    UNSERVE,
)
from rekindle.report.happenings import Action
from rekindle.report.reasons import Cause

# Verbs with one place to act on in the whole run: whatever such a cause is about, that action was for it. Of others
# the action has to name what the cause is about, or what it holds up.
ONLY = frozenset({ROOT, BOOTSTRAP, SNAPSHOT, RECOVER, UNSERVE})
BOTH = (BOOTSTRAP, RECOVER)  # etcd is begun by the one or the other
SEVERAL = frozenset({APPLY, PREAPPLY})
# What waiting clears in the end, once the run has done its own step: no verb of ``hands``, which are of verdicts.
# A namespace goes once every API can be listed (N1), so that each removal of a dead one is a step.
STEPS = {"N1": (UNSERVE,), "T1": (APPLY,), "T8": BOTH}
# Steps on the way to a verb: nothing is recovered without a copy.
BEFORE = {RECOVER: (SNAPSHOT,)}
SPACES = ("namespace", "namespace-gone", "namespace-missing")
FAMILIES = {"backend": "service", "api": "apiservice", "webhook": "webhook", "store": "store"}
GONE = "gone"  # the key of all that was woken for something that went away
WENT = ("gone@", "gone:")  # so its cause begins, the first in journals of before
RESUMED = "resumed:"  # before the cause, where a person resumed and no fact tells that it is over
LOOK_SECONDS = 10.0  # of causes, at most


class Actions:
    """The actions of a run that took place, by what a cause may know them by: of thousands, a few are about each."""

    def __init__(self, actions: Sequence[Action]) -> None:
        """Sort them once."""
        self._all = [one for one in actions if one.outcome == Outcome.DONE.value]
        self._places: dict[str, list[int]] = {}
        for place, one in enumerate(self._all):
            for key in _keys(one):
                self._places.setdefault(key, []).append(place)

    def about(self, cause: Cause) -> list[Action]:
        """Return those that may have been about a cause, in the order in which they were begun."""
        keys = (cause.subject, *(f"verb {verb}" for verb in _verbs(cause)), GONE)
        places = {place for key in keys for place in self._places.get(key, ())}
        return [self._all[place] for place in sorted(places)]


def _keys(one: Action) -> set[str]:
    keys = {one.target, *one.about}
    if one.verb in ONLY or one.verb in SEVERAL:
        keys.add(f"verb {one.verb}")
    if one.verb == NUDGE and one.because:
        keys |= {GONE} if one.because.startswith(WENT) else _subjects(one)
    return keys


def actions_of(
    cause: Cause, causes: Sequence[Cause], actions: Sequence[Action], last: Instant
) -> tuple[str, ...]:
    """Name the actions that took place and were about a cause; *causes* are all of the run, *last* its latest entry."""
    end = cause.end if cause.end is not None else last
    again = [c.found for c in causes if c.subject == cause.subject and c.found > cause.found]
    until = min(again, default=last)
    return tuple(
        one.action
        for one in actions
        if one.outcome == Outcome.DONE.value
        and (_acts(cause, one, end) or _wakes(cause, one, until))
    )


def _acts(cause: Cause, one: Action, end: Instant) -> bool:
    """What was in flight when the cause was found is about it as well: it was begun before anybody had named it."""
    settled = end if one.settled is None else one.settled
    # Of etcd that has only just been begun a look still finds that nobody has begun it.
    slack = LOOK_SECONDS if one.verb in BOTH else 0.0
    if not (one.intended <= end and cause.found <= settled + slack):
        return False
    if cause.subject in {one.target, *one.about}:
        return cause.found <= one.intended or one.verb == COMMAND
    if one.verb not in _verbs(cause):
        return False
    return one.verb in ONLY or (one.verb in SEVERAL and one.target in cause.victims)


def _verbs(cause: Cause) -> tuple[str, ...]:
    """Name the verbs that are about a cause whatever they act on, as far as they act on one place."""
    return STEPS.get(cause.rule) or (*BEFORE.get(cause.verb, ()), cause.verb)


def _wakes(cause: Cause, one: Action, until: Instant) -> bool:
    """A nudge comes once its cause has cleared: the next cause of the same object, and no end, bounds it."""
    if one.verb != NUDGE or not one.because or not cause.found <= one.intended <= until:
        return False
    if one.because.startswith(WENT):
        told = (said.lower() for said in cause.evidence)
        return any(said.partition(" ")[0] == one.target for said in told)
    return cause.subject in _subjects(one)


def _subjects(one: Action) -> set[str]:
    """Name what the cause of a nudge is about, by its family (``phases.clearing``)."""
    family, _, name = one.because.removeprefix(RESUMED).partition(":")
    if family == "kind":
        return _crds(name)
    if family == "dependency":
        return {codes.subject(one.target.partition("/")[0], name)}
    if family == "source":
        return {codes.subject("gitrepository", name), name}
    if family in SPACES:
        return {codes.subject("namespace", name)}
    if family in {"health", "object"}:
        parts = (item.partition("/") for item in name.split(","))
        return {codes.subject(kind, key) for kind, _, key in parts}
    return {codes.subject(FAMILIES[family], name)} if family in FAMILIES else set()


def _crds(name: str) -> set[str]:
    """Spell the plurals that a kind may have: no fact says which CRD was meant by it."""
    kind, _, group = name.lower().partition(".")
    plurals = {kind, f"{kind}s", f"{kind}es", f"{kind.removesuffix('y')}ies"}
    return {codes.subject("crd", f"{plural}.{group}") for plural in plurals}
