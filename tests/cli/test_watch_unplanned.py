"""
``watch`` on any cluster: a kubeconfig is enough. No machine is asked, nothing is begun, and nobody takes over from it.

Mutants: go on with an open watch whatever was asked; follow a kubeconfig to another cluster; ask for talosctl all the
same; count a node as unseen because no machine is asked; leave ``_must_fit`` out; take an empty list of control
planes for an API that is down; keep flux-synced where there is no Flux; leave the refusal out of ``take_over``, or
either of them out of ``recordings.read``.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journal import entries as e
from journal.errors import Diagnosed
from journal.reader import Reader
from phases.snapshot import KINDS
from rekindle.adapters.resources import RESOURCES
from tests.adapters.conftest import write_kubeconfig
from tests.adapters.scripted import Answer as Scripted
from tests.adapters.scripted import ScriptedApi, Streamed, refused
from tests.adapters.talos_nodes import make_certificate
from tests.cli.conftest import SECONDS, Program
from tests.cli.test_watch import STAGED
from tests.phases import cluster_objects as made

pytestmark = pytest.mark.program

NETWORK = made.daemonset("kube-system/cilium", 1)
NAMED = ("--journal", "w.db")
INVENTORY = Path(__file__).parents[2] / "examples" / "minimal" / "inventory.yaml"
TAKES_OVER = "rekindle resume --take-over PLAN --journal"
CONTROLLERS = [
    made.deployment(f"flux-system/{name}-controller") for name in ("source", "kustomize", "helm")
]


@contextmanager
def served(
    folder: Path,
    objects: list[dict[str, Any]],
    refusing: dict[str, int] | None = None,
    ca: str = "",
) -> Iterator[str]:
    """A kubeconfig of an API that serves these, and lets itself be watched; *refusing* maps kinds to a status."""
    with ScriptedApi() as api:
        api.on("/readyz", Scripted(b"ok"))
        for kind, places in RESOURCES.items():
            items = [found for found in objects if found["kind"] == kind]
            body = {"kind": f"{kind}List", "metadata": {"resourceVersion": "7"}, "items": items}
            status = (refusing or {}).get(kind)
            answer = refused(status) if status else Scripted(json.dumps(body).encode())
            for place in places:
                api.on(place.path(), answer)
                api.on(f"{place.path()}?watch", Streamed())
        yield str(write_kubeconfig(folder / "kubeconfig", api.url, ca))
        assert {asked.method for asked in api.asked} == {"GET"}


def kinds(journal: Path) -> list[str]:
    """What a journal has by now; nothing while it is being made."""
    try:
        return [str(type(entry).__struct_config__.tag) for entry in entries(journal)]
    except Diagnosed:
        return []


def until(what: str, holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


def entries(journal: Path) -> list[e.AnyEntry]:
    with Reader(journal) as reader:
        return [row.entry for row in reader.rows() if row.entry is not None]


def watched(rekindle: Program, kubeconfig: str, *words: str) -> tuple[int, dict[str, Any], str]:
    """Watch until the goal is reached, for whoever has no plan."""
    named = ("--kubeconfig", kubeconfig, "--journal", "w.db", "--until-done", *words)
    answer = rekindle("watch", "--json", *named)
    return answer.code, answer.document, answer.err


def until_interrupted(
    rekindle: Program,
    kubeconfig: str,
    *words: str,
    kind: str = "decided",
    times: int = 2,
    journal: str = "w.db",
) -> tuple[dict[str, Any], str]:
    """Until so many entries of a kind are there: the first decision is of a moment when nothing was seen yet."""
    named = ("watch", "--kubeconfig", kubeconfig, *words)
    process = rekindle.until(rekindle.folder / journal, kind, *named, times=times)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 75, err
    document: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return document, err


def test_a_kubeconfig_is_enough_to_be_watched_to_the_end(rekindle: Program, tmp_path: Path) -> None:
    with served(tmp_path, [*made.healthy(), NETWORK, *CONTROLLERS]) as kubeconfig:
        code, document, told = watched(rekindle, kubeconfig)

    assert (code, document["schema"], document["outcome"]) == (0, "rekindle.watch/1", "done")
    assert "no plan: watching c through " in told
    assert "counted against what is there now: 8 pods of 7 workloads" in told
    moves = [entry.target for entry in entries(tmp_path / "w.db") if isinstance(entry, e.Moved)]
    assert moves == ["flux-synced", "pods-healthy", "done"]


def test_a_healthy_cluster_is_watched_on(rekindle: Program, tmp_path: Path) -> None:
    """A black box that ends when all is well records nothing. Mutants: end at the goal; wait for something there."""
    journal = tmp_path / "w.db"
    bare = [made.node("n1"), made.namespace("apps"), NETWORK, made.deployment("apps/web")]
    with served(tmp_path, bare) as kubeconfig:
        process = rekindle.until(journal, "moved", "watch", "--kubeconfig", kubeconfig)
        until("the goal is reached", lambda: done_in(journal))
        told = rekindle("status", "--json", "--journal", "w.db")
        refused_ = rekindle("watch", "--kubeconfig", kubeconfig, "--until-done", *NAMED)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
        again = rekindle("watch", "--kubeconfig", kubeconfig, "--until-done", *NAMED)

    assert (process.returncode, told.code) == (75, 0), said
    assert told.document["waits_for"] == "nothing: everything that should run, runs"
    assert (told.document["can_succeed"], told.document["must_do"]) == ("it has", "nothing")
    assert told.document["eta"]["seconds"] == 0
    for answer in (refused_, again):
        assert (answer.code, "error (run-open): " in answer.err) == (64, True), answer.err


def done_in(journal: Path) -> bool:
    decided = [one.answers for one in entries(journal) if isinstance(one, e.Decided)]
    return decided[-1:] == [{"machine": {"answer": "done"}}]


def test_what_an_inventory_has_is_missed(rekindle: Program, tmp_path: Path) -> None:
    whole = [*made.healthy(), NETWORK, *CONTROLLERS]
    with served(tmp_path, whole) as kubeconfig:
        words = (
            "inventory",
            "--from",
            "cluster",
            "--kubeconfig",
            kubeconfig,
            "-o",
            "inventory.yaml",
        )
        assert rekindle(*words).code == 0
    left = [found for found in whole if found["metadata"].get("uid") != "apps/extra"]
    with served(tmp_path, left) as kubeconfig:
        document, _ = until_interrupted(
            rekindle, kubeconfig, "--inventory", "inventory.yaml", kind="moved"
        )

    assert document["outcome"] == "interrupted"
    assert document["state"] == "pods-healthy"
    assert document["pods"] == {"ready": 7, "expected": 8}


def test_a_network_that_is_gone_is_waited_for_by_its_name(
    rekindle: Program, tmp_path: Path
) -> None:
    """Nobody knows the command that installs it, and nobody says that one would be run."""
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        document, told = until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")

    assert (document["state"], document["would"]) == ("cni-up", [])
    answers = [one.answers for one in entries(tmp_path / "w.db") if isinstance(one, e.Decided)]
    assert answers[-1]["daemonset/kube-system/cilium"] == {
        "answer": "wait",
        "can_clear": "unknown",
        "reason": "absent: daemonset/kube-system/cilium; without a plan nobody knows what installs it",
    }
    assert "--take-over" not in told


def test_a_network_that_nobody_recognises_keeps_nobody_from_watching(
    rekindle: Program, tmp_path: Path
) -> None:
    """It may have another name, or be gone. Mutants: refuse; say nothing of it."""
    bare = [made.node("n1"), made.namespace("apps"), made.deployment("apps/web")]
    with served(tmp_path, bare) as kubeconfig:
        _, told = until_interrupted(rekindle, kubeconfig, kind="moved", times=1)

    assert "no DaemonSet is recognised as the network: cni-up is judged by whether the" in told
    moves = [one for one in entries(tmp_path / "w.db") if isinstance(one, e.Moved)]
    assert [(move.target, move.why) for move in moves] == [("pods-healthy", "every node is Ready")]


def test_without_flux_only_network_and_pods_are_watched(rekindle: Program, tmp_path: Path) -> None:
    """Its kinds are not there at all, and nobody waits for its controllers."""
    bare = [made.node("n1"), made.namespace("apps"), NETWORK, made.deployment("apps/web")]
    flux = ("GitRepository", "Kustomization", "HelmRelease", "ExternalSecret", "ClusterSecretStore")
    with served(tmp_path, bare, dict.fromkeys(flux, 404)) as kubeconfig:
        code, document, told = watched(rekindle, kubeconfig)

    assert (code, document["outcome"]) == (0, "done"), told
    assert document["pods"] == {"ready": 2, "expected": 2}


def test_what_cannot_be_counted_is_said(rekindle: Program, tmp_path: Path) -> None:
    with served(
        tmp_path, [*made.healthy(), NETWORK, *CONTROLLERS], {"Deployment": 403}
    ) as kubeconfig:
        _, told = until_interrupted(rekindle, kubeconfig)

    assert "things are not ready, or cannot be listed and are not counted:" in told
    assert "Deployment: cannot be listed: " in told


def certificates(folder: Path) -> tuple[str, str]:
    return tuple(
        make_certificate(folder, name, "127.0.0.1", (-1, 30)).base64 for name in ("a", "b")
    )  # type: ignore[return-value]


def test_a_kubeconfig_that_names_another_cluster_by_now_is_not_followed(
    rekindle: Program, tmp_path: Path
) -> None:
    """Somebody switches their context; a CA tells clusters apart."""
    ours, theirs = certificates(tmp_path)
    journal = tmp_path / "w.db"
    with served(tmp_path, [*made.healthy(), *CONTROLLERS], ca=ours) as kubeconfig:
        words = ("watch", "--kubeconfig", kubeconfig, "--network", "kube-system/cilium")
        process = rekindle.until(journal, "decided", *words, times=2)
        config = json.loads(Path(kubeconfig).read_text())
        config["clusters"][0]["cluster"]["certificate-authority-data"] = theirs
        Path(kubeconfig).write_text(json.dumps(config))
        until("it is foreign", lambda: codes_of(journal, "kubeconfig")[-1:] == ["foreign"])
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)
        again = rekindle("resume", "--journal", "w.db")

    assert process.returncode == 75, told
    assert (again.code, "error (foreign-cluster): " in again.err) == (78, True), again.err


def codes_of(journal: Path, subject: str) -> list[str]:
    looks = (entry for entry in entries(journal) if isinstance(entry, e.Observed))
    return [look.changed[subject].code for look in looks if subject in look.changed]


def test_an_open_watch_is_gone_on_with_only_as_what_it_is(
    rekindle: Program, tmp_path: Path
) -> None:
    """What lets it act is told to everybody. Mutant: leave ``PLAN`` out of it where there was none."""
    named = ("--journal", "w.db")
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")
        other = tmp_path / "other"
        other.write_bytes(Path(kubeconfig).read_bytes())
        answers = [
            rekindle("watch", "--kubeconfig", str(other), *named),
            rekindle("watch", "--kubeconfig", kubeconfig, "--network", "a/b", *named),
            rekindle("watch", "--kubeconfig", kubeconfig, "--inventory", "i.yaml", *named),
            rekindle("watch", "recovery.yaml", *named, code=STAGED),
            rekindle("run", "recovery.yaml", *named, code=STAGED),
        ]

    for answer in answers:
        assert (answer.code, "error (run-open): " in answer.err) == (64, True), answer.err
        assert f"`{TAKES_OVER} {tmp_path / 'w.db'}` lets it act, `rekindle cancel " in answer.err
    assert not [one for one in entries(tmp_path / "w.db") if isinstance(one, e.PlanChanged)]


def test_a_network_that_is_no_key_is_refused(rekindle: Program) -> None:
    answer = rekindle("watch", "--network", "cilium")

    assert answer.code == 64
    assert "write it as NAMESPACE/NAME, not 'cilium'" in answer.err


def test_nobody_takes_over_without_a_plan(rekindle: Program, tmp_path: Path) -> None:
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")
        taken = rekindle("resume", "--take-over", "--yes", *NAMED)
        page = rekindle("report", *NAMED)
        stands = rekindle("status", *NAMED)

    assert (taken.code, "error (watch-unplanned): " in taken.err) == (64, True), taken.err
    assert f"`{TAKES_OVER} " in taken.err
    assert page.code == 0
    assert "watches on" in stands.out
    assert "--take-over" not in stands.out
    assert not [one for one in entries(tmp_path / "w.db") if isinstance(one, e.TakenOver)]


TAKEN = ("resume", "--take-over", "recovery.yaml", "--yes", *NAMED)
# The cluster of the plan begins when the watch is over, as it would.
LATER = f"""{STAGED}
import time
from rekindle.simulator.world import SimWorld
from rekindle.rehearsal import load
from datetime import UTC, datetime
world = SimWorld(replace(load("node-lost")[1], start=datetime.now(UTC)))
"""
# Ctrl-C comes with its first look.
STOPPED = f"""{LATER}
import os, signal
look = world.look
def once():
    os.kill(os.getpid(), signal.SIGINT)
    return look()
world.look = once
"""


def watched_by_ca(rekindle: Program, folder: Path) -> str:
    """Watch without a plan, and return the authority that the plan's machines have, and another."""
    ours, _ = certificates(folder)
    with served(folder, [*made.healthy(), *CONTROLLERS], ca=ours) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")
    return ours


def configured(folder: Path, authority: str, talos: str = "", *but: str) -> None:
    """
    The plan's talosconfig and machine configurations; *talos* is the authority that these name (empty: the same).

    Of *but* there are none.
    """
    own = make_certificate(folder, "talos", "127.0.0.1", (-1, 30)).base64
    machine = {"type": "controlplane", "ca": {"crt": talos or own}}
    content = {"machine": machine, "cluster": {"ca": {"crt": authority}}}
    for name in {"k8s-1", "k8s-2", "k8s-3"} - {*but}:
        (folder / f"{name}.yaml").write_text(json.dumps(content))
    context = {"context": "c", "contexts": {"c": {"ca": own}}}
    (folder / "talosconfig").write_text(json.dumps(context))


def test_a_plan_of_the_same_cluster_takes_it_over(rekindle: Program, tmp_path: Path) -> None:
    """
    The run stays the same, and is known by the plan's own CA from then on.

    Mutants: leave the identity out of ``TakenOver``; compare the clusters' names; write no plan.
    """
    configured(tmp_path, watched_by_ca(rekindle, tmp_path))
    answer = rekindle(*TAKEN, "--json", code=LATER)
    stands = rekindle("status", "--json", *NAMED)
    decided = rekindle("replay", *NAMED)
    played = rekindle("rehearse", "--from", "w.db", "--write", ".")

    assert (decided.code, played.code) == (0, 0), decided.err + played.err
    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    assert answer.document["schema"] == "rekindle.run/1"
    assert (stands.document["purpose"], stands.document["cluster"]) == ("run", "anton")
    found = kinds(tmp_path / "w.db")
    assert found.count("run.opened") == found.count("plan.changed") == 1
    assert found.index("taken.over") == found.index("plan.changed") + 1
    (taken,) = (one for one in entries(tmp_path / "w.db") if isinstance(one, e.TakenOver))
    assert (taken.identity["cluster"], taken.identity["ca"]) == ("anton", "sim:anton")


def test_what_was_taken_over_is_resumed_as_any_run(rekindle: Program, tmp_path: Path) -> None:
    """Its cluster is that of the plan. Mutant: hold it against the CA of the kubeconfig that was watched."""
    configured(tmp_path, watched_by_ca(rekindle, tmp_path))
    begun = rekindle(*TAKEN, code=STOPPED)
    again = rekindle("resume", "--json", *NAMED, code=LATER)

    assert begun.code == 75, begun.err
    assert (again.code, again.document["outcome"]) == (0, "done"), again.err


def test_a_plan_of_another_cluster_takes_nothing_over(rekindle: Program, tmp_path: Path) -> None:
    """
    A kubeconfig ties no machines to an API, be it the one that was watched.

    Nor does a configuration of the same Kubernetes with machines of another talosconfig, or one of several.

    Mutants: take an authority that nobody knows for the same; take the kubeconfig's; ask no configuration; leave the
    CA of Talos out; believe what can be read of them.
    """
    ours = watched_by_ca(rekindle, tmp_path)
    _, theirs = certificates(tmp_path)
    unknown = rekindle(*TAKEN, code=LATER)
    configured(tmp_path, theirs)
    other = rekindle(*TAKEN, code=LATER)
    configured(tmp_path, ours, theirs)
    machines = rekindle(*TAKEN, code=LATER)
    (tmp_path / "k8s-2.yaml").unlink()
    configured(tmp_path, ours, "", "k8s-2")
    one = rekindle(*TAKEN, code=LATER)

    assert "and not everywhere that of its talosconfig" in machines.err
    for answer in (unknown, other, machines, one):
        assert (answer.code, "error (foreign-cluster): " in answer.err) == (78, True), answer.err
    assert not {"taken.over", "plan.changed"} & set(kinds(tmp_path / "w.db"))


def test_a_watch_whose_authority_nobody_knows_is_not_taken_over(
    rekindle: Program, tmp_path: Path
) -> None:
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")
    answer = rekindle(*TAKEN, code=LATER)

    assert (answer.code, "with CA unknown" in answer.err) == (78, True), answer.err


def test_nobody_takes_over_beside_an_open_run_of_that_cluster(
    rekindle: Program, tmp_path: Path
) -> None:
    """It has a journal of its own, and only that knows what was begun. Mutant: leave ``_must_be_alone`` out."""
    configured(tmp_path, watched_by_ca(rekindle, tmp_path))
    assert rekindle("run", "recovery.yaml", "--yes", code=STOPPED).code == 75
    answer = rekindle(*TAKEN, code=LATER)

    assert (answer.code, "error (run-open): " in answer.err) == (64, True), answer.err
    assert "anton.db has the run " in answer.err
    assert "taken.over" not in kinds(tmp_path / "w.db")


def test_no_run_begins_beside_a_watch_that_was_taken_over(
    rekindle: Program, tmp_path: Path
) -> None:
    """
    It acts on that cluster out of ``watches/``, and the hint goes on with it; whoever names a journal has one.

    Mutants: leave ``refuse_beside`` out of ``run``; ask it of whoever names a journal; take an environment for that.
    """
    ours, _ = certificates(tmp_path)
    folder = tmp_path / "state" / "rekindle"
    with served(tmp_path, [*made.healthy(), *CONTROLLERS], ca=ours) as kubeconfig:
        process = rekindle.start("watch", "--kubeconfig", kubeconfig)
        until("it is watched", lambda: any("decided" in kinds(path) for path in journals(folder)))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
    (journal,) = journals(folder)
    configured(tmp_path, ours)
    run, named = ("run", "recovery.yaml", "--yes"), ("--journal", str(journal))
    taken = rekindle("resume", "--take-over", "recovery.yaml", "--yes", *named, code=STOPPED)
    refused_ = [
        rekindle(*run, code=LATER),
        rekindle(*run, code=LATER, env={"REKINDLE_JOURNAL": str(tmp_path / "e.db")}),
    ]
    other = rekindle(*run, "--journal", "n.db", code=STOPPED)
    ended = rekindle("resume", "--json", *named, code=LATER)
    begun = rekindle(*run, code=STOPPED)

    assert taken.code == 75, taken.err
    for answer in refused_:
        assert (answer.code, "error (run-open): " in answer.err) == (64, True), answer.err
        assert f"{journal} has the run " in answer.err
        assert f"`rekindle resume --journal {journal}` goes on from there" in answer.err
    assert not (tmp_path / "e.db").exists()
    assert (ended.code, ended.document["outcome"]) == (0, "done"), ended.err
    assert (other.code, begun.code) == (75, 75), other.err + begun.err


def journals(folder: Path) -> list[Path]:
    return list(folder.glob("watches/*.db"))


def test_a_plan_that_would_be_ignored_is_refused(rekindle: Program, tmp_path: Path) -> None:
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")
    answer = rekindle("resume", "recovery.yaml", *NAMED)

    assert (answer.code, "error (plan-twice): " in answer.err) == (64, True), answer.err
    assert "`rekindle resume --take-over recovery.yaml --journal" in answer.err
    assert "rekindle run" not in answer.err  # which refuses every watch


def test_it_is_rehearsed_with_machines_that_are_made_of_its_nodes(
    rekindle: Program, tmp_path: Path
) -> None:
    """A plan is not needed for that. What was invented is said, in the scenario and on the terminal."""
    journal = tmp_path / "w.db"
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        words = ("watch", "--kubeconfig", kubeconfig, "--network", "kube-system/cilium")
        process = rekindle.until(journal, "decided", *words)
        until("everything is seen", lambda: sees_all(journal))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
    again = rekindle("rehearse", "--from", "w.db", "--journal", "r.db", "--json")

    assert (again.code, again.document["outcome"]) == (0, "done"), again.err
    assert again.document["pods"] == {"ready": 8, "expected": 8}
    assert " began without a plan: its machines are made of its Nodes" in again.err
    begun = [one for one in entries(tmp_path / "r.db") if isinstance(one, e.ActionIntended)]
    assert ("command.run", "command/network") in {(one.verb, one.target) for one in begun}
    (scenario,) = (path for path in tmp_path.glob("r.db.from-*.yaml") if "tree" not in path.name)
    assert "# - command network is invented: it brings the network and Flux" in scenario.read_text()


def sees_all(journal: Path) -> bool:
    codes_ = {kind: codes_of(journal, f"kind/{kind}")[-1:] for kind in KINDS}
    return all(found == ["Seen"] for found in codes_.values())


def test_what_never_was_seen_whole_is_not_rehearsed(rekindle: Program, tmp_path: Path) -> None:
    """What was lost is not known then. Mutants: take it for whole; make a machine of nothing."""
    whole = [*made.healthy(), NETWORK, *CONTROLLERS]
    with served(tmp_path, whole, {"Namespace": 403}) as kubeconfig:
        until_interrupted(rekindle, kubeconfig)
        partly = rekindle("rehearse", "--from", "w.db", "--journal", "r.db")
    with served(tmp_path, whole, {"Node": 403}) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, journal="n.db")
        bare = rekindle("rehearse", "--from", "n.db", "--journal", "r.db")

    assert (partly.code, "error (run-unseen): " in partly.err) == (64, True), partly.err
    assert (bare.code, "error (watch-unplanned): " in bare.err) == (64, True), bare.err
    assert not (tmp_path / "r.db").exists()


def test_a_watch_without_a_plan_is_resumed_as_one(rekindle: Program, tmp_path: Path) -> None:
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        until_interrupted(rekindle, kubeconfig, "--network", "kube-system/cilium")
        process = rekindle.until(tmp_path / "w.db", "run.resumed", "resume")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)
        again = rekindle("status", "--journal", "w.db", "--json")

    assert process.returncode == 75, told
    assert (again.document["purpose"], again.document["state"]) == ("watch", "cni-up")


def test_an_api_that_is_silent_gives_nothing_to_count_against(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutant: the hint of an inventory, which nobody here takes."""
    with ScriptedApi() as api:
        url = api.url
    kubeconfig = str(write_kubeconfig(tmp_path / "kubeconfig", url))

    silent = rekindle("watch", "--kubeconfig", kubeconfig, "--journal", "none.db")
    missing = rekindle("watch", "--kubeconfig", kubeconfig + ".none", "--journal", "none.db")

    assert (silent.code, "error (api-unanswered): " in silent.err) == (69, True)
    assert (
        f"watch --kubeconfig {kubeconfig} --inventory FILE`, or `rekindle watch PLAN`" in silent.err
    )
    assert "--from git" not in silent.err
    assert (missing.code, "error (kubeconfig-unusable): " in missing.err) == (78, True)
    assert not (tmp_path / "none.db").exists()


def test_what_should_be_there_is_watched_where_no_api_answers(
    rekindle: Program, tmp_path: Path
) -> None:
    """The hint's way out is one."""
    with ScriptedApi() as api:
        url = api.url
    kubeconfig = str(write_kubeconfig(tmp_path / "kubeconfig", url))
    words = ("watch", "--kubeconfig", kubeconfig, "--inventory", str(INVENTORY))

    process = rekindle.until(tmp_path / "w.db", "run.opened", *words)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=SECONDS)

    assert process.returncode == 75, told


def test_without_recovery_yaml_the_usual_kubeconfig_is_watched(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "state" / "rekindle" / "watches" / "c.db"  # no CA is in that file
    with served(tmp_path, [made.node("n1"), NETWORK]) as kubeconfig:
        process = rekindle.start("watch", env={"KUBECONFIG": kubeconfig})
        until("the watch has moved", lambda: "moved" in kinds(journal))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)
        newest = rekindle("status", "--json")

    assert process.returncode == 75, told
    assert newest.document["purpose"] == "watch"


@pytest.mark.parametrize(
    "words",
    [
        ("recovery.yaml", "--kubeconfig", "k"),
        ("recovery.yaml", "--inventory", "i"),
        ("--scenario", "june-12", "--network", "a/b"),
    ],
)
def test_what_would_be_ignored_is_refused(rekindle: Program, words: tuple[str, ...]) -> None:
    answer = rekindle("watch", *words)

    assert (answer.code, "error (plan-twice): " in answer.err) == (64, True)


def test_who_may_not_list_namespaces_is_told_so_and_watches_the_rest(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutants: start no watch where that list is forbidden; leave the reason out of what is waited for."""
    whole = [*made.healthy(), NETWORK, *CONTROLLERS]
    journal, why = tmp_path / "w.db", "Namespaces cannot be listed: 403: no"
    with served(tmp_path, whole, {"Namespace": 403}) as kubeconfig:
        process = rekindle.until(journal, "moved", "watch", "--kubeconfig", kubeconfig)
        until("the reason is told", lambda: waited_for(journal) == why)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)

    assert process.returncode == 75, told
    assert "Namespace: cannot be listed: 403: no" in told
    assert f"; waits for {why}; " in told


def waited_for(journal: Path) -> str:
    decided = [one.answers for one in entries(journal) if isinstance(one, e.Decided)]
    return str(decided[-1].get("machine", {}).get("reason"))
