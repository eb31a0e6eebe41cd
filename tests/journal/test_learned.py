"""Threads that learn to decode at the same moment: a process of its own, since a failure here ends the process."""

from __future__ import annotations

import subprocess
import sys

LEARNING = """
import sys, threading
from contextlib import suppress
import msgspec
sys.setswitchinterval(1e-6)
from phases.snapshot import ALL_KINDS
from rekindle.adapters.decoding import Decoder

OWNED = '"ownerReferences": [{"kind": "K", "name": "n", "uid": "u"}], "creationTimestamp": "2026-01-01T00:00:00Z"'
READY = '{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}'
RAW = f'{{"metadata": {{"name": "a", {OWNED}}}, "spec": {{}}, "status": {{"conditions": [{READY}]}}}}'.encode()
start = threading.Barrier(8)

def learn(kinds):
    start.wait()
    for kind in kinds:
        with suppress(msgspec.ValidationError):  # not every kind has such a status
            Decoder(kind, ALL_KINDS[kind])._objects.decode(RAW)

kinds = list(ALL_KINDS)
threads = [threading.Thread(target=learn, args=(kinds[i:] + kinds[:i],)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("whole")
"""


def test_threads_learn_one_after_the_other() -> None:
    """Mutant: ``decoder`` without ``_LEARNING`` (dies of a segmentation fault in nearly every try)."""
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-c", LEARNING],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (ended.returncode, ended.stdout) == (0, "whole\n"), ended.stderr
