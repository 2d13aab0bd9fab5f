"""The founding constitution against the plain rule that it stands for: whole histories, refusals and figures alike.

``Plain`` knows no constitution, track or constituency: more than two thirds of the members that run a validator.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import electorate
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.membership import epochs
from coseal.contracts.registry import KINDS
from coseal.ledger.validators import Validator
from tests.support.genesis import MEMBERS, ROLES, START_MS, VALIDATORS, make_genesis
from tests.support.keys import validator

GENESIS = genesis_updates(make_genesis())
ANYTHING = replace(
    KINDS["retry_due"], check=lambda view, case, subject: None, enact=lambda view, case, subject: dict(subject)
)
CONTRACT = governance.contract({**KINDS, "retry_due": ANYTHING})


@dataclass
class Ledger:
    """The contract on a state."""

    view: Overlay = field(default_factory=lambda: Overlay(GENESIS.get))
    time_ms: int = START_MS + 1
    height: int = 1

    def act(self, name: str, member: str, **args: Any) -> tuple[Any, ...]:
        place = (self.height, self.time_ms, b"\x01" * 32, f"{member}/admin", member)
        who = Context(*place, ROLES[member], "", ("operate",), 1)
        done = CONTRACT.actions[name].apply(self.view, who, args)
        if isinstance(done, Rejected):
            return (done.code,)
        return tuple(done[each] for each in ("status", "yes", "no", "abstain", "needed", "of"))

    def propose(self, member: str, name: str, open_ms: int | None) -> tuple[Any, ...]:
        closes = {} if open_ms is None else {"closes_ms": self.time_ms + open_ms}
        return self.act("propose", member, id=name, kind="retry_due", subject={"number": 1}, **closes)

    def vote(self, member: str, name: str, choice: str) -> tuple[Any, ...]:
        return self.act("vote", member, ballot=name, choice=choice)

    def withdraw(self, member: str, name: str) -> tuple[Any, ...]:
        return self.act("withdraw", member, proposal=name)

    def validators(self, members: list[str]) -> None:
        self.height += 1
        seats = [Validator(name, name, ROLES[name], validator(name).public_key) for name in members]
        number = epochs.validators(self.view).epoch + 1
        epochs._begin_epoch(self.view, epochs.ValidatorSet(number, tuple(seats)), first_height=1)
        self.wait(0)

    def wait(self, for_ms: int) -> dict[str, str]:
        """Let time pass; return what it decided."""
        self.time_ms += for_ms
        moment, closed = Moment(self.height, self.time_ms), {}
        electorate.begin(self.view, moment)
        while (entry := deadlines.take(self.view, "governance", deadlines.BLOCK_CLOCK, self.time_ms)) is not None:
            for decided in CONTRACT.fire(self.view, moment, entry).get("closed", ()):  # type: ignore[misc]
                closed[decided["ballot"]] = decided["status"]
        return closed


@dataclass
class Plain:
    """The plain rule: of each proposal who proposed it, when it closes, how it stands and who voted what."""

    time_ms: int = START_MS + 1
    electors: list[str] = field(default_factory=lambda: sorted(VALIDATORS))
    closes: dict[str, int] = field(default_factory=dict)
    proposer: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    votes: dict[str, dict[str, str]] = field(default_factory=dict)

    def propose(self, member: str, name: str, open_ms: int | None) -> tuple[Any, ...]:
        if name in self.status:
            return ("exists",)
        if open_ms is not None and not 1 <= open_ms <= 90 * DAY_MS:
            return ("bad_time",)
        if sum(self.proposer[each] == member for each, status in self.status.items() if status == "open") == 4:
            return ("too_many_proposals",)
        self.closes[name] = self.time_ms + (7 * DAY_MS if open_ms is None else open_ms)
        self.proposer[name], self.status[name] = member, "open"
        self.votes[name] = {member: "yes"} if member in self.electors else {}
        return self.look(name)

    def vote(self, member: str, name: str, choice: str) -> tuple[Any, ...]:
        if name not in self.status:
            return ("unknown_ballot",)
        if member not in self.electors:
            return ("not_elector",)
        if self.status[name] != "open" or self.time_ms >= self.closes[name]:
            return ("ballot_closed",)
        if member in self.votes[name]:
            return ("already_voted",)
        self.votes[name][member] = choice
        return self.look(name)

    def withdraw(self, member: str, name: str) -> tuple[Any, ...]:
        if name not in self.status:
            return ("unknown_ballot",)
        if member != self.proposer[name]:
            return ("not_proposer",)
        if self.status[name] != "open":
            return ("not_open",)
        self.status[name] = "withdrawn"
        return ("withdrawn", *self.look(name)[1:])

    def validators(self, members: list[str]) -> None:
        self.electors = members

    def wait(self, for_ms: int) -> dict[str, str]:
        self.time_ms += for_ms
        late = [name for name in self.status if self.status[name] == "open" and self.time_ms >= self.closes[name]]
        return {name: self.look(name)[0] for name in late}

    def look(self, name: str) -> tuple[Any, ...]:
        cast = [self.votes[name].get(member) for member in self.electors]
        yes, no, abstain = (cast.count(choice) for choice in ("yes", "no", "abstain"))
        needed = 2 * len(self.electors) // 3 + 1
        if self.status[name] == "open":
            if yes >= needed:
                self.status[name] = "accepted"
            elif len(cast) - no - abstain < needed:
                self.status[name] = "rejected"
            elif self.time_ms >= self.closes[name]:
                self.status[name] = "expired"
        return self.status[name], yes, no, abstain, needed, len(self.electors)


NAMES = st.sampled_from("abcdef")
FEW = st.sampled_from("aab")
VOTERS = st.sampled_from(sorted(VALIDATORS))
WHO = st.sampled_from(MEMBERS)
OPEN_MS = st.sampled_from([None, -1, 0, 1, 500, DAY_MS, 90 * DAY_MS, 90 * DAY_MS + 1])
SETS = st.sets(st.sampled_from([name for name in MEMBERS if name != "city"]), min_size=2).map(sorted)
CHOICES = st.sampled_from(["yes", "no", "abstain"])
STEPS = st.one_of(
    st.tuples(st.just("propose"), WHO, NAMES, OPEN_MS),
    st.tuples(st.just("propose"), VOTERS, FEW, st.none()),
    st.tuples(st.just("vote"), WHO, NAMES, CHOICES),
    st.tuples(st.just("vote"), VOTERS, FEW, CHOICES),
    st.tuples(st.just("withdraw"), WHO, NAMES),
    st.tuples(st.just("validators"), SETS),
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 499, 500, DAY_MS, 7 * DAY_MS])),
)


def histories_agree(steps: list[tuple[Any, ...]]) -> None:
    ledger, plain = Ledger(), Plain()
    for name, *args in steps:
        assert getattr(ledger, name)(*args) == getattr(plain, name)(*args), (name, args)


@settings(deadline=None, max_examples=80)
@given(st.lists(STEPS, min_size=15, max_size=40))
def test_a_chain_without_a_document_decides_as_the_plain_rule_does(steps: list[tuple[Any, ...]]) -> None:
    histories_agree(steps)


@pytest.mark.slow
@settings(deadline=None, max_examples=4_000)
@given(st.lists(STEPS, min_size=10, max_size=80))
def test_a_chain_without_a_document_decides_as_the_plain_rule_does_in_many(steps: list[tuple[Any, ...]]) -> None:
    histories_agree(steps)
