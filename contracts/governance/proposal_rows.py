"""Proposals and votes as rows: what was proposed and why, who voted what and why, and what became of it.

Law: the rows follow from transactions and receipts in ledger order alone. Votes on ballots of other contracts are here
as well; what those are about is in the tables of their contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.governance.state import NAME
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.schema import MADE, Table, document, integer, octets, text
from coseal.contracts.kernel.rows.writer import Writer
from coseal.ledger.render import plain
from coseal.ledger.transaction import Transaction

PROPOSALS: Final = Table(
    "proposals",
    "one row a proposal of governance",
    ("id",),
    (
        text("id", "its id"),
        text("kind", "what it would do: `add_member`, `amend_constitution`, ..."),
        text(
            "status",
            "`open`, `passed` (it waits for its delay), `accepted`, `rejected`, `expired`, `withdrawn`, `void`,"
            " or `failed`",
        ),
        text("proposer", "member that made it"),
        text("reason", "why, in the words of the proposer", null=True),
        integer("round", "1; 2 after an appeal"),
        integer("yes", "votes for, in this round"),
        integer("no", "votes against"),
        integer("abstain", "abstentions"),
        integer("needed", "yes votes that the total of its track asks for"),
        integer("electors", "members that have a vote, or had when it was decided"),
        text("overridden", "constituency against which it passed", null=True),
        integer("time_ms", "block time at which it was made"),
        integer("closes_ms", "when it closes"),
        integer("effect_ms", "when what passed takes effect; null without a delay", null=True),
        integer("decided_ms", "block time of its present status; null while it is open", null=True),
        *MADE,
        document("what it says, and what came of it: `subject`, `outcome`; of an appeal `appeal`: its reason"),
    ),
    indexes=(("proposals_by_kind", "(kind, height)"), ("proposals_by_status", "(status, height)")),
)
VOTES: Final = Table(
    "votes",
    "one row a vote on a ballot of any contract",
    ("contract", "ballot", "round", "member"),
    (
        text("contract", "contract of the ballot: `governance`, `supervision`"),
        text("ballot", "`proposals.id`, `ballots.id`"),
        integer("round", "round of the ballot"),
        text("member", "member that voted"),
        text("choice", "`yes`, `no` or `abstain`"),
        text("reason", "why", null=True),
        integer("time_ms", "block time of the vote"),
        octets("tx", "`transactions.id`"),
        *MADE,
    ),
    indexes=(("votes_by_member", "(member, height)"),),
)
TABLES: Final = (PROPOSALS, VOTES)
VOTING: Final = (NAME, "supervision")
"""The contracts whose members vote on ballots, each by its action ``vote``."""

_FIGURES: Final = ("status", "yes", "no", "abstain", "needed")
_OPEN: Final = "open"


def writer(rows: Rows) -> Writer:
    """Return what writes these rows."""
    return _Writing(rows).writer()


class _Writing:
    def __init__(self, rows: Rows) -> None:
        self._proposals, self._votes = rows.of(PROPOSALS), rows.of(VOTES)

    def writer(self) -> Writer:
        votes = {f"{contract}.vote": self._voted for contract in VOTING}
        acts = {"propose": self._proposed, "withdraw": self._changed, "appeal": self._appealed}
        return Writer({**votes, **{f"{NAME}.{name}": put for name, put in acts.items()}}, self._due)

    def _proposed(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        args = tx.args
        subject = plain(args["subject"])
        row = {"id": args["id"], "kind": args["kind"], "proposer": act.member, "reason": args.get("reason"), "round": 1}
        row |= {"overridden": None, "effect_ms": None, "decided_ms": None}
        row |= {"time_ms": act.time_ms, "closes_ms": data["closes_ms"], **act.place, "document": {"subject": subject}}
        self._put(row, data, act)
        if data["yes"]:  # A1: the proposer's
            self._vote(NAME, args["id"], "yes", args.get("reason"), act)

    def _voted(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        self._vote(tx.contract, data["ballot"], data["choice"], tx.args.get("reason"), act)
        if tx.contract == NAME:
            self._change(data, act)

    def _changed(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        self._change(data, act)

    def _appealed(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        again = {"round": data["round"], "closes_ms": data["closes_ms"], "overridden": None, "effect_ms": None}
        self._change(data, act, {**again, "decided_ms": None}, {"appeal": tx.args["reason"]})

    def _due(self, data: Mapping[str, Any], act: Act) -> None:
        for decided in data.get("closed", ()):
            self._change(decided, act)
        for admitted in data.get("contracts", ()):
            row = None if admitted["in_force"] else self._proposals.find(admitted["proposal"])
            if row is not None:
                self._proposals.put({**row, "status": "void", "decided_ms": act.time_ms})

    def _vote(self, contract: str, ballot: str, choice: str, reason: str | None, act: Act) -> None:
        proposal = self._proposals.find(ballot) if contract == NAME else None
        row = {"contract": contract, "ballot": ballot, "round": 1 if proposal is None else proposal["round"]}
        row |= {"member": act.member, "choice": choice, "reason": reason, "time_ms": act.time_ms, "tx": act.tx_id}
        self._votes.put({**row, **act.place})

    def _change(
        self,
        data: Mapping[str, Any],
        act: Act,
        columns: Mapping[str, Any] | None = None,
        said: Mapping[str, Any] | None = None,
    ) -> None:
        row = self._proposals.find(data["ballot"])
        if row is not None:
            self._put({**row, **(columns or {}), "document": {**row["document"], **(said or {})}}, data, act)

    def _put(self, row: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
        """Put a proposal as a receipt says that it stands."""
        figures = {name: data[name] for name in _FIGURES}
        more = {name: data[name] for name in ("overridden", "effect_ms") if name in data}
        decided = {} if data["status"] == _OPEN else {"decided_ms": act.time_ms}
        outcome = {"outcome": plain(data["outcome"])} if "outcome" in data else {}
        document = {**row["document"], **outcome}
        self._proposals.put({**row, **figures, "electors": data["of"], **more, **decided, "document": document})
