"""What members decide about the currency by ballot: classes, the regime, and corrections of what was paid wrongly.

Law: nothing of it is decided without the central bank's yes; a correction is a new movement, never an edit.

contracts/currency/README.md, section Ballots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.currency import fields
from coseal.contracts.currency.authority import MEMBER
from coseal.contracts.currency.ledger import LIMITS, POSTED, VAULT
from coseal.contracts.currency.payments import REGIMES
from coseal.contracts.currency.post import Order, Origin, Posting, class_of, unknown_wallet, wallet_of
from coseal.contracts.currency.state import NAME, REGIME_KEY, class_key
from coseal.contracts.governance import ballot
from coseal.contracts.governance.state import NAME as GOVERNANCE
from coseal.contracts.governance.state import proposal_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Many, Name, OneOf, Record, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.membership.state import member_key

DECIDED: Final = "decided"
"""The kind of due thing that says what a ballot decided."""
HOLDERS: Final = (VAULT, MEMBER, "uscc", "lei")
Subject = Mapping[str, Any]


def _consent(view: View, case: Case) -> Rejected | None:
    """Refuse what is decided without the central bank's yes; a proposal that is being made has no votes yet."""
    record: Any = view.get(proposal_key(case.id))
    if record is None:
        return None
    for vote in ballot.votes(view, GOVERNANCE, case.id, record):
        if vote["choice"] == ballot.YES:
            member: Any = view.get(member_key(vote["member"]))
            if member["central_bank"]:  # C17
                return None
    return Rejected("needs_central_bank", "the central bank has not voted yes")


def _check_class(view: View, case: Case, subject: Subject) -> Rejected | None:
    before = class_of(view, subject["id"])
    limits = [subject["limits"][limit] for limit in LIMITS]
    if before is not None and (before["limits"], before["holders"]) == (limits, subject["holders"]):
        return Rejected("exists", f"the class {subject['id']} is so")
    return _consent(view, case)


def _enact_class(view: View, case: Case, subject: Subject) -> Result:
    before = class_of(view, subject["id"])
    version = 1 if before is None else before["version"] + 1
    limits = [subject["limits"][limit] for limit in LIMITS]
    record = {"version": version, "limits": limits, "holders": list(subject["holders"]), "height": case.height}
    view.put(class_key(subject["id"]), record)
    _announce(view, case, "class", subject["id"])
    return {"class": subject["id"], **record}


def _check_regime(view: View, case: Case, subject: Subject) -> Rejected | None:
    if (view.get(REGIME_KEY) or REGIMES[0]) == subject["regime"]:
        return Rejected("exists", f"the regime is {subject['regime']}")
    return _consent(view, case)


def _enact_regime(view: View, case: Case, subject: Subject) -> Result:
    view.put(REGIME_KEY, subject["regime"])
    return {"regime": subject["regime"]}


def _check_correction(view: View, case: Case, subject: Subject) -> Rejected | None:
    concerned = holder_member(view, subject["from"])
    if concerned is None:
        return unknown_wallet(subject["from"])
    if concerned != subject["member"]:
        return Rejected("not_yours", f"args.subject.member: {concerned} answers for {subject['from']}")
    posting = Posting(view, Origin(case.height, case.time_ms))
    return posting.refusal(_order(case, subject)) or _consent(view, case)


def holder_member(reader: Reader, name: str) -> str | None:
    """Return the member that answers for a wallet: its holder, or the institution of a customer that is none."""
    wallet = wallet_of(reader, name)
    if wallet is None:
        return None
    scheme, _, code = wallet.holder.partition(":")
    return code if scheme == MEMBER else name.partition("/")[0]


def _order(case: Case, subject: Subject) -> Order:
    reference = f"correction {case.id}"[:35]
    return Order(POSTED, subject["from"], subject["to"], subject["amount"], reference=reference, forced=True)


def _enact_correction(view: View, case: Case, subject: Subject) -> Result:
    posting, order = Posting(view, Origin(case.height, case.time_ms)), _order(case, subject)
    number = posting.post(order)
    made = (number, case.height, case.time_ms, order.debit, order.credit, order.amount, order.reference)
    _announce(view, case, "correction", *made)
    return posting.write()


# What the next block says of it


def _announce(view: View, case: Case, *what: Any) -> None:
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms + 1, [DECIDED, *what])


def decided(view: View, what: Sequence[Any]) -> Result:
    """Return what a ballot decided in the block before, for those who keep rows."""
    match what:
        case ["class", class_id]:
            return {"classes": [{"class": class_id, **class_of(view, class_id)}]}
        case ["correction", number, height, time_ms, debit, credit, amount, reference]:
            made = {"first": number, "last": number, "height": height, "time_ms": time_ms, "debit": debit}
            made |= {"credit": credit, "amount": amount, "code": "OTHR", "reference": reference}
            found = ((name, wallet_of(view, name)) for name in (debit, credit))
            totals = {name: wallet.balance.texts() for name, wallet in found if wallet is not None}
            return {"corrected": [{**made, "wallets": totals}]}
        case _:
            raise ValueError(f"a ballot decided {what}")


_limits: Final = {"single_max": None, "day_max": 10_000_000, "year_max": None, "balance_max": None}

PROPOSALS: Final[dict[str, ProposalKind]] = {
    "currency_class": ProposalKind(
        Record(
            {
                "id": Identifier(slash=False),
                "limits": fields.limits,
                "holders": Many(OneOf(*HOLDERS), low=1, high=len(HOLDERS), unique=True),
            }
        ),
        _check_class,
        _enact_class,
        {"id": "small", "limits": _limits, "holders": ["uscc"]},
    ),
    "currency_regime": ProposalKind(
        Record({"regime": OneOf(*REGIMES)}), _check_regime, _enact_regime, {"regime": "deposit"}
    ),
    "currency_correction": ProposalKind(
        Record(
            {
                "from": fields.wallet,
                "to": fields.wallet,
                "amount": fields.amount,
                "member": Name(),
                "basis": Many(Text(), low=1, high=16, unique=True),
            }
        ),
        _check_correction,
        _enact_correction,
        {
            "from": "bank-a/w1",
            "to": "bank-a/vault",
            "amount": 100,
            "member": "enterprise-a",
            "basis": ["external: court order 17/2026"],
        },
        concerned=lambda subject: str(subject["member"]),
    ),
}
"""The kinds of ballots of this contract."""
