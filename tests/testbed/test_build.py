"""What the build of the testbed's programs refuses, what it is made from, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.testbed import build
from tests.testbed.keeper import started
from tests.testbed.waiting import until

ROOT = Path(__file__).resolve().parents[2]
BUILD = [sys.executable, "-m", "tests.testbed.build"]
# It compiles for ever, with a helper of its own, and tells who both are.
GO = """#!/bin/sh
case "$1" in
version) echo go version go1.26.1 linux/amd64 ;;
env) echo https://proxy.example,direct ;;
build) sleep 600 & echo "$$ $!" >"$PIDS.new"; mv "$PIDS.new" "$PIDS"; touch "$GOTMPDIR/half"; wait ;;
esac
"""


def program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the tools that the build asks for, without Go."""
    folder = tmp_path / "tools"
    for name in ("git", "openssl"):
        program(folder, name)
    monkeypatch.setenv("REKINDLE_TESTBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    return folder


@pytest.fixture
def compiling(tools: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a Go that never ends tells its pids."""
    program(tools, "go", GO)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return tools.parent / "pids"


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(build, "_end_with_what_started_us", lambda: None)
    assert build.main() == build.EXIT_CONFIGURATION == 78
    said = capsys.readouterr()
    assert not said.out
    return said.err


def test_go_that_is_missing_is_named(
    tools: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: skip in silence, or end in 0."""
    monkeypatch.setenv("PATH", str(tools))

    assert refused(capsys, monkeypatch) == "error: go is missing: the testbed needs it\n"


@pytest.mark.parametrize("version", ["go version go1.25.9 linux/amd64", "go version devel +abc"])
def test_go_that_is_too_old_is_named_with_what_was_found(
    version: str, tools: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tools, "go", f"#!/bin/sh\necho {version}\n")
    monkeypatch.setenv("PATH", str(tools))

    said = refused(capsys, monkeypatch)

    assert said == f"error: Go 1.26 or newer is needed, found: {version}\n"
    assert list((tools.parent / "cache").glob("building-*")) == []


def test_a_build_that_fails_is_no_build(
    tools: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: do not look at Go's exit code."""
    program(tools, "go", GO.replace("build) ", "build) exit 2; "))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    assert "go build" in refused(capsys, monkeypatch)
    assert sorted(path.name for path in (tools.parent / "cache").iterdir()) == ["build.lock"]


def test_the_fingerprint_is_of_all_that_a_build_is_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: leave a module out, its go.sum, its folders' files, the names, or the builder itself."""
    files = [
        tmp_path / "build.py",
        tmp_path / "controlplane/go.sum",
        tmp_path / "controlplane/cmd/cp/main.go",
        tmp_path / "standin/go.sum",
        tmp_path / "standin/main.go",
        tmp_path / "talosctl/go.sum",
    ]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one\n")
    monkeypatch.setattr(build, "HERE", tmp_path)
    monkeypatch.setattr(build, "__file__", str(files[0]))

    seen = [build.fingerprint()]
    assert build.fingerprint() == seen[0], "of the same sources it is the same"
    for path in files:
        path.write_text("two\n")
        seen.append(build.fingerprint())
    files[-1].rename(tmp_path / "talosctl/go.mod")
    seen.append(build.fingerprint())

    assert len(set(seen)) == len(files) + 2


# Whoever runs the tests may ignore Ctrl-C (a shell's background does), and what is ignored is inherited.
HEEDING = (
    "import os, signal, sys\n"
    "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
    "    signal.signal(number, signal.SIG_DFL)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)


@contextmanager
def begun(asked: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start it in a session of its own; whatever the test comes to, it does not outlive it."""
    words = [sys.executable, "-c", HEEDING, *asked]
    with subprocess.Popen(words, cwd=ROOT, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def pids_in(told: Path) -> list[int]:
    until("the compiler runs", told.exists, 20)
    return [int(pid) for pid in told.read_text().split()]


def gone(pids: list[int]) -> bool:
    return all(started(pid) is None for pid in pids)


def left_in(cache: Path) -> list[Path]:
    return list(cache.glob("building-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_ended_ends_its_compilers_and_leaves_nothing(
    number: signal.Signals, compiling: Path
) -> None:
    """Mutants: no handler; the compiler alone is ended and not its helpers; no group of its own."""
    with begun(BUILD) as builder:
        pids = pids_in(compiling)
        assert [started(pid) is not None for pid in pids] == [True, True]
        builder.send_signal(number)

        assert builder.wait(20) == 128 + number

    assert gone(pids)
    assert left_in(compiling.parent / "cache") == []


def test_make_that_is_ended_ends_the_build(compiling: Path, tmp_path: Path) -> None:
    """As `.ci/run` ends it when a stage before it failed. Mutant: no handler."""
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"build-testbed:\n\t{' '.join(BUILD)}\n")
    asked = ["make", "-s", "-f", str(makefile), "build-testbed"]
    with begun(asked) as make:
        pids = pids_in(compiling)
        make.terminate()
        make.wait(20)

    assert gone(pids)
    assert left_in(compiling.parent / "cache") == []


def test_a_build_does_not_outlive_who_started_it(compiling: Path) -> None:
    """Mutant: do not ask to be told of that death."""
    starting = f"import subprocess; subprocess.run({BUILD!r})"
    with subprocess.Popen([sys.executable, "-c", starting], cwd=ROOT) as parent:
        pids = pids_in(compiling)
        parent.kill()

    until("all have ended", lambda: gone(pids), 20)
    until("nothing is left", lambda: not left_in(compiling.parent / "cache"), 20)


def test_what_a_killed_build_left_is_cleared_up_by_the_next(compiling: Path) -> None:
    """Nobody can clean up after kill -9; its compilers end all the same. Mutant: leave old folders where they are."""
    cache = compiling.parent / "cache"
    with begun(BUILD) as builder:
        pids = pids_in(compiling)
        builder.kill()
    until("the compilers have ended", lambda: gone(pids), 20)
    (old,) = left_in(cache)
    compiling.unlink()

    with begun(BUILD) as builder:
        pids = pids_in(compiling)
        assert old not in left_in(cache)
        builder.terminate()
        builder.wait(20)

    assert gone(pids)
