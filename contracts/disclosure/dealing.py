"""An owner deals the keys of a vault, and its custodians answer: they compared their keys, or refuse.

Law: before anything is sealed, t honest seats have every key as the chain has it committed; envelopes are live only
while somebody has to answer.

contracts/disclosure/README.md, V5 to V7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.disclosure import keys, live, log, vaults
from coseal.contracts.disclosure.plans import plan_of, seated
from coseal.contracts.disclosure.policy import ACCEPT, term_ms
from coseal.contracts.disclosure.state import NAME
from coseal.contracts.disclosure.vaults import ACCEPTED, ARMED, DEALT, REFUSED, SILENT, Vault, found, vault_of
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Many, Name, Text
from coseal.contracts.kernel.sidecars import Sidecar, named
from coseal.ledger.custody import KEYS_MAX, Plan

VAULT_MS_MAX: Final = 400 * DAY_MS
"""How long at most a vault takes sealed data."""
PAD_BITS_MAX: Final = 16
"""A vault may pad each text of a cell to 2^16 bytes at least."""
CUSTODIAN: Final = "custody"
"""The capability to act for a seat."""


def _open(view: View, context: Context, args: Args) -> Result | Rejected:
    owner, plan = context.member, plan_of(view, args["plan"])
    if isinstance(plan, Rejected):
        return plan
    if vault_of(view, owner, args["vault"]) is not None:
        return Rejected("exists", f"{owner} has a vault {args['vault']}; choose another id")
    if args["retention"] not in plan["retentions"]:
        known = ", ".join(sorted(plan["retentions"])) or "none"
        return Rejected("unknown_retention", f"the plan {args['plan']} has these classes: {known}")
    if not context.time_ms < args["ends_ms"] <= context.time_ms + VAULT_MS_MAX:
        return Rejected("wrong_end", f"a vault ends after this block, within {VAULT_MS_MAX // DAY_MS} days")
    seats = _seats(view, owner, plan, args)
    if isinstance(seats, Rejected):
        return seats
    refusal = _fault(view, owner, plan, seats, args)
    if refusal is not None:
        return refusal
    envelopes = named(args["envelopes"])
    vault = Vault(
        owner,
        args["vault"],
        args["plan"],
        plan["threshold"],
        [[member, DEALT] for member in seats],
        [bytes.fromhex(commitment) for commitment in args["commitments"]],
        DEALT,
        args["pad"],
        args["ends_ms"],
        plan["retentions"][args["retention"]],
        context.time_ms + term_ms(view, ACCEPT),
        envelopes.name,
        context.height,
    )
    live.add(view, envelopes, owner, vault.id, live.ENVELOPES)
    vaults.write(view, vault)
    deadlines.add(view, NAME, BLOCK_CLOCK, vault.deadline_ms, [ACCEPT, owner, vault.id])
    return {
        "owner": owner,
        "vault": vault.id,
        "status": DEALT,
        "seats": [list(seat) for seat in vault.seats],
        "deadline_ms": vault.deadline_ms,
        "envelopes": args["envelopes"]["name"],
    }


def _seats(view: View, owner: str, plan: dict[str, Any], args: Args) -> list[str] | Rejected:
    """Return who sits at a vault that is opened, or at one dealt again where seats refused or were silent."""
    if "again" not in args:
        return sitting(view, owner, plan, None)
    before = found(view, owner, args["again"])
    if isinstance(before, Rejected):
        return before
    if before.status != REFUSED or before.plan != args["plan"]:
        detail = f"{before.id} is {before.status} by the plan {before.plan}; a refused one is dealt again"
        return Rejected("wrong_step", detail)
    return sitting(view, owner, plan, before)


def sitting(reader: Reader, owner: str, plan: Mapping[str, Any], before: Vault | None) -> list[str] | Rejected:
    """Return who sits by a plan at a vault that is opened; ``before`` is the refused one that it replaces."""
    seats, out = list(plan["seats"]), [owner]
    if before is not None:
        known = {*plan["seats"], *plan["substitutes"]}
        if before.threshold == plan["threshold"] and known.issuperset(before.members()):
            seats = before.members()  # else the plan was replaced since, and says who sits now
        out += [member for member, status in before.seats if status in (REFUSED, SILENT)]  # V6
    return seated(reader, plan, seats, out)  # V3


def _fault(view: View, owner: str, plan: dict[str, Any], seats: list[str], args: Args) -> Rejected | None:
    expected = Plan(len(seats), plan["threshold"]).keys
    if len(args["commitments"]) != expected:  # V5
        detail = f"{expected} keys at {len(seats)} seats of which {plan['threshold']} open, not"
        return Rejected("wrong_keys", f"{detail} {len(args['commitments'])}")
    for member in seats:
        if not keys.newest_version(view, member, keys.CUSTODY):
            return Rejected("no_key", f"{member} has published no key for custody; ask it to, or decide another plan")
    return live.refusal(view, owner, named(args["envelopes"]))


def _answering(view: View, context: Context, args: Args) -> tuple[Vault, int] | Rejected:
    """Return the vault and the seat that the sender answers for, or why it cannot."""
    vault = found(view, args["owner"], args["vault"])
    if isinstance(vault, Rejected):
        return vault
    seat = vault.seat_of(context.member)
    if seat is None:
        return Rejected("no_seat", f"{context.member} has no seat at {vault.owner}/{vault.id}")
    if vault.seats[seat][1] != DEALT or vault.status not in (DEALT, ARMED):
        return Rejected("wrong_step", f"the vault is {vault.status}, the seat {vault.seats[seat][1]}")
    return vault, seat


def _accept(view: View, context: Context, args: Args) -> Result | Rejected:
    return _answer(view, context, args, ACCEPTED)


def _refuse(view: View, context: Context, args: Args) -> Result | Rejected:
    return _answer(view, context, args, REFUSED)


def _answer(view: View, context: Context, args: Args, status: str) -> Result | Rejected:
    answering = _answering(view, context, args)
    if isinstance(answering, Rejected):
        return answering
    vault, seat = answering
    vault.answer(seat, status)
    erased = settle(view, vault)
    said = {"owner": vault.owner, "vault": vault.id, "status": vault.status, "seat": seat, "answer": status}
    entry = log.extend(view, context.height, vault.owner, status, vault.id, context.member)
    return {**said, "erased": erased, log.LOG: [entry]}


def settle(view: View, vault: Vault) -> list[list[Any]]:
    """Keep a vault; erase its envelopes where nobody needs them any more, and return them if so."""
    erased: list[list[Any]] = []
    if vault.envelopes and not (vault.status in (DEALT, ARMED) and vault.count(DEALT)):  # V7
        erased.append([vault.envelopes.hex(), vault.owner, vault.id, live.ENVELOPES])
        live.remove(view, vault.envelopes)
        vault.envelopes = b""
    vaults.write(view, vault)
    return erased


def fall_due(view: View, moment: Moment, owner: str, name: str) -> Result:
    """Record which seats did not answer in time, and what became of the vault."""
    vault = vault_of(view, owner, name)
    if vault is None or vault.status not in (DEALT, ARMED) or not vault.count(DEALT):
        return {}
    silent = [seat for seat, (_, status) in enumerate(vault.seats) if status == DEALT]
    for seat in silent:
        vault.answer(seat, SILENT)  # V6
    erased = settle(view, vault)
    overdue = [
        {"owner": owner, "vault": name, "seat": seat, "member": vault.seats[seat][0], "status": vault.status}
        for seat in silent
    ]
    members = [vault.seats[seat][0] for seat in silent]
    entries = [log.extend(view, moment.height, owner, SILENT, name, member) for member in members]
    return {"overdue": overdue, "erased": erased, log.LOG: entries}


WHERE: Final = {"owner": Name(), "vault": Name()}
ACTIONS: Final[dict[str, Action]] = {
    "open_vault": Action(
        arguments=Arguments(
            {
                "vault": Name(),
                "plan": Name(),
                "retention": Name(),
                "commitments": Many(Hexadecimal(), low=1, high=KEYS_MAX),
                "pad": Integer(0, PAD_BITS_MAX),
                "ends_ms": Integer(1),
                "envelopes": Sidecar(),
            },
            {"again": Name()},
        ),
        apply=_open,
        title="Deal the keys of a vault to its custodians",
        example={
            "vault": "loans",
            "plan": "usual",
            "retention": "loan",
            "commitments": ["c0" * 32, "c1" * 32, "c2" * 32],
            "pad": 8,
            "ends_ms": 1_800_000_000_000,
            "envelopes": {"name": "e0" * 32, "bytes": 5_000},
        },
        capability="operate",
    ),
    "accept_seat": Action(
        arguments=Arguments(WHERE),
        apply=_accept,
        title="Confirm that the keys of the own seat are those committed to",
        example={"owner": "bank-a", "vault": "loans"},
        capability=CUSTODIAN,
    ),
    "refuse_seat": Action(
        arguments=Arguments({**WHERE, "reason": Text(high=1_000)}),
        apply=_refuse,
        title="Refuse a seat, because its keys are not those committed to or for another reason",
        example={"owner": "bank-a", "vault": "loans", "reason": "Key 2 is not the one committed to"},
        capability=CUSTODIAN,
    ),
}
