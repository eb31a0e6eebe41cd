"""
Secrets: what the held key opens is tried, with one file for each set of recipients.

Mutants: try one file in all; take a missing sops for a failure; block ``command.run`` for one set of several, or
for a command that calls no sops; leave ``unproven`` out, or let it forbid another verb than the wipe.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from phases.lives import RESET
from phases.section import Command
from phases.verbs import COMMAND
from rekindle.doctor import identities, sealed, secrets
from rekindle.doctor.check import Check
from rekindle.doctor.host import Host
from tests.doctor.making import ALICE, ALL_TOOLS, BOB, Machine, encrypted, row, verdicts

Close = Callable[[Path, pytest.MonkeyPatch], None]
WITHOUT_SOPS = [name for name in ALL_TOOLS if name != "sops"]
NEITHER = [name for name in WITHOUT_SOPS if name != "age"]


def held(folder: Path) -> dict[str, str]:
    file = folder.parent / "keys.txt"
    file.write_text("AGE-SECRET-KEY-1QQQQ")
    file.chmod(0o600)
    return {"SOPS_AGE_KEY_FILE": str(file)}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    encrypted(folder / "a.sops.yaml", ALICE)
    encrypted(folder / "deep" / "b.yaml", ALICE)
    encrypted(folder / "deep" / "c.sops.yaml", ALICE, BOB)
    return folder


def looked(
    repository: Path, codes: dict[str, int | None], tools: list[str] | None = None
) -> list[Check]:
    machine = Machine(tools or ALL_TOOLS, codes=codes, environment=held(repository))
    return secrets.rows(machine.host, repository, {})


def test_files_are_found_by_what_they_are_and_grouped_by_who_can_open_them(
    repository: Path,
) -> None:
    (repository / ".sops.yaml").write_text(f"creation_rules: [{{age: {BOB}}}]\n")
    (repository / "plain.yaml").write_text(f"recipient: {BOB}\n")
    encrypted(repository / ".git" / "d.sops.yaml", BOB)
    (repository / "e.sops.env").write_text(
        f"A=ENC[AES256_GCM,data:x]\nsops_age__list_0__map_recipient={BOB}\n"
    )
    found = sealed.encrypted_in(repository)

    assert found.whole
    assert [({BOB}, 1), ({ALICE}, 2), ({ALICE, BOB}, 1)] == sorted(
        ((set(one.recipients), one.count) for one in found.sets),
        key=lambda one: (len(one[0]), one[1]),
    )


ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOS4a4UuJ+A3mH/y0kDQ2y3HcqkjvPqQ4gDqJ5xw1AbC"
RSA = f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{'C7x/' * 80}"
YUBIKEY = "age1yubikey1q" + "2" * 58
TPM = "age1tpm1q" + "3" * 58
ENCLAVE = "age1se1q" + "4" * 58
QUANTUM = "age1pq1" + "5" * 1950
ENVELOPE = "-----BEGIN AGE ENCRYPTED FILE-----\\nYWdl\\n-----END AGE ENCRYPTED FILE-----\\n"
LINES = ENVELOPE.replace("\\n", "\n            ").rstrip()
SHAPES = {
    "yaml, as sops wrote it": "a: ENC[x]\nsops:\n    age:\n"
    f"        - recipient: WHO\n          enc: |\n            {LINES}\n    mac: ENC[x]\n",
    "yaml, as sops writes it": "a: ENC[x]\nsops:\n    age:\n"
    f"        - enc: |\n            {LINES}\n          recipient: WHO\n    mac: ENC[x]\n",
    "yaml, quoted, with a comment": "a: ENC[x]\nsops:\n    age: # us\n"
    f"        - recipient: 'WHO'\n          enc: |\n            {LINES}\n",
    "yaml, keys moved": f"sops:\n  age:\n  - recipient: WHO\n    enc: |\n        {LINES}\nz: ENC[x]\n",
    "yaml, key groups": "a: ENC[x]\nsops:\n    key_groups:\n        - age:\n"
    f"            - recipient: WHO\n              enc: |\n                {LINES}\n",
    "json": '{"a": "ENC[x]", "sops": {"age": [{"recipient": "WHO", "enc": "'
    f'{ENVELOPE}"}}], "mac": "ENC[x]"}}}}',
    "dotenv": "A=ENC[x]\nsops_age__list_0__map_recipient=WHO\n"
    f"sops_age__list_0__map_enc={ENVELOPE}\nsops_mac=ENC[x]\n",
    "ini": "[a]\nb = ENC[x]\n[sops]\nage__list_0__map_recipient = WHO\n"
    f"age__list_0__map_enc = {ENVELOPE}\n",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "recipient", [ALICE, ED25519, RSA, YUBIKEY, TPM, ENCLAVE, QUANTUM], ids=lambda one: one[:10]
)
def test_every_recipient_under_age_counts(tmp_path: Path, recipient: str, shape: str) -> None:
    """
    A file for SSH's or a plugin's keys alone was in order untried, and the node was wiped.

    Mutants: know ``age1`` and 58 letters alone; know only one of the formats; keep an SSH key's comment.
    """
    file = tmp_path / "a.sops.yaml"
    file.write_text(SHAPES[shape].replace("WHO", recipient))
    found = sealed.encrypted_in(tmp_path)

    assert [{recipient}] == [set(one.recipients) for one in found.sets]
    assert found.whole
    unable = Machine(NEITHER, environment=held(tmp_path)).host
    assert {RESET} == row(secrets.rows(unable, tmp_path, {}, (RESET,)), "secrets.proof").blocks


FORMS = {
    "yaml, as sops writes it": "yaml",
    "json": "json",
    "dotenv": "dotenv",
    "ini": "ini",
}


@pytest.mark.parametrize("shape", FORMS)
@pytest.mark.parametrize("name", ["secrets.sops", "kubeconfig.enc", "talosconfig", ".env.prod"])
def test_a_file_counts_whatever_it_is_called(tmp_path: Path, name: str, shape: str) -> None:
    """
    One that only somebody else opens was not there for the doctor, and the wipe was free.

    Mutants: look into files of some names alone; let sops guess the format by a name that does not say it.
    """
    (tmp_path / name).write_text(SHAPES[shape].replace("WHO", BOB))
    machine = Machine(codes={"sops": 128}, environment=held(tmp_path))
    found = secrets.rows(machine.host, tmp_path, {}, (RESET,))

    assert {RESET} <= row(found, "secrets.key").blocks
    form = FORMS[shape]
    told = f"--input-type {form} --output-type {form} {tmp_path / name}"
    assert [f"sops --decrypt {told}"] == machine.asked


@pytest.mark.parametrize(
    "text",
    [
        f"# Secrets\n\nThey look like this:\n\n```yaml\n{SHAPES['yaml, as sops writes it']}```\n",
        f"cat >x <<EOF\n{SHAPES['yaml, as sops writes it']}EOF\n",
        f"\0\0{SHAPES['json']}",
    ],
    ids=["page", "script", "program"],
)
def test_what_only_shows_an_encrypted_file_is_none(tmp_path: Path, text: str) -> None:
    """Mutant: count whatever holds sops' words; no key opens a README, and nothing could be wiped."""
    (tmp_path / "README").write_text(text.replace("WHO", BOB))

    assert sealed.Found(()) == sealed.encrypted_in(tmp_path)


def test_of_a_program_the_beginning_is_enough(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures and databases are most of a large repository. Mutant: read them to their ends."""
    monkeypatch.setattr(sealed, "BYTES_LIMIT", 10_000)
    (repository / "picture").write_bytes(b"\x89PNG\0" * 10_000)

    assert sealed.encrypted_in(repository).whole


def test_a_name_that_says_so_is_tried_even_where_its_content_is_damaged(tmp_path: Path) -> None:
    """As a merge leaves it: nobody can read it. Mutant: ask for its form, whatever it is called."""
    damaged = f"<<<<<<< HEAD\n{SHAPES['yaml, as sops writes it']}"
    for name in ("a.sops", "b.sops.txt", "c.yaml"):
        (tmp_path / name).write_text(damaged.replace("WHO", BOB))

    assert [3] == [one.count for one in sealed.encrypted_in(tmp_path).sets]


def test_what_lies_in_a_folder_elsewhere_may_be_encrypted_for_anybody(tmp_path: Path) -> None:
    """Mutants: take a link to a folder for nothing; take one whose target is walked anyway for unread."""
    repository, shared = tmp_path / "repository", tmp_path / "shared"
    encrypted(shared / "a.sops.yaml", BOB)
    encrypted(repository / "k" / "b.sops.yaml", ALICE)
    (repository / "round").symlink_to(repository)
    (repository / "also").symlink_to("k")
    assert sealed.encrypted_in(repository).whole

    elsewhere = repository / "shared"
    elsewhere.symlink_to(shared)
    hidden = repository / "hidden"
    (repository / ".git" / "k").mkdir(parents=True)
    hidden.symlink_to(".git/k")
    assert (hidden, elsewhere) == sealed.encrypted_in(repository).unread
    machine = Machine(codes={"sops": 0}, environment=held(repository))
    found = secrets.rows(machine.host, repository, {}, (RESET,))
    assert {RESET} == row(found, "secrets.proof").blocks
    assert "a link to a folder elsewhere" in row(found, "secrets.files").said


def test_of_an_ssh_key_the_comment_says_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        encrypted(tmp_path / f"{name}.sops.yaml", f"{ED25519} me@{name}, at home")

    assert [({ED25519}, 2)] == [
        (set(one.recipients), one.count) for one in sealed.encrypted_in(tmp_path).sets
    ]


def test_rows_of_two_ssh_keys_are_told_apart(tmp_path: Path) -> None:
    """Mutant: their first 16 letters, which all of a kind have."""
    other = ED25519[:-4] + "wXyZ"
    encrypted(tmp_path / "a.sops.yaml", ED25519)
    encrypted(tmp_path / "b.sops.yaml", other)
    encrypted(tmp_path / "c.sops.yaml", QUANTUM)
    machine = Machine(codes={"sops": 0}, environment=held(tmp_path))
    found = [c for c in secrets.rows(machine.host, tmp_path, {}) if c.id.startswith("secrets.age/")]

    assert 3 == len({check.id for check in found})
    assert all(" " not in check.id and len(check.subject) < 200 for check in found)


@pytest.mark.parametrize(
    "entry",
    [
        "recipient: ssh-rsa",  # and its key on the next line, as some formatters fold it
        "recipient: >-\n            ssh-rsa AAAA",
        "recipient:",
        "key: age1who",
        "recipient: *one",
        f"recipient: {ALICE}\n        - enc: |\n            {LINES}\n",
        f"recipient: {ALICE}\n          enc: |\n            {LINES}\n        - recipient: ssh-rsa",
    ],
)
def test_an_entry_under_age_that_is_not_understood_may_be_for_anybody(
    tmp_path: Path, entry: str
) -> None:
    """Mutants: take no known recipient for none; take the entries that are known for all."""
    file = tmp_path / "a.sops.yaml"
    file.write_text(
        f"a: ENC[x]\nsops:\n    age:\n        - {entry}\n          enc: |\n            {LINES}\n"
    )
    found = secrets.rows(Machine().host, tmp_path, {}, (RESET,))

    assert (file,) == sealed.encrypted_in(tmp_path).unread
    assert {RESET} == row(found, "secrets.proof").blocks
    assert "a.sops.yaml" in row(found, "secrets.files").said


@pytest.mark.parametrize("age", ["", "    age: []\n", "    age:\n", "    age: null\n"])
def test_what_no_age_recipient_can_open_is_not_counted(tmp_path: Path, age: str) -> None:
    """
    KMS and PGP are excused, and whoever gets mail is no recipient.

    Mutant: count a ``recipient:`` of a file that lists none under ``age:``.
    """
    (tmp_path / "a.sops.yaml").write_text(
        f"a: ENC[x]\nsops:\n    kms:\n        - arn: aws\n{age}    mac: ENC[x]\n"
        "---\nrecipient: me@example.org\nstorage: - x\n"
    )

    assert (True, ()) == (
        sealed.encrypted_in(tmp_path).whole,
        sealed.encrypted_in(tmp_path).sets,
    )


@pytest.mark.parametrize(
    ("name", "limit"), [("FILES_LIMIT", 2), ("BYTES_LIMIT", 500), ("SETS_LIMIT", 1)]
)
def test_what_is_too_large_is_not_said_to_be_in_order(
    repository: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    assert "secrets.files" not in verdicts(looked(repository, {"sops": 0}))
    monkeypatch.setattr(sealed, name, limit)

    assert "unknown" == verdicts(looked(repository, {"sops": 0}))["secrets.files"]


def test_one_file_of_each_set_is_really_decrypted(repository: Path) -> None:
    machine = Machine(codes={"sops --decrypt": 0}, environment=held(repository))
    found = secrets.rows(machine.host, repository, {})

    assert {"ok"} == set(verdicts(found).values())
    assert [
        f"sops --decrypt {repository / 'a.sops.yaml'}",
        f"sops --decrypt {repository / 'deep' / 'c.sops.yaml'}",
    ] == sorted(machine.asked)


def test_a_set_that_the_key_does_not_open_is_red_and_lets_commands_run(repository: Path) -> None:
    found = looked(repository, {f"sops --decrypt {repository / 'a'}": 128, "sops": 0})

    assert ["ok", "red", "ok"] == [str(check.verdict) for check in found]
    assert COMMAND not in found[1].blocks
    assert ALICE in found[1].todo


BOOTSTRAP = "sops exec-file bootstrap/secrets.sops.yaml 'kubectl apply -f {}'"


@pytest.mark.parametrize(
    ("argv", "file", "text", "forbidden"),
    [
        (("bash", "apps.sh"), "apps.sh", BOOTSTRAP, True),
        (("bash", "apps.sh"), "apps.sh", "helmfile sync  # a fine philosophy", False),
        (("bash", "apps.sh"), "other.sh", BOOTSTRAP, False),
        (("task", "apps"), "Taskfile.yaml", "env: {SOPS_AGE_KEY_FILE: age.key}", True),
        (("task", "apps"), ".taskfiles/bootstrap/Taskfile.yml", BOOTSTRAP, True),
        (("just", "apps"), "kubernetes/mod.just", BOOTSTRAP, True),
        (("just", "apps"), "Taskfile.yaml", BOOTSTRAP, False),
        (("helmfile", "sync"), "helmfile.yaml", "values: [{{ exec `sops` }}]", True),
    ],
)
def test_a_key_that_opens_nothing_forbids_the_commands_that_call_sops(
    repository: Path, argv: tuple[str, ...], file: str, text: str, *, forbidden: bool
) -> None:
    path = repository / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    command = Command(argv=argv, directory=str(repository))
    machine = Machine(codes={"sops": 128}, environment=held(repository))
    found = secrets.rows(machine.host, repository, {"apps": command})

    assert ("red", False) == (
        str(row(found, "secrets.key").verdict),
        COMMAND in row(found, "secrets.key").blocks,
    )
    assert [(COMMAND, "command/apps")] * forbidden == [
        (verb, check.target) for check in found for verb in check.blocks if verb != RESET
    ]
    assert RESET in row(found, "secrets.key").blocks, "what is wiped could not be made again"


def test_a_key_that_opens_something_lets_them_run(repository: Path) -> None:
    (repository / "apps.sh").write_text(BOOTSTRAP)
    command = Command(argv=("bash", "apps.sh"), directory=str(repository))
    codes = {f"sops --decrypt {repository / 'a'}": 128, "sops": 0}
    machine = Machine(codes=codes, environment=held(repository))

    found = secrets.rows(machine.host, repository, {"apps": command})

    assert not any(check.blocks - {RESET} for check in found)


def test_without_a_key_the_one_that_lies_there_is_named(repository: Path, tmp_path: Path) -> None:
    (repository / "age.key").touch()
    machine = Machine(codes={"sops": 128}, home=tmp_path / "home")
    found = row(secrets.rows(machine.host, repository, {}), "secrets.key")

    assert "red" == str(found.verdict)
    assert f"export SOPS_AGE_KEY_FILE={repository / 'age.key'}" == found.todo


def test_a_key_that_sops_finds_elsewhere_is_enough(repository: Path, tmp_path: Path) -> None:
    machine = Machine(codes={"sops": 0}, home=tmp_path / "home")

    assert {"ok"} == set(verdicts(secrets.rows(machine.host, repository, {})).values())


@pytest.mark.parametrize(
    ("code", "verdict", "said"),
    [
        (0, "ok", "was decrypted"),
        (51, "red", "its MAC does not fit"),
        (128, "red", "no key that is held"),
        (1, "red", "(exit 1)"),
        (None, "unknown", "no answer in time"),
    ],
)
def test_how_sops_ends_is_told(repository: Path, code: int | None, verdict: str, said: str) -> None:
    found = looked(repository, {"sops": code})[1]

    assert (verdict, True) == (str(found.verdict), said in found.said)


def test_without_sops_age_opens_the_data_key(repository: Path) -> None:
    """Whether its values and its MAC are whole, age cannot say. Mutant: say that the file was decrypted."""
    found = looked(repository, {"age --decrypt": 0}, WITHOUT_SOPS)
    assert {"ok"} == set(verdicts(found).values())
    assert "the data key of a.sops.yaml was opened" in found[1].said
    assert "decrypted" not in found[1].said
    assert "red" == str(looked(repository, {"age --decrypt": 1}, WITHOUT_SOPS)[1].verdict)


def test_without_either_nobody_can_tell_and_nothing_is_forbidden(repository: Path) -> None:
    found = looked(repository, {}, NEITHER)

    assert ["ok", "unknown", "unknown"] == [str(check.verdict) for check in found]
    assert not any(check.blocks for check in found)
    assert "install sops" in found[1].todo


@pytest.mark.parametrize(
    ("codes", "tools", "tried"),
    [
        ({}, NEITHER, "sops is not on PATH"),
        ({"sops": None}, ALL_TOOLS, "no answer in time"),
    ],
)
@pytest.mark.parametrize("allowed", [(), (COMMAND,), (COMMAND, RESET)])
def test_what_nobody_could_try_forbids_a_wipe_and_nothing_else(
    repository: Path, codes: dict[str, int | None], tools: list[str], tried: str, allowed: list[str]
) -> None:
    machine = Machine(tools, codes=codes, environment=held(repository))
    found = secrets.rows(machine.host, repository, {}, allowed)
    may_wipe = RESET in allowed

    assert ["ok", "unknown", "unknown", *["red"] * may_wipe] == [
        str(check.verdict) for check in found
    ]
    assert tried in found[1].said
    assert [RESET] * may_wipe == [verb for check in found for verb in check.blocks]
    if may_wipe:
        proof = row(found, "secrets.proof")
        assert "nobody could prove that they can be decrypted: a.sops.yaml and 2 more" in proof.said
        assert "install sops" in proof.todo
        assert "sops --decrypt a.sops.yaml" in proof.todo


def test_one_set_that_was_not_tried_is_enough_to_forbid_a_wipe(repository: Path) -> None:
    codes = {f"sops --decrypt {repository / 'a'}": None, "sops": 0}
    machine = Machine(codes=codes, environment=held(repository))
    proof = row(secrets.rows(machine.host, repository, {}, (RESET,)), "secrets.proof")

    assert "a.sops.yaml and 1 more" in proof.said
    assert {RESET} == proof.blocks


@pytest.mark.parametrize(
    ("name", "limit"), [("FILES_LIMIT", 2), ("BYTES_LIMIT", 500), ("SETS_LIMIT", 1)]
)
def test_what_was_left_out_was_not_tried_either(
    repository: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    """Mutant: count as unproven only what was tried and gave no answer."""
    monkeypatch.setattr(sealed, name, limit)
    machine = Machine(codes={"sops": 0}, environment=held(repository))
    proof = row(secrets.rows(machine.host, repository, {}, (RESET,)), "secrets.proof")

    assert {RESET} == proof.blocks
    assert "too much to be looked through" in proof.said
    assert "name the cluster's own folder" in proof.todo
    assert not any(c.blocks for c in secrets.rows(machine.host, repository, {}, (COMMAND,)))


def test_where_only_what_was_left_out_may_be_encrypted_a_wipe_is_forbidden(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: take a repository of which the beginning holds no secret for one without any."""
    monkeypatch.setattr(sealed, "FILES_LIMIT", 0)
    found = secrets.rows(Machine().host, repository, {}, (RESET,))

    assert {"secrets.files": "unknown", "secrets.proof": "red"} == verdicts(found)
    assert {"secrets.files"} == set(verdicts(secrets.rows(Machine().host, repository, {})))


LARGE = "a" * 100


def large(path: Path, *recipients: str) -> Path:
    """400 KB, as a bundle of manifests has them."""
    encrypted(path, *recipients)
    path.write_text("".join(f"a{one}: {LARGE}\n" for one in range(4_000)) + path.read_text())
    return path


def test_a_large_file_is_tried_like_any_other(repository: Path) -> None:
    """
    Somebody else's 400 KB were silently left out, and all was in order.

    Mutant: return nothing for what is larger than 256 KiB.
    """
    path = large(repository / "z.sops.yaml", BOB)
    machine = Machine(
        codes={f"sops --decrypt {path}": 128, "sops": 0}, environment=held(repository)
    )
    found = secrets.rows(machine.host, repository, {}, (RESET,))

    assert path.stat().st_size > 400_000
    assert ["z.sops.yaml"] == [
        check.said.rpartition(" ")[2] for check in found if check.blocks == {RESET}
    ]


@pytest.mark.parametrize(("marked", "whole"), [(True, True), (False, False)])
def test_of_a_file_beyond_all_measure_the_end_is_read(
    repository: Path, monkeypatch: pytest.MonkeyPatch, *, marked: bool, whole: bool
) -> None:
    """Mutants: read the beginning; take an end that says nothing of sops for a file in clear."""
    monkeypatch.setattr(sealed, "READ_LIMIT_BYTES", 4096)
    path = large(repository / "z.sops.yaml", BOB)
    if not marked:
        path.write_text(path.read_text() + f"b: {LARGE * 50}\nc: ENC[AES256_GCM,data:eA==]\n")
    found = sealed.encrypted_in(repository)

    assert (whole, marked) == (found.whole, {BOB} in [set(one.recipients) for one in found.sets])
    assert found.unread == (() if whole else (path,))


def closed_file(repository: Path, _: pytest.MonkeyPatch) -> None:
    """To root all files are open; not one that leads to itself."""
    (repository / "closed.yaml").symlink_to("closed.yaml")


def closed_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, really = repository / "closed", os.scandir
    folder.mkdir()

    def scandir(path: str) -> object:
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("close", [closed_file, closed_folder])
@pytest.mark.parametrize("others", [True, False])
def test_what_cannot_be_read_may_be_encrypted_for_anybody(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close: Close, *, others: bool
) -> None:
    """Mutants: take it for a file in clear; walk on without a word; leave *unread* out of ``unproven``."""
    folder = repository if others else tmp_path / "plain"
    folder.mkdir(exist_ok=True)
    close(folder, monkeypatch)
    machine = Machine(codes={"sops": 0}, environment=held(repository))
    found = secrets.rows(machine.host, folder, {}, (RESET,))

    assert ("unknown", "red") == (
        str(row(found, "secrets.files").verdict),
        str(row(found, "secrets.proof").verdict),
    )
    assert "ls -ld closed" in row(found, "secrets.files").todo
    assert "what could not be read: closed" in row(found, "secrets.proof").said
    assert {RESET} == row(found, "secrets.proof").blocks
    assert not any(c.blocks for c in secrets.rows(machine.host, folder, {}, (COMMAND,)))


def test_what_is_no_file_or_leads_nowhere_is_not_looked_into(repository: Path) -> None:
    """As editors make them. Mutants: open whatever is there (it waits for ever); count it as unread."""
    (repository / ".#a.yaml").symlink_to("nobody@nowhere.1")
    os.mkfifo(repository / "pipe.yaml")
    os.mkfifo(repository / "pipe")

    assert sealed.encrypted_in(repository).whole


KERNELS = Path("/proc/self/mem")


@pytest.mark.skipif(not KERNELS.exists(), reason="Linux' own")
def test_what_the_kernel_makes_up_is_not_looked_into(repository: Path) -> None:
    """Some such files never answer. Mutant: open what has no size."""
    (repository / "kernel").symlink_to(KERNELS)

    assert sealed.encrypted_in(repository).whole


def test_what_was_decrypted_forbids_no_wipe(repository: Path, tmp_path: Path) -> None:
    machine = Machine(codes={"sops": 0}, environment=held(repository))

    assert not any(c.blocks for c in secrets.rows(machine.host, repository, {}, (RESET,)))
    assert not any(c.blocks for c in secrets.rows(machine.host, tmp_path / "none", {}, (RESET,)))


def test_a_key_that_others_may_read_is_a_warning(repository: Path) -> None:
    environment = held(repository)
    Path(environment["SOPS_AGE_KEY_FILE"]).chmod(0o644)
    machine = Machine(codes={"sops": 0}, environment=environment)

    assert "warning" == str(row(secrets.rows(machine.host, repository, {}), "secrets.key").verdict)


def test_a_relative_key_is_looked_for_from_here_by_sops_as_well(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It was looked for in the folder of each encrypted file, was not there, and the wipe was forbidden.

    Mutants: run sops in the folder of the file; say nothing of what the plan's commands will not find.
    """
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ntest -f "$SOPS_AGE_KEY_FILE" && test -f "$2" || exit 128\n')
    program.chmod(0o755)
    environment = {**held(repository), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.chdir(tmp_path)
    here = Host(environment={**environment, "SOPS_AGE_KEY_FILE": "./keys.txt"}, home=tmp_path)
    found = secrets.rows(here, repository, {}, (RESET,))

    key = row(found, "secrets.key")
    assert {"ok", "warning"} == set(verdicts(found).values())
    assert ("warning", f"export SOPS_AGE_KEY_FILE={tmp_path / 'keys.txt'}") == (
        str(key.verdict),
        key.todo,
    )
    there = Host(environment=environment, home=tmp_path)
    assert {"ok"} == set(verdicts(secrets.rows(there, repository, {}, (RESET,))).values())


def test_a_repository_without_secrets_needs_no_key(tmp_path: Path) -> None:
    assert {"secrets.files": "ok"} == verdicts(secrets.rows(Machine().host, tmp_path, {}))


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"SOPS_AGE_KEY": "AGE-SECRET-KEY-1QQ"}, "SOPS_AGE_KEY"),
        ({"SOPS_AGE_KEY_CMD": "op read x"}, "SOPS_AGE_KEY_CMD"),
        ({"XDG_CONFIG_HOME": "/c"}, "/c/sops/age/keys.txt"),
        ({}, "/home/me/.config/sops/age/keys.txt"),
    ],
)
def test_the_key_is_looked_for_where_sops_does(environment: dict[str, str], place: str) -> None:
    found = identities.key_of(environment, Path("/home/me"))

    assert (place, place.startswith("SOPS")) == (found.place, found.there)
