"""The night of june-12, told once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from rekindle.report.gather import gather
from rekindle.report.story import Story
from rekindle.simulator.cluster import SimCluster
from tests.report.nights import june


class Night(NamedTuple):
    """A finished night: its journal, what is told of it, and the cluster itself."""

    path: Path
    story: Story
    cluster: SimCluster


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    path = tmp_path_factory.mktemp("june") / "j.db"
    _, cluster = june(path)
    return Night(path, gather(path), cluster)
