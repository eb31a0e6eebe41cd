"""The namespace that an object lives in, and whether it takes the object with it."""

from __future__ import annotations

from engine.answer import Subject
from engine.recipe import Facts
from phases import codes


def home_of(subject: Subject) -> Subject:
    """Return the subject of an object's namespace; empty for what lives in none."""
    parts = subject.split("/")
    return codes.subject("namespace", parts[1]) if len(parts) > 2 else ""  # noqa: PLR2004  kind/namespace/name


def home_goes(subject: Subject, facts: Facts) -> bool:
    """Say whether an object's namespace is on its way out: nothing can be made there before it is gone."""
    home = facts.get(home_of(subject))
    return home is not None and home.code == codes.TERMINATING
