"""
Which keys are tried: those that sops would take, age's own and SSH's, also where only age is there to try them.

Mutants, each tried: give age the key of the row alone; give it a key of SSH that is nobody's of the file; take a key
with a passphrase for one that opens nothing; say that nothing is held where only SSH's keys are.
"""

from __future__ import annotations

import base64
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from phases.lives import RESET
from phases.section import Command
from phases.verbs import COMMAND
from rekindle.doctor import identities, secrets
from rekindle.doctor.check import Check
from rekindle.doctor.host import Host
from tests.doctor.making import ALICE, ALL_TOOLS, BOB, Machine, encrypted, row

ED25519, RSA = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
WITHOUT_SOPS = [name for name in ALL_TOOLS if name != "sops"]
NEITHER = [name for name in WITHOUT_SOPS if name != "age"]
Private = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
BOOTSTRAP = "sops exec-file secrets.sops.yaml 'kubectl apply -f {}'"


def public(key: Private) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def openssh(key: Private) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def locked(key: Private) -> bytes:
    """What stands in clear before a private key with a passphrase, as PROTOCOL.key has it, and then nothing."""
    blob = base64.b64decode(public(key).split()[1])
    parts = (b"aes256-ctr", b"bcrypt", b"salt and rounds")
    head = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    head += struct.pack(">I", 1) + struct.pack(">I", len(blob)) + blob
    text = base64.encodebytes(b"openssh-key-v1\0" + head)
    return b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + text + b"-----END OPENSSH PRIVATE KEY-----\n"


def older(*, passphrase: bytes) -> bytes:
    way = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, way)


def of_ssh(home: Path, name: str, content: bytes) -> Path:
    file = home / ".ssh" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o600)
    return file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    encrypted(tmp_path / "repository" / "a.sops.yaml", public(ED25519))
    return tmp_path / "repository"


# --- which are held ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "named", "has_passphrase"),
    [
        (openssh(ED25519), public(ED25519), False),
        (openssh(RSA), public(RSA), False),
        (locked(ED25519), public(ED25519), True),
        (locked(RSA), public(RSA), True),
        (older(passphrase=b""), "", False),
        (older(passphrase=b"one"), "", True),
        (b"", "", False),
        (locked(ED25519)[:60], "", False),
    ],
    ids=["ed25519", "rsa", "ed25519-locked", "rsa-locked", "pem", "pem-locked", "empty", "cut"],
)
def test_whose_a_key_of_ssh_is_stands_before_it(
    home: Path, content: bytes, named: str, *, has_passphrase: bool
) -> None:
    of_ssh(home, "id_rsa", content)
    (found,) = identities.held_by({}, home).ssh

    assert (named, has_passphrase) == (found.public, found.locked)
    assert found.may_open(frozenset({public(ED25519)})) == (named in {"", public(ED25519)})
    assert not found.may_open(frozenset({ALICE}))


def test_all_that_sops_would_try_is_held(home: Path, tmp_path: Path) -> None:
    """Its own variable for a key of SSH, those of the home, the file of a variable, and that of the user."""
    named = of_ssh(tmp_path, "deploy", openssh(ED25519))
    theirs = [of_ssh(home, name, openssh(ED25519)) for name in ("id_rsa", "id_ed25519")]
    of_ssh(home, "id_ecdsa", openssh(ED25519))
    files = [tmp_path / "keys.txt", home / ".config" / "sops" / "age" / "keys.txt"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    environment = {
        "SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(named),
        "SOPS_AGE_KEY_FILE": str(files[0]),
    }
    found = identities.held_by(environment, home)

    assert files == list(found.files)
    assert {named, *theirs} == {one.file for one in found.ssh}
    assert not found.elsewhere
    assert identities.held_by({"SOPS_AGE_SSH_PRIVATE_KEY_CMD": "cat it"}, home).elsewhere


NAMED = f"env: {{SOPS_AGE_KEY_FILE: '{{{{.ROOT_DIR}}}}/age.key'}}\ntasks: {{apps: {{cmd: {BOOTSTRAP!r}}}}}\n"
SOPS = """#!/bin/sh
test "$(cat "$SOPS_AGE_KEY_FILE" 2>&1)" = mine && test -f "$2" || exit 128
"""


@pytest.mark.parametrize(
    ("key", "environment", "taskfile", "forbidden"),
    [
        ("mine", {"SOPS_AGE_KEY_FILE": "age.key"}, BOOTSTRAP, False),
        ("theirs", {"SOPS_AGE_KEY_FILE": "age.key"}, BOOTSTRAP, True),
        ("mine", {"SOPS_AGE_KEY_FILE": "elsewhere/age.key"}, BOOTSTRAP, True),
        ("mine", {"SOPS_AGE_RECIPIENTS": ALICE}, BOOTSTRAP, True),
        ("mine", {}, NAMED, False),
        ("theirs", {}, NAMED, True),
        ("", {}, NAMED, True),
    ],
    ids=[
        "opens",
        "opens-nothing",
        "not-there",
        "not-given",
        "task-opens",
        "task-opens-nothing",
        "task-not-there",
    ],
)
def test_a_command_that_the_plan_gives_its_key_is_judged_by_that_key(
    repository: Path,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    environment: dict[str, str],
    taskfile: str,
    *,
    forbidden: bool,
) -> None:
    """
    ``init`` writes such a command for task's template, and what nobody had exported forbade it in the night.

    Its Taskfile names the key that lies in the root. Mutants: judge it by the key of this shell; run sops here, and not
    in the command's folder; believe what a file names.
    """
    if key:
        (repository / "age.key").write_text(key)
    (repository / "Taskfile.yaml").write_text(taskfile)
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text(SOPS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    host = Host(environment={"PATH": os.environ["PATH"]}, home=home)
    command = Command(argv=("task", "apps"), directory=str(repository), environment=environment)
    found = secrets.rows(host, repository, {"apps": command})

    held = row(found, "secrets.key")
    assert ("red" if forbidden else "warning") == str(held.verdict), "this shell has none"
    assert [(COMMAND, "command/apps")] * forbidden == [
        (verb, check.target) for check in found for verb in check.blocks - {RESET}
    ]


SITE = """#!/bin/sh
held="$(cat "$SOPS_AGE_KEY_FILE" 2>&1)"
case "$2:$held" in *alice*:both | *alice*:alice | *bob*:both | *bob*:bob) exit 0 ;; esac
exit 128
"""


@dataclass
class Shop:
    """A shell with a key, or none, and a command with another; sops opens what is called after its key."""

    folder: Path

    def rows(self, here: str, own: str, script: str = BOOTSTRAP) -> list[Check]:
        repository = self.folder / "repository"
        for name, key in (("alice", ALICE), ("bob", BOB)):
            encrypted(repository / f"{name}.sops.yaml", key)
        (repository / "apps.sh").write_text(script)
        for name in ("alice", "bob", "both", "carol"):
            (self.folder / name).write_text(name)
        given = {"SOPS_AGE_KEY_FILE": f"../{own}"} if own else {}
        apps = Command(argv=("bash", "apps.sh"), directory=str(repository), environment=given)
        held = {"SOPS_AGE_KEY_FILE": str(self.folder / here)} if here else {}
        host = Host(environment={"PATH": os.environ["PATH"], **held}, home=self.folder / "home")
        return secrets.rows(host, repository, {"apps": apps}, (RESET,))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text(SITE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return Shop(tmp_path)


def test_what_a_command_of_the_plan_can_decrypt_may_be_wiped(shop: Shop) -> None:
    """
    It applies the secrets after a wipe, and was seen to read them; the row said that nobody could.

    Mutant: count the key of this shell alone.
    """
    found = shop.rows(here="", own="both")

    assert not any(one.blocks for one in found)
    held = row(found, "secrets.key")
    assert "warning" == str(held.verdict), "by hand nobody decrypts anything"
    assert "the command apps with a key of its own does" in held.said
    assert "SOPS_AGE_KEY_FILE" in held.todo
    assert ["with the key of the command apps alone"] * 2 == [
        one.said.partition(", ")[2] for one in found if one.id.startswith("secrets.age/")
    ]


@pytest.mark.parametrize("shell", ["", "carol"])
def test_of_several_sets_each_must_have_been_opened_by_somebody(shop: Shop, shell: str) -> None:
    """Mutant: let a command that opens something stand for all of it."""
    found = shop.rows(shell, own="alice")

    assert [({RESET}, "no key that is held decrypts bob.sops.yaml")] == [
        (set(one.blocks), one.said) for one in found if one.blocks
    ]


def test_two_keys_may_open_it_together(shop: Shop) -> None:
    """Mutant: try the command's key only where this shell's opens nothing at all."""
    found = shop.rows(here="bob", own="alice")

    assert not any(one.blocks for one in found)
    assert "alice.sops.yaml was decrypted, with the key of the command apps alone" in {
        one.said for one in found
    }


def test_a_command_whose_own_key_is_the_wrong_one_is_forbidden_whatever_this_shell_has(
    shop: Shop,
) -> None:
    """
    Its environment counts and not the shell's, so that it would have failed in the night. The secrets can be read.

    Mutant: judge it by the key of this shell.
    """
    found = shop.rows(here="both", own="carol")

    (kept,) = [one for one in found if one.blocks]
    assert (frozenset({COMMAND}), "command/apps") == (kept.blocks, kept.target)
    assert "that the plan gives it opens no file" in kept.said
    assert "commands.apps.environment" in kept.todo
    assert "ok" == str(row(found, "secrets.age/age1qqqqqqqqqqqq").verdict)
    assert not any(one.blocks for one in shop.rows("both", "carol", script="true"))
    assert not any(one.blocks for one in shop.rows("both", "alice"))


# --- age alone -----------------------------------------------------------------------------------


def looked(
    repository: Path, home: Path, codes: dict[str, int | None], tools: list[str] = WITHOUT_SOPS
) -> tuple[Machine, list[Check]]:
    machine = Machine(tools, codes=codes, home=home)
    (repository / "apps.sh").write_text(BOOTSTRAP)
    command = Command(argv=("bash", "apps.sh"), directory=str(repository))
    return machine, secrets.rows(machine.host, repository, {"apps": command}, (RESET,))


def test_age_alone_tries_the_key_of_ssh_that_is_the_file_s(repository: Path, home: Path) -> None:
    """
    It was not tried: there was no age key, the wipe and the commands that call sops were forbidden.
    """
    mine = of_ssh(home, "id_ed25519", openssh(ED25519))
    of_ssh(home, "id_rsa", openssh(RSA))
    machine, found = looked(repository, home, {f"age --decrypt --identity {mine}": 0})

    assert {"ok"} == {str(one.verdict) for one in found}
    assert [f"age --decrypt --identity {mine}"] == machine.asked
    assert "the data key of a.sops.yaml was opened" in found[1].said
    assert "not there, and not needed" in row(found, "secrets.key").said


def test_a_key_of_age_s_own_that_does_not_open_it_is_not_the_last(
    repository: Path, home: Path
) -> None:
    keys = home / ".config" / "sops" / "age" / "keys.txt"
    keys.parent.mkdir(parents=True)
    keys.touch(0o600)
    mine = of_ssh(home, "id_ed25519", openssh(ED25519))
    _, found = looked(repository, home, {f"age --decrypt --identity {mine}": 0, "age": 1})

    assert {"ok"} == {str(one.verdict) for one in found}


def test_somebody_else_s_key_of_ssh_opens_nothing(repository: Path, home: Path) -> None:
    of_ssh(home, "id_rsa", openssh(RSA))
    machine, found = looked(repository, home, {"age": 0})

    assert not machine.asked
    assert "red" == str(row(found, "secrets.key").verdict)
    assert "no key that is held decrypts a.sops.yaml" == found[-1].said


@pytest.mark.parametrize("tools", [ALL_TOOLS, WITHOUT_SOPS, NEITHER], ids=["both", "age", "none"])
def test_a_passphrase_is_nobody_s_to_be_asked_for(
    repository: Path, home: Path, tools: list[str]
) -> None:
    """The file is not said to be shut, and the commands that would need it cannot be asked either."""
    mine = of_ssh(home, "id_ed25519", locked(ED25519))
    _, found = looked(repository, home, {"sops": 128, "age": 1}, tools)
    key, proof = row(found, "secrets.key"), row(found, "secrets.proof")
    (one,) = [check for check in found if check.id.startswith("secrets.age/")]

    assert ("red", "unknown") == (str(key.verdict), str(one.verdict))
    assert f"{mine} has a passphrase" in key.said
    assert "was not tried: its SSH key has a passphrase" in one.said
    assert "SOPS_AGE_SSH_PRIVATE_KEY_FILE" in one.todo
    assert {RESET} == proof.blocks
    assert {COMMAND} == {verb for check in found for verb in check.blocks - {RESET}}


def test_where_nothing_can_try_a_key_of_ssh_it_is_not_said_to_be_missing(
    repository: Path, home: Path
) -> None:
    of_ssh(home, "id_ed25519", openssh(ED25519))
    _, found = looked(repository, home, {}, NEITHER)

    assert "unknown" == str(row(found, "secrets.key").verdict)
    assert "install sops or age" in row(found, "secrets.key").todo
    assert "sops is not on PATH" in found[1].said
    assert [RESET] == [verb for check in found for verb in check.blocks]


def test_a_key_that_only_sops_can_ask_for_is_not_said_to_open_nothing(
    repository: Path, home: Path
) -> None:
    of_ssh(home, "id_ed25519", openssh(ED25519))
    environment = {"SOPS_AGE_KEY": "AGE-SECRET-KEY-1QQ"}
    machine = Machine(WITHOUT_SOPS, codes={"age": 1}, home=home, environment=environment)
    found = secrets.rows(machine.host, repository, {})

    assert "sops is not on PATH" in found[1].said
    assert not any(check.blocks for check in found)
