"""
Tools: each row in order and not.

Mutants: compare versions with ``>=``; let a program with a slash be looked for on PATH alone; block every command.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phases.lives import RESET
from phases.section import Command, Probe
from phases.verbs import APPLY, BOOTSTRAP, COMMAND, KUBECONFIG
from rekindle.doctor import tools
from rekindle.doctor.needs import ETCD
from tests.doctor.making import ALL_TOOLS, Machine, machine, row, section, verdicts

LONG = "Client:\n\tTag:         v1.12.0\n\tSHA:         undefined\n"  # talosctl v1.12.0


@pytest.mark.parametrize(
    ("found", "said", "wanted", "verdict"),
    [
        ("/bin/talosctl", LONG, [(1, 12)], "ok"),
        ("/bin/talosctl", LONG, [], "ok"),
        ("/bin/talosctl", "Client:\nTalos v1.12.0", [(1, 11), (1, 13)], "ok"),
        ("/bin/talosctl", LONG, [(1, 14)], "warning"),
        ("/bin/talosctl", LONG, [(1, 12), (1, 10)], "warning"),
        ("/bin/talosctl", LONG, [(2, 12)], "warning"),
        ("/bin/talosctl", "what?", [(1, 12)], "unknown"),
        ("/bin/talosctl", None, [], "unknown"),
        (None, None, [(1, 12)], "red"),
    ],
)
def test_talosctl_is_of_the_clusters_version_or_its_neighbour(
    found: str | None, said: str | None, wanted: list[tuple[int, int]], verdict: str
) -> None:
    check = tools.talosctl("talosctl", found, said, wanted)

    assert verdict == str(check.verdict)
    assert (verdict == "red") == (check.blocks == {APPLY, BOOTSTRAP, KUBECONFIG, RESET, *ETCD})


def test_the_wanted_version_is_that_of_the_installer(tmp_path: Path) -> None:
    machine(tmp_path / "cp.yaml", image="factory.talos.dev/installer/37656798e3:v1.13.7")

    assert ((1, 13),) == tools.wanted_versions(section(tmp_path))


@pytest.mark.parametrize("image", ["", "installer", "installer@sha256:0123", "x:latest"])
def test_an_installer_without_a_version_asks_for_none(tmp_path: Path, image: str) -> None:
    machine(tmp_path / "cp.yaml", image=image)

    assert () == tools.wanted_versions(section(tmp_path))


@pytest.mark.parametrize(
    ("kubectl", "kustomize", "verdict"),
    [("/bin/kubectl", None, "ok"), (None, "/bin/kustomize", "ok"), (None, None, "warning")],
)
def test_something_builds_the_tree(
    kubectl: str | None, kustomize: str | None, verdict: str
) -> None:
    assert verdict == str(tools.renderer(kubectl, kustomize).verdict)


def test_git_tells_the_revision() -> None:
    assert "ok" == str(tools.git("/bin/git").verdict)
    assert "warning" == str(tools.git(None).verdict)


def test_python_and_sqlite_tell_their_versions() -> None:
    assert "ok" == str(tools.python((3, 11, 0)).verdict)
    assert "warning" == str(tools.python((3, 10, 9)).verdict)
    assert "3.51.3" == tools.sqlite((3, 51, 3)).said
    assert "two that checkpoint" in tools.sqlite((3, 51, 2)).said


def command(folder: Path, *argv: str, **environment: str) -> Command:
    return Command(argv=argv, directory=str(folder), environment=environment)


def which(*names: str) -> Callable[[str], str | None]:
    return lambda name: name if name in names else None


def test_a_command_without_its_program_forbids_that_command_alone(tmp_path: Path) -> None:
    (found,) = tools.command_rows("apps", command(tmp_path, "task", "apps"), which())

    assert ("red", [COMMAND], "command/apps") == (str(found.verdict), [*found.blocks], found.target)
    assert "install task" in found.todo


@pytest.mark.parametrize(
    ("argv", "there", "files", "verdict"),
    [
        (("task", "apps"), ("task",), (), "ok"),
        (("bash", "bootstrap/apps.sh"), ("bash",), ("apps.sh",), "ok"),
        (("bash", "bootstrap/apps.sh"), ("bash",), (), "warning"),
        (("bash", "-c", "echo"), ("bash",), (), "ok"),
        (("helmfile", "sync"), ("helmfile", "helm"), (), "ok"),
        (("helmfile", "sync"), ("helmfile",), (), "warning"),
        (("./bootstrap/apps.sh",), (), ("apps.sh",), "red"),  # not executable
        (("./bootstrap/apps.sh",), ("IN FOLDER",), ("apps.sh",), "ok"),
    ],
)
def test_a_command_has_what_it_names(
    tmp_path: Path,
    argv: tuple[str, ...],
    there: tuple[str, ...],
    files: tuple[str, ...],
    verdict: str,
) -> None:
    (tmp_path / "bootstrap").mkdir()
    for name in files:
        (tmp_path / "bootstrap" / name).touch()
    inside = str(tmp_path / "bootstrap" / "apps.sh")
    names = tuple(inside if name == "IN FOLDER" else name for name in there)

    (found,) = tools.command_rows("apps", command(tmp_path, *argv), which(*names))

    assert verdict == str(found.verdict)


def probe(folder: Path, *argv: str, **environment: str) -> Probe:
    return Probe(argv=argv, not_yet=3, directory=str(folder), environment=environment)


@pytest.mark.parametrize("program", ["no-such-probe", "bin/not-there"])
def test_a_probe_without_its_program_forbids_the_commands_that_wait_for_it(
    tmp_path: Path, program: str
) -> None:
    """Mutants: look at commands alone; forbid every command; a warning, which forbids nothing."""
    found = tools.probe_rows(
        "drained", probe(tmp_path, program, "{node}"), which(), ("drain", "sweep")
    )

    assert ["tools.probe/drained"] * 2 == [check.id for check in found]
    assert [(COMMAND, "command/drain"), (COMMAND, "command/sweep")] == [
        (verb, check.target) for check in found for verb in check.blocks
    ]
    assert all("probes.drained" in check.todo for check in found)


@pytest.mark.parametrize(("commands", "verdict"), [(("",), "red"), ((), "warning")])
def test_a_probe_that_no_command_waits_for_forbids_none(
    tmp_path: Path, commands: tuple[str, ...], verdict: str
) -> None:
    """A state that only asks waits in vain; a probe that nobody asks holds nothing up."""
    (found,) = tools.probe_rows("drained", probe(tmp_path, "no-such-probe"), which(), commands)

    assert (verdict, frozenset()) == (str(found.verdict), found.blocks)


@pytest.mark.parametrize(
    ("argv", "environment", "verdict"),
    [
        (("kubectl", "get"), {}, "ok"),
        (("kubectl", "look.sh"), {}, "warning"),
        (("kubectl", "{node}.sh"), {}, "ok"),
        (("no-such-probe",), {"PATH": "/opt/bin"}, "ok"),
        (("bin/{node}",), {}, "ok"),
    ],
)
def test_a_probe_has_what_it_names(
    tmp_path: Path, argv: tuple[str, ...], environment: dict[str, str], verdict: str
) -> None:
    looking = probe(tmp_path, *argv, **environment)
    (found,) = tools.probe_rows("drained", looking, which("kubectl"), ("drain",))

    assert verdict == str(found.verdict)


def test_a_command_with_a_path_of_its_own_is_believed(tmp_path: Path) -> None:
    (found,) = tools.command_rows("apps", command(tmp_path, "task", PATH="/opt/bin"), which())

    assert "ok" == str(found.verdict)


def test_a_notice_that_reaches_nobody_is_a_warning(tmp_path: Path) -> None:
    plan = section(tmp_path, notify={"argv": ["ntfy", "publish"], "directory": str(tmp_path)})
    tools_there = (*ALL_TOOLS, "ntfy")

    assert "warning" == str(row(tools.rows(Machine().host, plan), "tools.notify").verdict)
    assert "ok" == str(row(tools.rows(Machine(tools_there).host, plan), "tools.notify").verdict)


def test_without_a_plan_the_tools_that_every_recovery_needs_are_looked_for() -> None:
    host = Machine(says={"talosctl version --client": LONG}).host

    assert {
        "tools.talosctl": "ok",
        "tools.kustomize": "ok",
        "tools.git": "ok",
        "tools.python": "ok",
        "tools.sqlite": "ok",
    } == verdicts(tools.rows(host, None))


def test_with_a_plan_its_commands_and_versions_count_as_well(tmp_path: Path) -> None:
    machine(tmp_path / "cp.yaml", image="ghcr.io/siderolabs/installer:v1.10.5")
    tooled = [name for name in ALL_TOOLS if name != "helm"]
    found = tools.rows(Machine(tooled, {"talosctl version": LONG}).host, section(tmp_path))

    assert "warning" == str(row(found, "tools.command/apps").verdict)
    assert "v1.10" in row(found, "tools.talosctl").said
