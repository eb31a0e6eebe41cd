"""
``git.ancestry`` against a real git: what it can prove, and what it cannot.

Mutants: take a commit that is missing for a rewritten one; believe a shallow clone; fetch into a clone what is missing;
leave it untold where the older one is in nobody's history.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from engine.world import INVALID, Intent
from journal.entries import Outcome
from rekindle.adapters.ancestry import ancestry
from rekindle.adapters.programs import Answer, ask

pytestmark = pytest.mark.program  # a git, which nobody needs who builds and tests it


def git(tree: Path, *words: str) -> str:
    name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    program = shutil.which("git")
    assert program is not None
    done = subprocess.run(
        [program, "-C", str(tree), *name, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(tree: Path, text: str) -> str:
    git(tree, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", text)
    return git(tree, "rev-parse", "HEAD")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "--quiet", "--initial-branch", "main")
    return tree


def asked(tree: Path, old: str, new: str, seconds: float = 20.0) -> tuple[Outcome, str, str]:
    intent = Intent(
        action="a1",
        verb="git.ancestry",
        target=f"{old}..{new}",
        arguments={"repository": str(tree), "old": old, "new": new},
        attempt=1,
        epoch=1,
        deadline_seconds=seconds,
        intended_at=0.0,
    )
    found = ancestry(intent)
    return found.outcome, found.code, str(found.evidence.get("why", ""))


def test_a_later_commit_descends(tree: Path) -> None:
    old, new = commit(tree, "one"), commit(tree, "two")

    assert asked(tree, old, new) == (Outcome.DONE, "descends", "")


def test_an_amended_commit_is_rewritten(tree: Path) -> None:
    commit(tree, "one")
    old = commit(tree, "two")
    git(tree, "reset", "--quiet", "--hard", "HEAD~1")
    new = commit(tree, "two, another way")

    assert asked(tree, old, new)[:2] == (Outcome.DONE, "rewritten")


def test_a_step_back_is_rewritten(tree: Path) -> None:
    old, new = commit(tree, "one"), commit(tree, "two")

    assert asked(tree, new, old)[:2] == (Outcome.DONE, "rewritten")


def test_a_commit_that_was_not_fetched_is_untold_and_is_not_fetched(tree: Path) -> None:
    old = commit(tree, "one")

    outcome, code, why = asked(tree, old, "b" * 40)

    assert (outcome, code) == (Outcome.DONE, "untold")
    assert "has no commit bbbbbbbbbbbb" in why


def cloned(tree: Path, tmp_path: Path) -> Path:
    """Clone it, and let what follows in *tree* be a push from elsewhere."""
    ours = tmp_path / "ours"
    git(tmp_path, "clone", "--quiet", f"file://{tree}", str(ours))
    return ours


@pytest.mark.parametrize("rewritten", [True, False])
def test_a_push_from_elsewhere_is_told_by_the_remote_and_leaves_the_clone_alone(
    tree: Path,
    tmp_path: Path,
    rewritten: bool,  # noqa: FBT001
) -> None:
    commit(tree, "one")
    old = commit(tree, "two")
    ours = cloned(tree, tmp_path)
    if rewritten:
        git(tree, "reset", "--quiet", "--hard", "HEAD~1")
    new = commit(tree, "three")
    before = sorted(p.relative_to(ours) for p in ours.rglob("*"))

    said = "rewritten" if rewritten else "descends"
    assert asked(ours, old, new) == (Outcome.DONE, said, "")
    assert sorted(p.relative_to(ours) for p in ours.rglob("*")) == before


@pytest.mark.parametrize("rewritten", [True, False])
def test_what_the_clone_never_saw_is_told(
    tree: Path,
    tmp_path: Path,
    rewritten: bool,  # noqa: FBT001
) -> None:
    """A push from elsewhere before the run. Mutant: where the older one is not in the clone, ask no remote."""
    commit(tree, "one")
    ours = cloned(tree, tmp_path)
    old = commit(tree, "two")
    if rewritten:
        git(tree, "reset", "--quiet", "--hard", "HEAD~1")
    new = commit(tree, "three")
    before = sorted(p.relative_to(ours) for p in ours.rglob("*"))

    said = "rewritten" if rewritten else "descends"
    assert asked(ours, old, new) == (Outcome.DONE, said, "")
    assert sorted(p.relative_to(ours) for p in ours.rglob("*")) == before


def test_our_own_force_push_over_what_we_never_saw_is_rewritten(tree: Path) -> None:
    commit(tree, "one")
    new = commit(tree, "two")

    assert asked(tree, "a" * 40, new) == (Outcome.DONE, "rewritten", "")


def test_a_remote_without_all_of_its_history_leaves_it_untold_and_the_clone_alone(
    tree: Path, tmp_path: Path
) -> None:
    """Mutant: take the older one for gone without a walk through what the newer one comes from."""
    commit(tree, "one")
    ours = cloned(tree, tmp_path)
    old, _, new = commit(tree, "two"), commit(tree, "three"), commit(tree, "four")
    mirror = tmp_path / "mirror"
    git(tmp_path, "clone", "--quiet", "--bare", "--depth", "1", f"file://{tree}", str(mirror))
    git(ours, "remote", "set-url", "origin", f"file://{mirror}")
    before = sorted(p.relative_to(ours) for p in ours.rglob("*"))

    assert asked(ours, old, new)[:2] == (Outcome.DONE, "untold")
    assert sorted(p.relative_to(ours) for p in ours.rglob("*")) == before


def test_a_commit_that_is_missing_from_the_middle_is_not_taken_for_rewritten(tree: Path) -> None:
    """Mutants: no walk; a walk by the commit-graph, which knows what is there no more."""
    commit(tree, "one")
    old, new = commit(tree, "two"), commit(tree, "three")
    git(tree, "commit-graph", "write", "--reachable")
    (tree / ".git" / "objects" / old[:2] / old[2:]).unlink()

    assert asked(tree, old, new)[:2] == (Outcome.DONE, "untold")


def test_a_hook_of_another_repository_leads_git_nowhere_else(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: hand on what a hook has in its environment: git prefers it to the folder that is named."""
    old = commit(tree, "one")
    ours = cloned(tree, tmp_path)
    new = commit(tree, "two")
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", str(other))
    before = sorted((p, p.stat().st_mtime_ns) for p in other.rglob("*"))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))

    assert asked(ours, old, new)[:2] == (Outcome.DONE, "descends")
    assert sorted((p, p.stat().st_mtime_ns) for p in other.rglob("*")) == before


def test_a_remote_that_hangs_does_not_keep_another_from_telling(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: let the first that gives no answer end it; give each remote what there is for all of them."""
    given: list[float] = []

    def asking(argv: list[str], *, seconds: float, environment: dict[str, str]) -> Answer:
        given.append(seconds)
        return ask(argv, seconds=seconds, environment=environment)

    monkeypatch.setattr("rekindle.adapters.ancestry.ask", asking)
    old = commit(tree, "one")
    ours = cloned(tree, tmp_path)
    new = commit(tree, "two")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        git(ours, "remote", "add", "away", f"git://127.0.0.1:{port}/x.git")

        assert asked(ours, old, new, seconds=5.0) == (Outcome.DONE, "descends", "")
    assert sum(given) <= 5.0


def test_a_remote_that_is_gone_leaves_it_untold_and_its_address_unsaid(
    tree: Path, tmp_path: Path
) -> None:
    old = commit(tree, "one")
    ours = cloned(tree, tmp_path)
    new = commit(tree, "two")
    git(ours, "remote", "set-url", "origin", "https://user:pass-word@127.0.0.1:9/x.git")

    outcome, code, why = asked(ours, old, new)

    assert (outcome, code) == (Outcome.DONE, "untold")
    assert "no remote of it gives that" in why
    assert "pass-word" not in why


def test_a_remote_that_would_run_a_program_runs_none(tree: Path, tmp_path: Path) -> None:
    old = commit(tree, "one")
    ours = cloned(tree, tmp_path)
    new = commit(tree, "two")
    ran = tmp_path / "ran"
    git(ours, "remote", "set-url", "origin", f"ext::touch {ran}")

    assert asked(ours, old, new)[:2] == (Outcome.DONE, "untold")
    assert not ran.exists()


def shallow_of(tree: Path, tmp_path: Path) -> Path:
    shallow = tmp_path / "shallow"
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--no-single-branch",
        f"file://{tree}",
        str(shallow),
    )
    return shallow


def forked(tree: Path) -> tuple[str, str]:
    """Make two heads of one beginning."""
    commit(tree, "one")
    old = commit(tree, "two")
    git(tree, "checkout", "--quiet", "-b", "other", "HEAD~1")
    return old, commit(tree, "three")


def test_a_shallow_clone_cannot_tell(tree: Path, tmp_path: Path) -> None:
    old, new = forked(tree)
    shallow = shallow_of(tree, tmp_path)
    git(shallow, "remote", "set-url", "origin", f"file://{tmp_path / 'gone'}")

    assert asked(shallow, old, new)[:2] == (Outcome.DONE, "untold")
    assert asked(shallow, "a" * 40, new) == (Outcome.DONE, "untold", "the clone is shallow")
    assert "has no commit bbbbbbbbbbbb, and is shallow" in asked(shallow, old, "b" * 40)[2]


@pytest.mark.parametrize("filters", ["true", "false"])
def test_but_its_remote_can_and_it_stays_as_it_is(tree: Path, tmp_path: Path, filters: str) -> None:
    """
    Whether the remote gives commits without their files, or knows nothing of that.

    Mutants: ask no remote; fetch beside the clone, where its own end is the end; deepen the clone.
    """
    git(tree, "config", "uploadpack.allowFilter", filters)
    old, new = forked(tree)
    shallow = shallow_of(tree, tmp_path)
    middle = commit(tree, "four")
    newest = commit(tree, "five")
    before = {p: p.stat().st_mtime_ns for p in shallow.rglob("*")}

    assert asked(shallow, old, new) == (Outcome.DONE, "rewritten", "")
    assert asked(shallow, old, newest) == (Outcome.DONE, "rewritten", "")
    assert asked(shallow, new, newest) == (Outcome.DONE, "descends", "")
    assert asked(shallow, middle, newest) == (Outcome.DONE, "descends", "")
    assert asked(shallow, "a" * 40, new) == (Outcome.DONE, "rewritten", "")
    assert {p: p.stat().st_mtime_ns for p in shallow.rglob("*")} == before


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], float]]:
    """What git is asked, and how long it may take."""
    found: list[tuple[list[str], float]] = []

    def asking(argv: list[str], *, seconds: float, environment: dict[str, str]) -> Answer:
        found.append((argv, seconds))
        return ask(argv, seconds=seconds, environment=environment)

    monkeypatch.setattr("rekindle.adapters.ancestry.ask", asking)
    return found


def test_what_a_shallow_clone_shows_itself_is_asked_of_no_remote(
    tree: Path, tmp_path: Path, words: list[tuple[list[str], float]]
) -> None:
    """Mutant: ask the remotes whenever it is shallow."""
    commit(tree, "one")
    old, new = commit(tree, "two"), commit(tree, "three")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "2", f"file://{tree}", str(shallow))

    assert asked(shallow, old, new) == (Outcome.DONE, "descends", "")
    assert not [argv for argv, _ in words if "fetch" in argv]


@pytest.mark.parametrize("filters", ["true", "false"])
def test_a_remote_that_is_shallow_itself_leaves_it_untold(
    tree: Path, tmp_path: Path, filters: str
) -> None:
    """Mutant: take what a remote gives for the whole, without a walk through it."""
    old, new = forked(tree)
    shallow = shallow_of(tree, tmp_path)
    mirror = tmp_path / "mirror"
    git(tmp_path, "clone", "--quiet", "--bare", "--depth", "1", f"file://{tree}", str(mirror))
    git(mirror, "config", "uploadpack.allowFilter", filters)
    git(shallow, "remote", "set-url", "origin", f"file://{mirror}")

    assert asked(shallow, old, new)[:2] == (Outcome.DONE, "untold")


def test_a_shallow_clone_takes_commits_alone_and_no_longer_than_it_may(
    tree: Path, tmp_path: Path, words: list[tuple[list[str], float]]
) -> None:
    """Mutants: fetch every file of every commit; give the whole history as long as one commit."""
    old, new = forked(tree)
    shallow = shallow_of(tree, tmp_path)

    assert asked(shallow, old, new, seconds=20.0)[1] == "rewritten"
    [fetched] = [argv for argv, _ in words if "fetch" in argv]
    assert "--filter=tree:0" in fetched
    assert sum(seconds for _, seconds in words) <= 20.0


def test_no_repository_and_no_git_are_untold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(tmp_path, "a" * 40, "b" * 40)[1:] == ("untold", f"{tmp_path} is no repository")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git cannot be started" in asked(tmp_path, "a" * 40, "b" * 40)[2]


def test_what_is_no_commit_never_reaches_git(tree: Path) -> None:
    assert asked(tree, "--upload-pack=evil", "b" * 40)[:2] == (Outcome.FAILED, INVALID)
