"""
The ends of a few logs, read seldom and reduced at once: no text of a log is kept, told or quoted.

Who may not read logs (``get`` of ``pods/log``) sees none: each is Unseen, and the rules about it say nothing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phases.pod_logs import LogLook, wanted
from phases.snapshot import Seen, Unseen
from rekindle.adapters.background import ODD, outliving
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import RefusedError, code_of
from rekindle.adapters.log_text import reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.entries import Instant
    from phases.objects import Pod
    from phases.pod_logs import Wanted
    from rekindle.adapters.kubernetes import Api

Look = Seen[LogLook] | Unseen
Logs = dict[str, Look]
POLL_SECONDS = 10.0  # how soon a new pod is asked
EVERY_SECONDS = 60.0  # how often the same one is
ANSWER_SECONDS = 5.0
ROUND_SECONDS = 10.0  # for all of them together
TAIL_LINES = 400
LIMIT_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class LogsReport:
    """What the logs say that are asked for, by the ``namespace/name`` of their pods."""

    logs: Logs


def look_at_all(api: Api, pods: Mapping[str, Pod], clock: Callable[[], Instant]) -> Logs:
    """Ask each log once, all of them within ``ROUND_SECONDS``."""
    hurried = api.within(ROUND_SECONDS)
    return {one.key: look_at(one, hurried, clock(), 0.0) for one in wanted(pods)}


def look_at(one: Wanted, api: Api, at: Instant, since: Instant) -> Look:
    """Ask one log at the instant *at*, last told at *since*."""
    found: list[Look] = []
    with outliving(lambda why: found.append(Unseen(since, ODD, why))):
        found.append(_ask(one, api, at, since))
    return found[0]


def _ask(one: Wanted, api: Api, at: Instant, since: Instant) -> Look:
    meta = one.pod.metadata
    path = f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}/log"
    query = {"container": one.container, "tailLines": TAIL_LINES, "timestamps": "true"}
    try:
        body = api.log(path, query, LIMIT_BYTES, ANSWER_SECONDS)
    except (RefusedError, UnansweredError) as error:
        return Unseen(since, code_of(error), str(error))
    # The server counts from the first line of the tail: what is missing of a long answer is its end.
    return Seen(reduced(body, one.container, meta.uid, cut=len(body) >= LIMIT_BYTES), at)


class LogPoller:
    """Asks in a thread, each log at most once a minute."""

    def __init__(
        self,
        api: Api,
        report: Callable[[LogsReport], None],
        *,
        clock: Callable[[], Instant] = time.time,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Prepare; ``start`` begins."""
        self._api = api
        self._report = report
        self._clock = clock
        self._poll = poll_seconds
        self._pods: Mapping[str, Pod] = {}
        self._looks: Logs = {}
        self._asked: dict[str, tuple[str, float]] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    @property
    def started(self) -> bool:
        """Tell whether it was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def want(self, pods: Mapping[str, Pod]) -> None:
        """Say which pods there are; which of them are of interest is looked up in the thread, not for each change."""
        first, self._pods = not self._pods, pods
        if first and pods:
            self._wake.set()

    def stop(self) -> None:
        """Ask to end; ``join`` waits for it."""
        self._stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._poll)
            self._wake.clear()
            with outliving(self._odd):
                self._round()

    def _odd(self, why: str) -> None:
        """Say that nothing can be told any more; what was told before is asked anew."""
        self._asked.clear()
        self._looks = {key: Unseen(_told_at(look), ODD, why) for key, look in self._looks.items()}
        self._report(LogsReport(dict(self._looks)))

    def _round(self) -> None:
        """Ask what is due, and report if anything was asked or went."""
        now = time.monotonic()
        listed = {one.key: one for one in wanted(self._pods)}
        asked = {key: self._asked[key] for key in listed if self._is_same(listed[key])}
        looks = {key: self._looks[key] for key in asked if key in self._looks}
        api = self._api.within(ROUND_SECONDS)
        due = [key for key in listed if key not in asked or now - asked[key][1] >= EVERY_SECONDS]
        for key in due:
            if self._stopping.is_set() or time.monotonic() - now >= ROUND_SECONDS:
                break  # the others come first in the next round
            asked[key] = (listed[key].pod.metadata.uid, time.monotonic())
            looks[key] = look_at(listed[key], api, self._clock(), _told_at(looks.get(key)))
        changed = bool(due) or looks.keys() != self._looks.keys()
        self._asked, self._looks = asked, looks
        if changed:
            self._report(LogsReport(dict(looks)))

    def _is_same(self, one: Wanted) -> bool:
        """Say whether a pod was asked before: a new one of the same name has a log of its own."""
        return self._asked.get(one.key, ("",))[0] == one.pod.metadata.uid


def _told_at(look: Look | None) -> Instant:
    if look is None:
        return 0.0
    return look.at if isinstance(look, Seen) else look.since
