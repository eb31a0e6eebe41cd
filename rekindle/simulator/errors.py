"""What can be wrong with a rehearsal itself."""

from __future__ import annotations

from journal.errors import Diagnosed


class ScenarioInvalid(Diagnosed):
    """A scenario or its tree is not what it should be."""

    exit_code = 64


class WorldGone(Diagnosed):
    """The process that holds a simulated cluster cannot be reached."""

    exit_code = 74


class WorldBusy(Diagnosed):
    """Another client is connected to the simulated cluster."""

    exit_code = 76
