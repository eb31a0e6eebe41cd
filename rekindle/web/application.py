"""
The pages, as a WSGI application.

Each is complete as it comes from here; the script only keeps it up to date. A journal is opened for each answer and
closed again: nothing is held that a run, or an upgrade, could want.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException, NotFound, ServiceUnavailable
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from journal.errors import Diagnosed
from journal.reader import Reader
from journal.row import RunSummary
from rekindle import folding
from rekindle.output import tell
from rekindle.runs import took_of
from rekindle.web import words
from rekindle.web.following import Following
from rekindle.web.guard import Guard, harden
from rekindle.web.stream import Pace, Stream
from rekindle.web.timeline import Timeline, Timelines

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HERE = Path(__file__).parent
ASSETS = {
    "shown.js": "text/javascript",
    "live.js": "text/javascript",
    "time.js": "text/javascript",
    "style.css": "text/css",
}
STREAMS = 12  # at once; each has a thread of the server's
CHAPTERS = 60
ROUTES = Map(
    [
        Rule("/", endpoint="runs"),
        Rule("/static/<name>", endpoint="asset"),
        Rule("/runs/<run_id>", endpoint="run"),
        Rule("/runs/<run_id>/events", endpoint="events"),
        Rule("/runs/<run_id>/at", endpoint="at"),
        Rule("/runs/<run_id>/marks", endpoint="marks"),
        Rule("/runs/<run_id>/moment", endpoint="moment"),
        Rule("/runs/<run_id>/report", endpoint="report"),
    ],
    redirect_defaults=False,
    merge_slashes=False,
    strict_slashes=False,
)


class Application:
    """What a browser sees of one journal."""

    def __init__(self, journal: Path, guard: Guard, pace: Pace) -> None:
        self.journal = journal
        self._guard = guard
        self._pace = pace
        self._timelines = Timelines(journal)
        self._streams = BoundedSemaphore(STREAMS)
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._endpoints: dict[str, Callable[..., Response]] = {
            "runs": self.runs,
            "asset": self.asset,
            "run": self.run,
            "events": self.events,
            "at": self.at,
            "marks": self.marks,
            "moment": self.moment,
            "report": self.report,
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        response = self._guard.refusal(request) or self._answered(request)
        return harden(response)(environ, start)

    def _answered(self, request: Request) -> Response:
        try:
            endpoint, values = ROUTES.bind_to_environ(request.environ).match()
            return self._endpoints[endpoint](request, **values)
        except Diagnosed as error:
            return self._trouble(500, error.message, error.hint, error.reference)
        except HTTPException as error:
            return self._trouble(error.code or 500, str(error.description), "", error.name)
        except Exception as error:  # noqa: BLE001  the last line of defence, as of every command
            tell(f"our-bug: {request.path}: {words.plain(repr(error))}")
            hint = "this is a mistake of rekindle's; nothing in the journal is lost"
            return self._trouble(500, type(error).__name__, hint, "our-bug")

    # --- pages -------------------------------------------------------------------------------

    def runs(self, _request: Request) -> Response:
        """List the journal's runs, newest first."""
        with Reader(self.journal) as reader:
            found = [words.run_line(run, took_of(reader, run)) for run in reversed(reader.runs())]
        return self._page("runs.html.j2", runs=found, journal=words.plain(self.journal))

    def run(self, _request: Request, run_id: str) -> Response:
        """Show a run as it is now."""
        following = self._following(run_id)
        found = following.found
        return self._page(
            "run.html.j2",
            moment=words.moment(found, self.journal, following.eta()),
            lines=words.recent(self.journal, found, 0),
            open=found.closed is None,
        )

    def events(self, request: Request, run_id: str) -> Response:
        """Say what happens from here on, or from where a browser was cut off."""
        given = request.headers.get("Last-Event-ID") or request.args.get("after", "0")
        after = int(given) if given.isdecimal() else 0
        following = self._following(run_id)
        if request.method == "HEAD":
            return Response(mimetype="text/event-stream")
        if not self._streams.acquire(blocking=False):
            raise ServiceUnavailable(f"{STREAMS} pages are watching already: close one")
        left: Callable[[], bool] = request.environ.get(
            "waitress.client_disconnected", lambda: False
        )
        stream = Stream(following, after, self._pace, left, self._streams.release)
        return Response(stream, mimetype="text/event-stream")

    def at(self, request: Request, run_id: str) -> Response:
        """Show a run as it was: ``?seq=N``, or at its first cause."""
        with Reader(self.journal) as reader:
            timeline = self._timeline(reader, run_id)
            chapters = timeline.chapters()
            seq = _seq(request, chapters[0][1].seq if chapters else timeline.last_seq, timeline)
            found = timeline.at(reader, seq)
        marks, index = timeline.marks, timeline.index(seq)
        return self._page(
            "at.html.j2",
            moment=words.moment(found, self.journal),
            mark=marks[index],
            index=index,
            count=len(marks),
            first=marks[0],
            last=marks[-1],
            earlier=marks[index - 1] if index else None,
            later=marks[index + 1] if index + 1 < len(marks) else None,
            chapters=chapters[:CHAPTERS],
        )

    def marks(self, _request: Request, run_id: str) -> Response:
        """List the moments that matter: each an entry's number, and what is said of it."""
        with Reader(self.journal) as reader:
            timeline = self._timeline(reader, run_id)
        return _json([[mark.seq, mark.sentence] for mark in timeline.marks])

    def moment(self, request: Request, run_id: str) -> Response:
        """Say a run as it was right after an entry."""
        with Reader(self.journal) as reader:
            timeline = self._timeline(reader, run_id)
            found = timeline.at(reader, _seq(request, timeline.last_seq, timeline))
        return _json(words.moment(found, self.journal))

    def report(self, _request: Request, run_id: str) -> Response:
        """Show a run's report: one file with a style of its own, which its own policy names by its digest."""
        from rekindle.report import html
        from rekindle.report.gather import gather

        with Reader(self.journal) as reader:
            self._known(reader, run_id)
        response = Response(html.page(gather(self.journal, run_id)), mimetype="text/html")
        allowed = f"{html.policy(html.style_sheet())}; frame-ancestors 'none'"
        response.headers["Content-Security-Policy"] = allowed
        return response

    def asset(self, _request: Request, name: str) -> Response:
        """Hand out our own script and style; the names are a closed list."""
        if name not in ASSETS:
            raise NotFound("there is no such file")
        return Response((HERE / "static" / name).read_bytes(), mimetype=ASSETS[name])

    # --- helpers -----------------------------------------------------------------------------

    def _following(self, run_id: str) -> Following:
        with Reader(self.journal) as reader:
            self._known(reader, run_id)
        found = folding.newest(self.journal, run_id)
        if found is None:
            raise NotFound(f"{self.journal} has no run {run_id}")
        return Following(self.journal, found)

    def _timeline(self, reader: Reader, run_id: str) -> Timeline:
        return self._timelines.of(reader, self._known(reader, run_id))

    def _known(self, reader: Reader, run_id: str) -> RunSummary:
        found = next((run for run in reader.runs() if run.run_id == run_id), None)
        if found is None:
            raise NotFound(f"{self.journal} has no run {run_id}")
        return found

    def _page(self, name: str, status: int = 200, **values: object) -> Response:
        text = self._templates.get_template(name).render(titles=words.TITLES, **values)
        return Response(text, status=status, mimetype="text/html")

    def _trouble(self, status: int, message: str, hint: str, reference: str) -> Response:
        said = {"message": message, "hint": hint, "reference": reference}
        plain = {name: words.plain(text) for name, text in said.items()}
        return self._page("trouble.html.j2", status, **plain)


def _seq(request: Request, otherwise: int, timeline: Timeline) -> int:
    given = request.args.get("seq", "")
    if not given:
        return otherwise
    if not given.isdecimal() or not 1 <= int(given) <= timeline.last_seq:
        raise NotFound(f"this run has the entries 1 to {timeline.last_seq}")
    return int(given)


def _json(value: Any) -> Response:  # noqa: ANN401  plain values
    return Response(json.dumps(value, ensure_ascii=False), mimetype="application/json")
