"""What a resumed run finds in its journal, and what it goes on with when it has looked at everything that was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from engine.answer import Act, Answer, Ask
from engine.judging import Rules
from engine.memory import Attempt, Memory
from engine.ports import Watcher
from engine.recipe import Facts
from engine.turn import Turn
from journal.entries import Outcome
from journal.row import Row
from phases import codes
from rekindle.sentences import questions

# What became of an action that nobody knew the end of.
SETTLED = {Outcome.DONE: "happened", Outcome.FAILED: "did not happen"}


class Resuming:
    """A watcher before another one."""

    def __init__(self, watcher: Watcher, before: Memory, say: Callable[[str], None]) -> None:
        """*before*: what the journal knew when the run was taken up again."""
        self._watcher = watcher
        self._before: Memory | None = before
        self._say = say

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Say it after the first turn that has everybody's answer."""
        if self._before is not None and has_looked(turn.memory.facts):
            self._say(plan_of(self._before, turn.memory, turn.answers.values()))
            self._before = None
        self._watcher.turned(rules, turn)

    def wrote(self, rows: Sequence[Row]) -> None:
        """Nothing of our own."""
        self._watcher.wrote(rows)


def telling(
    watcher: Watcher, before: Memory, say: Callable[[str], None], *, resumed: bool
) -> Watcher:
    """Say it where there is something to be gone on with."""
    return Resuming(watcher, before, say) if resumed and not before.watches else watcher


def standing(memory: Memory) -> str:
    """Say what a resumed run finds: done, open, and what it goes on with."""
    if memory.watches:
        return f"watching {memory.run_id} in {memory.state} again; nothing is begun"
    done = sum(attempt.outcome is Outcome.DONE for attempt in memory.last.values())
    doubtful = sum(attempt.outcome is Outcome.UNSETTLED for attempt in memory.last.values())
    open_ = ", ".join(f"{a.verb} {a.target}" for a in memory.open.values()) or "none"
    asked = len(questions(memory))
    return (
        f"resuming {memory.run_id} in {memory.state}: actions done: {done}, in doubt: {doubtful}, open: {open_}; "
        f"questions unanswered: {asked}; everything is looked at before anything is done"
    )


def has_looked(facts: Facts) -> bool:
    """Say whether all were asked: at a session's first turn the threads that ask have only just begun."""
    api = facts.get(codes.API)
    lists = api is not None and api.code == codes.UP
    asked = [s for s in facts if s.startswith("node/") or (lists and s.startswith("kind/"))]
    return api is not None and all(facts[s].reason != codes.NOT_ASKED for s in (codes.API, *asked))


def plan_of(before: Memory, now: Memory, answers: Iterable[Answer]) -> str:
    """
    Count what is done, how the doubtful was settled, what is to do, and what is to be done again.

    *drifted* is what this run had done and what the look shows to be wanted once more.
    """
    wishes = {_key(answer): answer for answer in answers if isinstance(answer, Act | Ask)}
    drifted = [key for key, wish in wishes.items() if _is_wanted_again(wish, before.last.get(key))]
    known = {**before.last, **now.last}
    done = sum(_is_done(attempt) for key, attempt in known.items() if key not in drifted)
    parts = [f"{done} done"]
    doubtful = [
        key
        for key, attempt in before.last.items()
        if _is_doubtful(attempt) and now.last[key].action == attempt.action  # not begun once more
    ]
    for outcome, word in SETTLED.items():
        parts += _told(f"settled: {word}", [k for k in doubtful if now.last[k].outcome is outcome])
    parts += _told("still in doubt", [k for k in doubtful if _is_doubtful(now.last[k])])
    parts.append(f"{len(wishes)} to do")
    parts += _told("of them drifted", drifted)
    return f"looked at everything; of the actions {', '.join(parts)}"


def _told(word: str, keys: Sequence[str]) -> list[str]:
    return [f"{len(keys)} {word} ({', '.join(keys)})"] if keys else []


def _key(answer: Act | Ask) -> str:
    """Name an action as the memory does; a question that is about none is nothing to do again."""
    if isinstance(answer, Act):
        return f"{answer.verb} {answer.target}"
    evidence = answer.evidence
    return f"{evidence.get('verb', '')} {evidence.get('target', '')}"


def _is_wanted_again(wish: Act | Ask, attempt: Attempt | None) -> bool:
    """What is done once per cause (a nudge) and is wanted for another one, has not drifted."""
    if attempt is None or not _is_done(attempt):
        return False
    return isinstance(wish, Ask) or wish.arguments.get("once") == attempt.arguments.get("once")


def _is_done(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.outcome is Outcome.DONE


def _is_doubtful(attempt: Attempt) -> bool:
    """Say whether it was begun and nobody knows how it ended: open when the session died, or left unsettled."""
    return attempt.outcome is None or attempt.outcome is Outcome.UNSETTLED
