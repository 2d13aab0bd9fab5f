"""One transaction on a view: who may send it, what it does, what the other contracts make of it, and its receipt.

Law: a transaction takes effect as a whole or leaves its receipt and nothing else; an exception of a contract refuses
its transaction and nothing more.

docs/spec/contracts.md, docs/spec/budget.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from coseal.contracts.governance.measures import Paused
from coseal.contracts.kernel.action import (
    INTERNAL_ERROR,
    TOO_COSTLY,
    VALUE_TOO_LARGE,
    Accepted,
    Action,
    Context,
    Rejected,
    Result,
)
from coseal.contracts.kernel.budget import TRANSACTION_STEPS, Meter, Spent, least_steps
from coseal.contracts.kernel.contract import Contract, Observe, Observed
from coseal.contracts.kernel.overlay import Broken, Fault, Overlay, ValueTooLarge
from coseal.contracts.kernel.sidecars import NOT_ON_THIS_ENGINE, found
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.standing import Standing
from coseal.contracts.registry import Contracts
from coseal.ledger.block import OK, Receipt
from coseal.ledger.signing import Verify
from coseal.ledger.transaction import Transaction

MAX_DETAIL_CHARACTERS: Final = 1_000
MAX_RECEIPT_BYTES: Final = 1024 * 1024

SUSPENDED_MAY: Final = (
    "records and attests process data, disposes of its money, asks, responds, answers, contests, appeals, "
    "reports evidence, ends adoptions, keeps its operators, keys and nodes, and may leave"
)
"""What a suspended member may send, in words (docs/spec/standing.md)."""
FORMER_MAY: Final = "responds, contests holds, appeals, replaces its keys and disposes of its money"
_NO_LINKS: Final = (
    "{} names a sidecar, which nodes pass on over links that a chain ordered by CometBFT does not have; "
    "record it on a chain that Coseal's PBFT orders"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all transactions of one block share."""

    chain_id: bytes
    height: int
    time_ms: int
    protocol_version: int
    contracts: Contracts
    verify: Verify
    observers: tuple[Observe, ...] = ()
    paused: Paused = field(default_factory=dict)
    carries_sidecars: bool = True
    careful: bool = False
    """Whether every value is encoded after its transaction, to find the one without an encoding."""


def apply_transaction(view: Overlay, frame: Frame, tx: Transaction) -> tuple[bytes, int]:
    """Apply one transaction, or undo what it wrote; return its receipt and steps. The caller keeps what was written."""
    meter = view.meter = Meter(TRANSACTION_STEPS)
    try:
        meter.charge(least_steps(len(tx.raw)))
        result = _apply(view, frame, tx)
        if not isinstance(result, Rejected):
            view.settle(careful=frame.careful)
            receipt = Receipt(tx.id, OK, "", result, meter.spent).encode()
            if len(receipt) <= MAX_RECEIPT_BYTES:
                return receipt, meter.spent
            detail = (
                f"its receipt would take {len(receipt)} bytes, at most {MAX_RECEIPT_BYTES}; do less in one transaction"
            )
            result = Rejected("result_too_large", detail)
        steps = meter.spent
    except Spent:
        result, steps = Rejected(TOO_COSTLY, _cost(meter)), TRANSACTION_STEPS  # B3, B4
    except ValueTooLarge as large:
        result, steps = Rejected(VALUE_TOO_LARGE, str(large)), meter.spent
    except (Broken, MemoryError):  # B8
        raise
    except Exception as error:
        name = f"{tx.contract}.{tx.action}"
        view.faults.append(Fault(name, tx.id, error))
        result, steps = Rejected(INTERNAL_ERROR, name), TRANSACTION_STEPS  # B7
    finally:
        view.meter, view.writes = Meter.unlimited(), ""
    view.rollback()
    return Receipt(tx.id, result.code, result.detail[:MAX_DETAIL_CHARACTERS], {}, steps).encode(), steps


def _cost(meter: Meter) -> str:
    note = f"; {meter.note}" if meter.note else ""
    return f"more than {TRANSACTION_STEPS} steps{note}; do less in one transaction"


def _apply(view: Overlay, frame: Frame, tx: Transaction) -> Result | Rejected:
    contract: Contract | None = frame.contracts.get(tx.contract)
    action = None if contract is None else contract.actions.get(tx.action)
    if contract is None or action is None:
        return Rejected("unknown_action", f"this chain has no action {tx.contract}.{tx.action}")
    sender = membership.sender(view, tx.sender)
    if sender is None or sender.key != tx.public_key:  # changed by a transaction before it in this block
        return Rejected("unknown_sender", f"{tx.sender} was removed, or given another key, earlier in this block")
    refusal = _may_send(action, tx, sender) or _paused(frame, tx, sender)
    if refusal is not None:
        return refusal
    view.writes = contract.writes
    refusal = action.arguments.check(tx.args)
    if refusal is not None:
        return refusal
    named = action.arguments.sidecar
    if named is not None and not frame.carries_sidecars and found(tx.args, named) is not None:  # N40
        return Rejected(NOT_ON_THIS_ENGINE, _NO_LINKS.format(f"{tx.contract}.{tx.action}"))
    context = Context(
        height=frame.height,
        time_ms=frame.time_ms,
        tx_id=tx.id,
        sender=tx.sender,
        member=sender.member,
        role=sender.role,
        level=sender.level,
        capabilities=sender.capabilities,
        protocol_version=frame.protocol_version,
        node=sender.node,
        chain_id=frame.chain_id,
        verify=frame.verify,
    )
    applied = action.apply(view, context, tx.args)
    if isinstance(applied, Rejected):
        return applied
    seen = Observed(f"{tx.contract}.{tx.action}", tx.args, {})
    if isinstance(applied, Accepted):
        seen.result, seen.facts = applied.result, applied.facts
    else:
        seen.result = applied
    view.writes = ""
    return _observe(view, context, frame, seen)


def _observe(view: Overlay, context: Context, frame: Frame, seen: Observed) -> Result | Rejected:
    """Let the other contracts see what one accepted; return its result with what they add, or their refusal."""
    for observe in frame.observers:
        added = observe(view, context, seen)
        if isinstance(added, Rejected):
            return added
        if added:
            seen.result = {**seen.result, **added}
    return seen.result


def _may_send(action: Action, tx: Transaction, sender: membership.Sender) -> Rejected | None:
    """Refuse what the standing of its member does not allow, what a node or an operator may not say, or for a
    capability.
    """
    name = f"{tx.contract}.{tx.action}"
    standing = sender.standing
    if not standing.allows(action.standing):  # S2, S3
        return _without_standing(sender.member, standing)
    if sender.node and not action.by_node:  # M7
        return Rejected("not_for_nodes", f"{name} is sent by an operator of {sender.member}, not by its node")
    if sender.node:
        return None
    if action.capability is None:  # M7
        return Rejected("only_for_nodes", f"{name} is said by a node itself, signed with its consensus key")
    if action.capability and action.capability not in sender.capabilities:
        return Rejected("forbidden", f"{tx.sender} lacks the capability {action.capability}")
    return None


def _without_standing(member: str, standing: Standing) -> Rejected:
    """Refuse what a suspended or former member may not send any more; say what it still may."""
    if standing.until_ms is None:
        return Rejected("former_member", f"{member} is no member any more; it still {FORMER_MAY}")
    until = moment_text(standing.until_ms)
    return Rejected("suspended", f"{member} is suspended until {until}; until then it still {SUSPENDED_MAY}")


def _paused(frame: Frame, tx: Transaction, sender: membership.Sender) -> Rejected | None:
    """Refuse what a measure pauses for the sender's member, by the measure that ends last."""
    name = f"{tx.contract}.{tx.action}"
    found = [pause for pause in frame.paused.get(name, ()) if pause.concerns(sender.member)]
    if not found:
        return None
    last = max(found, key=lambda pause: pause.until_ms)
    # S15
    return Rejected("paused", f"the measure {last.measure} pauses {name} until {moment_text(last.until_ms)}")
