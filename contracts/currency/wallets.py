"""Wallets: opened, closed, given another class or stricter limits, and their keys replaced.

Law: a wallet that has money is not closed; an institution cannot change the key, or tighten the limits, of a wallet
that a customer's key guards, but for a lost key, after seven days in which that key may object.

contracts/currency/README.md, sections Actions and Authority.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from coseal.contracts.currency import fields
from coseal.contracts.currency.authority import KEY, MEMBER, may_debit, runs, verified
from coseal.contracts.currency.fields import MAX_WALLET_CHARACTERS
from coseal.contracts.currency.holders import holder_of
from coseal.contracts.currency.ledger import CLOSED, LIMITS, VAULT, Wallet, over_balance, takes_any
from coseal.contracts.currency.post import (
    CORPORATE_CLASS,
    Origin,
    Posting,
    class_of,
    closed_wallet,
    origin_of,
    unknown_wallet,
    wallet_of,
)
from coseal.contracts.currency.state import NAME, institution_key, rekey_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    FORMER,
    INVALID,
    Action,
    Args,
    Arguments,
    Context,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Hexadecimal, Identifier, Name, Text
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import EXAMPLE_KEY, public_key

LOST_KEY_MS: Final = 7 * DAY_MS
OBJECTION_MS: Final = 30 * DAY_MS


def _open(view: View, context: Context, args: Args) -> Result | Rejected:
    institution, wallet_id = context.member, args["id"]
    record: Any = view.get(institution_key(institution))
    if record is None or record[4] or "pay" not in context.capabilities:
        detail = "an operator with the capability pay of an institution that the central bank admitted opens wallets"
        return Rejected("not_an_institution", detail)
    name = f"{institution}/{wallet_id}"
    if len(name) > MAX_WALLET_CHARACTERS:
        return Rejected("bad_identifier", f"{name} has more than {MAX_WALLET_CHARACTERS} characters")
    if wallet_of(view, name) is not None:
        return Rejected("exists", f"there is a wallet {name}; choose another id")
    holder = holder_of(view, args)
    if isinstance(holder, Rejected):
        return holder
    kind = class_of(view, args["class"])
    if kind is None:
        return Rejected("unknown_class", f"there is no class {args['class']}")
    if holder[2] not in kind["holders"]:
        takes = ", ".join(kind["holders"])
        return Rejected("class_not_for_holder", f"the class {args['class']} takes {takes}, not {holder[2]}")
    wallet = Wallet(holder[0], holder[1], args.get("key", ""), args["class"], height=context.height)
    posting = Posting(view, origin_of(context))
    posting.open_wallet(name, wallet)
    written = posting.write()
    return {"wallet": name, "holder": holder[0], "authority": holder[1], "class": args["class"], **written}


def open_vault(posting: Posting, member: str, class_id: str) -> str:
    """Open the vault of an institution; return its name."""
    name = f"{member}/{VAULT}"
    posting.open_wallet(name, Wallet(f"{MEMBER}:{member}", MEMBER, "", class_id, height=posting.origin.height))
    return name


def _close(view: View, context: Context, args: Args) -> Result | Rejected:
    posting, name = Posting(view, origin_of(context)), args["wallet"]
    wallet = _run(posting, context, name)
    if isinstance(wallet, Rejected):
        return wallet
    if wallet.claims or name.endswith(f"/{VAULT}"):
        return Rejected("in_use", f"{name} is named by a claim, or is the vault of its institution")
    balance = wallet.balance
    if balance.posted or balance.debits_pending or balance.credits_pending:
        return Rejected("not_empty", f"{name} has money, or some is reserved from or for it; pay it out first")
    wallet.status = CLOSED
    return {"wallet": name, "status": CLOSED, **posting.write()}


def _run(posting: Posting, context: Context, name: str) -> Wallet | Rejected:
    """Return an open wallet that the sender runs as its institution, or a refusal."""
    wallet = posting.usable(name)
    if isinstance(wallet, Rejected):
        return wallet
    return runs(posting.view, context, name) or wallet


def _reclass(view: View, context: Context, args: Args) -> Result | Rejected:
    posting, name = Posting(view, origin_of(context)), args["wallet"]
    wallet = posting.usable(name)
    if isinstance(wallet, Rejected):
        return wallet
    if "class" in args:
        kind = class_of(view, args["class"])
        wrong = runs(view, context, name)
        if wrong is not None:
            return wrong
        if kind is None:
            return Rejected("unknown_class", f"there is no class {args['class']}")
        scheme = VAULT if name.endswith(f"/{VAULT}") else wallet.holder.partition(":")[0]
        if scheme.replace("commitment", "uscc") not in kind["holders"]:
            takes = ", ".join(kind["holders"])
            return Rejected("class_not_for_holder", f"the class {args['class']} takes {takes}, not {scheme}")
        wallet.class_id = args["class"]
    if "limits" in args:
        wrong = may_debit(posting, context, name, wallet, "reclass_wallet", args, args.get("mandate"))
        if wrong is not None:
            return wrong
        wallet.limits = [args["limits"][limit] for limit in LIMITS]
    if wallet.claims and not takes_any(wallet, posting.limits(wallet)):
        return Rejected("in_use", f"{name} is named by a claim; a balance_max could keep debtors from paying it")
    over = over_balance(wallet, posting.limits(wallet), 0)
    if over is not None:
        return Rejected("over_limit", f"{name}: {over}")
    return {"wallet": name, "class": wallet.class_id, "limits": list(wallet.limits), **posting.write()}


# Keys


def _rekey(view: View, context: Context, args: Args) -> Result | Rejected:
    posting, name, now_ms = Posting(view, origin_of(context)), args["wallet"], context.time_ms
    wallet = posting.usable(name)
    if isinstance(wallet, Rejected):
        return wallet
    if wallet.authority != KEY:
        return Rejected("not_yours", f"wallet {name} has no key")
    change: Any = view.get(rekey_key(name))
    if change is not None and change[0]:
        until = moment_text(change[1])
        return Rejected("change_pending", f"the key of {name} changes at {until}; its present key may end that")
    if "mandate" in args:
        wrong = may_debit(posting, context, name, wallet, "rekey_wallet", args, args["mandate"])
        if wrong is not None:
            return wrong
        wallet.key = args["key"]
        return {"wallet": name, "key": args["key"], "effective_ms": now_ms, **posting.write()}
    wrong = runs(view, context, name)
    if wrong is not None:
        return wrong
    if change is not None and now_ms < change[2] + OBJECTION_MS:  # C16
        until = moment_text(change[2] + OBJECTION_MS)
        return Rejected("objected", f"the key of {name} was used to object; wait until {until}")
    effective_ms = now_ms + LOST_KEY_MS
    view.put(rekey_key(name), [args["key"], effective_ms, 0])
    deadlines.add(view, NAME, BLOCK_CLOCK, effective_ms, ["rekey", name, effective_ms])
    return {"wallet": name, "key": args["key"], "effective_ms": effective_ms}


def _keep_key(view: View, context: Context, args: Args) -> Result | Rejected:
    posting, name = Posting(view, origin_of(context)), args["wallet"]
    wallet = posting.wallet(name)
    if wallet is None:
        return unknown_wallet(name)
    if wallet.status == CLOSED:
        return closed_wallet(name)
    change: Any = view.get(rekey_key(name))
    if change is None or not change[0]:
        return Rejected("no_change", f"no change of the key of {name} is pending")
    mandate = args["mandate"]
    wrong = verified(posting, context, name, wallet.key, wallet.nonce, "keep_key", args, mandate)
    if wrong is not None:
        return wrong
    wallet.nonce += 1
    view.put(rekey_key(name), ["", 0, context.time_ms])
    return {"wallet": name, **posting.write()}


def rekey_due(view: View, moment: Moment, name: str, effective_ms: int) -> Result:
    """Give a wallet its new key, if nobody objected."""
    change: Any = view.get(rekey_key(name))
    if change is None or not change[0] or change[1] != effective_ms:
        return {}
    posting = Posting(view, Origin(moment.height, moment.time_ms))
    wallet = posting.wallet(name)
    if wallet is None:
        raise ValueError(f"the key of {name} changes and it is no wallet")
    wallet.key = change[0]
    posting.write()
    view.delete(rekey_key(name))
    return {"rekeyed": [{"wallet": name, "key": change[0]}]}


def _open_faults(args: Args) -> Iterator[Rejected]:
    if ("holder" in args) == ("holder_commitment" in args):
        yield Rejected(INVALID, "args.holder: expected either holder or holder_commitment")


_wallet: Final = {"wallet": fields.wallet}
_EXAMPLE: Final = {"wallet": "bank-a/w1"}
_MANDATE: Final = {"nonce": 1, "until_ms": 1_700_086_400_000, "signature": "00" * 64}

ACTIONS: Final[dict[str, Action]] = {
    "open_wallet": Action(
        arguments=Arguments(
            {"id": Name(high=MAX_WALLET_CHARACTERS), "class": Identifier(slash=False)},
            {"holder": Text(high=64), "holder_commitment": Hexadecimal(), "key": public_key},
            _open_faults,
        ),
        apply=_open,
        title="Open a wallet of a legal entity at the own institution",
        example={"id": "w1", "class": CORPORATE_CLASS, "holder": "member:enterprise-a"},
        capability="",
    ),
    "close_wallet": Action(
        arguments=Arguments(_wallet),
        apply=_close,
        title="Close an empty wallet",
        example=_EXAMPLE,
        capability="",
        standing=FORMER,
    ),
    "reclass_wallet": Action(
        arguments=Arguments(
            _wallet, {"class": Identifier(slash=False), "limits": fields.limits, "mandate": fields.mandate}
        ),
        apply=_reclass,
        title="Give a wallet another class, or limits of its own",
        example={**_EXAMPLE, "class": CORPORATE_CLASS},
        capability="",
    ),
    "rekey_wallet": Action(
        arguments=Arguments({**_wallet, "key": public_key}, {"mandate": fields.mandate}),
        apply=_rekey,
        title="Replace the key of a wallet",
        example={**_EXAMPLE, "key": EXAMPLE_KEY},
        capability="",
    ),
    "keep_key": Action(
        arguments=Arguments({**_wallet, "mandate": fields.mandate}),
        apply=_keep_key,
        title="End a change of a wallet's key by its present key",
        example={**_EXAMPLE, "mandate": _MANDATE},
        capability="",
        standing=FORMER,
        pausable=False,
    ),
}
