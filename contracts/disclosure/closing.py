"""The end of a vault: its owner closes it, and each seat says that it destroyed its keys.

Law: nothing is sealed into a closed vault; it is destroyed when every seat that had keys says so.

contracts/disclosure/README.md, V9.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.disclosure import audiences, log
from coseal.contracts.disclosure.dealing import CUSTODIAN, WHERE, settle
from coseal.contracts.disclosure.vaults import ACCEPTED, ARMED, CLOSED, DEALT, DESTROYED, REFUSED, found
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Name


def _close(view: View, context: Context, args: Args) -> Result | Rejected:
    vault = found(view, context.member, args["vault"])
    if isinstance(vault, Rejected):
        return vault
    if vault.status not in (DEALT, ARMED):
        return Rejected("wrong_step", f"{vault.id} is {vault.status}")
    if vault.live:  # V9
        return Rejected("not_erased", f"{vault.live} sidecars of {vault.id} are live until their retention ends")
    vault.status = CLOSED if vault.count(ACCEPTED) else DESTROYED  # V9
    erased = [*settle(view, vault), *audiences.end(view, vault)]
    entry = log.extend(view, context.height, vault.owner, vault.status, vault.id, "")
    said = {"owner": vault.owner, "vault": vault.id, "status": vault.status}
    return {**said, "erased": erased, log.LOG: [entry]}


def _destroy(view: View, context: Context, args: Args) -> Result | Rejected:
    vault = found(view, args["owner"], args["vault"])
    if isinstance(vault, Rejected):
        return vault
    seat = vault.seat_of(context.member)
    if seat is None:
        return Rejected("no_seat", f"{context.member} has no seat at {vault.owner}/{vault.id}")
    if vault.status not in (CLOSED, REFUSED) or vault.seats[seat][1] != ACCEPTED:
        detail = f"the vault is {vault.status}, the seat {vault.seats[seat][1]}; keys go when the vault is closed"
        return Rejected("wrong_step", detail)
    vault.answer(seat, DESTROYED)
    if vault.status == CLOSED and not vault.count(ACCEPTED):  # V9
        vault.status = DESTROYED
    settle(view, vault)
    entry = log.extend(view, context.height, vault.owner, DESTROYED, vault.id, context.member)
    said = {"owner": vault.owner, "vault": vault.id, "status": vault.status, "seat": seat, "answer": DESTROYED}
    return {**said, log.LOG: [entry]}


ACTIONS: Final[dict[str, Action]] = {
    "close_vault": Action(
        arguments=Arguments({"vault": Name()}),
        apply=_close,
        title="Close a vault, so that its custodians destroy its keys",
        example={"vault": "loans"},
        capability="operate",
    ),
    "destroy_seat": Action(
        arguments=Arguments(WHERE),
        apply=_destroy,
        title="Say that the keys of the own seat are destroyed",
        example={"owner": "bank-a", "vault": "loans"},
        capability=CUSTODIAN,
    ),
}
