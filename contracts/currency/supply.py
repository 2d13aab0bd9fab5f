"""Supply: the central bank admits institutions, issues against reserves and redeems; nobody else makes money.

Law: money is issued once for each attested reserve instruction, by another person than the one who attested it; what
is redeemed is gone before reserves are credited.

contracts/currency/README.md, section Actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.currency import fields
from coseal.contracts.currency.authority import TREASURY, is_admitted
from coseal.contracts.currency.ledger import ISSUANCE, MAX_AMOUNT, MAX_ISSUED, PENDING, POST, POSTED, VAULT, VOID, yuan
from coseal.contracts.currency.pending import POSTED as SETTLED
from coseal.contracts.currency.pending import VOIDED, found, number_of, reserve, settle
from coseal.contracts.currency.post import INSTITUTION_CLASS, Order, Posting, origin_of
from coseal.contracts.currency.state import institution_key, used_key
from coseal.contracts.currency.wallets import open_vault
from coseal.contracts.kernel.action import FORMER, Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Identifier, Integer, Later, Name
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import member_key
from coseal.contracts.process.attestation import attestation
from coseal.contracts.process.chain import decoded_item_hash
from coseal.contracts.process.state import source_key

_DIGITS: Final = frozenset("0123456789")
REDEEM_MS: Final = 5 * DAY_MS
RESERVES: Final = "reserves"
INSTRUCTION: Final = "Reserve instruction"
RESERVES_TYPE: Final[dict[str, Any]] = {
    "id": RESERVES,
    "version": 1,
    "title": {"en": "Reserves of institutions at the central bank", "zh": "机构在中央银行的准备金"},
    "object_types": {"account": {}},
    "event_types": {
        INSTRUCTION: {
            "attributes": {
                "direction": {"type": "string", "required": True},
                "amount": {"type": "decimal", "required": True},
                "currency": {"type": "string", "required": True},
                "instruction": {"type": "string", "required": True},
            }
        }
    },
}
"""The process type of what ``issue`` reads; the central bank defines it once on a chain."""
INSTRUCTION_EXAMPLE: Final[dict[str, Any]] = {
    "event": "i1",
    "type": INSTRUCTION,
    "time": "2026-03-02T09:00:00+08:00",
    "objects": [["account", "bank-a"]],
    "attributes": {"direction": "issue", "amount": "1000.00", "currency": "CNY", "instruction": "I-1"},
    "counterparty": "central-bank",
}


class Instruction(NamedTuple):
    """A reserve instruction, as the item that an institution recorded says."""

    amount: int
    instruction: str


def instruction_of(item: Any) -> Instruction | str:
    """Return what a reserve instruction says, or what is wrong with it."""
    if type(item) is not dict or item.get("type") != INSTRUCTION:
        return f"expected an event {INSTRUCTION}"
    said = item.get("attributes", {})
    if said.get("direction") != "issue" or said.get("currency") != "CNY":
        return "expected the direction issue and the currency CNY"
    amount = fen_of(said.get("amount"))
    if amount is None or not 0 < amount <= MAX_AMOUNT:
        return f"expected an amount of {yuan(1)} to {yuan(MAX_AMOUNT)} with two decimals"
    name = said.get("instruction")
    if type(name) is not str or not 0 < len(name) <= 35:
        return "expected an instruction of 1 to 35 characters"
    return Instruction(amount, name)


def fen_of(text: Any) -> int | None:
    """Return an amount in yuan with exactly two decimals as fen, None for what is no such text."""
    if type(text) is not str or len(text) > 20:
        return None
    whole, _, part = text.partition(".")
    if len(part) != 2 or not whole or not _DIGITS.issuperset(whole + part) or (whole[0] == "0" and whole != "0"):
        return None
    return int(whole) * 100 + int(part)


def _central(view: View, context: Context) -> Rejected | None:
    record: Any = view.get(member_key(context.member))
    return None if record["central_bank"] else Rejected("forbidden", "the central bank does this")


# Institutions


def _admit(view: View, context: Context, args: Args) -> Result | Rejected:
    wrong = _central(view, context)
    if wrong is not None:
        return wrong
    member, record = args["member"], view.get(member_key(args["member"]))
    if record is None or record["role"] != "bank" or record["central_bank"]:  # type: ignore[call-overload,index]
        return Rejected("not_a_bank", f"{member} is no member of role bank, or the central bank itself")
    known: Any = view.get(institution_key(member))
    if known is not None and not known[4]:
        return Rejected("exists", f"{member} is an institution")
    posting = Posting(view, origin_of(context))
    if known is not None:
        view.put(institution_key(member), [*known[:4], ""])
        return {"member": member, "vault": f"{member}/{VAULT}"}
    posting.totals.institutions += 1
    view.put(institution_key(member), [0, 0, 0, context.height, ""])
    name = open_vault(posting, member, INSTITUTION_CLASS)
    return {"member": member, "vault": name, **posting.write()}


def _dismiss(view: View, context: Context, args: Args) -> Result | Rejected:
    wrong = _central(view, context)
    if wrong is not None:
        return wrong
    member, successor = args["member"], args["successor"]
    record: Any = view.get(institution_key(member))
    if record is None:
        return Rejected("not_an_institution", f"{member} is no institution")
    if successor == member or not is_admitted(view, successor):
        return Rejected("not_an_institution", f"{successor} is no institution that could follow {member}")
    view.put(institution_key(member), [*record[:4], successor])
    return {"member": member, "successor": successor}


# Money


def _issue(view: View, context: Context, args: Args) -> Result | Rejected:
    wrong = _central(view, context)
    if wrong is not None:
        return wrong
    source, sequence = args["source"], args["sequence"]
    view.charge(ITEM_STEPS)
    hashed = decoded_item_hash(source, sequence, args["item"])
    attested = _attested(view, context, source, hashed)
    if isinstance(attested, Rejected):
        return attested
    read = instruction_of(args["item"])
    if isinstance(read, str):
        return Rejected("bad_instruction", f"args.item: {read}")
    institution = attested["owner"]
    if not is_admitted(view, institution):
        return Rejected("not_an_institution", f"{institution} is no institution")
    used: Any = view.get(used_key(institution, read.instruction))
    if used is not None:  # C2
        return Rejected("already_used", f"{read.instruction} of {institution} was used at height {used[2]}")
    posting = Posting(view, origin_of(context))
    order = Order(
        POSTED, ISSUANCE, f"{institution}/{VAULT}", read.amount, code="CASH", reference=read.instruction, supply=True
    )
    if posting.issuance.debits_posted - posting.issuance.credits_posted + read.amount > MAX_ISSUED:
        return Rejected("limit", f"at most {yuan(MAX_ISSUED)} are in circulation")
    refused = posting.refusal(order)
    if refused is not None:
        return refused
    posting.post(order)
    view.put(used_key(institution, read.instruction), [read.amount, hashed, context.height])
    named = {"institution": institution, "instruction": read.instruction, "amount": read.amount}
    return {**named, "item": hashed.hex(), **posting.write()}


def _attested(reader: Reader, context: Context, source: str, hashed: bytes) -> Mapping[str, Any] | Rejected:
    """Return what the central bank said of a reserve instruction, if it and another operator confirmed it."""
    attested = attestation(reader, hashed)
    if attested is None or attested["counterparty"] != context.member or attested["status"] != "confirmed":
        return Rejected("not_attested", f"{context.member} has not confirmed this item of {source}")
    registered: Any = reader.get(source_key(source))
    if registered is None or registered["process_type"] != RESERVES:
        return Rejected("bad_instruction", f"{source} is no source of the process type {RESERVES}")
    if attested["by"] == context.sender:  # C2
        return Rejected("same_person", f"{context.sender} attested the instruction; another operator issues on it")
    return attested


def _redeem(view: View, context: Context, args: Args) -> Result | Rejected:
    posting, name = Posting(view, origin_of(context)), f"{context.member}/{VAULT}"
    vault = posting.usable(name)
    if isinstance(vault, Rejected):
        return Rejected("not_an_institution", f"{context.member} is no institution")
    order = Order(PENDING, name, ISSUANCE, args["amount"], code="CASH", supply=True)
    refused = posting.refusal(order)
    if refused is not None:
        return refused
    expires_ms = context.time_ms + REDEEM_MS
    number = reserve(posting, order, expires_ms, {})
    return {**posting.write(), "redemption": f"P{number}", "amount": args["amount"], "expires_ms": expires_ms}


def _settle(view: View, context: Context, args: Args) -> Result | Rejected:
    return _end(view, context, args, POST)


def _void(view: View, context: Context, args: Args) -> Result | Rejected:
    return _end(view, context, args, VOID)


def _end(view: View, context: Context, args: Args, kind: str) -> Result | Rejected:
    wrong = _central(view, context)
    record = wrong or found(view, args["redemption"], redemption=True)
    if isinstance(record, Rejected):
        return record
    if kind == POST and record["expires_ms"] <= context.time_ms:  # C14
        return Rejected("expired", f"{args['redemption']} ended at {moment_text(record['expires_ms'])}")
    posting = Posting(view, origin_of(context))
    amount, status = (record["amount"], SETTLED) if kind == POST else (0, VOIDED)
    settle(posting, number_of(args["redemption"]), record, kind, amount, status)
    named = {"redemption": args["redemption"], "vault": record["debit"], "amount": record["amount"]}
    return {**named, "status": status, **posting.write()}


_member: Final = {"member": Name()}
_redemption: Final = {"redemption": fields.pending}

ACTIONS: Final[dict[str, Action]] = {
    "admit_institution": Action(
        arguments=Arguments(_member),
        apply=_admit,
        title="Admit a bank as an institution, with a vault",
        example={"member": "bank-a"},
        capability=TREASURY,
    ),
    "dismiss_institution": Action(
        arguments=Arguments({**_member, "successor": Name()}),
        apply=_dismiss,
        title="Dismiss an institution, and name who runs its wallets from now on",
        example={"member": "bank-a", "successor": "bank-b"},
        capability=TREASURY,
    ),
    "issue": Action(
        arguments=Arguments(
            {
                "source": Identifier(),
                "sequence": Integer(1, 2**53),
                "item": Later(
                    "the reserve instruction, as the institution recorded it",
                    refused=(None, 1, {}, "x"),
                    passed=(INSTRUCTION_EXAMPLE,),
                ),
            }
        ),
        apply=_issue,
        title="Issue money to the vault of an institution, on its attested reserve instruction",
        example={"source": "bank-a/reserves", "sequence": 1, "item": INSTRUCTION_EXAMPLE},
        capability=TREASURY,
    ),
    "redeem": Action(
        arguments=Arguments({"amount": fields.amount}),
        apply=_redeem,
        title="Give money of the own vault back to the central bank, for reserves",
        example={"amount": 1_000},
        capability=TREASURY,
        standing=FORMER,
    ),
    "settle_redeem": Action(
        arguments=Arguments(_redemption),
        apply=_settle,
        title="Settle a redemption: the money is gone",
        example={"redemption": "P1"},
        capability=TREASURY,
        pausable=False,
    ),
    "void_redeem": Action(
        arguments=Arguments(_redemption),
        apply=_void,
        title="Refuse a redemption: the money goes back to the vault",
        example={"redemption": "P1"},
        capability=TREASURY,
    ),
}
