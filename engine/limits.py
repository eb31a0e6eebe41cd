"""What a plan may say of a verb: fewer tries, later, for a shorter time, after a word. Never more."""

from __future__ import annotations

from collections.abc import Iterator

from engine.models import VerbModel
from engine.patience import spoken
from engine.recipe import Effect, Retry, Verb


def looser(known: Verb, policy: VerbModel) -> Iterator[tuple[tuple[str, ...], str]]:
    """
    Yield where a plan would let a verb go further than it does by itself, and what it may be at most.

    Whoever needs more time than a verb has, has another trouble than its deadline.
    """
    if policy.deadline is not None and policy.deadline > known.deadline_seconds:
        yield ("deadline",), f"at most {spoken(known.deadline_seconds)}"
    said, own = policy.retry, known.retry
    if said is None:
        return
    if (said.attempts or 0) > own.attempts:
        yield ("retry", "attempts"), f"at most {own.attempts} attempts"
    if not set(said.on or ()) <= set(own.on):
        once = "a verb with effect once" if known.effect is Effect.ONCE else "it"
        yield ("retry", "on"), f"{once} is retried on {', '.join(own.on) or 'nothing'} only"
    if said.backoff is not None and not _is_later(said.backoff, own):
        least = f"{spoken(own.backoff_seconds)} at first and {spoken(own.backoff_limit_seconds)} at last"
        yield ("retry", "backoff"), f"at least {least}"
    if said.jitter == "full" and not own.full_jitter:
        yield (
            ("retry", "jitter"),
            "full jitter may wait half as long",
        )


def _is_later(said: tuple[float, float], own: Retry) -> bool:
    return said[0] >= own.backoff_seconds and said[1] >= own.backoff_limit_seconds
