"""Talos nodes: what their port says, what talosctl says, and what is done to them."""

from __future__ import annotations

import hashlib
import socket
import time
from typing import TYPE_CHECKING

import pytest
import yaml

from journal.entries import Outcome
from phases.snapshot import NodeLook, Seen, Unseen
from rekindle.adapters import orphans, talos_text, tls_probe
from rekindle.adapters import talos as talos_module
from rekindle.adapters.talos import NodeEye, Talosctl, TalosNodeAddress
from rekindle.adapters.talos_actions import TalosActions
from rekindle.adapters.tls_probe import CONFIGURED, MAINTENANCE, Probed, probe
from tests.adapters.conftest import make_intent, write_kubeconfig
from tests.adapters.talos_nodes import (
    BOOT_ID,
    MEMBERS,
    UUID,
    Certificate,
    FakeTalosctl,
    configured,
    maintenance,
    make_certificate,
    refusal,
    server,
)

if TYPE_CHECKING:
    from pathlib import Path

    from journal.entries import Json

UNKNOWN_AUTHORITY = refusal("Unavailable", "x509: certificate signed by unknown authority")
CONNECTION_REFUSED = refusal("Unavailable", "dial tcp 10.5.0.2:50000: connect: connection refused")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def fake(tmp_path: Path) -> FakeTalosctl:
    folder = tmp_path / "bin"
    folder.mkdir()
    return FakeTalosctl(folder)


@pytest.fixture
def eye(fake: FakeTalosctl, tmp_path: Path) -> NodeEye:
    return NodeEye(
        Talosctl(str(fake.program), tmp_path / "talosconfig"), TalosNodeAddress("cp-1", "10.5.0.2")
    )


# --- the port ------------------------------------------------------------------------------------


@pytest.mark.parametrize("listens_first", [False, True])
def test_the_port_of_a_node_in_maintenance(
    listens_first: bool,  # noqa: FBT001
    certificate: Certificate,
) -> None:
    with server(maintenance(certificate, listens_first=listens_first)) as port:
        assert probe("127.0.0.1", port).kind == MAINTENANCE


def test_the_port_of_a_configured_node(certificate: Certificate) -> None:
    with server(configured(certificate)) as port:
        assert [probe("127.0.0.1", port).kind for _ in range(5)] == [CONFIGURED] * 5


def test_the_port_of_a_node_that_is_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert probe("127.0.0.1", port).kind == tls_probe.REFUSED


def test_a_port_that_takes_the_connection_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        began = time.monotonic()
        probed = probe("127.0.0.1", listening.getsockname()[1], seconds=0.3)

    assert probed.kind == tls_probe.SILENT
    assert time.monotonic() - began < 1


def test_a_port_of_something_else() -> None:
    with server(lambda accepted: accepted.sendall(b"SSH-2.0-OpenSSH\r\n")) as port:
        assert probe("127.0.0.1", port).kind == tls_probe.ODD


# --- a look --------------------------------------------------------------------------------------


def look(eye: NodeEye, kind: str = CONFIGURED) -> NodeLook:
    seen = eye.look(Probed(kind))
    assert isinstance(seen, Seen), seen
    return seen.value


def unseen(eye: NodeEye, kind: str = CONFIGURED) -> str:
    seen = eye.look(Probed(kind))
    assert isinstance(seen, Unseen), seen
    return seen.code


def test_a_running_node(fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.running("running", "nodeReady")

    assert look(eye) == NodeLook(
        stage="running",
        ready=False,
        unmet=("nodeReady",),
        boot_id=BOOT_ID,
        machine_uuid=UUID,
        etcd="Running",
        etcd_healthy=True,
        members=("cp-1", "", "cp-3"),
        learners=("",),
        version="v1.12.0",
        member_ids=("4b7c1a2f4e6c1d2a", "5b7c1a2f4e6c1d2a", "6b7c1a2f4e6c1d2a"),
        member_id="4b7c1a2f4e6c1d2a",
        leader="6b7c1a2f4e6c1d2a",
        raft_term=2,
        db_size="4.2 MB",
    )
    assert all(" -e 10.5.0.2 -n 10.5.0.2 " in f" {call} " for call in fake.calls)


def test_what_cannot_change_is_asked_once_a_boot(fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.running()
    look(eye)
    look(eye)
    assert len([call for call in fake.calls if "systeminformation" in call]) == 1

    fake.says("read__proc_sys_kernel_random_boot_id", "another\n")
    assert look(eye).boot_id == "another"
    assert len([call for call in fake.calls if "systeminformation" in call]) == 2


def test_a_node_that_waits_for_its_bootstrap(fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.running("booting", "services", etcd="Preparing")
    fake.refuses("etcd_members", refusal("Unavailable", "etcd is not running"))
    found = look(eye)

    assert (found.etcd, found.etcd_healthy, found.members) == ("Preparing", False, None)


@pytest.mark.parametrize(
    ("stderr", "state"),
    [
        ('error listing services: service "etcd" is not registered on any nodes\n', ""),
        (refusal("Unavailable", "transport is closing"), None),
        (refusal("DeadlineExceeded"), None),
    ],
)
def test_no_etcd_is_an_answer_and_no_answer_is_none(
    stderr: str, state: str | None, fake: FakeTalosctl, eye: NodeEye
) -> None:
    """Mutant: call every failure of that question "there is none"; talos-ready breaks on a hiccup."""
    fake.running()
    fake.refuses("service_etcd", stderr)
    found = look(eye)

    assert (found.etcd, found.etcd_healthy, found.members) == (state, False, None)


@pytest.mark.parametrize("text", ["{" * 5000, '{"spec": {"stage": "running\udcff"}}'])
def test_what_cannot_be_decoded_is_odd_and_never_an_error(
    text: str, fake: FakeTalosctl, eye: NodeEye
) -> None:
    (fake.folder / "get_machinestatus_-o_json.out").write_bytes(
        text.encode("utf-8", "surrogateescape")
    )

    assert unseen(eye) == "odd"


@pytest.mark.parametrize(
    ("stderr", "certain"),
    [
        (CONNECTION_REFUSED, True),
        (refusal("Unknown", "dial tcp 127.0.0.1:2379: connect: connection refused"), False),
        (refusal("Unavailable", "transport is closing"), False),
    ],
)
def test_only_the_dialler_can_say_that_nothing_was_sent(stderr: str, certain: bool) -> None:  # noqa: FBT001
    """Mutant: take any text with "connection refused" for it; the node's own etcd says the same of itself."""
    assert talos_text.was_not_sent(stderr) is certain


def test_a_node_in_maintenance_is_not_asked_with_our_credentials(
    fake: FakeTalosctl, eye: NodeEye
) -> None:
    fake.resource("systeminformation", {"uuid": UUID}, "_--insecure")

    expected = NodeLook(stage="maintenance", ready=True, machine_uuid=UUID)
    assert [look(eye, MAINTENANCE), look(eye, MAINTENANCE)] == [expected, expected]
    assert len(fake.calls) == 1
    assert "--talosconfig" not in fake.calls[0]


def test_a_configured_node_with_other_secrets_is_foreign(fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.refuses("get_machinestatus_-o_json", UNKNOWN_AUTHORITY)

    assert look(eye).stage == "foreign"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CONNECTION_REFUSED, "refused"),
        (refusal("PermissionDenied"), "denied"),
        (refusal("Unavailable", "write: broken pipe"), "silent"),
        (refusal("Unavailable", "remote error: tls: certificate required"), "denied"),
        (refusal("DeadlineExceeded"), "silent"),
        ("panic: something", "odd"),
    ],
)
def test_errors_are_words_of_ours(text: str, code: str, fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.refuses("get_machinestatus_-o_json", text)

    assert unseen(eye) == code


def test_a_port_that_refuses_asks_nothing(fake: FakeTalosctl, eye: NodeEye) -> None:
    assert unseen(eye, tls_probe.REFUSED) == "refused"
    assert fake.calls == []


def test_silence_ends_at_our_own_deadline(
    fake: FakeTalosctl, eye: NodeEye, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Talosctl.call, "__kwdefaults__", {"seconds": 0.3, "insecure": False})
    fake.hangs("get_machinestatus_-o_json")
    began = time.monotonic()

    assert unseen(eye) == "silent"
    assert time.monotonic() - began < 2
    assert talos_module.GET_SECONDS == 10.0


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"spec": {"stage": 3}}'])
def test_what_is_not_understood_is_odd(text: str, fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.says("get_machinestatus_-o_json", text)

    assert unseen(eye) == "odd"


def test_a_missing_talosctl_is_odd(tmp_path: Path) -> None:
    talosctl = Talosctl(str(tmp_path / "none"), tmp_path / "talosconfig")

    assert unseen(NodeEye(talosctl, TalosNodeAddress("cp-1", "10.5.0.2"))) == "odd"


def test_the_last_time_it_was_seen_is_remembered(fake: FakeTalosctl, eye: NodeEye) -> None:
    fake.running()
    seen = eye.look(Probed(CONFIGURED))
    gone = eye.look(Probed(tls_probe.SILENT))

    assert isinstance(gone, Unseen)
    assert gone.since == seen.at if isinstance(seen, Seen) else False


def test_tables_are_split_where_the_header_says() -> None:
    rows = talos_text.table(MEMBERS)

    assert rows[1]["HOSTNAME"] == ""
    assert rows[1]["CLIENT URLS"] == ""
    assert rows[2]["PEER URLS"] == "https://10.5.0.4:2380"


@pytest.mark.parametrize("text", ["", "NODE  ID\n", "something else entirely\nx\n"])
def test_a_table_of_another_version_is_not_guessed_at(text: str) -> None:
    with pytest.raises(talos_text.NotUnderstood):
        talos_text.etcd_members(text)


# --- doing ---------------------------------------------------------------------------------------


class Plan:
    """The files of a cluster."""

    def __init__(
        self, folder: Path, fake: FakeTalosctl, certificate: Certificate, port: int
    ) -> None:
        self.folder = folder
        self.ca = certificate.base64
        self.talosconfig = folder / "talosconfig"
        content = {"context": "c", "contexts": {"c": {"ca": self.ca}}}
        self.talosconfig.write_text(yaml.safe_dump(content))
        self.config = folder / "cp-1.yaml"
        self.write_config(self.ca)
        talosctl = Talosctl(str(fake.program), self.talosconfig)
        self.actions = TalosActions(talosctl, self.talosconfig, folder / "c.db", port)

    def write_config(self, ca: str) -> None:
        content = {"machine": {"ca": {"crt": ca}}, "cluster": {"ca": {"crt": ca}}}
        self.config.write_text(yaml.safe_dump(content))

    def apply(self, **more: Json) -> Json:
        digest = hashlib.sha256(self.config.read_bytes()).hexdigest()
        arguments = {"address": "127.0.0.1", "config": str(self.config), "sha256": digest}
        return self.actions.apply(make_intent("talos.apply", **{**arguments, **more}))

    def bootstrap(self, deadline: float = 10.0, **more: Json) -> Json:
        arguments = {"address": "10.5.0.2", "machine_uuid": UUID, "boot_id": BOOT_ID, **more}
        return self.actions.bootstrap(make_intent("etcd.bootstrap", deadline=deadline, **arguments))


@pytest.fixture
def plan(tmp_path: Path, fake: FakeTalosctl, certificate: Certificate) -> Plan:
    fake.running("booting", "services", etcd="Preparing")
    fake.says("bootstrap", "")
    fake.says("apply-config", "Applied configuration without a reboot\n")
    fake.says("apply-config_--insecure", "")
    return Plan(tmp_path, fake, certificate, 1)


def test_a_configuration_is_applied(fake: FakeTalosctl, plan: Plan) -> None:
    assert plan.apply().outcome is Outcome.DONE
    assert fake.calls[-1].endswith(f"apply-config --file {plan.config} --mode auto")


def test_a_configuration_is_applied_to_a_node_in_maintenance(
    fake: FakeTalosctl, plan: Plan, certificate: Certificate
) -> None:
    with server(maintenance(certificate)) as port:
        plan.actions._port = port
        assert plan.apply(insecure=True).outcome is Outcome.DONE

    assert "--insecure" in fake.calls[-1]


@pytest.mark.parametrize(("serving", "code"), [("configured", "conflict"), ("nobody", "transient")])
def test_a_node_that_left_maintenance_is_left_alone(
    serving: str, code: str, fake: FakeTalosctl, plan: Plan, certificate: Certificate
) -> None:
    with server(configured(certificate)) as port:
        plan.actions._port = port if serving == "configured" else 1
        settled = plan.apply(insecure=True)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, code)
    assert not fake.calls


def test_another_file_than_was_meant_is_not_applied(fake: FakeTalosctl, plan: Plan) -> None:
    settled = plan.apply(sha256="0" * 64)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert not fake.calls


def test_a_file_of_another_cluster_is_not_applied(
    fake: FakeTalosctl, plan: Plan, tmp_path: Path
) -> None:
    plan.write_config(make_certificate(tmp_path, "other").base64)
    settled = plan.apply()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "invalid")
    assert not fake.calls


REFUSALS = [
    (refusal("FailedPrecondition"), Outcome.FAILED, "precondition"),
    (
        refusal("AlreadyExists", "etcd data directory is not empty"),
        Outcome.FAILED,
        "already-exists",
    ),
    (refusal("PermissionDenied"), Outcome.FAILED, "denied"),
    (refusal("Unauthenticated"), Outcome.FAILED, "denied"),
    (refusal("InvalidArgument"), Outcome.FAILED, "invalid"),
    (refusal("Unimplemented"), Outcome.FAILED, "invalid"),
    (CONNECTION_REFUSED, Outcome.FAILED, "transient"),
    (UNKNOWN_AUTHORITY, Outcome.FAILED, "denied"),
    (refusal("Unavailable", "write: broken pipe"), Outcome.UNSETTLED, "no-answer"),
    (refusal("Unavailable", "error reading from server: EOF"), Outcome.UNSETTLED, "no-answer"),
    (refusal("DeadlineExceeded"), Outcome.UNSETTLED, "no-answer"),
    (refusal("Unknown"), Outcome.UNSETTLED, "no-answer"),
    ("", Outcome.UNSETTLED, "no-answer"),
]


@pytest.mark.parametrize(("text", "outcome", "code"), REFUSALS)
def test_each_refusal_promises_what_it_can(
    text: str, outcome: Outcome, code: str, fake: FakeTalosctl, plan: Plan
) -> None:
    fake.refuses("bootstrap", text)
    settled = plan.bootstrap()

    assert (settled.outcome, settled.code) == (outcome, code)


TOO_EARLY = "bootstrap is not available yet"
MEANT = f"{TOO_EARLY}: Talos has not come that far in its boot"


@pytest.mark.parametrize(
    ("code", "text", "outcome", "why"),
    [
        ("FailedPrecondition", TOO_EARLY, Outcome.FAILED, MEANT),
        (
            "FailedPrecondition",
            "time is not in sync yet",
            Outcome.FAILED,
            "time is not in sync yet: its clock comes first",
        ),
        (
            "FailedPrecondition",
            "bootstrap can only be performed on a control plane node",
            Outcome.FAILED,
            "bootstrap can only be performed on a control plane node: its configuration is a worker's",
        ),
        ("FailedPrecondition", "token: hunter2", Outcome.FAILED, None),
        ("Unknown", TOO_EARLY, Outcome.UNSETTLED, None),
        ("Unavailable", TOO_EARLY, Outcome.UNSETTLED, None),
    ],
)
def test_a_refusal_that_is_known_says_why_and_decides_nothing(
    fake: FakeTalosctl, plan: Plan, code: str, text: str, outcome: Outcome, why: str | None
) -> None:
    """Mutants: the words say what came of it, and not the code; any words are handed on; none are."""
    fake.refuses("bootstrap", refusal(code, text))
    settled = plan.bootstrap()

    assert (settled.outcome, settled.evidence.get("why")) == (outcome, why)
    assert "hunter2" not in str(settled.evidence)


def test_a_bootstrap_without_an_answer_is_in_doubt(fake: FakeTalosctl, plan: Plan) -> None:
    fake.hangs("bootstrap")
    settled = plan.bootstrap(deadline=0.5)

    assert (settled.outcome, settled.code) == (Outcome.UNSETTLED, "no-answer")
    assert not orphans.is_locked(plan.folder / "c.db.action-1.lock")


@pytest.mark.parametrize("what", ["machine_uuid", "boot_id"])
def test_another_machine_or_another_boot_is_not_bootstrapped(
    what: str, fake: FakeTalosctl, plan: Plan
) -> None:
    meant: dict[str, Json] = {what: "another"}
    settled = plan.bootstrap(**meant)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert not [call for call in fake.calls if call.endswith("bootstrap")]


def test_a_machine_that_does_not_say_who_it_is_is_not_bootstrapped(
    fake: FakeTalosctl, plan: Plan
) -> None:
    fake.refuses("read__proc_sys_kernel_random_boot_id", CONNECTION_REFUSED)

    assert plan.bootstrap().code == "transient"
    assert not [call for call in fake.calls if call.endswith("bootstrap")]


def fetch(plan: Plan, ca: str) -> Json:
    arguments: dict[str, Json] = {"address": "10.5.0.2"}
    arguments["path"] = str(plan.folder / "own" / "kubeconfig")
    return plan.actions.kubeconfig(make_intent("kubeconfig.fetch", **arguments), ca)


def fingerprint(certificate: Certificate) -> str:
    import ssl

    der = ssl.PEM_cert_to_DER_cert(certificate.certificate.read_text())
    return hashlib.sha256(der).hexdigest()


def test_a_kubeconfig_appears_whole_and_private(
    fake: FakeTalosctl, plan: Plan, certificate: Certificate
) -> None:
    write_kubeconfig(fake.folder / "fetched", "https://10.5.0.9:6443", certificate.base64)
    fake.says("kubeconfig_PATH_--merge=false_--force", "")
    settled = fetch(plan, fingerprint(certificate))
    path = plan.folder / "own" / "kubeconfig"

    assert settled.outcome is Outcome.DONE, settled
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == (fake.folder / "fetched").read_text()
    assert [found.name for found in path.parent.iterdir()] == ["kubeconfig"]


@pytest.mark.parametrize("lie", ["another CA", "garbage"])
def test_a_kubeconfig_of_somebody_else_never_takes_the_place_of_ours(
    lie: str, fake: FakeTalosctl, plan: Plan, certificate: Certificate
) -> None:
    if lie == "garbage":
        (fake.folder / "fetched").write_text("nothing: here")
    else:
        write_kubeconfig(fake.folder / "fetched", "https://10.5.0.9:6443", certificate.base64)
    fake.says("kubeconfig_PATH_--merge=false_--force", "")
    settled = fetch(plan, "0" * 64)

    assert settled.outcome is Outcome.FAILED
    assert not (plan.folder / "own" / "kubeconfig").exists()
