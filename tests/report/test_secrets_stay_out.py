"""
Promise: a secret that was in the world is in no report, in no format.

Two ways: planted in what the cluster says, and told by the program from the first look to the report; and planted in
every text of every entry of a journal that nobody redacted, as an older program may have left it.

Mutants that turn it red: take ``redact_text`` out of ``clean``; take ``redact`` out of ``told``; tell the command's
environment of the plan; take one ``clean`` out of ``doings``, ``roots``, ``spells``, ``following`` or ``validation``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from journal import entries as e
from journal import writer
from journal.entries import Fact, Finding, Objection, Outcome, Remedy
from phases.snapshot import Seen, Snapshot
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from tests.journal.test_redactor import PLANTED
from tests.properties.clusters import NOBODY, YES
from tests.properties.harness import Death
from tests.report.nights import AT, small, written

KINDS = 20


def formats(story: Story) -> dict[str, str]:
    """Every format of a report; each text as a reader's search would find it, also without escapes."""
    markdown = page(story)
    return {
        "markdown": markdown,
        "markdown, as shown": markdown.replace("\\", ""),
        "json": msgspec.json.encode(story).decode(),
        "html": html.page(story),
    }


def found_in(story: Story) -> list[str]:
    return [
        f"{kind} in {name}"
        for name, text in formats(story).items()
        for kind, (_, secret) in PLANTED.items()
        if secret in text
    ]


class Planter:
    """A cluster in whose conditions somebody printed secrets, each kind in its turn."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self._texts: dict[tuple[str, str, str], str] = {}
        self._turn = itertools.cycle(PLANTED)

    def __call__(self, snapshot: Snapshot) -> Snapshot:
        objects = {
            kind: replace(
                seen, value={key: self._tell(kind, one) for key, one in seen.value.items()}
            )
            if isinstance(seen, Seen)
            else seen
            for kind, seen in snapshot.objects.items()
        }
        return replace(snapshot, objects=objects)

    def _tell(self, kind: str, found: Any) -> Any:  # noqa: ANN401
        status = getattr(found, "status", None)
        conditions = getattr(status, "conditions", ())
        if status is None or not conditions:
            return found
        said = tuple(
            replace(one, message=self._planted(kind, found.metadata.name, one.type, one.message))
            for one in conditions
        )
        return replace(found, status=replace(status, conditions=said))

    def _planted(self, kind: str, name: str, type_: str, message: str) -> str:
        key = (kind, name, type_)
        if key not in self._texts:
            chosen = next(self._turn)
            self.kinds.add(chosen)
            self._texts[key] = PLANTED[chosen][0]
        return f"{message}\n{self._texts[key]}"


@pytest.mark.parametrize("answers", ["yes", "nobody"])
def test_what_the_cluster_said_is_in_no_report(tmp_path: Path, answers: str) -> None:
    planter = Planter()
    operator = YES if answers == "yes" else NOBODY
    life = [(Death("after-start", 1, "command.run"), 40.0)]
    run, _ = small(tmp_path / "j.db", life, operator=operator, blindfold=planter)

    story = gather(tmp_path / "j.db")

    assert len(planter.kinds) >= KINDS
    told = msgspec.json.encode(run.book.entries()).decode()
    assert "[redacted:" in told, "nothing that was planted came as far as the journal"
    assert found_in(story) == []


def about(text: str, number: int) -> Iterator[e.AnyEntry]:
    """Every entry that a report may tell of, with *text* wherever one may stand."""
    remedy = Remedy(text, text)
    finding = Finding(
        subject=f"cni/{number}\n{text}",
        cause=text,
        message=text,
        blocks=(f"{number}\n{text}",),
        clears_itself="no",
        rule=text,
        uid=text,
        evidence=(text, f"Node/{number} .status", f"holders[x] Kind/name u{number}"),
        clears_when=text,
        remedies=(remedy,),
        root=True,
        victims=(text,),
    )
    node = f"node/{number}\n{text}"
    bad = Fact("Failed", text, AT - 60, {"verified": False, "name": text, "kind": text})
    yield e.Observed(
        at=AT,
        changed={
            f"kustomization/{number}\n{text}": bad,
            f"store/{number}\n{text}": Fact("Ready", text, detail={"verified": False}),
            f"crd/{number}": Fact("Unobservable", text),
            node: Fact(text),
            f"k8s-node/{number}": Fact("Failed", text),
            f"holder/u{number}": Fact("Seen", detail={"finalizers": [text]}),
            "api": Fact("down", text),
            "pods": Fact("counted", detail={"ready": number, "expected": 9}),
        },
    )
    yield e.FindingsChanged(at=AT, changed={f"N6:{number}\n{text}": finding})
    ask = {"approval": f"{number}\n{text}", "digest": "d"}
    yield e.ApprovalAsked(
        at=AT,
        subject=text,
        question=text,
        consequence=text,
        typed=text,
        evidence={"a": text},
        **ask,
    )
    yield (e.ApprovalGiven if number % 2 else e.ApprovalRefused)(at=AT, actor=text, **ask)
    act: dict[str, Any] = {"action": f"a{number}\n{text}", "verb": text, "target": node}
    arguments = {"approval": ask["approval"], "token": text}
    yield e.ActionIntended(
        at=AT, attempt=1, epoch=1, deadline_seconds=9.0, arguments=arguments, **act
    )
    evidence = {"message": text} if number % 2 else {"password": text, "output": text}
    outcome = Outcome.UNSETTLED if number % 3 else Outcome.FAILED
    yield e.ActionSettled(at=AT, outcome=outcome, code=text, by="probe", evidence=evidence, **act)
    yield e.RetryScheduled(at=AT, verb=text, target=text, attempt=2, delay=1.0, due=AT, code=text)
    shown = {"subject": text, "old": text, "new": text}
    yield e.ByHand(at=AT, verb=text, target=text, evidence=shown)
    yield e.Moved(at=AT, source="node-maintenance", target="talos-ready", why=text)
    answers = {text: {"answer": "stuck", "message": text, "hint": text, "reference": text}}
    yield e.Decided(at=AT, state="talos-ready", answers=answers)
    command = {"environment": text, "argv": ["tool", text]}
    plan = {"section": {"inventory": {"unknown": [text]}, "commands": {"a": command}}}
    yield e.PlanChanged(at=AT, plan=plan, plan_digest=text, previous_digest=text, verdict=text)
    yield e.ActionIntended(
        at=AT,
        action=f"c{number}",
        verb="command.run",
        target="command/a",
        attempt=1,
        epoch=1,
        deadline_seconds=9.0,
        arguments={"command": "a"},
    )
    row = Objection(text, "red", text, text, text, (text,), text)
    yield e.Preflighted(at=AT, checked=1, objections=(row,))
    yield e.GoalMoved(at=AT, revision=text, previous=text)
    yield e.Note(at=AT, text=text, actor=text)
    yield e.CancelRequested(at=AT, actor=text)
    yield e.TakenOver(at=AT, actor=text)
    yield e.TimerFired(at=AT, name=f"deadline/\n{text}", due=AT)
    yield e.RunInterrupted(at=AT, why=text)
    yield e.RunResumed(at=AT, holder=text, idle_seconds=1.0, open_actions=(text,))


def test_a_journal_that_nobody_redacted_gives_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "redact_payload", lambda body: body)
    texts = [text for text, _ in PLANTED.values()]
    entries = [entry for number, text in enumerate(texts) for entry in about(text, number)]
    path = written(
        tmp_path / "j.db",
        entries,
        cluster=texts[0],
        identity={"cluster": texts[1], "token": texts[2]},
        version=texts[3],
        world={"scenario": texts[5]},
    )
    whole = b"".join(part.read_bytes() for part in tmp_path.glob("j.db*"))
    assert b"hvs.planted0123456789abcdef" in whole, "the journal was redacted after all"

    assert len(texts) >= KINDS
    assert found_in(gather(path)) == []
