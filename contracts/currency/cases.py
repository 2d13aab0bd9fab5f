"""Freezes and refusals by name: a case about a wallet, on which it is held, and a second unit, which nobody makes.

Law: a supervisor stops money, and never takes it; a hold ends by itself and is contested as any other.

contracts/currency/README.md, sections Freezes and A second unit.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.currency import fields
from coseal.contracts.currency.ballots import holder_member
from coseal.contracts.currency.post import OBJECT_TYPE, PROCESS_TYPE, unknown_wallet
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Later, Many, OneOf, Text
from coseal.contracts.policy.notices import virtual_currency
from coseal.contracts.rules.rule import SEVERITIES
from coseal.contracts.supervision.cases import Case, open_case, opened
from coseal.contracts.supervision.terms import long_text


def _open_case(view: View, context: Context, args: Args) -> Result | Rejected:
    subject = holder_member(view, args["wallet"])
    if subject is None:
        return unknown_wallet(args["wallet"])
    case = Case(
        PROCESS_TYPE,
        OBJECT_TYPE,
        args["wallet"],
        subject,
        args["severity"],
        args["reason"],
        args["legal_basis"],
        args.get("evidence", ()),
    )
    record = open_case(view, context, case)  # C10
    return record if isinstance(record, Rejected) else opened(record)


def _define_unit(view: View, context: Context, args: Args) -> Result | Rejected:
    return Rejected("virtual_currency", virtual_currency(view, context.time_ms))  # C18


_any: Final = Later("anything; it is refused", refused=(None,), passed=("Coin",))

ACTIONS: Final[dict[str, Action]] = {
    "open_case": Action(
        arguments=Arguments(
            {
                "wallet": fields.wallet,
                "severity": OneOf(*SEVERITIES),
                "reason": long_text,
                "legal_basis": Many(Text(), low=1, high=16, unique=True),
            },
            {"evidence": EVIDENCE},
        ),
        apply=_open_case,
        title="Open a finding about a wallet, which can then be held",
        example={
            "wallet": "bank-a/w1",
            "severity": "warning",
            "reason": "The payments of May have no contract",
            "legal_basis": ["external: court order 17/2026"],
        },
        capability="supervise",
    ),
    "define_unit": Action(
        arguments=Arguments({}, {"name": _any, "symbol": _any, "supply": _any}),
        apply=_define_unit,
        title="Refused: the one transferable unit is the yuan",
        example={"name": "Coin"},
        capability="",
    ),
}
