"""
Errors with a reference, a message, a hint and an exit code.

The whole tree::

    Diagnosed                      (journal.errors)
    ├── JournalFailed       74     the journal could not be read or written
    ├── LeaseHeld           76     somebody else may append
    ├── ChainBroken         77     the journal is not what was written
    ├── JournalTooNew       78     a later rekindle wrote this journal
    ├── PlanInvalid         64     the plan file, all its errors at once
    ├── UsageWrong          64     a command's own arguments
    ├── NoApi               69     the command needs a living API
    ├── EnvironmentWrong    78     a tool is missing, a kubeconfig wrong, a cluster foreign
    └── OurBug              70     an assumption of ours did not hold
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from journal.errors import ChainBroken, Diagnosed, JournalFailed, JournalTooNew, LeaseHeld

__all__ = [
    "ChainBroken",
    "Diagnosed",
    "EnvironmentWrong",
    "Exit",
    "JournalFailed",
    "JournalTooNew",
    "LeaseHeld",
    "NoApi",
    "OurBug",
    "PlanInvalid",
    "Problem",
    "UsageWrong",
]


class Exit(IntEnum):
    """What the process answers with."""

    DONE = 0
    WARNINGS = 1
    STUCK = 2
    COULD_NOT_TELL = 3
    WAITING = 4
    CANCELLED = 5
    USAGE = 64
    NO_API = 69
    OUR_BUG = 70
    JOURNAL = 74
    INTERRUPTED = 75
    LEASE_HELD = 76
    CHAIN_BROKEN = 77
    ENVIRONMENT = 78


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        """``file:line:column: path: message``, as editors read it."""
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.message}"


class PlanInvalid(Diagnosed):
    """The plan file is wrong; *problems* has every error at once."""

    exit_code = Exit.USAGE

    def __init__(self, problems: list[Problem], again: str = "") -> None:
        """Sort by place in the file; *again*: the command that checks it once more, where it is known."""
        self.problems = sorted(problems)
        super().__init__(
            "\n".join(str(problem) for problem in self.problems),
            reference="plan-invalid",
            hint="mend the lines named above"
            + (f"; `{again}` checks the file again" if again else ""),
        )


class UsageWrong(Diagnosed):
    """A command was called in a way that cannot be meant."""

    exit_code = Exit.USAGE


class NoApi(Diagnosed):
    """The command needs a living Kubernetes API and there is none."""

    exit_code = Exit.NO_API


class EnvironmentWrong(Diagnosed):
    """Something around us is missing or not what it should be."""

    exit_code = Exit.ENVIRONMENT


class OurBug(Diagnosed):
    """An assumption of ours did not hold."""

    exit_code = Exit.OUR_BUG
