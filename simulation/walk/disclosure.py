"""Moves about disclosure: a plan is decided, custodians publish keys, vaults are armed, sealed into, opened, destroyed.

Law: after every block the list of live sidecars adds up to its count and bytes, and to the usage of members; a vault
is armed only if 2t - 1 seats accepted.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from coseal.contracts.disclosure import keys
from coseal.contracts.disclosure.dealing import ACTIONS, sitting
from coseal.contracts.disclosure.keys import ACTIONS as KEY_ACTIONS
from coseal.contracts.disclosure.keys import CUSTODY, newest_version
from coseal.contracts.disclosure.live import live_of, newest_first, usage
from coseal.contracts.disclosure.plans import PLAN, seated
from coseal.contracts.disclosure.policy import ACCEPT, BASES, FINDING, OWN
from coseal.contracts.disclosure.releasing import PART, REASONS
from coseal.contracts.disclosure.requesting import ACTIONS as REQUESTING
from coseal.contracts.disclosure.requests import APPROVED, ASKED, RELEASED, Request, request_of
from coseal.contracts.disclosure.reviewing import JUSTIFIED, UNJUSTIFIED, WAITING
from coseal.contracts.disclosure.state import LIVE_KEY, audience_key, barred_key, plan_key, review_key, sidecar_key
from coseal.contracts.disclosure.vaults import ACCEPTED, ARMED, CLOSED, DEALT, REFUSED, Vault, vault_of
from coseal.contracts.governance.state import NAME as GOVERNANCE
from coseal.contracts.governance.state import PROPOSALS_KEY, proposal_key
from coseal.contracts.kernel.action import GOOD, Reader, Rejected
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.membership.standing import standing_of
from coseal.contracts.membership.state import member_key
from coseal.contracts.process.state import source_key, type_key
from simulation.invariants import Violation
from simulation.walk.walker import Make, Move, Walker

OWNERS: Final = ("bank-a", "enterprise-a")
PLAN_ID: Final[str] = PLAN.example["id"]
LATEST: Final = 4
"""So many of an owner's last vaults are looked at."""
READER: Final = "city"
RETAIN_MS: Final = 100 * DAY_MS
"""Sealed data is kept longer than an opening takes, and erased before a walk ends."""
SEALED_MOST: Final = 3
"""So many sidecars of cells are sealed into a vault."""
REQUESTERS: Final = ("regulator", "city")
REASON: Final = {"reason": "So the purpose is met"}


def _vaults(reader: Reader, owner: str) -> list[Vault]:
    """Return the vaults of an owner, the first first."""
    found: list[Vault] = []
    while (vault := vault_of(reader, owner, f"v{len(found)}")) is not None:
        found.append(vault)
    return found


def _proceed(walk: Walker) -> Move | None:
    """Do what the plan, a key, or one of the last vaults of an owner waits for."""
    if walk.get(plan_key(PLAN_ID)) is None:
        return _decide(walk)
    owner = walk.pick(OWNERS)
    vaults = _vaults(walk.sight.reader, owner)
    steps = [step for vault in vaults[-LATEST:] for step in _steps(walk, vault)]
    return walk.pick(steps) if steps else _open(walk, owner, vaults)


def _decide(walk: Walker) -> Move | None:
    """Propose a plan, or vote for the one that is proposed."""
    waiting: list[Any] = walk.get(PROPOSALS_KEY) or []
    for proposal_id, *_ in waiting:
        if walk.get(proposal_key(proposal_id))["kind"] == "custody_plan":
            sender = walk.voter(GOVERNANCE, proposal_id)
            vote = {"ballot": proposal_id, "choice": "yes", "reason": "So it should be"}
            return None if sender is None else Move(sender, "governance.vote", vote)
    sender = walk.operator(walk.member("bank", "government"), "operate")
    subject = _plan(walk)
    if subject is None:
        return None
    args = {"id": f"custody-{walk.memory.next()}", "kind": "custody_plan", "subject": subject}
    return None if sender is None else Move(sender, "governance.propose", {**args, "reason": "It is time"})


def _plan(walk: Walker) -> dict[str, Any] | None:
    """Return a plan with seats of three roles, or None if too few members stand well."""
    records = {name: walk.get(member_key(name)) for name in walk.members() if name not in OWNERS}
    named = {record["role"]: name for name, record in records.items() if standing_of(record).status == GOOD}
    seats = [named[role] for role in sorted(named)][: len(PLAN.example["seats"])]
    if len(seats) < len(PLAN.example["seats"]):
        return None
    others = [name for name in PLAN.example["substitutes"] if name not in seats]
    return {**PLAN.example, "seats": seats, "substitutes": others, "retentions": {"loan": RETAIN_MS}}


def _steps(walk: Walker, vault: Vault) -> list[Move]:
    """Return the moves that a vault waits for, of its seats and its owner."""
    where, moves = {"owner": vault.owner, "vault": vault.id}, list[Move]()
    for member, status in vault.seats:
        sender = walk.operator(member, "custody")
        if sender is None:
            continue
        if status == DEALT and vault.status in (DEALT, ARMED):
            if walk.chance(12):
                moves.append(Move(sender, "disclosure.refuse_seat", {**where, "reason": "Key 2 is another"}))
            else:
                moves.append(Move(sender, "disclosure.accept_seat", where))
        elif status == ACCEPTED and vault.status in (CLOSED, REFUSED):
            moves.append(Move(sender, "disclosure.destroy_seat", where))
    if vault.status == ARMED and vault.sealed < SEALED_MOST:
        sealed = _seal(walk, vault)
        moves += [] if sealed is None else [sealed]
    read = _read(walk, vault) if vault.status == ARMED and walk.chance(4) else None
    moves += [] if read is None else [read]
    owner = walk.operator(vault.owner, "operate")
    closes = vault.status in (DEALT, ARMED) and not vault.live and walk.chance(5)
    if owner is not None and closes:
        moves.append(Move(owner, "disclosure.close_vault", {"vault": vault.id}))
    return moves


def _read(walk: Walker, vault: Vault) -> Move | None:
    """Define the next version of an audience, or grant its reader the key."""
    sender, reader = walk.operator(vault.owner, "operate"), walk.operator(READER, "operate")
    if sender is None or reader is None:
        return None
    if not newest_version(walk.sight.reader, READER, keys.READER):
        return Move(reader, "disclosure.set_sealing_key", {**KEY_ACTIONS["set_sealing_key"].example, "use": "reader"})
    named = {"vault": vault.id, "audience": "readers"}
    audience: Any = walk.get(audience_key(vault.owner, vault.id, "readers"))
    if audience is None or walk.chance(3):
        return Move(sender, "disclosure.define_audience", {**named, "members": [READER]})
    sidecar = {"name": f"{walk.memory.next():064x}", "bytes": 2_000}
    grant = {**named, "version": audience["version"], "to": [READER], "envelopes": sidecar}
    return Move(sender, "disclosure.grant", grant)


def _seal(walk: Walker, vault: Vault) -> Move | None:
    """Record a batch with a cell, in a process type and source of the owner that come first."""
    name, sender = f"sealed-{vault.owner}", walk.operator(vault.owner)
    if sender is None:
        return None
    if walk.get(type_key(name)) is None:
        rate = {"rate": {"type": "decimal", "class": "sealed"}}
        types = {"object_types": {"loan": {}}, "event_types": {"Grant": {"attributes": rate}}}
        return Move(sender, "process.define_type", {"id": name, "version": 1, "title": "Loans", **types})
    source: Any = walk.get(source_key(f"{vault.owner}/{name}"))
    if source is None:
        named = {"id": name, "process_type": name, "mode": "historical"}
        return Move(sender, "process.register_source", named)
    sequence = source["sequence"] + 1
    event = {"event": f"e{sequence}", "type": "Grant", "time": "2020-01-05T10:00:00Z", "objects": [["loan", "L1"]]}
    sidecar = {"name": f"{walk.memory.next():064x}", "bytes": 900}
    sealed = {"vault": vault.id, "sidecar": sidecar, "cells": 1}
    items = [{**event, "attributes": {"rate": "ab" * 32}}]
    return Move(sender, "process.record", {"source": name, "sequence": sequence, "items": items, "sealed": sealed})


def _open(walk: Walker, owner: str, vaults: list[Vault]) -> Move | None:
    """Deal a vault, again if the last one was refused; who lacks a key publishes one first."""
    decided: dict[str, Any] = walk.get(plan_key(PLAN_ID))
    for member in (*decided["seats"], *decided["substitutes"]):
        sender = walk.operator(member, "operate")
        if sender is not None and not newest_version(walk.sight.reader, member, CUSTODY):
            return Move(sender, "disclosure.set_sealing_key", dict(KEY_ACTIONS["set_sealing_key"].example))
    if isinstance(seated(walk.sight.reader, decided, decided["seats"], [owner]), Rejected) and not walk.chance(20):
        return _decide(walk)
    sender = walk.operator(owner, "operate")
    args = {**ACTIONS["open_vault"].example, "vault": f"v{len(vaults)}"}
    args["ends_ms"] = walk.sight.time_ms + (401 if walk.chance(9) else walk.pick((20, 300))) * DAY_MS
    args["envelopes"] = {"name": f"{walk.memory.next():064x}", "bytes": 5_000}
    before = vaults[-1] if vaults and vaults[-1].status == REFUSED else None
    if before is not None and not isinstance(sitting(walk.sight.reader, owner, decided, before), Rejected):
        args["again"] = before.id
    return None if sender is None else Move(sender, "disclosure.open_vault", args)


def _requests(reader: Reader, by: str) -> list[Request]:
    """Return the requests of a member, the first first."""
    found: list[Request] = []
    while (request := request_of(reader, by, f"r{len(found)}")) is not None:
        found.append(request)
    return found


def _disclose(walk: Walker) -> Move | None:
    """Do what one of the last requests of a member waits for, or request an opening."""
    by = walk.pick((*REQUESTERS, *OWNERS))
    requests = _requests(walk.sight.reader, by)
    steps = [step for request in requests[-LATEST:] if request.is_open for step in _request_steps(walk, request)]
    steps += [step for request in requests[-LATEST:] for step in _review_steps(walk, request)]
    return walk.pick(steps) if steps else _request(walk, by, f"r{len(requests)}")


def _request(walk: Walker, by: str, name: str) -> Move | None:
    """Request the cell of a live sidecar, which is mostly as the contract wants it."""
    owner = by if by in OWNERS else walk.pick(OWNERS)
    vaults = [vault for vault in _vaults(walk.sight.reader, owner)[-LATEST:] if vault.live]
    sender = walk.operator(by, "operate" if by in OWNERS else "supervise")
    if not vaults or sender is None:
        return None
    vault = walk.pick(vaults)
    number = walk.pick(range(1, vault.sealed + 1))
    record: Any = walk.get(sidecar_key(owner, vault.id, number))
    first = 1 if record is None else record["first"]
    basis = OWN if by in OWNERS else walk.pick([basis for basis in BASES if basis not in (FINDING, OWN)])
    named = {"request": name, "basis": basis, "reference": "Order 12", "owner": owner, "vault": vault.id}
    scope = [{"number": number, "sequences": [first], "labels": ["sealed"]}]
    ends_ms = walk.sight.time_ms + walk.pick((10, 29, 29, 29, 31)) * DAY_MS
    args = {**REQUESTING["request"].example, **named, "scope": scope, "expires_ms": ends_ms}
    if basis != OWN and walk.chance(3):
        return Move(sender, "disclosure.emergency", {**args, **REASON})
    return Move(sender, "disclosure.request", args)


def _review_steps(walk: Walker, request: Request) -> list[Move]:
    """Return the move that the review of an emergency waits for, seldom again once it is decided."""
    review: Any = walk.get(review_key(request.by, request.id))
    reviewer = walk.operator(walk.member(), "approve")
    if review is None or reviewer is None or (review["status"] != WAITING and not walk.chance(20)):
        return []
    verdict = UNJUSTIFIED if walk.chance(3) else JUSTIFIED
    said = {"by": request.by, "request": request.id, "verdict": verdict, **REASON}
    return [Move(reviewer, "disclosure.review", said)]


def _request_steps(walk: Walker, request: Request) -> list[Move]:
    """Return the moves that an open request waits for."""
    which, moves = {"by": request.by, "request": request.id}, list[Move]()
    owner, requester = walk.operator(request.owner, "operate"), walk.operator(request.by)
    if request.status == ASKED:
        early = walk.sight.time_ms < request.object_ms
        if owner is not None and not request.objected and early and walk.chance(2):
            moves.append(Move(owner, "disclosure.object", {**which, **REASON}))
        if request.objected and not request.answered and (supervisor := walk.operator(request.by, "supervise")):
            moves.append(Move(supervisor, "disclosure.answer", {"request": request.id, **REASON}))
        approver = walk.operator(walk.member(), "approve")
        ready = request.answered if request.objected else not early
        if approver is not None and (ready or walk.chance(8)):
            action = "disclosure.refuse" if walk.chance(6) else "disclosure.approve"
            moves.append(Move(approver, action, {**which, **REASON}))
    vault = vault_of(walk.sight.reader, request.owner, request.vault)
    if vault is not None and request.status in (APPROVED, RELEASED):
        done = (*request.seats(), *request.declined)
        for seat, (member, status) in enumerate(vault.seats):
            custodian = walk.operator(member, "custody")
            if custodian is None or status != ACCEPTED or (seat in done and not walk.chance(8)):
                continue
            if walk.chance(5):
                why = {"reason": walk.pick(REASONS), "text": "It cannot be done"}
                moves.append(Move(custodian, "disclosure.decline", {**which, **why}))
            else:
                sidecar = {"name": f"{walk.memory.next():064x}", "bytes": 1_000}
                moves.append(Move(custodian, "disclosure.release", {**which, "envelopes": sidecar}))
    if requester is not None and request.status == RELEASED:
        wrong = {"kind": PART, "member": request.released[0][1], "evidence": "ab" * 32}
        faults = [wrong] if walk.chance(3) else []
        said = {"request": request.id, "opened": 1, "failed": 0, "faults": faults}
        moves.append(Move(requester, "disclosure.opened", said))
    return moves


MOVES: Final[dict[str, tuple[int, Make]]] = {
    "go on with a vault": (5, _proceed),
    "go on with an opening": (8, _disclose),
}


def another_plan(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on a plan says; seldom, for the first one is decided by moves of its own."""
    return {**PLAN.example, "id": "other"} if walk.chance(6) else None


def policy(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on terms and quota says, seldom; oftener if it readmits who is barred from emergencies."""
    quota = walk.pick((9_000, 10**9))
    barred = [name for name in REQUESTERS if walk.get(barred_key(name)) is not None]
    if not barred and not walk.chance(6):
        return None
    again = {"readmit": barred} if barred else {}
    return {"terms": {ACCEPT: walk.pick((DAY_MS, 10 * DAY_MS))}, "quota_bytes": quota, **again}


def listed(reader: Reader) -> None:
    """Raise ``Violation`` unless the live sidecars add up, and vaults that are armed were accepted by enough seats."""
    found: Any = reader.get(LIVE_KEY)
    if found is None:
        return
    live, used = list(newest_first(reader)), Counter[str]()
    for one in live:
        of = live_of(reader, one.name)
        used[of.owner if of is not None else ""] += one.size
    if found[1:] != [len(live), sum(one.size for one in live)]:
        raise Violation(f"{found[1]} live sidecars of {found[2]} bytes, but {len(live)} are listed")
    for owner in OWNERS:
        if usage(reader, owner) != used[owner]:
            raise Violation(f"{owner} uses {usage(reader, owner)} bytes, not {used[owner]}")
        for vault in _vaults(reader, owner)[-LATEST:]:
            if vault.status == ARMED and vault.count(ACCEPTED) < vault.custody.arming:
                raise Violation(f"{owner}/{vault.id} is armed by {vault.count(ACCEPTED)} seats")
