"""
Promise: nobody reads without the token, under a foreign name or by another method, and no page may do anything.

Mutants that turn it red: ``_right`` that says True; ``_known_host`` that says True; no ``METHODS``; ``harden`` without
the policy; ``bare`` without its one slash; ``httponly=False``; ``samesite=None``; the token left in the address.
"""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from journal.store import Journal
from rekindle.web import guard
from rekindle.web.application import Application
from rekindle.web.guard import Guard, allowed, host_name
from tests.web.conftest import HOST, TOKEN, Browser, Scripted, browser_of

PAGES = (
    "/",
    "/runs/run-1",
    "/runs/run-1/at",
    "/runs/run-1/events",
    "/runs/run-1/marks",
    "/static/style.css",
    "/none",
)


@pytest.fixture
def stranger(writing: Journal) -> Client:
    return Client(Application(writing.path, Guard(TOKEN), Scripted()))


def ask(client: Client, path: str, host: str = HOST, method: str = "GET") -> TestResponse:
    return client.open(path, method=method, base_url=f"http://{host}")


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_there_is_nothing_but_a_page_that_says_where_it_is(
    stranger: Client, path: str
) -> None:
    answer = ask(stranger, path)

    assert answer.status_code == 401
    assert "that <code>rekindle serve</code> printed" in answer.text
    assert "lab" not in answer.text


@pytest.mark.parametrize("given", ["", "wrong", TOKEN[:-1], TOKEN + "x", "ä" * 20])
def test_another_token_is_none(stranger: Client, given: str) -> None:
    assert ask(stranger, f"/?token={given}").status_code == 401
    stranger.set_cookie("rekindle", given, domain="127.0.0.1")
    assert ask(stranger, "/").status_code == 401


def test_the_token_is_compared_in_constant_time(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    real = hmac.compare_digest

    def noted(given: bytes, right: bytes) -> bool:
        compared.append(given)
        return real(given, right)

    monkeypatch.setattr(hmac, "compare_digest", noted)

    ask(stranger, "/?token=wrong")

    assert compared == [b"wrong"]


def test_the_first_visit_moves_the_token_from_the_address_into_a_cookie(stranger: Client) -> None:
    moved = ask(stranger, f"/runs/run-1/at?seq=1&token={TOKEN}")

    assert (moved.status_code, moved.headers["Location"]) == (303, "/runs/run-1/at?seq=1")
    cookie = moved.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Expires" not in cookie
    assert "Max-Age" not in cookie
    assert ask(stranger, "/").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
def test_the_first_visit_leads_to_no_other_host(stranger: Client, path: str) -> None:
    moved = stranger.get(
        query_string={"token": TOKEN},
        base_url=f"http://{HOST}",
        environ_overrides={"PATH_INFO": path},
    )

    location = moved.headers["Location"]
    assert location.startswith("/evil.example")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:80"]
)
def test_a_foreign_name_is_not_answered_even_with_the_token(stranger: Client, host: str) -> None:
    answer = ask(stranger, f"/?token={TOKEN}", host)

    assert answer.status_code == 421
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:9000", "LOCALHOST"])
def test_loopback_is_answered_through_whatever_port_a_tunnel_has(
    stranger: Client, host: str
) -> None:
    assert ask(stranger, f"/?token={TOKEN}", host).status_code == 303


def test_a_server_for_others_answers_addresses_and_the_names_that_it_was_given() -> None:
    shown = Guard(TOKEN, hosts=allowed("0.0.0.0", ["Desk.example"]), literals=True)  # noqa: S104  a name in a list

    known = shown._known_host
    assert known("desk.example:80")
    assert known("192.0.2.7:80")
    assert known("[2001:db8::1]:80")
    assert not known("other.example")
    assert not known("192.0.2.7.evil.example")


def test_a_name_is_read_without_its_port() -> None:
    assert [host_name(given) for given in ("A.b:80", "[::1]:80", "[::1]", "a", "")] == [
        "a.b",
        "::1",
        "::1",
        "a",
        "",
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_answered(writing: Journal, method: str) -> None:
    client = Client(Application(writing.path, Guard(TOKEN), Scripted()))
    client.set_cookie("rekindle", TOKEN, domain="127.0.0.1")

    for path in PAGES:
        answer = ask(client, path, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_all_that_a_page_does_not_need(
    writing: Journal, stranger: Client, path: str
) -> None:
    let_in = browser_of(writing.path)
    for answer in (ask(stranger, path), let_in.get(path), ask(stranger, path, "evil.example")):
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert policy == [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        answer.close()


def test_assets_are_a_closed_list(browser: Browser) -> None:
    assert browser.get("/static/live.js").mimetype == "text/javascript"
    for path in ("/static/none.js", "/static/..%2fapplication.py", "/static/../application.py"):
        assert browser.get(path).status_code == 404


def test_no_asset_comes_from_elsewhere() -> None:
    here = Path(guard.__file__).parent
    texts = [
        path.read_text("utf-8")
        for path in here.rglob("*.*")
        if path.suffix in {".js", ".css", ".j2"}
    ]

    assert len(texts) >= 8
    for text in texts:
        assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "https:" not in text
        assert "innerHTML" not in text
        assert "|safe" not in text.replace(" ", "")
