"""
Keeps in touch with the Kubernetes API: our kubeconfig file, which address answers, who is ready, and the watches.

One thread. It makes a new connection when the file changes, starts the watches when a list is first answered, and
hurries them when the API comes back or moves to another address.
"""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phases.snapshot import ALL_KINDS, ApiLook, KubeconfigLook, Seen, Unseen
from rekindle.adapters import authorities
from rekindle.adapters.background import ODD, outliving
from rekindle.adapters.cluster_lease import LeaseKeeper, OperatorReport
from rekindle.adapters.connection import Connection, UnansweredError
from rekindle.adapters.discovery import Discovery
from rekindle.adapters.holders import HolderPoller, Holders
from rekindle.adapters.kubernetes import Api, RefusedError, code_of
from rekindle.adapters.pod_logs import LogPoller, LogsReport
from rekindle.adapters.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from journal.entries import Instant
    from rekindle.adapters.background import Background
    from rekindle.adapters.reports import Report

POLL_SECONDS = 2.0
JOIN_SECONDS = 3.0
ABSENT, OURS, FOREIGN, UNREADABLE = "absent", "ours", "foreign", "unreadable"
# Codes of an address where nothing answers; whatever else comes, be it of another CA or a refusal, is an answer.
SILENT = frozenset({"silent", "refused"})
# Code of an address where the API knows us, and forbids the list that we try it by: other things may be listed.
LIMITED = "limited"
_AT_ONCE = 4
_Said = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KubeconfigReport:
    """A look at our own file."""

    look: Seen[KubeconfigLook] | Unseen


@dataclass(frozen=True, slots=True)
class ApiReport:
    """A look at the API."""

    look: Seen[ApiLook] | Unseen


@dataclass(frozen=True, slots=True)
class HoldersReport:
    """What holds the things that are Terminating."""

    holders: Holders


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Nobody watches any more."""

    at: Instant
    code: str
    why: str


ApiMessage = (
    KubeconfigReport | ApiReport | HoldersReport | LogsReport | OperatorReport | Disconnected
)


@dataclass(frozen=True, slots=True)
class Session:
    """A connection and everything that hangs on it."""

    connection: Connection
    api: Api
    discovery: Discovery
    watchers: Mapping[str, Watcher]
    holders: HolderPoller
    logs: LogPoller


class ApiPoller:
    """
    Polls file and API until it is stopped.

    *cluster_ca* tells the fingerprint that the kubeconfig must trust (empty: not known).
    """

    def __init__(
        self,
        kubeconfig: Path,
        addresses: Mapping[str, str],
        cluster_ca: Callable[[], str],
        report: Callable[[Report | ApiMessage], None],
        *,
        clock: Callable[[], Instant] = time.time,
    ) -> None:
        """Prepare; ``start`` begins."""
        self._kubeconfig = kubeconfig
        self._addresses = dict(addresses)
        self._cluster_ca = cluster_ca
        self._report = report
        self._clock = clock
        self._digest = ""
        self._state = ABSENT
        self._file_seen: Instant = 0.0
        self._seen: Instant = 0.0
        self._was_serving = False
        self._session: Session | None = None
        self._operator = ""
        self._keeper: LeaseKeeper | None = None
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    @property
    def session(self) -> Session | None:
        """Return the present connection, for whoever acts."""
        return self._session

    def claim(self, operator: str) -> None:
        """Act for this *operator*: the lease in the cluster is asked for, as soon as the API serves us."""
        self._operator = operator

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hurry(self) -> None:
        """Look soon: the file may have changed."""
        self._hurry.set()

    def stop(self, *, keep_lease: bool = False) -> None:
        """Ask to end; ``join`` waits for it. *keep_lease*: something of ours still runs, so it runs out."""
        self._stopping.set()
        self._hurry.set()
        if self._keeper is not None:
            self._keeper.stop(let_go=not keep_lease)
        if self._session is not None:
            _stop(self._session)

    def join(self, seconds: float) -> None:
        """Wait for the end, also of all watches."""
        until = time.monotonic() + seconds
        if self._thread.ident is not None:
            self._thread.join(seconds)
        if self._keeper is not None:
            self._keeper.join(max(0.0, until - time.monotonic()))
        if self._session is not None:
            _end(self._session, until)

    def _run(self) -> None:
        """Look at the file, then at the API, and wait."""
        with ThreadPoolExecutor(_AT_ONCE, "readyz") as pool:
            while not self._stopping.is_set():
                self._hurry.clear()
                with outliving(self._odd_file):
                    self._look_at_file()
                if self._session is not None:
                    with outliving(self._odd_api):
                        self._look_at_api(self._session, pool)
                if not self._stopping.is_set():
                    self._hurry.wait(POLL_SECONDS)

    def _odd_file(self, why: str) -> None:
        """Say that nothing can be told of the file, nor, without a connection, of anything behind it."""
        self._report(KubeconfigReport(Unseen(self._file_seen, ODD, why)))
        if self._session is None:
            self._report(Disconnected(self._clock(), ODD, why))
            self._odd_api(why)

    def _odd_api(self, why: str) -> None:
        """Say that nothing can be told of the API."""
        self._report(ApiReport(Unseen(self._seen, ODD, why)))

    # --- the file ----------------------------------------------------------------------------

    def _look_at_file(self) -> None:
        """Judge the file; connect anew when its content is another, and again when that went wrong."""
        try:
            digest = hashlib.sha256(self._kubeconfig.read_bytes()).hexdigest()
        except FileNotFoundError:
            digest = ABSENT
        except OSError:
            digest = UNREADABLE
        ca = self._cluster_ca()
        if digest + ca != self._digest:
            self._state = self._judge_file(digest, ca)
            self._reconnect()
            self._digest = digest + ca
        self._file_seen = self._clock()
        self._report(KubeconfigReport(Seen(KubeconfigLook(self._state), self._file_seen)))

    def _judge_file(self, digest: str, ca: str) -> str:
        """Tell whether the file is of our cluster."""
        if digest in {ABSENT, UNREADABLE}:
            return digest
        try:
            found = authorities.of_kubeconfig(self._kubeconfig)
        except authorities.Unreadable:
            return UNREADABLE
        return FOREIGN if ca and found != ca else OURS

    def _reconnect(self) -> None:
        """Leave the old connection; make a new one if the file is ours."""
        if self._keeper is not None:
            self._keeper.stop(
                let_go=False
            )  # it is asked for anew through the new file, under the same name
            self._keeper.join(JOIN_SECONDS)
            self._keeper = None
        if self._session is not None:
            _stop(self._session)
            _end(self._session, time.monotonic() + JOIN_SECONDS)
        self._session = None
        self._was_serving = False
        code, why = "not-asked", f"our kubeconfig is {self._state}"
        if self._state == OURS:
            try:
                self._session = self._connect()
            except UnansweredError as error:
                self._state, code, why = UNREADABLE, error.code, str(error)
        if self._session is None:
            code = FOREIGN if self._state == FOREIGN else code
            self._report(Disconnected(self._clock(), code, why))
            self._report(ApiReport(Unseen(self._seen, code, why)))

    def _connect(self) -> Session:
        """Wire everything; nothing is asked yet."""
        connection = Connection(self._kubeconfig, self._addresses)
        api = Api(connection)
        discovery = Discovery(api)
        watchers = {
            kind: Watcher(connection, kind, self._report, clock=self._clock) for kind in ALL_KINDS
        }
        holders = HolderPoller(
            api,
            discovery,
            lambda found: self._report(HoldersReport(found)),
            clock=self._clock,
        )
        logs = LogPoller(api, self._report, clock=self._clock)
        return Session(connection, api, discovery, watchers, holders, logs)

    # --- the API -----------------------------------------------------------------------------

    def _look_at_api(self, session: Session, pool: ThreadPoolExecutor) -> None:
        """Find an address that serves us, and ask each control plane whether it is ready."""
        at = self._clock()
        answers = {name: pool.submit(session.api.readyz, name) for name in sorted(self._addresses)}
        base, own = session.connection.base, session.connection.bases[0]
        beside = {own: pool.submit(_said, session, own)} if base != own else {}
        said: dict[str, _Said] = {}

        def ask(one: str) -> _Said:
            """Ask an address once a look: one that is silent costs seconds."""
            if one not in said:
                said[one] = beside[one].result() if one in beside else _said(session, one)
            return said[one]

        code, why = self._find_base(session, ask)
        serving = not code
        asked = ((name, answer.result()) for name, answer in answers.items())
        readyz = {name: ready for name, ready in asked if ready is not None}
        limited = code == LIMITED
        known = serving or limited
        self._follow(session, serving=known, moved=session.connection.base != base)
        if known or readyz or code in {"denied", FOREIGN}:
            matches = True if known and self._cluster_ca() else None
            matches = False if code == FOREIGN else matches
            moved = known and session.connection.base != own
            silent = own if moved and ask(own)[0] in SILENT else ""
            look = ApiLook(readyz, serving, matches, why, silent, limited)
            self._seen = at
            self._report(ApiReport(Seen(look, at)))
        else:
            self._report(ApiReport(Unseen(self._seen, code, why)))

    def _find_base(self, session: Session, ask: Callable[[str], _Said]) -> _Said:
        """
        Ask the present address, then the others; return code and reason of the first that failed.

        Where none gives us the list, one that forbids it is better than one that says nothing.
        """
        connection = session.connection
        first, limited = ("", ""), ""
        for base in (connection.base, *(b for b in connection.bases if b != connection.base)):
            if self._stopping.is_set():
                break
            said = ask(base)
            if not said[0]:
                connection.use(base)
                return said
            first = first if first[0] else said
            limited = limited or (base if said[0] == LIMITED else "")
        if limited:
            connection.use(limited)
            return ask(limited)
        return first if first[0] else ("not-asked", "")

    def _follow(self, session: Session, *, serving: bool, moved: bool) -> None:
        """Start the watches at the first answer; hurry them when the API is back or elsewhere."""
        if serving and not self._stopping.is_set():
            for watcher in session.watchers.values():
                if not watcher.started:
                    watcher.start()
                elif moved or not self._was_serving:
                    watcher.hurry()
            if not session.holders.started:
                session.holders.start()
                session.logs.start()
            self._keep_lease(session)
        self._was_serving = serving

    def _keep_lease(self, session: Session) -> None:
        """Begin to ask for the lease; ask at once when the API is back."""
        if self._keeper is None and self._operator:
            self._keeper = LeaseKeeper(session.api, self._operator, self._report, clock=self._clock)
            self._keeper.start()
        elif self._keeper is not None and not self._was_serving:
            self._keeper.hurry()


def _said(session: Session, base: str) -> _Said:
    """Ask an address for a list; return code and reason of what came instead (empty: a list came)."""
    try:
        session.api.serves(base)
    except RefusedError as error:
        return LIMITED if error.is_the_apis_own else code_of(error), str(error)
    except UnansweredError as error:
        return error.code, str(error)
    return "", ""


def _stop(session: Session) -> None:
    """Ask all threads of a session to end."""
    for watcher in session.watchers.values():
        watcher.stop()
    session.holders.stop()
    session.logs.stop()


def _end(session: Session, until: float) -> None:
    """Wait for all threads of a session, and let go of its sockets."""
    threads: list[Background] = [*session.watchers.values(), session.holders, session.logs]
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    session.connection.close()
