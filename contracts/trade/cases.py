"""Cases about a receivable or a party of trade, on which it can be held.

Law: a hold ends by itself and is contested as any other; it stops what a receivable's holder or a party does, never
that a debtor pays, or that a party is paid.

contracts/trade/README.md, section Holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from coseal.contracts.kernel.action import INVALID, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Many, OneOf, Text
from coseal.contracts.rules.rule import SEVERITIES
from coseal.contracts.supervision.cases import Case, open_case, opened
from coseal.contracts.supervision.terms import long_text
from coseal.contracts.trade import fields
from coseal.contracts.trade.books import Books
from coseal.contracts.trade.history import PARTY, RECEIVABLE
from coseal.contracts.trade.state import NAME


def _open_case(view: View, context: Context, args: Args) -> Result | Rejected:
    if "receivable" in args:
        found = Books(view, context).found(args["receivable"])
        if isinstance(found, Rejected):
            return found
        place = (RECEIVABLE, args["receivable"], found[1].holder)
    else:
        place = (PARTY, args["party"], args["party"])
    about = (args["severity"], args["reason"], args["legal_basis"], args.get("evidence", ()))
    record = open_case(view, context, Case(NAME, *place, *about))  # D17
    return record if isinstance(record, Rejected) else opened(record)


def _faults(args: Args) -> Iterator[Rejected]:
    if ("receivable" in args) == ("party" in args):
        yield Rejected(INVALID, "args: expected receivable or party")


ACTIONS: Final[dict[str, Action]] = {
    "open_case": Action(
        arguments=Arguments(
            {
                "severity": OneOf(*SEVERITIES),
                "reason": long_text,
                "legal_basis": Many(Text(), low=1, high=16, unique=True),
            },
            {"receivable": fields.receivable, "party": fields.member, "evidence": EVIDENCE},
            _faults,
        ),
        apply=_open_case,
        title="Open a finding about a receivable or a party, which can then be held",
        example={
            "party": "enterprise-b",
            "severity": "warning",
            "reason": "A court opened insolvency proceedings",
            "legal_basis": ["external: court order 17/2026"],
        },
        capability="supervise",
    ),
}
