"""
Answers on loopback as others would: a registry, a Git server that wants a password, a webhook, an aggregated API.

Run as a program: `answers.py PORT CERTIFICATE KEY`; it speaks plain HTTP there and TLS on the next port.
"""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import threading
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    """
    What is said depends on the path alone.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """
        Refuse, in the way that the path asks for; an aggregated API says which kinds it has.
        """
        if self.path.startswith("/apis/"):
            version = self.path.removeprefix("/apis/")
            kinds = {"kind": "APIResourceList", "groupVersion": version, "resources": []}
            self._send(200, {"apiVersion": "v1", **kinds})
        elif self.path.startswith("/git/"):
            self._send(401, {}, {"WWW-Authenticate": 'Basic realm="git"'})
        elif self.path.startswith("/v2/limited"):
            errors = [{"code": "TOOMANYREQUESTS", "message": "rate limit exceeded"}]
            self._send(429, {"errors": errors})
        elif self.path.rstrip("/") == "/v2":
            self._send(200, {})
        else:
            self._send(404, {})

    def do_HEAD(self) -> None:
        """
        As GET, without its body.
        """
        self.do_GET()

    def do_POST(self) -> None:
        """
        Review an admission: yes on /allow, no on /deny.
        """
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        review = json.loads(body or b"{}")
        allowed = self.path.startswith("/allow")
        response: dict[str, Any] = {
            "uid": review.get("request", {}).get("uid", ""),
            "allowed": allowed,
        }
        if not allowed:
            response["status"] = {"message": "the policy of this test", "code": 403}
        kind = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        self._send(200, {**kind, "response": response})

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        given = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (given | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def main() -> None:
    """
    Serve until ended.
    """
    port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", port + 1), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    secure.serve_forever()


if __name__ == "__main__":
    main()
