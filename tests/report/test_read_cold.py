"""
What somebody who has only the page must be able to find: words explained, actions beside their causes, nothing cut off.

Mutants: let any note take "nobody knows who began it" away; cut the signs of the page; leave ``about`` out of
``mended``; take one verb out of ``VERBS``; leave a kind out of ``none_of``; print all evidence.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.recipe import Effect
from journal import entries as e
from journal.entries import Fact, Finding, Json
from journal.reader import Reader
from phases.verbs import VERBS as CATALOGUE
from rekindle.applied import SOURCES
from rekindle.lines import describe
from rekindle.report import html
from rekindle.report import reasons as r
from rekindle.report.gather import gather
from rekindle.report.happenings import Action
from rekindle.report.legend import CONFIGURES, EFFECTS, VERBS
from rekindle.report.markdown import page
from rekindle.report.spells import Sessions
from rekindle.report.story import Story
from rekindle.spans import clock, exact, span, stamp
from tests.report.conftest import Night
from tests.report.nights import AT, written
from tests.report.samples import BEGUN, sample

CNI = Finding(subject="cni", cause="none", message="no CNI is installed", root=True, rule="T16")
FOUND = 3  # the seq of the findings


def both(story: Story) -> tuple[str, str]:
    return page(story).replace("\\", ""), words(html.page(story))


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def section(text: str, title: str) -> str:
    """What stands below a heading of Markdown, down to the next one of any level."""
    return re.split(r"^#+ ", text.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def told(folder: Path, *entries: e.AnyEntry) -> Story:
    found = e.FindingsChanged(at=AT + 5, changed={"T16:cni": CNI})
    return gather(written(folder / "j.db", [found, *entries]))


# --- who began it ---------------------------------------------------------------------------------

REMARK = e.Note(at=AT + 9, text="the switch was rebooted", actor="bob")
TIME = e.Note(at=AT + 9, text="x", actor="bob", corrects=FOUND, said=AT + 5, time=AT)
CAUSE = e.Note(at=AT + 9, text="x", actor="bob", corrects=FOUND, finding="T16:cni", cause="a reset")


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ((), "nobody added a note."),
        ((REMARK,), "1 note was added, and it corrects no cause."),
        ((REMARK, TIME), "2 notes were added, and none corrects a cause."),
        ((REMARK, CAUSE), ""),
    ],
)
def test_only_who_says_what_the_cause_was_tells_who_began_it(
    tmp_path: Path, notes: tuple[e.Note, ...], said: str
) -> None:
    found = [one for one in told(tmp_path, *notes).unproven if one.startswith("Who or what")]

    assert found == (
        [f"Who or what began it: this run's journal begins afterwards, and {said}"] if said else []
    )


def test_who_names_the_cause_of_something_later_has_not_told_who_began_it(tmp_path: Path) -> None:
    """Mutant: any cause that is named will do."""

    def found(name: str) -> dict[str, Finding]:
        one = Finding(subject=name, cause="x", message=f"{name} is ill", root=True, rule="R")
        return {f"R:{name}": one}

    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"crd/a": Fact("Absent")}),
        e.FindingsChanged(at=AT + 1, changed=found("crd/a")),
        e.FindingsChanged(at=AT + 60, changed=found("store/b")),
        e.Note(at=AT + 70, text="x", actor="bob", corrects=5, finding="R:store/b", cause="slow"),
    ]
    unproven = gather(written(tmp_path / "j.db", entries)).unproven

    (said,) = (one for one in unproven if one.startswith("Who or what began it"))
    assert said.endswith("what people corrected is the cause of something that came later.")


META, APPS = "kustomization/flux-system/meta", "kustomization/flux-system/apps"


def removed(folder: Path, *notes: e.Note) -> tuple[list[str], list[str]]:
    """Two roots of the tree that are gone beside a namespace that hangs: what is said of who did it, and to do."""

    def found(subject: str, since: float | None, *victims: str) -> Finding:
        return Finding(
            subject=subject,
            cause="x",
            message=f"{subject} is ill",
            root=True,
            rule="R",
            since=since,
            victims=victims,
        )

    folder.mkdir(exist_ok=True)
    gone = {META: Fact("Absent"), APPS: Fact("Absent")}
    causes = {
        "N6:a": found("namespace/a", AT - 60, META, APPS),
        f"X2:{META}": found(META, None, APPS),
    }
    plan = {"section": {"inventory": {"roots": ["flux-system/meta", "flux-system/apps"]}}}
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed=gone),
        e.FindingsChanged(at=AT + 1, changed=causes),
    ]
    story = gather(written(folder / "j.db", [*entries, *notes], plan=plan))
    began = [one for one in story.unproven if one.startswith("Who or what began")]
    return began, [one for one in story.next_steps if one.startswith("Find out who")]


def blames(finding: str) -> e.Note:
    return e.Note(at=AT + 9, text="x", actor="bob", corrects=4, finding=finding, cause="bob did")


def test_who_says_why_a_namespace_hangs_has_not_said_who_removed_the_roots(tmp_path: Path) -> None:
    """Mutants: ask only whether any first cause is named; count what a cause that is no root held up."""
    began, todo = removed(tmp_path, blames("N6:a"))

    names = f"{META} and {APPS}"
    assert len(began) == 1
    assert began[0].endswith(
        f", and what people corrected does not say who or what removed {names}."
    )
    assert [one.partition(":")[0] for one in todo] == [f"Find out who or what removed {names}"]


def test_who_says_why_a_root_is_gone_has_said_it_of_what_it_brought(tmp_path: Path) -> None:
    """Mutants: leave the victims of a root out; ask only the causes, and not what was named by itself."""
    assert removed(tmp_path / "a", blames(f"X2:{META}")) == ([], [])

    began, todo = removed(tmp_path / "b", blames(APPS))
    assert began[0].endswith(f"does not say who or what removed {META}.")
    assert todo[0].startswith(f"Find out who or what removed {META}: ")

    both = removed(tmp_path / "c", blames(APPS), blames(META))
    assert both == ([], [])
    signs = gather(tmp_path / "c" / "j.db").first_signs
    assert {sign.unexplained for sign in signs if sign.subject == APPS} == {
        "corrected: bob did (bob)"
    }


def test_what_was_asked_of_a_run_is_said(tmp_path: Path) -> None:
    """Mutants: leave the request out of the summary; call what it did something of before."""
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"crd/a": Fact("Absent")}),
        e.FindingsChanged(
            at=AT + 1,
            changed={"R:a": Finding(subject="a", cause="x", message="m", root=True, rule="R")},
        ),
    ]
    request = {"node.reset": {"nodes": ["k8s-1", "k8s-2"]}}
    story = gather(written(tmp_path / "j.db", entries, request=request))

    assert "Asked for when it began, beyond its goal: node.reset k8s-1, k8s-2." in story.summary
    (said,) = (one for one in story.unproven if one.startswith("Who or what began it"))
    assert said.startswith("Who or what began it: beside what was asked of this run, ")


def test_that_a_root_was_removed_is_said_beside_the_earliest_sign(night: Night) -> None:
    (said,) = (one for one in night.story.background if "nothing in the cluster tells when" in one)
    assert said.startswith("kustomization/flux-system/cluster-meta and kustomization/flux-system/")


def test_a_first_count_of_what_was_said_before_is_told_from_the_next(tmp_path: Path) -> None:
    """A kubelet that is gone still says Ready. Mutant: leave what follows it out."""

    def pods(at: float, ready: int) -> e.Observed:
        detail = {"ready": ready, "expected": 9}
        return e.Observed(at=at, changed={"pods": Fact("Progressing", detail=detail)})

    stale = gather(written(tmp_path / "a.db", [pods(AT, 9), pods(AT + 3, 0)]))
    later = gather(written(tmp_path / "b.db", [pods(AT, 9), pods(AT + 300, 0)]))

    whys = [next(r.why for r in s.metrics if r.name.startswith("Post-inc")) for s in (stale, later)]
    assert "3 s later only 0 were: what was counted first had been said before" in whys[0]
    assert "later only" not in whys[1]
    said = "were Ready at the first look; 3 s later only 0 were: what was counted first had been said before; 0 were"
    assert any(said in one for one in stale.summary)
    assert not any("later only" in one for one in later.summary)


def test_a_root_that_is_gone_is_not_explained_and_somebody_has_to_find_out(night: Night) -> None:
    signs = {sign.subject: sign for sign in night.story.first_signs}
    root = signs["kustomization/flux-system/cluster-apps"]

    assert root.unexplained == "not explained: somebody or something removed it"
    for text in both(night.story):
        assert "not explained: somebody or something removed it" in text
        assert "Find out who or what removed kustomization/flux-system/cluster-meta and" in text
    row = next(line for line in page(night.story).splitlines() if "cluster-apps: a root" in line)
    assert row.endswith("| not explained: somebody or something removed it |")


def test_the_box_of_the_page_has_every_sign() -> None:
    signs = tuple(
        r.Sign(subject=f"kustomization/a/n{n}", name=f"sign-{n}", text="is gone", seen=BEGUN)
        for n in range(12)
    )
    markup = html.page(replace(sample(), first_signs=signs))
    box = markup.partition('id="answer-first"')[2].partition("</section>")[0]

    assert all(sign.name in box for sign in signs)


# --- etcd without a leader ------------------------------------------------------------------------

LOST = Finding(
    subject="etcd",
    cause="quorum-lost",
    message="etcd has lost it",
    rule="T19",
    root=True,
    clears_itself="no",
)
BARE = Finding(subject="machines", cause="maintenance", message="2 are bare", rule="T1", root=True)


def leaderless(at: float, **detail: Any) -> e.Observed:  # noqa: ANN401
    shown = {"role": "controlplane", "etcd": "Running", "failing": True, "leader": "", **detail}
    facts = {"node/a": Fact("unhealthy", detail=shown), "etcd": Fact("none")}
    return e.Observed(at=at, changed=facts)


def test_a_quorum_that_was_lost_before_the_first_look_is_what_broke_first(tmp_path: Path) -> None:
    """It is only named once all machines were seen. Mutants: leave ``_known`` out; leave the sign out of ``look``."""
    story = gather(
        written(
            tmp_path / "j.db",
            [
                leaderless(AT),
                e.FindingsChanged(at=AT, changed={"T1:machines": BARE}),
                e.FindingsChanged(at=AT + 120, changed={"T19:etcd": LOST}),
            ],
        )
    )

    first = story.first_signs[0]
    said = "etcd runs on a and has no leader there: no quorum of its members answered"
    assert (first.subject, first.text, first.seen, first.root) == ("etcd", said, AT, True)
    assert story.background[0] == f"The first sign was seen at {stamp(AT)}: {said}."


def test_a_member_without_a_leader_is_no_lost_quorum_before_that_is_found(tmp_path: Path) -> None:
    found = e.FindingsChanged(at=AT, changed={"T1:machines": BARE})
    one = gather(written(tmp_path / "a.db", [leaderless(AT), found]))
    led = gather(written(tmp_path / "b.db", [leaderless(AT, leader="m1"), found]))

    (sign,) = (sign for sign in one.first_signs if sign.subject == "etcd")
    assert (sign.root, sign.unexplained) == (False, "not explained")
    assert not any(sign.subject == "etcd" for sign in led.first_signs)


# --- what was done --------------------------------------------------------------------------------


def test_a_command_says_what_it_ran(night: Night) -> None:
    ran = "helmfile --file bootstrap/helmfile.yaml sync"

    assert night.story.actions[0].argv == ran
    for text in both(night.story):
        assert text.count(ran) >= 2, "beside the action, and among the changes"
    row = next(line for line in page(night.story).splitlines() if line.startswith("| a1 |"))
    assert ran in row


def test_a_command_of_one_node_says_what_it_ran_there(tmp_path: Path) -> None:
    plan = {"section": {"commands": {"net": {"argv": ["fix", "--node", "{node}", "a b"]}}}}
    intent = e.ActionIntended(
        at=AT,
        action="a1",
        verb="command.run",
        target="command/net",
        attempt=1,
        epoch=1,
        deadline_seconds=9.0,
        arguments={"command": "net", "node": "k8s-1", "address": "10.0.0.1"},
    )

    (action,) = gather(written(tmp_path / "j.db", [intent], plan=plan)).actions

    assert action.argv == "fix --node k8s-1 'a b'"


def test_what_was_applied_is_named_in_the_log_the_actions_and_the_changes(tmp_path: Path) -> None:
    """Mutants: leave the file, or its digest, out of one of the three; name where a kubeconfig goes."""
    assert set(SOURCES) <= set(CATALOGUE)
    wanted: list[tuple[str, str, dict[str, Json], str]] = [
        ("root.apply", "root", {"path": "/home/ops/flux"}, "/home/ops/flux"),
        (
            "talos.apply",
            "node/k8s-1",
            {"config": "k8s-1.yaml", "sha256": "0123456789abcdef"},
            "k8s-1.yaml (sha256 0123456789ab)",
        ),
        ("kubeconfig.fetch", "kubeconfig", {"path": "ours"}, ""),
    ]
    entries: list[e.AnyEntry] = []
    for number, (verb, target, arguments, _) in enumerate(wanted, start=1):
        act: dict[str, Any] = {"action": f"a{number}", "verb": verb, "target": target}
        entries += [
            e.ActionIntended(
                at=AT, attempt=1, epoch=1, deadline_seconds=9.0, arguments=arguments, **act
            ),
            e.ActionSettled(at=AT + 1, outcome=e.Outcome.DONE, **act),
        ]

    story = gather(written(tmp_path / "j.db", entries))

    assert [one.applied for one in story.actions] == [said for *_, said in wanted]
    logged = [describe(entry) for entry in entries if isinstance(entry, e.ActionIntended)]
    assert logged == [
        "a1 root.apply root, from /home/ops/flux",
        "a2 talos.apply node/k8s-1, from k8s-1.yaml (sha256 0123456789ab)",
        "a3 kubeconfig.fetch kubeconfig",
    ]
    for text in both(story):
        for said in ("from /home/ops/flux", "from k8s-1.yaml (sha256 0123456789ab)"):
            assert text.count(said) == 2, "beside the action, and among the changes"


def test_each_row_of_an_action_says_who_allowed_it_and_when(night: Night) -> None:
    rows = {line.split(" | ")[0]: line for line in page(night.story).splitlines()}
    answers = {one.approval: one for one in night.story.approvals}

    for action in night.story.actions:
        said = "no question (convergent)"
        if action.approval:
            at = answers[action.approval].answered or 0.0
            said = f"given by scenario at {stamp(at)} (question {action.approval})"
        assert rows[f"| {action.action}"].endswith(f"| {said} |")
    assert sum(bool(action.approval) for action in night.story.actions) == 3


def test_the_actions_that_were_about_a_cause_stand_beside_it(night: Night) -> None:
    done = {cause.rule: cause.done for cause in night.story.causes}
    by_verb: dict[str, list[Action]] = {}
    for action in night.story.actions:
        by_verb.setdefault(action.verb, []).append(action)
    expected = {
        "C4": "crd.preapply",
        "N6": "finalizer.release",
        "T16": "command.run",
        "X2": "root.apply",
    }

    assert {rule for rule, names in done.items() if names} == {"E1", *expected}
    woken = [a.action for a in by_verb["flux.nudge"] if a.because == "store:onepassword"]
    assert done["E1"] == tuple(woken)
    for rule, verb in expected.items():
        names = tuple(one.action for one in by_verb[verb])
        assert done[rule] == names
        said = f"Done here: {verb} {', '.join(names)} ({clock(by_verb[verb][0].intended)})."
        assert all(said in text for text in both(night.story))
    for text in both(night.story):
        assert "Ways out (not taken):" in text


def test_what_was_given_up_is_not_called_destroyed(night: Night) -> None:
    said = night.story.summary[-1]

    assert "3 gave something up, allowed by the scenario's scripted operator: CephBlockPool" in said
    assert "stay on the disks, owned by nobody" in said
    assert "destroyed" not in said
    steps = " ".join(night.story.next_steps)
    assert "Look where what was given up lies now" in steps
    assert "CephBlockPool storage/database" in steps


def test_every_change_of_configuration_is_listed(night: Night) -> None:
    text = section(page(night.story), "Configuration Changes")

    assert len(re.findall(r"finalizer\.release", text)) == 3
    for verb in ("command.run", "crd.preapply", "root.apply", "apply.give-back"):
        assert verb in text
    assert "flux.nudge" not in text
    assert set(CATALOGUE) - CONFIGURES == {
        "etcd.bootstrap",
        "etcd.snapshot",
        "etcd.recover",
        "etcd.remove-member",
        "kubeconfig.fetch",
        "flux.nudge",
        "git.ancestry",
    }, "a new verb: does it change a configuration?"


def test_a_copy_of_etcd_changes_no_configuration(tmp_path: Path) -> None:
    """Mutant: take all of etcd's verbs for changes."""
    entries: list[e.AnyEntry] = []
    for number, verb in enumerate(("etcd.snapshot", "etcd.recover", "etcd.bootstrap")):
        act: dict[str, Any] = {"action": f"a{number}", "verb": verb, "target": "node/a"}
        entries += [
            e.ActionIntended(at=AT, attempt=1, epoch=1, deadline_seconds=9.0, **act),
            e.ActionSettled(at=AT + 1, outcome=e.Outcome.DONE, **act),
        ]

    story = gather(written(tmp_path / "j.db", entries))

    assert len(story.actions) == 3
    markup = html.page(story).partition('id="changes"')[2].partition("</section>")[0]
    for changes in (section(page(story), "Configuration Changes"), markup):
        assert "etcd.snapshot" not in changes
        assert "etcd.recover" in changes
        assert "etcd.bootstrap" in changes


def test_a_change_in_doubt_is_said_to_be_in_doubt(tmp_path: Path) -> None:
    act: dict[str, Any] = {"action": "a1", "verb": "etcd.remove-member", "target": "node/a"}
    intent = e.ActionIntended(at=AT, attempt=1, epoch=1, deadline_seconds=9.0, **act)

    for text in both(gather(written(tmp_path / "j.db", [intent]))):
        assert re.search(r"etcd\.remove-member \S+\s+\(whether it happened is in doubt\)", text)


# --- words ----------------------------------------------------------------------------------------


def test_every_verb_and_every_effect_has_a_line() -> None:
    assert set(CATALOGUE) <= set(VERBS)
    assert {effect.value for effect in Effect} == set(EFFECTS)


def test_the_words_that_were_used_are_explained_and_no_others(night: Night) -> None:
    for text in both(night.story):
        assert re.search(r"flux\.nudge ?: asks Flux", text)
        assert re.search(r"convergent ?: doing it again changes nothing more", text)
        assert "begins etcd again from a snapshot" not in text
        assert "It stood then" not in text
        assert "Stood at the verdict (2025-06-12 08:16:00Z)" in text
        assert "the work alone" not in text
        assert "CP the longest chain of work" in text


def test_evidence_has_what_the_journal_knows_and_only_the_first_of_many(tmp_path: Path) -> None:
    proofs = tuple(f"Node/n{number} .status.conditions[Ready]" for number in range(9))
    found = replace(CNI, evidence=proofs)
    seen = e.Observed(at=AT, changed={"k8s-node/n0": Fact("Progressing", "waits for the CNI")})
    entries: list[e.AnyEntry] = [seen, e.FindingsChanged(at=AT + 5, changed={"T16:cni": found})]

    story = gather(written(tmp_path / "j.db", entries))

    for text in both(story):
        assert "Node/n0 .status.conditions[Ready] (Progressing: waits for the CNI); Node/n1" in text
        assert "and 6 more" in text
        assert "Node/n3 " not in text
    assert len(story.causes[0].evidence) == 9


# --- where the time went --------------------------------------------------------------------------


def test_the_path_has_the_class_of_each_step_and_its_sums_are_those_of_the_ledger(
    night: Night,
) -> None:
    ledger = night.story.ledger
    assert ledger is not None
    sums: dict[str, float] = {}
    for step in ledger.path:
        sums[step.code] = sums.get(step.code, 0.0) + step.ended - step.begun

    known = {"useful": ledger.useful, "unknown": ledger.unknown}
    known |= {wait.code: wait.seconds for wait in ledger.waits if not wait.beside}
    assert sums == pytest.approx(known, abs=0.01)
    assert ledger.path[0].doing == ("a1 command.run command/cni",)
    for text in both(night.story):
        assert "a1 command.run command/cni" in text


def test_time_without_a_class_is_named_where_people_look(night: Night) -> None:
    said = next(one for one in night.story.challenges if one.startswith("Not known"))
    ledger = night.story.ledger
    assert ledger is not None
    found = re.search(
        r"^\| not known \| unknown \| (.+?) \| yes \|$", page(night.story), re.MULTILINE
    )
    assert found is not None
    (seconds,) = (n for n in range(10_000) if span(n) == found[1])

    assert abs(seconds - ledger.unknown) <= 1
    assert said.startswith(f"Not known: {exact(seconds)} of the path have no class")
    assert "most of it for helmrelease/storage/rook-ceph 10 s" in said


# --- what did not happen --------------------------------------------------------------------------

NONE = ("Changes of the plan", "Jumps of the host's clock", "Time limits that ran out")


def test_what_did_not_happen_is_said_not_to_have_happened(night: Night) -> None:
    for text in both(night.story):
        for kind in NONE:
            assert f"{kind}: none" in text
        assert "Notes and corrections by people: none." in text


def test_what_did_happen_is_said(tmp_path: Path) -> None:
    entries: list[e.AnyEntry] = [
        e.PlanChanged(
            at=AT + 1,
            plan={},
            plan_digest="d2" * 8,
            previous_digest="d1" * 8,
            verdict="compatible",
        ),
        e.ClockJumped(at=AT + 2, seconds=-75.0),
        e.TimerFired(at=AT + 3, name="deadline/node-maintenance", due=AT + 3),
    ]
    story = gather(written(tmp_path / "j.db", entries))

    assert [change.kind for change in story.changes] == ["plan", "clock", "deadline"]
    for text in both(story):
        assert "the plan changed from d1d1d1d1d1d1 to d2d2d2d2d2d2 (compatible)" in text
        assert "the host's clock jumped by -75 s" in text
        assert "the time that node-maintenance was given ran out" in text
        assert not any(f"{kind}: none" in text for kind in NONE)


# --- notes ----------------------------------------------------------------------------------------


def test_a_note_is_no_session_and_not_called_an_answer(tmp_path: Path) -> None:
    def session(epoch: int, *entries: e.AnyEntry) -> list[e.AnyEntry]:
        taken = e.LeaseTaken(at=AT, epoch=epoch, holder=f"bob {epoch}")
        return [taken, *entries, e.LeaseLost(at=AT, epoch=epoch)]

    given = e.ApprovalGiven(at=AT, approval="q1", digest="d", actor="bob")
    entries: list[e.AnyEntry] = [
        e.LeaseLost(at=AT, epoch=1),
        *session(2, REMARK),
        *session(3, given),
        *session(4, REMARK, given),
        *session(5, REMARK)[:-1],  # whoever wrote it was killed, and the run was not
        *session(6, REMARK),
    ]

    path = written(tmp_path / "j.db", entries)
    story, sessions = gather(path), Sessions()
    with Reader(path) as reader:
        for row in reader.rows():
            sessions.see(row)

    assert [one.begun_as for one in story.sessions[1:]] == ["answered", "answered"]
    assert len(story.remarks) == 4
    assert sessions.killed == 0
    assert "bob 2" not in "".join(both(story))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "entry 3 (findings.changed) happened at 2025-06-12 08:16:00Z, not at 2025-06-12 08:16:05Z",
            "bob: entry 3 (findings.changed) happened at",
        ),
        ("I misread the clock", "bob, correcting entry 3, which says 2025-06-12 08:16:05Z"),
    ],
)
def test_a_correction_is_said_once_in_its_line(tmp_path: Path, text: str, line: str) -> None:
    story = told(tmp_path, replace(TIME, text=text))

    for told_of in both(story):
        assert line in told_of
        assert len(re.findall(r"correcting entry|happened at", told_of)) == 1


def test_the_summary_says_that_the_roots_were_removed(night: Night) -> None:
    """It is the accident of that night, and no cause that a look can tell. Mutant: leave it to Background."""
    (said,) = (one for one in night.story.summary if "removed" in one)

    assert said.startswith("Beside that kustomization/flux-system/cluster-meta and kustomization/")
    assert said.endswith("nor what only they bring: somebody or something removed them.")
