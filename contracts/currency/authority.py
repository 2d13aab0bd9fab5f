"""Who may debit a wallet: the operators of a member, the institution of a hosted one, or the key of a customer.

Law: an institution cannot spend what a key of a customer guards, and any member may carry what that key signed, so no
institution can lock it in either. What was signed is the whole action: a carrier changes nothing of it.

contracts/currency/README.md, section Authority.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.currency.ledger import Wallet, mandate_preimage
from coseal.contracts.currency.post import Posting
from coseal.contracts.currency.state import institution_key
from coseal.contracts.kernel.action import Args, Context, Reader, Rejected
from coseal.contracts.kernel.budget import SIGNATURE_STEPS
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.wording import moment_text

MEMBER: Final = "member"
KEY: Final = "key"
HOSTED: Final = "hosted"
PAY: Final = "pay"
TREASURY: Final = "treasury"
MANDATE_MS: Final = 30 * DAY_MS
"""How far ahead a mandate may end."""
WITHOUT: Final = ("mandate", "mandates")


def acting(reader: Reader, institution: str) -> str:
    """Return who runs the wallets of an institution: itself, or the successor of one that was dismissed; one step."""
    record: Any = reader.get(institution_key(institution))
    return institution if record is None or not record[4] else str(record[4])  # C5


def is_admitted(reader: Reader, member: str) -> bool:
    """Say whether a member is an institution that was not dismissed."""
    record: Any = reader.get(institution_key(member))
    return record is not None and not record[4]


def runs(reader: Reader, context: Context, wallet: str) -> Rejected | None:
    """Refuse who does not run a wallet as its institution."""
    who = acting(reader, wallet.partition("/")[0])
    if context.member == who and PAY in context.capabilities:
        return None
    return Rejected("not_yours", f"an operator of {who} with the capability {PAY} runs wallet {wallet}")


def may_debit(
    posting: Posting, context: Context, name: str, wallet: Wallet, action: str, args: Args, mandate: Any
) -> Rejected | None:
    """Refuse who may not dispose of a wallet; the nonce of a mandate that is used moves.

    ``args`` are what the mandate covers: all arguments but the mandate itself.
    """
    if wallet.authority == KEY:
        return _carried(posting, context, name, wallet, action, args, mandate)
    if mandate is not None:
        return Rejected("bad_mandate", f"wallet {name} has no key; leave the mandate out")
    if wallet.authority == HOSTED:
        return runs(posting.view, context, name)
    if wallet.holder == f"{MEMBER}:{context.member}" and PAY in context.capabilities:
        return None
    return Rejected("not_yours", f"an operator of {wallet.holder[7:]} with the capability {PAY} disposes of {name}")


def _carried(
    posting: Posting, context: Context, name: str, wallet: Wallet, action: str, args: Args, mandate: Any
) -> Rejected | None:
    if mandate is None:
        return Rejected("not_yours", f"wallet {name} has a key; its holder signs a mandate")
    refused = verified(posting, context, name, wallet.key, wallet.nonce, action, args, mandate)
    if refused is None:
        wallet.nonce += 1
    return refused


def verified(
    posting: Posting,
    context: Context,
    name: str,
    key: str,
    nonce: int,
    action: str,
    args: Args,
    mandate: Mapping[str, Any],
) -> Rejected | None:
    """Refuse a mandate that is not the next of a wallet, is late, or was not signed for just this."""  # C6
    if mandate["nonce"] != nonce + 1:
        return Rejected("bad_mandate", f"the next mandate of {name} has the nonce {nonce + 1}, not {mandate['nonce']}")
    until_ms, now_ms = mandate["until_ms"], context.time_ms
    if not now_ms < until_ms <= now_ms + MANDATE_MS:
        detail = f"a mandate ends within 30 days from block time {moment_text(now_ms)} on"
        return Rejected("bad_mandate", detail)
    posting.view.charge(SIGNATURE_STEPS)
    covered = {field: value for field, value in args.items() if field not in WITHOUT}
    message = mandate_preimage(context.chain_id, name, mandate["nonce"], until_ms, f"currency.{action}", covered)
    if context.verify(bytes.fromhex(key), message, bytes.fromhex(mandate["signature"])):
        return None
    return Rejected("bad_mandate", f"the mandate was not signed by the key of {name} for these arguments")
