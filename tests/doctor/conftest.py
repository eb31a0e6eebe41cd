"""The journal of a night, as the commands' tests have it."""

from tests.cli.conftest import journal_of_a_night

__all__ = ["journal_of_a_night"]
