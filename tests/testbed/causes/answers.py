"""
Answers on loopback as others would: a registry, a Git server that wants a password, a webhook, an aggregated API.

Two things are there: an image of one layer without a file (`pulled`), and a chart index without a chart (`indexed`).

Run as a program: `answers.py PORT CERTIFICATE KEY`; it speaks plain HTTP there and TLS on the next port.
"""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import ssl
import sys
import threading
from typing import Any

OCI = "application/vnd.oci.image"
FLUX = "application/vnd.cncf.flux"
BLOBS = {f"{FLUX}.config.v1+json": b"{}", f"{FLUX}.content.v1.tar+gzip": gzip.compress(bytes(1024))}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


CONFIG, LAYER = (
    {"mediaType": kind, "digest": _digest(blob), "size": len(blob)} for kind, blob in BLOBS.items()
)
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": CONFIG,
        "layers": [LAYER],
    }
).encode()
INDEX = b"apiVersion: v1\nentries: {}\n"
# What is there, and its media type, by its path.
FILES = {
    "/indexed/index.yaml": (INDEX, "text/yaml"),
    "/v2/pulled/manifests/v1": (MANIFEST, f"{OCI}.manifest.v1+json"),
    f"/v2/pulled/manifests/{_digest(MANIFEST)}": (MANIFEST, f"{OCI}.manifest.v1+json"),
    **{
        f"/v2/pulled/blobs/{_digest(blob)}": (blob, "application/octet-stream")
        for blob in BLOBS.values()
    },
}


class Handler(http.server.BaseHTTPRequestHandler):
    """
    What is said depends on the path alone.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """
        Refuse, in the way that the path asks for; an aggregated API says which kinds it has.
        """
        if self.path in FILES:
            self._send_file(*FILES[self.path])
        elif self.path.startswith("/apis/"):
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
        self._answer(status, data, {"Content-Type": "application/json", **(headers or {})})

    def _send_file(self, data: bytes, kind: str) -> None:
        self._answer(200, data, {"Content-Type": kind, "Docker-Content-Digest": _digest(data)})

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
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
