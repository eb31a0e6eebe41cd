"""
``rekindle doctor`` with tools that are scripts: what it looks at, what it answers, and what it never says.

Mutants: print what sops prints; ask sops as other programs are asked (through a file); make the journal's folder;
answer 0 for what could not be told.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from rekindle.adapters.programs import ask
from tests.adapters.conftest import write_program
from tests.cli.conftest import Answer, Program
from tests.doctor.making import ALICE, OTHER_CA, SECRET, encrypted, kubeconfig, machine, talosconfig

pytestmark = pytest.mark.program

EXAMPLE = Path(__file__).parents[2] / "examples" / "minimal"
KEY = "AGE-SECRET-KEY-1" + "Q" * 58
TALOSCTL = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
case "$1" in
  version) printf 'Client:\\n\\tTag:         v1.12.0\\n' ;;
  validate) echo "SECRET" >&2; exit 0 ;;
  *) exit 1 ;;
esac
"""
SOPS = """#!/bin/sh
echo "sops $*" >> "$(dirname "$0")/calls"
streams=$(readlink "/proc/$$/fd/1" "/proc/$$/fd/2")
echo "$streams" >> "$(dirname "$0")/streams"
echo "password: SECRET"
echo "cannot open with KEY: SECRET" >&2
exit CODE
"""


@dataclass
class Site:
    """A repository, its plan, and a folder of tools that comes first on PATH."""

    program: Program
    folder: Path
    tools: Path

    def tool(self, name: str, text: str = "#!/bin/sh\nexit 0\n") -> None:
        write_program(self.tools / name, text.replace("SECRET", SECRET).replace("KEY", KEY))

    def calls(self) -> list[str]:
        path = self.tools / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def doctor(self, *words: str, plan: bool = True, **env: str) -> Answer:
        path = os.pathsep.join((str(self.tools), "/usr/bin", "/bin"))
        given = [str(self.folder / "recovery.yaml")] if plan else []
        where = {"PATH": path, "HOME": str(self.folder.parent / "home"), "SOPS_AGE_KEY": KEY, **env}
        return self.program("doctor", *given, *words, env=where)

    def rows(self, *words: str) -> dict[str, str]:
        document = self.doctor("--json", *words).document
        return {row["id"]: row["verdict"] for row in document["checks"]}


@pytest.fixture
def site(rekindle: Program, tmp_path: Path) -> Site:
    """Everything is in order."""
    folder, tools = tmp_path / "repository", tmp_path / "tools"
    shutil.copytree(EXAMPLE, folder)
    tools.mkdir()
    made = Site(rekindle, folder, tools)
    talosconfig(folder / "talosconfig")
    machine(folder / "node-1.yaml")
    kubeconfig(folder / "kubeconfig")
    encrypted(folder / "a.sops.yaml", ALICE)
    made.tool("talosctl", TALOSCTL)
    made.tool("sops", SOPS.replace("CODE", "0"))
    for name in ("helmfile", "helm", "kustomize"):
        made.tool(name)
    plan = yaml.safe_load((folder / "recovery.yaml").read_text())
    plan["repository"] = "."
    (folder / "recovery.yaml").write_text(yaml.safe_dump(plan))
    _commit(folder)
    return made


def _commit(folder: Path) -> None:
    """Commit, and be an upstream for oneself."""
    who = ("-c", "user.name=n", "-c", "user.email=e@x")
    for words in (
        ("init", "-q", "-b", "main", "."),
        ("add", "-A"),
        ("commit", "-qm", "all"),
        ("branch", "-q", "remote"),
        ("branch", "-q", "--set-upstream-to=remote"),
    ):
        assert ask(["git", *who, *words], seconds=30, directory=folder).code == 0


def test_all_in_order_is_zero(site: Site) -> None:
    answer = site.doctor("-v")

    assert answer.code == 0, answer.out
    assert "RED" not in answer.out
    assert "ok    secrets.age/age1qqqqqqqqqqqq  1 file for age1" in answer.out
    assert f"sops --decrypt {site.folder / 'a.sops.yaml'}" in site.calls()
    assert any(call.startswith("validate --config") for call in site.calls())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see streams")
def test_what_is_decrypted_goes_nowhere(site: Site) -> None:
    site.doctor()

    assert {"/dev/null"} == set((site.tools / "streams").read_text().split())


def test_it_writes_nothing(site: Site) -> None:
    index, before = site.folder / ".git" / "index", sorted(site.folder.rglob("*"))
    os.utime(
        site.folder / "recovery.yaml", (1e9, 1e9)
    )  # for which git would like to mend its index
    known = index.read_bytes()
    site.doctor()

    assert known == index.read_bytes()
    assert before == sorted(site.folder.rglob("*"))
    assert not (site.program.folder / "state").exists()


def test_only_what_is_not_in_order_is_shown_unless_asked(site: Site) -> None:
    (site.folder / "new").touch()
    answer = site.doctor()

    assert answer.code == 1
    first, second, last = answer.out.strip().splitlines()
    assert first.startswith("WARN  tree.clean  ")
    assert second.startswith("      do: commit and push")
    assert last.endswith(" ok, 1 warning")


def test_the_document_says_the_same(site: Site) -> None:
    machine(site.folder / "node-1.yaml", ca=OTHER_CA)
    answer = site.doctor("--json")
    document = answer.document
    (red,) = [row for row in document["checks"] if row["verdict"] == "red"]

    assert (2, "rekindle.doctor/1", "minimal") == (
        answer.code,
        document["schema"],
        document["cluster"],
    )
    assert ("machines.config/node-1", ["talos.apply"], "node/node-1") == (
        red["id"],
        red["blocks"],
        red["target"],
    )
    assert all(row["todo"] for row in document["checks"])


def test_a_key_that_opens_nothing_is_red(site: Site) -> None:
    site.tool("sops", SOPS.replace("CODE", "128"))
    (site.folder / "helmfile.yaml").write_text("values: [{{ exec `sops` }}]\n")
    answer = site.doctor()

    assert answer.code == 2
    assert "blocks: command.run (command/bootstrap)" in answer.out


def test_without_sops_it_could_not_tell(site: Site) -> None:
    (site.tools / "sops").unlink()
    answer = site.doctor()

    assert answer.code == 3
    assert "do: install sops" in answer.out


def test_without_sops_a_plan_that_may_wipe_is_told_what_forbids_it(site: Site) -> None:
    plan = yaml.safe_load((site.folder / "recovery.yaml").read_text())
    plan["machine"] = {"verbs": {"node.reset": {"enabled": True}}}
    (site.folder / "recovery.yaml").write_text(yaml.safe_dump(plan))
    assert site.rows().get("secrets.proof") is None
    (site.tools / "sops").unlink()
    answer = site.doctor()

    assert answer.code == 2
    assert (
        "RED   secrets.proof  a wipe: nobody could prove that they can be decrypted" in answer.out
    )
    assert answer.out.count("blocks: node.reset\n") == answer.out.count("blocks:") == 1


def test_without_talosctl_the_verbs_of_talos_are_blocked(site: Site) -> None:
    (site.tools / "talosctl").unlink()
    answer = site.doctor()

    assert answer.code == 2
    assert "blocks: etcd.bootstrap, etcd.recover, etcd.remove-member, etcd.snapshot" in answer.out
    assert "kubeconfig.fetch, node.reset, talos.apply" in answer.out


def test_without_a_plan_it_says_what_a_plan_would_add(site: Site) -> None:
    answer = site.doctor(plan=False)
    rows = [row["id"] for row in site.doctor("--json", plan=False).document["checks"]]

    assert answer.code == 0, answer.out
    assert "`rekindle doctor PLAN` does" in answer.err
    assert {"tools", "packages", "disk", "journal"} == {name.partition(".")[0] for name in rows}


def test_the_plan_of_this_folder_is_taken(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.folder, tmp_path, dirs_exist_ok=True)
    document = site.doctor("--json", plan=False).document

    assert ("recovery.yaml", "minimal") == (document["plan"], document["cluster"])


def test_what_the_plan_names_and_is_not_there_is_a_row(site: Site) -> None:
    (site.folder / "node-1.yaml").unlink()
    (site.folder / "roots.yaml").unlink()
    answer = site.doctor()

    assert answer.code == 2
    assert "flux.roots: " in answer.out
    assert "machines.config/node-1" in answer.out
    assert "access.talosconfig" not in answer.out  # the rest was looked at, and is in order


def test_a_plan_that_does_not_load_is_a_row_and_the_rest_is_looked_at(site: Site) -> None:
    (site.folder / "recovery.yaml").write_text("cluster: minimal\ntalos: [\n")
    rows = site.rows()

    assert "red" == rows["plan.file"]
    assert "ok" == rows["tools.talosctl"]


def test_a_plan_that_is_not_there_is_refused(site: Site) -> None:
    answer = site.program("doctor", "none.yaml")

    assert (64, True) == (answer.code, "plan-unreadable" in answer.err)


def test_a_journal_that_is_given_is_looked_at(site: Site, waiting: Path) -> None:
    rows = site.rows("--journal", str(waiting))

    assert "ok" == rows["journal.file"]


def _spoil(site: Site) -> None:
    """Files that cannot be read, with secrets where an error would quote them; tools that shout."""
    (site.folder / "talosconfig").write_text(f"contexts: {{a: {{key: {SECRET}, ca: {SECRET}}}}}\n")
    (site.folder / "node-1.yaml").write_text(f"machine: {{token: {SECRET}\n  x: [{SECRET}")
    (site.folder / "kubeconfig").write_text(f"users: [{{user: {{token: {SECRET}}}}}]\n")
    site.tool("sops", SOPS.replace("CODE", "1"))
    site.tool("talosctl", f"#!/bin/sh\necho {SECRET}\necho {KEY} >&2\nexit 1\n")
    (site.folder / "a.sops.yaml").write_text(
        f"password: {SECRET}\nx: ENC[a]\nsops:\n  age: [{{recipient: {ALICE}, enc: {SECRET}}}]\n"
    )


@pytest.mark.parametrize("words", [(), ("-v",), ("--json",)])
@pytest.mark.parametrize("spoilt", [False, True])
def test_no_secret_is_ever_said_or_kept(
    site: Site, tmp_path: Path, words: tuple[str, ...], *, spoilt: bool
) -> None:
    if spoilt:
        _spoil(site)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    answer = site.doctor(*words, TMPDIR=str(temporary))

    assert (2 if spoilt else 0) == answer.code
    assert SECRET not in answer.out + answer.err
    assert KEY not in answer.out + answer.err
    assert [] == list(temporary.rglob("*"))
