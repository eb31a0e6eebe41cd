"""
What the next decision may know: a value, made by folding entries.

Nothing but the fold (``engine.folding``) may say what state a run is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from journal.entries import Fact, Finding, Instant, Json, Objection, Outcome
from journal.redactor import redact_text

WATCH = "watch"  # the purpose of a run that begins nothing
VERDICT = "time_to_verdict_seconds"  # in documents and closing entries
DONE = "done"  # a state, and an answer of a run that its goal does not end
# As ``engine.judging`` refers to it (literally, as everybody refers): said of a state, and so of all that was still
# waited for in it, and not of what is wrong with any one of them.
TOO_LATE = "state-deadline-passed"


class Attempt(msgspec.Struct, frozen=True):
    """An action that was intended, and how it ended (*outcome* None: it is open)."""

    action: str
    verb: str
    target: str
    attempt: int
    epoch: int
    intended_at: Instant
    deadline_seconds: float
    arguments: dict[str, Json] = {}
    outcome: Outcome | None = None
    code: str = ""
    by: str = ""
    settled_at: Instant | None = None
    evidence: dict[str, Json] = {}


class Timer(msgspec.Struct, frozen=True):
    """An armed instant; *span* is the whole delay in seconds."""

    due: Instant
    span: float
    policy: str = "wall"


class Approval(msgspec.Struct, frozen=True):
    """A question to a person. *answer* is empty, ``given`` or ``refused``."""

    approval: str
    digest: str
    subject: str
    question: str
    consequence: str
    typed: str
    asked_at: Instant
    evidence: dict[str, Json] = {}
    answer: str = ""
    actor: str = ""
    answered_at: Instant | None = None


class Sentence(msgspec.Struct, frozen=True):
    """
    The first time that causes were known of which at least one can never clear by itself, and the roots then.

    What the first ten seconds after the first look add to those is part of it, and *at* is when the last was added.
    """

    at: Instant
    roots: dict[str, Finding]


class Resumed(msgspec.Struct, frozen=True):
    """
    When what was stuck was last resumed, and what was: a person was told to mend it first.

    *stuck* are the subjects that the session was stuck for when it ended, and what findings about them blocked; not
    what only a state's deadline ended.
    """

    at: Instant
    stuck: tuple[str, ...]


class Retrial(msgspec.Struct, frozen=True):
    """The next attempt may start at *due*."""

    attempt: int
    due: Instant


class Deed(msgspec.Struct, frozen=True):
    """
    Something that somebody else did, as far as the facts tell.

    *subject* is what shows it, with its code before (*old*) and now (*new*).
    """

    verb: str
    target: str
    subject: str
    old: str
    new: str
    at: Instant = 0.0


def counted_as(verb: str, target: str, arguments: Mapping[str, Json]) -> str:
    """
    Name what an attempt is counted under: the action, or of one that is done once per key, that very key.

    Another key is another wish: however often an earlier one was tried, and however it was refused, says nothing of it.
    As it is written: a key that the journal redacts would else never be seen to have been tried.
    """
    once = arguments.get("once")
    return f"{verb} {target} {redact_text(str(once))}" if once else f"{verb} {target}"


class Memory(msgspec.Struct, frozen=True):
    """
    Everything that a decision may know besides the plan.

    *now* is the world instant of the latest entry: time reaches decisions only through the journal. *set_back*: by so
    many seconds in all the host's clock was set back since *opened_at*. *attempts* counts intents since the state was
    entered, by ``counted_as``; *request* is what was asked of the run when it was opened, by verb, and no plan that
    changes later takes it back; *lasting*: reaching its goal does not end it; *keys* are the arguments named ``once``
    of all intents so far (what is done once per key). *looked_at* is the run's first look, *found_at* since when each
    finding stands. *wished* are actions (``verb target``) that were answered, neither begun by this run nor seen done
    by another, and since when; *codes* the code that each fact had before its present one; *deeds* the latest that
    others did: the latter two tell where something was before it went out of sight, and what is another life since.
    *objections* are what the session's preflight left. *begun* is since when each thing is worked on, if a session has
    seen all of that; *took* how many seconds each was worked on when it last became well in this run, *took_earlier* in
    the runs before it.
    *acts_since*: when a run that only watched was given hands, or last resumed before it began anything; None: it never
    watched.
    *met* are all the codes that this run has seen of what there is but one of (a subject without a ``/``), in the order
    in which they came.
    """

    run_id: str = ""
    purpose: str = ""
    cluster: str = ""
    state: str = ""
    entered_at: Instant = 0.0
    opened_at: Instant = 0.0
    set_back: float = 0.0
    now: Instant = 0.0
    epoch: int = 0
    plan_digest: str = ""
    goal: str = ""
    request: dict[str, Json] = {}
    lasting: bool = False
    acts_since: Instant | None = None
    identity: dict[str, Json] = {}
    world: dict[str, Json] = {}
    facts: dict[str, Fact] = {}
    findings: dict[str, Finding] = {}
    found_at: dict[str, Instant] = {}
    looked_at: Instant | None = None
    sentence: Sentence | None = None
    answers: dict[str, dict[str, Json]] = {}
    timers: dict[str, Timer] = {}
    fired: dict[str, Instant] = {}
    last: dict[str, Attempt] = {}
    earlier: tuple[Attempt, ...] = ()
    open: dict[str, Attempt] = {}
    attempts: dict[str, int] = {}
    retrials: dict[str, Retrial] = {}
    keys: dict[str, str] = {}
    wished: dict[str, Instant] = {}
    codes: dict[str, str] = {}
    met: dict[str, tuple[str, ...]] = {}
    begun: dict[str, Instant] = {}
    took: dict[str, float] = {}
    took_earlier: dict[str, float] = {}
    deeds: tuple[Deed, ...] = ()
    approvals: dict[str, Approval] = {}
    objections: tuple[Objection, ...] = ()
    regressions: tuple[Instant, ...] = ()
    actions: int = 0
    interrupted: str = ""
    resumed: Resumed | None = None
    cancel_requested: bool = False
    outcome: str = ""
    summary: dict[str, Json] = {}

    @property
    def watches(self) -> bool:
        """Say whether this run begins nothing."""
        return self.purpose == WATCH

    @property
    def verdict_seconds(self) -> float | None:
        """From the first look until it was known that waiting alone would never do; None: it never was."""
        if self.sentence is None or self.looked_at is None:
            return None
        return round(self.sentence.at - self.looked_at, 3)

    @property
    def at_goal(self) -> bool:
        """Say whether the goal is reached; a run that its goal does not end may lose it again."""
        if not self.lasting:
            return self.state == DONE
        return any(body.get("answer") == DONE for body in self.answers.values())

    def last_of(self, verb: str, target: str) -> Attempt | None:
        """Return the latest attempt at *verb* on *target*."""
        return self.last.get(f"{verb} {target}")

    def tries(self, verb: str, target: str, arguments: Mapping[str, Json]) -> int:
        """Return how often just this was begun since the state was entered."""
        return self.attempts.get(counted_as(verb, target, arguments), 0)

    def attempts_at(self, verb: str) -> tuple[Attempt, ...]:
        """Return what is known of *verb*, oldest first: a later refusal does not erase an earlier doubt."""
        known = (*self.earlier, *self.last.values())
        found = (attempt for attempt in known if attempt.verb == verb)
        return tuple(sorted(found, key=lambda attempt: attempt.intended_at))

    def doubts(self, verbs: Iterable[str]) -> tuple[Attempt, ...]:
        """Return what of *verbs* happened or may have: begun and never settled, or settled as done."""
        wanted = set(verbs)
        known = (*self.earlier, *self.last.values())
        found = [a for a in known if a.verb in wanted and a.outcome is not Outcome.FAILED]
        return tuple(
            a
            if a.outcome is Outcome.DONE
            else replace(a, outcome=Outcome.UNSETTLED, settled_at=a.settled_at or self.now)
            for a in found
        )

    def forbidden(self, verb: str, target: str) -> Objection | None:
        """
        Return the first row of the preflight that forbids *verb* on *target*.

        A row about ``command/NAME`` is one about ``command/NAME/NODE`` as well.
        """
        return next(
            (
                found
                for found in self.objections
                if not {verb, "*"}.isdisjoint(found.blocks)
                and (found.target in {"", target} or target.startswith(f"{found.target}/"))
            ),
            None,
        )

    def passed(self, instant: Instant) -> bool:
        """Say whether the journal proves that *instant* has come."""
        return self.now >= instant

    def busy(self, target: str) -> Attempt | None:
        """Return the action that is in flight for *target*."""
        return next((a for a in self.open.values() if a.target == target), None)
