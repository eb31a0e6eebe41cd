"""
What holds all families together: one that fails is one row, every row passes the redactor, a full disk forbids all.

Mutants: let an exception through; tell its text; leave out ``cleaned`` in either; leave the disk out of ``preflight``.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from phases.lives import RESET
from phases.section import Section
from rekindle.doctor import examine, identities, secrets, tools
from rekindle.doctor.check import Check, ok, unknown
from rekindle.doctor.host import Free, Host
from tests.doctor.making import ALICE, ALL_TOOLS, SECRET, Machine, encrypted, row
from tests.doctor.making import section as made

TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return cast("Section", SimpleNamespace(repository=str(tmp_path), commands={}))


def preflight(section: Section, folder: Path, only: tuple[str, ...], host: Host) -> list[Check]:
    return list(examine.preflight(host, section, folder / "j.db", only))


def test_a_family_that_fails_is_one_row_and_forbids_nothing(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[Check]:
        raise ValueError(SECRET)

    monkeypatch.setattr(secrets, "rows", fail)
    found = preflight(section, tmp_path, ("secrets", "disk"), Host())

    (row,) = (check for check in found if check.id == "secrets.look")
    assert (str(row.verdict), row.blocks) == ("unknown", frozenset())
    assert "ValueError" in row.said
    assert SECRET not in f"{row}"
    assert any(check.id.startswith("disk.") for check in found)


@pytest.mark.parametrize("whole", [True, False])
def test_every_row_passes_the_redactor(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    monkeypatch.setattr(tools, "rows", lambda *_: [ok("tools.x", TOKEN, f"is {TOKEN}")])
    if whole:
        found = examine.everything(Host(), None, tmp_path / "j.db")
    else:
        found = tuple(preflight(section, tmp_path, ("tools",), Host()))

    assert any(check.id == "tools.x" for check in found)
    assert TOKEN not in f"{found}"


def test_a_full_disk_forbids_every_verb_of_a_run(section: Section, tmp_path: Path) -> None:
    full = Host(free=lambda _folder: Free(0))

    found = preflight(section, tmp_path, ("disk",), full)

    assert {"*"} in [check.blocks for check in found]


def test_a_key_of_nobodys_home_is_no_key() -> None:
    key = identities.key_of({"SOPS_AGE_KEY_FILE": "~nosuchuser/keys.txt"}, Path("/nowhere"))

    assert not key.there


def test_a_key_whose_name_is_too_long_is_no_key() -> None:
    key = identities.key_of({"SOPS_AGE_KEY_FILE": "/" + "x" * 5_000}, Path("/nowhere"))

    assert not key.there


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("name", "allowed", "blocks"),
    [
        ("secrets", (RESET, "talos.apply"), {RESET}),
        ("secrets", ("talos.apply",), set()),
        ("tools", (RESET,), set()),
    ],
)
def test_secrets_that_nobody_looked_at_forbid_a_wipe_where_one_is_allowed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    allowed: tuple[str, ...],
    blocks: set[str],
    *,
    whole: bool,
) -> None:
    """Mutants: take the wipe's verbs out of ``_looked_at``; forbid it whatever family failed, or what is allowed."""

    def fail(*_: object) -> list[Check]:
        raise RecursionError(SECRET)

    monkeypatch.setattr({"secrets": secrets, "tools": tools}[name], "rows", fail)
    plan = made(tmp_path)
    journal = tmp_path / "j.db"
    if whole:
        found = examine.everything(Machine().host, plan, journal, allowed)
    else:
        found = examine.preflight(Machine().host, plan, journal, (name,), allowed)
    look = row(found, f"{name}.look")

    assert ("red" if blocks else "unknown") == str(look.verdict)
    assert blocks == look.blocks
    assert "RecursionError" in look.said
    assert SECRET not in f"{look}"


def test_a_day_that_there_is_not_in_a_file_of_sops_leaves_the_wipe_forbidden(
    tmp_path: Path,
) -> None:
    """Mutant: leave ValueError out of ``secrets._envelopes``: the whole family is lost then."""
    held = tmp_path / "keys.txt"
    held.write_text("AGE-SECRET-KEY-1QQQQ")
    file = encrypted(tmp_path / "a.sops.yaml", ALICE)
    file.write_text(f"{file.read_text()}begun: 2024-02-30\n")
    tools = [name for name in ALL_TOOLS if name != "sops"]
    machine = Machine(tools, environment={"SOPS_AGE_KEY_FILE": str(held)})
    found = secrets.rows(machine.host, tmp_path, {}, (RESET,))

    assert {RESET} == row(found, "secrets.proof").blocks


def test_only_the_row_of_a_family_that_failed_says_so() -> None:
    look = unknown("secrets.look", "secrets", "our own mistake", "report it")
    others = [ok("secrets.key", "key", "there"), unknown("access.look/x", "x", "no", "try")]

    assert {"secrets"} == examine.failed([look, *others])
