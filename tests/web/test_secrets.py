"""
Promise: a secret that a journal holds is on no page, and in nothing that the script is sent.

The journal is that of ``tests/cli/test_secrets_stay_out.py``: every text of every entry, redacted by nobody. Mutants:
the log's lines, the marks or the moment from the rows as they are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import writer
from journal.reader import Reader
from tests.cli.test_secrets_stay_out import TEXTS, found_in
from tests.cli.test_secrets_stay_out import journal as journal_with
from tests.web.conftest import Browser, browser_of


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Browser, str]:
    path: Path = tmp_path_factory.mktemp("told") / "j.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "redact_payload", lambda body: body)
        journal_with(path, TEXTS)
    with Reader(path) as reader:
        return browser_of(path), reader.runs()[-1].run_id


@pytest.mark.parametrize(
    "page", ["", "/marks", "/moment", "/moment?seq=200", "/at?seq=200", "/at?seq=800", "/report"]
)
def test_no_page_gives_away_what_a_journal_holds(told: tuple[Browser, str], page: str) -> None:
    browser, run_id = told

    answer = browser.get(f"/runs/{run_id}{page}")

    assert answer.status_code in {200, 302}, answer.text
    assert found_in(answer.text) == []
    assert answer.status_code == 302 or "[redacted:" in answer.text


def test_nor_does_what_a_browser_is_sent(told: tuple[Browser, str]) -> None:
    browser, run_id = told

    sent = browser.get(f"/runs/{run_id}/events").text

    assert "event: news" in sent
    assert found_in(sent) == []
