"""
The machine configurations are really rendered, into a folder that is private and gone, and nothing of it is kept.

The programs are stand-ins, begun as the real ones are. Mutants, each tried: render into the repository; leave the
folder; ask for the output; begin a tool whose secrets are missing; let topf make new ones.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from rekindle.doctor import examine, host, rendering
from rekindle.doctor.check import Check
from rekindle.doctor.host import Host
from tests.adapters.conftest import write_program
from tests.doctor.making import SECRET, machine, section

# Tells the test what it was told, and says and writes secrets as the real one does.
TOOL = """#!/bin/sh
echo "$*" >> "$CALLS"
pwd >> "$CALLS"
for folder; do :; done
ls -ld "$folder" | cut -c1-10 >> "$CALLS"
echo "token: SECRET"
echo "cannot: SECRET" >&2
[ -n "$WRITES" ] && echo "token: SECRET" > "$folder/home-cp.yaml"
sleep "${SLEEPS:-0}"
exit "${ENDS:-0}"
""".replace("SECRET", SECRET)
SOURCES = {
    "talhelper": ("talconfig.yaml", "clusterName: home\n", "talsecret.sops.yaml"),
    "topf": ("topf.yaml", "secretsPath: kept/mine.sops.yaml\n", "kept/mine.sops.yaml"),
}
BOTH = pytest.mark.parametrize("tool", sorted(SOURCES))


class Site:
    """A repository whose configurations are rendered below ``talos/``, and the tools on PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.talos, self.tools, self.calls = folder / "talos", folder / "tools", folder / "calls"
        self.runtime = folder / "runtime"
        for one in (self.talos / "rendered", self.tools, self.runtime):
            one.mkdir(parents=True)
        machine(self.talos / "rendered" / "cp.yaml")
        self.plan = section(self.talos / "rendered")
        self.environment = {
            "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "WRITES": "yes",
        }
        monkeypatch.setenv("PATH", self.environment["PATH"])

    def has(self, tool: str, *, secrets: bool = True) -> None:
        name, text, kept = SOURCES[tool]
        write_program(self.tools / tool, TOOL)
        (self.talos / name).write_text(text)
        (self.talos / kept).parent.mkdir(exist_ok=True)
        (self.talos / kept).write_text("sops: {}\n" if secrets else "")

    def rows(self, **environment: str) -> list[Check]:
        return rendering.rows(Host(environment={**self.environment, **environment}), self.plan)

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


@BOTH
def test_what_renders_is_in_order_and_leaves_nothing(site: Site, tool: str) -> None:
    site.has(tool)
    before = sorted(site.talos.rglob("*"))
    (found,) = site.rows()
    words, folder, mode = site.called()

    assert ("machines.render", "ok") == (found.id, str(found.verdict))
    assert "rendered 1 file, which were thrown away" in found.said
    assert (folder, mode) == (str(site.talos), "drwx------")
    made = Path(words.split()[-1])
    assert made.parent == site.runtime, "in memory, where there is such a place"
    assert not made.exists()
    assert before == sorted(site.talos.rglob("*"))
    assert SECRET not in f"{found}"


@BOTH
@pytest.mark.parametrize(
    ("environment", "verdict", "said"),
    [
        ({"ENDS": "1"}, "warning", "cannot render them (exit 1)"),
        ({"WRITES": ""}, "warning", "rendered nothing"),
        ({"SLEEPS": "30"}, "unknown", "no answer in time"),
    ],
)
def test_what_does_not_render_forbids_nothing_and_is_said_without_its_words(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    environment: dict[str, str],
    verdict: str,
    said: str,
) -> None:
    monkeypatch.setattr(host, "ASK_SECONDS", 1.0 if "SLEEPS" in environment else 10.0)
    site.has(tool)
    (found,) = site.rows(**environment)

    assert (verdict, frozenset()) == (str(found.verdict), found.blocks)
    assert said in found.said
    assert f"cd {site.talos} && {tool} " in found.todo
    assert SECRET not in f"{found}"
    assert not list(site.runtime.iterdir())


@BOTH
def test_without_its_secrets_it_is_not_begun_for_it_would_make_new_ones(
    site: Site, tool: str
) -> None:
    site.has(tool, secrets=False)
    (found,) = site.rows()

    assert "warning" == str(found.verdict)
    assert f"{Path(SOURCES[tool][2])} is not there: {tool} would make new secrets" in found.said
    assert site.called() == []


def test_settings_that_cannot_be_read_are_the_tool_s_to_judge(site: Site) -> None:
    """There is no 30th of February. Mutant: leave ValueError out of ``_config``."""
    site.has("topf")
    (site.talos / "topf.yaml").write_text("since: 2024-02-30\n")
    (site.talos / "secrets.yaml").write_text("sops: {}\n")

    assert ["ok"] == [str(found.verdict) for found in site.rows()]


def test_a_folder_in_memory_that_is_somebody_else_s_is_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Under sudo its name is still in the environment; to root all folders are open, so the answer is made up.

    Mutants: do not ask; ask less than to enter and to write.
    """
    asked, really = [], os.access

    def access(path: str, mode: int) -> bool:
        if path != str(site.runtime):
            return really(path, mode)
        asked.append(mode)
        return False

    monkeypatch.setattr(os, "access", access)
    site.has("topf")

    assert ["ok"] == [str(found.verdict) for found in site.rows()]
    assert [os.W_OK | os.X_OK] == asked
    assert str(site.runtime) not in site.called()[0]


def test_without_a_folder_to_render_into_it_is_not_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: delete the except: all of the family is "our own mistake" then."""

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    site.has("topf")
    (found,) = site.rows()

    assert ("machines.render", "unknown") == (found.id, str(found.verdict))
    assert "No space left on device" in found.said


def test_topf_is_never_let_off_asking(site: Site) -> None:
    """A ``TOPF_CONFIRM=false`` of the operator's would have it make secrets in silence."""
    site.has("topf")
    site.rows(TOPF_CONFIRM="false")

    assert site.called()[0].startswith("--confirm=true render --output ")


def test_secrets_of_a_program_of_the_operator_s_are_not_asked_for(site: Site) -> None:
    site.has("topf")
    (site.talos / "topf.yaml").write_text("secretsProvider: ./vault\n")
    (found,) = site.rows()

    assert "unknown" == str(found.verdict)
    assert site.called() == []


def test_talhelper_is_kept_offline_and_out_of_the_repository(site: Site) -> None:
    site.has("talhelper")
    site.rows()

    assert site.called()[0].startswith("genconfig --offline-mode --no-gitignore --out-dir ")


def test_without_a_source_there_is_no_row(site: Site) -> None:
    assert site.rows() == []


@BOTH
def test_without_its_tool_it_is_not_known(site: Site, tool: str) -> None:
    """A laptop without it had nothing to say, as if all had been tried. Mutants: no row; try it all the same."""
    site.has(tool)
    (site.tools / tool).unlink()
    (found,) = site.rows()

    assert ("machines.render", "unknown", frozenset()) == (
        found.id,
        str(found.verdict),
        found.blocks,
    )
    assert f"not tried: {tool} is not on PATH" == found.said
    assert f"install {tool}" in found.todo


def test_secrets_that_are_gone_are_said_without_the_tool_as_well(site: Site) -> None:
    """Nothing has to be tried to see that. Mutant: look for the tool first."""
    site.has("talhelper", secrets=False)
    (site.tools / "talhelper").unlink()
    (found,) = site.rows()

    assert "warning" == str(found.verdict)
    assert "talsecret.sops.yaml is not there" in found.said


def test_two_tools_have_a_row_each(site: Site) -> None:
    for tool in SOURCES:
        site.has(tool)

    assert {"machines.render/talhelper", "machines.render/topf"} == {one.id for one in site.rows()}


def test_doctor_renders_and_a_session_does_not(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run applies what is there; and while something is forbidden its preflight looks again and again."""
    asked: list[int] = []

    def rows(*_: object) -> list[Check]:
        asked.append(1)
        return []

    monkeypatch.setattr(rendering, "rows", rows)
    examine.preflight(Host(), site.plan, tmp_path / "j.db", ("machines",))
    assert asked == []
    examine.everything(Host(), site.plan, tmp_path / "j.db")
    assert asked == [1]
