"""The scenario's operator: thinks for a while, and answers as the script says."""

from __future__ import annotations

from collections.abc import Callable

from engine.world import Question, Reply
from rekindle.simulator.events import Loop
from rekindle.simulator.scenario import OperatorRule


class People:
    """Answers questions. *deliver* is set by the client that is connected."""

    def __init__(self, loop: Loop, rules: tuple[OperatorRule, ...]) -> None:
        self._loop = loop
        self._rules = rules
        self._asked: dict[tuple[str, str], Reply | None] = {}
        self.deliver: Callable[[Reply], None] = lambda _reply: None

    def ask(self, question: Question) -> bool:
        """Take a question; say whether anybody here will answer it."""
        rule = next(
            (rule for rule in self._rules if rule.matches(question.question, question.subject)),
            None,
        )
        if rule is None:
            return False
        key = (question.approval, question.digest)
        if key not in self._asked:
            self._asked[key] = None
            reply = Reply(question.approval, question.digest, rule.answer)
            self._loop.after(rule.think, lambda: self._answer(key, reply))
        elif (reply_before := self._asked[key]) is not None:
            self._loop.after(0.0, lambda: self.deliver(reply_before))
        return True

    def _answer(self, key: tuple[str, str], reply: Reply) -> None:
        self._asked[key] = reply
        self.deliver(reply)
