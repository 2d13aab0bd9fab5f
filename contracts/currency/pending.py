"""Pending transfers: money is reserved on both sides until it is posted on conditions, voided, or its time is over.

Law: every pending transfer ends, once; what is not posted goes back; posting never fails on a limit or a freeze, for
both were looked at when the money was reserved.

contracts/currency/README.md, section Release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.currency import fields
from coseal.contracts.currency.authority import KEY, PAY, may_debit
from coseal.contracts.currency.ledger import ISSUANCE, PENDING, POST, VOID, Wallet
from coseal.contracts.currency.payments import between, debited, order_of
from coseal.contracts.currency.post import Order, Origin, Posting, origin_of
from coseal.contracts.currency.state import NAME, pending_key
from coseal.contracts.currency.tranches import TRANCHE, unmet
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    FORMER,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
    refused,
)
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Boolean, Hexadecimal, Identifier, Integer, Many, Name, Record
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import member_key
from coseal.contracts.process.attestation import attestation
from coseal.contracts.supervision.findings import open_findings
from coseal.contracts.supervision.holds import held

MIN_PENDING_MS: Final = 1_000
MAX_PENDING_MS: Final = 366 * DAY_MS
MAX_VOIDED: Final = 1_000
CONDITION_STEPS: Final = 40
RESERVE_STEPS: Final = 450
"""A pending transfer with its deadline, beside its movement."""
_DIGITS: Final = frozenset("0123456789")
OPEN: Final = "open"
POSTED: Final = "posted"
VOIDED: Final = "voided"
EXPIRED: Final = "expired"


def reserve(posting: Posting, order: Order, expires_ms: int, release: Mapping[str, Any]) -> int:
    """Reserve the money of an order that was not refused; return the number of the pending transfer."""
    posting.view.charge(RESERVE_STEPS)
    posting.totals.pendings += 1
    number = posting.totals.pendings
    posting.post(
        Order(
            PENDING,
            order.debit,
            order.credit,
            order.amount,
            code=order.code,
            reference=order.reference,
            end_to_end=order.end_to_end,
            about=order.about,
            pending=number,
        )
    )
    record = {"debit": order.debit, "credit": order.credit, "amount": order.amount, "code": order.code}
    record |= {"reference": order.reference, "end_to_end": order.end_to_end, "about": list(order.about)}
    record |= {"expires_ms": expires_ms, "release": dict(release), "status": OPEN, "posted": 0}
    origin = posting.origin
    posting.view.put(pending_key(number), {**record, "height": origin.height, "tx": origin.tx.hex()})
    deadlines.add(posting.view, NAME, BLOCK_CLOCK, expires_ms, ["pending", number])
    return number


def settle(posting: Posting, number: int, record: Mapping[str, Any], kind: str, amount: int, status: str) -> None:
    """End a pending transfer by posting ``amount`` of it, or by voiding it."""
    posting.post(
        Order(
            kind,
            record["debit"],
            record["credit"],
            amount,
            reserved=record["amount"],
            code=record["code"],
            reference=record["reference"],
            end_to_end=record["end_to_end"],
            about=record["about"],
            pending=number,
        )
    )
    posting.view.put(pending_key(number), {**record, "status": status, "posted": amount})


def number_of(name: str) -> int:
    """Return the number of a pending transfer named ``P3``; 0 for what is no such name."""
    digits = name[1:]
    known = name[:1] == "P" and 0 < len(digits) <= 18 and _DIGITS.issuperset(digits) and digits[0] != "0"
    return int(digits) if known else 0


def found(reader: Reader, name: str, *, redemption: bool = False) -> dict[str, Any] | Rejected:
    """Return an open pending transfer, or a refusal; redemptions are the central bank's to settle."""
    record: Any = reader.get(pending_key(number_of(name)))
    if record is None or (record["credit"] == ISSUANCE) != redemption:
        kind = "redemption" if redemption else "pending transfer"
        return Rejected("unknown_pending", f"there is no {kind} {name}")
    if record["status"] == EXPIRED:
        return Rejected("expired", f"the time of {name} was over at {moment_text(record['expires_ms'])}")
    if record["status"] != OPEN:
        return Rejected("unknown_pending", f"{name} is {record['status']}")
    return dict(record)


# Actions


def _pend(view: View, context: Context, args: Args) -> Result | Rejected:
    expires_ms = args["expires_ms"]
    if not context.time_ms + MIN_PENDING_MS <= expires_ms <= context.time_ms + MAX_PENDING_MS:
        now = moment_text(context.time_ms)
        return Rejected("bad_time", f"args.expires_ms: from 1 s to 366 days after block time {now}")
    release = args["release"]
    if "arbiter" in release and view.get(member_key(release["arbiter"])) is None:
        return Rejected("unknown_member", f"args.release.arbiter: there is no member {release['arbiter']}")
    posting = Posting(view, origin_of(context))
    order = order_of(PENDING, args)
    wrong = debited(posting, context, "pend", args, args["from"], args.get("mandate"))
    wrong = wrong or posting.refusal(order) or between(view, args)
    if wrong is not None:
        return wrong
    number = reserve(posting, order, expires_ms, release)
    return {**posting.write(), "pending": f"P{number}", "expires_ms": expires_ms}


def _post(view: View, context: Context, args: Args) -> Result | Rejected:
    record = found(view, args["pending"])
    if isinstance(record, Rejected):
        return record
    amount = args.get("amount", record["amount"])
    if amount > record["amount"]:
        return Rejected("insufficient", f"{args['pending']} reserves {record['amount']} fen, not {amount}")
    if record["expires_ms"] <= context.time_ms:  # C14
        return Rejected("expired", f"{args['pending']} ended at {moment_text(record['expires_ms'])}")
    posting = Posting(view, origin_of(context))
    side = _side(posting, context, args, record)
    if isinstance(side, Rejected):
        return side
    if amount < record["amount"] and side == "payer" and not record["release"].get("payer"):  # C15
        return Rejected("not_yours", "less than the whole is posted by the arbiter or the payee")
    wrong = _unmet(view, number_of(args["pending"]), record["release"], context.time_ms)
    if wrong is not None:
        return Rejected("not_released", f"{args['pending']}: {wrong}")
    settle(posting, number_of(args["pending"]), record, POST, amount, POSTED)
    return {**posting.write(), "pending": args["pending"], "posted": amount, "status": POSTED}


def _side(posting: Posting, context: Context, args: Args, record: Mapping[str, Any]) -> str | Rejected:
    """Return as what the sender posts: as arbiter, payer or payee."""
    release = record["release"]
    if "arbiter" in release:
        if context.member == release["arbiter"] and PAY in context.capabilities:
            return "arbiter"
        return Rejected("not_yours", f"an operator of {release['arbiter']} with the capability {PAY} posts it")
    sides = (("payer", "debit"),) if release.get("payer") else (("payer", "debit"), ("payee", "credit"))
    return _one_of(posting, context, "post_pending", args, [(name, record[side]) for name, side in sides])


def _one_of(
    posting: Posting, context: Context, action: str, args: Args, sides: list[tuple[str, str]]
) -> str | Rejected:
    """Return the first of these wallets' sides that the sender may act for."""
    wrong: Rejected | None = None
    for side, name in sides:
        wallet = posting.wallet(name)
        if wallet is None:
            raise ValueError(f"{name} has a pending transfer and is no wallet")
        given = _given(args, name, wallet)
        refusal = may_debit(posting, context, name, wallet, action, args, given)
        if refusal is None:
            return side
        if wrong is None or given is not None:
            wrong = refusal
    return wrong or Rejected("not_yours", "nobody may do this")


def _given(args: Args, name: str, wallet: Wallet) -> Any:
    if wallet.authority != KEY:
        return None
    return args["mandates"].get(name) if "mandates" in args else args.get("mandate")


def _unmet(view: View, number: int, release: Mapping[str, Any], time_ms: int) -> str | None:
    """Say which condition does not hold, or None. Each is one read."""
    view.charge(CONDITION_STEPS * len(release))
    if time_ms < release.get("after_ms", 0):
        return f"not before {moment_text(release['after_ms'])}"
    if "object" in release:
        place = release["object"]
        if release.get("unheld") and held(view, *place) is not None:
            return f"unheld: {' '.join(place)} is on hold"
        count = open_findings(view, *place).get("violation", 0) if release.get("no_finding") else 0
        if count:
            return f"no_finding: {count} violations of {' '.join(place)} are open"
    if "confirmed" in release:
        said = attestation(view, bytes.fromhex(release["confirmed"]))
        if said is None or said["status"] != "confirmed":
            return f"confirmed: item {release['confirmed']} is not confirmed"
    wrong = unmet(view, number, release["tranche"]) if "tranche" in release else None
    return None if wrong is None else f"tranche: {wrong}"


def _void(view: View, context: Context, args: Args) -> Result | Rejected:
    names = args["pendings"]
    posting = Posting(view, origin_of(context), len(names))
    allowed: dict[str, bool] = {}
    for name in names:
        record = found(view, name)
        if isinstance(record, Rejected):
            return record
        wrong = _may_void(posting, context, args, record, allowed)
        if wrong is not None:
            return wrong
        settle(posting, number_of(name), record, VOID, 0, VOIDED)
    return {**posting.write(), "pendings": list(names), "status": VOIDED}


def _may_void(
    posting: Posting, context: Context, args: Args, record: Mapping[str, Any], allowed: dict[str, bool]
) -> Rejected | None:
    arbiter = record["release"].get("arbiter")
    if arbiter == context.member and PAY in context.capabilities:
        return None
    late = record["expires_ms"] <= context.time_ms  # C14
    names = [record["credit"], *([record["debit"]] if late else [])]
    if any(allowed.get(name) for name in names):  # a mandate is used once a transaction
        return None
    for name in names:
        if name not in allowed:
            side = _one_of(posting, context, "void_pending", args, [("", name)])
            if not isinstance(side, Rejected):
                allowed[name] = True
                return None
    return Rejected("not_yours", f"the payee{f' or {arbiter}' if arbiter else ''} voids it before its time is over")


# What falls due


def expire(view: View, moment: Moment, number: int) -> Result:
    """Give back what a pending transfer reserved whose time is over."""
    record: Any = view.get(pending_key(number))
    if record["status"] != OPEN:
        return {}
    posting = Posting(view, Origin(moment.height, moment.time_ms))
    settle(posting, number, record, VOID, 0, EXPIRED)
    return {"expired": [{"pending": f"P{number}", **posting.write()}]}


def _release_faults(args: Args) -> Iterator[Rejected]:
    release = args["release"]
    for name in ("unheld", "no_finding"):
        if name in release and "object" not in release:
            yield from refused(f".release.{name}: needs object")


RELEASE: Final = Record(
    {},
    {
        "payer": Boolean(),
        "after_ms": Integer(0, 2**53),
        "arbiter": Name(),
        "object": Many(Identifier(), low=3, high=3),
        "unheld": Boolean(),
        "no_finding": Boolean(),
        "confirmed": Hexadecimal(),
        "tranche": TRANCHE,
    },
)

ACTIONS: Final[dict[str, Action]] = {
    "pend": Action(
        arguments=Arguments(
            {**fields.PAYMENT, "expires_ms": Integer(0, 2**53), "release": RELEASE},
            {**fields.DETAILS, "mandate": fields.mandate},
            _release_faults,
        ),
        apply=_pend,
        title="Reserve money for another wallet, to be posted on conditions",
        example={**fields.EXAMPLE, "expires_ms": 1_700_086_400_000, "release": {"arbiter": "regulator"}},
        capability="",
    ),
    "post_pending": Action(
        arguments=Arguments({"pending": fields.pending}, {"amount": fields.amount, "mandate": fields.mandate}),
        apply=_post,
        title="Post a pending transfer, or a part of it; the rest goes back",
        example={"pending": "P1"},
        capability="",
        standing=FORMER,
    ),
    "void_pending": Action(
        arguments=Arguments(
            {"pendings": Many(fields.pending, low=1, high=MAX_VOIDED, unique=True)}, {"mandates": fields.mandates}
        ),
        apply=_void,
        title="Give back what pending transfers reserved",
        example={"pendings": ["P1"]},
        capability="",
        standing=FORMER,
        pausable=False,
    ),
}
