"""
Promise: ``doctor`` says which secrets the held keys really open, with the sops and the age that operators have.

Mutants: take any exit code of sops for "opens"; try one file in all; hand age the file and not its envelopes; print
what is decrypted; give age alone no key of SSH, or one that has a passphrase; count the key of this shell alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.doctor.test_identities import locked
from tests.testbed import build

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]
EXAMPLE = Path(__file__).parents[2] / "examples" / "minimal"
SECONDS = 60
Row = dict[str, Any]
PLAIN = "the-password-of-the-night"


@dataclass
class Site:
    """A repository whose secrets are encrypted for Alice, for Alice and Bob, and for Bob."""

    bin: Path
    folder: Path
    keys: dict[str, Path]
    recipients: dict[str, str]

    def rows(self, tools: Path, *holders: str) -> tuple[list[Row], str]:
        """Ask ``doctor`` with the keys of *holders* and only these tools; rows about secrets, and all it printed."""
        held = self.folder.parent / "held.txt"
        held.write_text("".join(self.keys[name].read_text() for name in holders))
        held.chmod(0o600)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOPS_")}
        home = self.folder.parent / "home"
        env = {**kept, "PATH": str(tools), "HOME": str(home), "SOPS_AGE_KEY_FILE": str(held)}
        done = subprocess.run(
            [sys.executable, "-m", "rekindle", "doctor", "recovery.yaml", "--json"],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        checks = json.loads(done.stdout)["checks"]
        return [
            row for row in checks if row["id"].startswith("secrets.")
        ], done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    programs, place = build.ensure(), tmp_path_factory.mktemp("site")
    folder = place / "repository"
    shutil.copytree(EXAMPLE, folder)
    made = Site(programs, folder, {}, {})
    for name in ("alice", "bob", "carol"):
        key = made.keys[name] = place / f"{name}.txt"
        asked = subprocess.run(
            [programs / "age-keygen", "-o", key], capture_output=True, text=True, check=True
        )
        made.recipients[name] = asked.stderr.split()[-1]
    for name, holders in (("a", ["alice"]), ("both", ["alice", "bob"]), ("b", ["bob"])):
        file = folder / f"{name}.sops.yaml"
        file.write_text(f"user: admin\npassword: {PLAIN}\n")
        ages = ",".join(made.recipients[one] for one in holders)
        subprocess.run(
            [programs / "sops", "encrypt", "--age", ages, "--in-place", file], check=True
        )
        assert PLAIN not in file.read_text()
    return made


@pytest.fixture
def ssh(site: Site) -> Iterator[tuple[Path, ed25519.Ed25519PrivateKey]]:
    """The key of Dave's SSH in the home, and one file more: for him alone."""
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    key, file = site.folder.parent / "home" / ".ssh" / "id_ed25519", site.folder / "ssh.sops.yaml"
    key.parent.mkdir(parents=True)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key.chmod(0o600)
    file.write_text(f"password: {PLAIN}\n")
    subprocess.run([site.bin / "sops", "encrypt", "--age", public, "--in-place", file], check=True)
    yield key, private
    file.unlink()
    shutil.rmtree(key.parent)


@pytest.fixture(params=["sops", "age"])
def tools(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Path:
    """A folder with one of the two: each opens what it is asked to."""
    (tmp_path / request.param).symlink_to(site.bin / request.param)
    return tmp_path


def of(rows: list[Row], verdict: str) -> list[Row]:
    return [row for row in rows if row["verdict"] == verdict]


def test_one_file_of_each_set_is_really_decrypted(site: Site, tools: Path) -> None:
    rows, printed = site.rows(tools, "alice", "bob")

    assert rows == of(rows, "ok")
    assert ["secrets.key", *["secrets.age"] * 3] == [row["id"].partition("/")[0] for row in rows]
    assert PLAIN not in printed
    for key in site.keys.values():
        assert key.read_text().split()[-1] not in printed


def test_a_set_that_the_key_does_not_open_is_red(site: Site, tools: Path) -> None:
    """Of the file for both Alice's key is enough; Bob's own stays shut."""
    rows, _ = site.rows(tools, "alice")

    (shut,) = of(rows, "red")
    assert len(of(rows, "ok")) == len(rows) - 1
    assert shut["said"] == "no key that is held decrypts b.sops.yaml"
    assert site.recipients["bob"] in shut["todo"]


def test_a_key_of_somebody_else_opens_nothing(site: Site, tools: Path) -> None:
    rows, _ = site.rows(tools, "carol")

    assert len(rows) == len(of(rows, "red"))
    assert "opens no file of the repository" in rows[0]["said"]


def test_a_key_of_ssh_opens_what_is_for_it(
    site: Site, tools: Path, ssh: tuple[Path, ed25519.Ed25519PrivateKey]
) -> None:
    rows, printed = site.rows(tools, "alice", "bob")
    assert rows == of(rows, "ok")
    (one,) = [row for row in rows if row["id"].startswith("secrets.age/ssh-ed25519")]
    assert "ssh.sops.yaml" in one["said"]
    assert PLAIN not in printed

    ssh[0].unlink()
    rows, _ = site.rows(tools, "alice", "bob")
    (shut,) = of(rows, "red")
    assert shut["said"] == "no key that is held decrypts ssh.sops.yaml"


def test_a_key_of_ssh_with_a_passphrase_is_asked_of_nobody(
    site: Site, tools: Path, ssh: tuple[Path, ed25519.Ed25519PrivateKey]
) -> None:
    """Neither of the two waits for one: without a terminal each ends at once."""
    key, private = ssh
    key.write_bytes(locked(private))
    rows, _ = site.rows(tools, "alice", "bob")

    (one,) = of(rows, "unknown")
    assert not of(rows, "red")
    assert "ssh.sops.yaml was not tried: its SSH key has a passphrase" in one["said"]


def test_what_a_command_decrypts_with_its_own_key_is_readable(site: Site, tmp_path: Path) -> None:
    """The real sops takes SOPS_AGE_KEY_FILE of the command, from its folder, in the place of this shell's."""
    (tmp_path / "sops").symlink_to(site.bin / "sops")
    plan = site.folder / "recovery.yaml"
    text, both = plan.read_text(), site.folder.parent / "both.txt"
    both.write_text(site.keys["alice"].read_text() + site.keys["bob"].read_text())
    given = yaml.safe_load(text)
    for command in given["commands"].values():
        command["environment"] = {"SOPS_AGE_KEY_FILE": "../both.txt"}
    try:
        plan.write_text(yaml.safe_dump(given))
        rows, _ = site.rows(tmp_path, "carol")
    finally:
        plan.write_text(text)

    assert ["secrets.key"] == [row["id"] for row in of(rows, "warning")]
    assert len(rows) - 1 == len(of(rows, "ok"))
    assert "alone" in of(rows, "ok")[0]["said"]


def test_what_was_changed_after_it_was_encrypted_is_told(site: Site, tmp_path: Path) -> None:
    """The real sops says so by its exit code; age alone cannot see it."""
    file = site.folder / "b.sops.yaml"
    text = file.read_text()
    (tmp_path / "sops").symlink_to(site.bin / "sops")
    try:
        file.write_text(text.partition("\n")[2])  # without its user
        rows, _ = site.rows(tmp_path, "alice", "bob")
    finally:
        file.write_text(text)

    (changed,) = of(rows, "red")
    assert (
        changed["said"] == "b.sops.yaml was changed after it was encrypted (its MAC does not fit)"
    )
