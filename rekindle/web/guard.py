"""
Who may look, and what a page may do.

The server only reads, but what it shows is the inside of a cluster. Four guards, each enough against its own attack:
the token (other users of this machine, other machines), the name in Host (a foreign page whose name was rebound to our
address), the methods (nothing here changes anything), the headers (what a hostile name in a journal could make a page
do, if escaping it ever failed).
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from werkzeug.wrappers import Request, Response

METHODS = ("GET", "HEAD")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PARAMETER = "token"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
WANTED = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>rekindle: token wanted</title></head>
<body><main><h1>Token wanted</h1>
<p>Open the address that <code>rekindle serve</code> printed on its terminal: it ends with <code>?token=...</code>.
This browser keeps it until it is closed. A server that was started again has another token, unless it was given
<code>--token-file</code>.</p></main></body></html>
"""


def policy(**changed: str) -> str:
    """Write the Content-Security-Policy; *changed* replaces directives (``style_src`` for ``style-src``)."""
    given = {name.replace("_", "-"): value for name, value in changed.items()}
    return "; ".join(f"{name} {value}" for name, value in {**POLICY, **given}.items())


@dataclass(frozen=True, slots=True)
class Guard:
    """
    What every request passes before anything is read.

    *hosts* are the names under which we answer besides those of loopback; *literals*: any address that is written as
    a number is one, too, for no name server can make a foreign page's name a number. *cookie* is the cookie's name:
    browsers share cookies between the ports of a host.
    """

    token: str = field(repr=False)
    cookie: str = "rekindle"
    hosts: frozenset[str] = frozenset()
    literals: bool = False

    def refusal(self, request: Request) -> Response | None:
        """Return what a request is answered with instead of a page; None: it may pass."""
        if not self._known_host(request.environ.get("HTTP_HOST", "")):
            return _plain(
                421, "This server does not answer under that name; --allow-host NAME lets it.\n"
            )
        if request.method not in METHODS:
            refused = _plain(405, "This server only reads: GET and HEAD.\n")
            refused.headers["Allow"] = ", ".join(METHODS)
            return refused
        if PARAMETER in request.args:
            return self._first_visit(request)
        if self._right(request.cookies.get(self.cookie, "")):
            return None
        return self._token_wanted()

    def _first_visit(self, request: Request) -> Response:
        """Move the token from the address, which is shown and remembered, into a cookie."""
        if not self._right(request.args[PARAMETER]):
            return self._token_wanted()
        rest = [pair for pair in request.args.items(multi=True) if pair[0] != PARAMETER]
        # One slash: two would be the beginning of another host.
        bare = "/" + quote(request.path.lstrip("/\\")) + (f"?{urlencode(rest)}" if rest else "")
        moved = Response(status=303, headers={"Location": bare})
        moved.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict", path="/")
        return moved

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def _known_host(self, given: str) -> bool:
        name = host_name(given)
        if name in LOOPBACK or name in self.hosts:
            return True
        return self.literals and _is_address(name)

    @staticmethod
    def _token_wanted() -> Response:
        return Response(WANTED, status=401, mimetype="text/html")


def harden(response: Response) -> Response:
    """Set the headers that every answer has; a policy of its own stays."""
    response.headers.setdefault("Content-Security-Policy", policy())
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response


def host_name(given: str) -> str:
    """Return the name in a Host header, without its port: a tunnel has another one than we."""
    if given.startswith("["):
        return given[1:].partition("]")[0].lower()
    return given.rpartition(":")[0].lower() if ":" in given else given.lower()


def allowed(host: str, more: Iterable[str]) -> frozenset[str]:
    """Return the names under which a server answers that was bound to *host*."""
    return frozenset(name.strip("[]").lower() for name in (host, *more) if name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _plain(status: int, text: str) -> Response:
    return Response(text, status=status, mimetype="text/plain")
