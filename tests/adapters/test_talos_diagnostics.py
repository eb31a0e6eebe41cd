"""
What Talos itself finds wrong with a machine: read whole or not at all, and asked seldom.

Mutants, each killed here: it is asked at every look, or beside the first of a boot; only the first document of the
stream is read; silence, a refusal or another text is "nothing is wrong"; what was told outlives a boot, or a later
silence.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from phases.snapshot import Seen
from rekindle.adapters import talos_diagnostics, talos_text
from rekindle.adapters.talos import NodeEye, Talosctl, TalosNodeAddress
from rekindle.adapters.tls_probe import CONFIGURED, MAINTENANCE, Probed
from tests.adapters.talos_nodes import FakeTalosctl, refusal

KEY = "get_diagnostics_-o_json"
OVERLAP = ("address-overlap", "host and Kubernetes pod/service CIDR addresses overlap")
CERTIFICATE = (
    "kubelet-csr",
    "kubelet server certificate rotation is enabled, but CSR is not approved",
)
# As talosctl 1.12 prints it: JSON documents one after the other, indented by four, HTML characters escaped.
DETAILS = ['host routed addresses: ["10.244.3.4/24"]', "}\\u003c"]


def written(*told: tuple[str, str]) -> str:
    documents = (
        {
            "metadata": {
                "id": name,
                "namespace": "runtime",
                "type": "Diagnostics.runtime.talos.dev",
            },
            "node": "10.5.0.2",
            "spec": {"details": DETAILS, "message": message},
        }
        for name, message in told
    )
    return "".join(json.dumps(document, indent=4) + "\n" for document in documents)


class Bench:
    """A machine that runs, an eye on it, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.fake = FakeTalosctl(folder)
        self.fake.running()
        talosctl = Talosctl(str(self.fake.program), folder / "talosconfig")
        self.eye = NodeEye(talosctl, TalosNodeAddress("cp-1", "10.5.0.2"), lambda: self.now)

    def look(self, kind: str = CONFIGURED) -> talos_text.Diagnostics | None:
        seen = self.eye.look(Probed(kind))
        assert isinstance(seen, Seen), seen
        return seen.value.diagnostics

    def second_look(self) -> talos_text.Diagnostics | None:
        self.look()
        return self.look()

    @property
    def asked(self) -> int:
        return sum(" get diagnostics " in call for call in self.fake.calls)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("told", [(), (OVERLAP,), (OVERLAP, CERTIFICATE)])
def test_what_talos_finds_wrong_is_in_the_look(
    bench: Bench, told: tuple[tuple[str, str], ...]
) -> None:
    bench.fake.says(KEY, written(*reversed(told)))

    assert bench.second_look() == told


def test_the_first_look_of_a_boot_does_not_wait_for_it(bench: Bench) -> None:
    bench.fake.says(KEY, written(OVERLAP))

    assert (bench.look(), bench.asked) == (None, 0)
    assert (bench.look(), bench.asked) == ((OVERLAP,), 1)

    bench.fake.says("read__proc_sys_kernel_random_boot_id", "another\n")
    assert (bench.look(), bench.asked) == (None, 1)
    assert (bench.look(), bench.asked) == ((OVERLAP,), 2)


def test_a_boot_id_that_cannot_be_read_is_no_other_boot(bench: Bench) -> None:
    """Mutants: what was told is forgotten; it is asked at once."""
    bench.fake.says(KEY, written(OVERLAP))
    bench.second_look()

    for told in ("", "one-that-is-read\n"):
        bench.fake.says("read__proc_sys_kernel_random_boot_id", told)
        assert (bench.look(), bench.asked) == ((OVERLAP,) if not told else None, 1)


def test_it_is_asked_once_a_minute_and_not_at_every_look(bench: Bench) -> None:
    bench.fake.says(KEY, written(OVERLAP))
    bench.second_look()
    bench.fake.says(KEY, "")

    bench.now += talos_diagnostics.EVERY_SECONDS - 1
    assert [bench.look() for _ in range(3)] == [(OVERLAP,)] * 3
    assert bench.asked == 1

    bench.now += 1
    assert (bench.look(), bench.asked) == ((), 2)


def test_a_clock_that_was_set_back_does_not_keep_it_for_ever(bench: Bench) -> None:
    bench.fake.says(KEY, "")
    bench.second_look()
    bench.fake.says(KEY, written(OVERLAP))
    bench.now -= 3600

    assert bench.look() == (OVERLAP,)


@pytest.mark.parametrize(
    "stderr",
    [
        'rpc error: code = NotFound desc = resource "diagnostics" is not registered\n',
        refusal("PermissionDenied"),
        refusal("Unavailable", "transport is closing"),
    ],
)
def test_a_talos_that_does_not_know_it_did_not_tell_and_is_seen(bench: Bench, stderr: str) -> None:
    bench.fake.says(KEY, written(OVERLAP))
    bench.second_look()
    bench.fake.refuses(KEY, stderr)
    bench.now += talos_diagnostics.EVERY_SECONDS

    assert bench.look() is None
    assert [bench.look() for _ in range(2)] == [None, None]
    assert bench.asked == 2  # a refusal, too, is asked for once a minute


@pytest.mark.parametrize(
    "text",
    [
        "not json\n",
        "{\n}\n",
        "[]\n",
        '{"metadata": {"id": 3}, "spec": {}\n}\n',
        written(OVERLAP) + '{"metadata": {}\n}\n',
    ],
)
def test_what_is_not_understood_was_not_told(bench: Bench, text: str) -> None:
    bench.fake.says(KEY, text)

    assert bench.second_look() is None
    with pytest.raises(talos_text.NotUnderstood):
        talos_text.diagnostics(text.encode())


def test_silence_delays_a_look_by_little(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert talos_diagnostics.LIMIT_SECONDS == 3.0
    monkeypatch.setattr(talos_diagnostics, "LIMIT_SECONDS", 0.3)
    bench.fake.hangs(KEY)
    bench.look()
    began = time.monotonic()

    assert bench.look() is None
    assert time.monotonic() - began < 5


def test_a_node_in_maintenance_is_not_asked(bench: Bench) -> None:
    assert [bench.look(MAINTENANCE) for _ in range(3)] == [None] * 3
    assert bench.asked == 0
