"""
A cluster in memory with a seed, for rehearsals and property tests.

It heals nothing that reality would not heal.
"""

from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import (
    Scenario,
    check_commands,
    find_scenario,
    load_scenario,
    names,
)
from rekindle.simulator.world import SimWorld

__all__ = [
    "Faults",
    "Scenario",
    "SimCluster",
    "SimWorld",
    "check_commands",
    "find_scenario",
    "load_scenario",
    "names",
]
