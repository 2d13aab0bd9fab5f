"""What the state counts of votes, made again from the votes, the members and the validators themselves."""

from __future__ import annotations

from typing import Any

from coseal.contracts.governance import electorate, in_force
from coseal.contracts.governance.document import MEMBERS, VALIDATORS
from coseal.contracts.governance.state import NAME, OPEN_KEY, SIZES_KEY, ballot_key, vote_key
from coseal.contracts.kernel import deadlines, due
from coseal.contracts.kernel.action import GOOD, Reader
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.membership.standing import standing
from coseal.contracts.membership.state import MEMBERS_KEY, VALIDATORS_KEY, member_key
from simulation.invariants import Violation

CHOICES = ("yes", "no", "abstain")


def voting(reader: Reader, time_ms: int) -> None:
    """Raise ``Violation`` unless seats, sizes and the tallies of open ballots are what they rest on."""
    members: Any = reader.get(MEMBERS_KEY)
    seats = {member: electorate.seat(reader, member) for member in members}
    due_ms = deadlines.earliest_ms(reader, NAME, BLOCK_CLOCK)
    late = {one["entry"][1] for one in due.asides(reader) if one["entry"][0] == electorate.SEAT}  # set aside
    if due_ms is None or due_ms > time_ms:  # else a seat may wait for the share of the next block
        for member, seat in seats.items():
            if member not in late:
                _stands(reader, member, seat)
    places = {member: (seat.constituency, seat.electorates) for member, seat in seats.items() if seat is not None}
    sizes: dict[str, dict[str, int]] = {VALIDATORS: {}, MEMBERS: {}}
    for constituency, electorates in places.values():
        for name in electorates:
            sizes[name][constituency] = sizes[name].get(constituency, 0) + 1
    stated: Any = reader.get(SIZES_KEY)
    if stated[1] != sizes:
        raise Violation(f"the electorates are {sizes}, the state says {stated[1]}")
    rows: Any = reader.get(OPEN_KEY)
    for contract, ballot_id in rows or ():
        record: Any = reader.get(ballot_key(contract, ballot_id))
        tally: dict[str, dict[str, list[int]]] = {VALIDATORS: {}, MEMBERS: {}}
        for member, (constituency, electorates) in places.items():
            vote: Any = reader.get(vote_key(contract, ballot_id, record["round"], member))
            if vote is not None and vote[5:] != [constituency, list(electorates)]:
                raise Violation(f"the vote of {member} on {contract} {ballot_id} says that it counts in {vote[5:]}")
            for name in () if vote is None else electorates:
                tally[name].setdefault(constituency, [0, 0, 0])[CHOICES.index(vote[0])] += 1
        found = {
            name: {where: counts for where, counts in record["tally"][name].items() if any(counts)} for name in tally
        }
        if found != tally:
            raise Violation(f"the votes on {contract} {ballot_id} are {tally}, the state says {found}")
        if record["status"] != "open":
            raise Violation(f"{contract} {ballot_id} is {record['status']} and takes votes")


def _stands(reader: Reader, member: str, seat: electorate.Seat | None) -> None:
    record: Any = reader.get(member_key(member))
    rows: Any = reader.get(VALIDATORS_KEY)
    where = in_force.constitution(reader).constituency_of(record["role"], record["central_bank"])
    wanted = (where, any(row[1] == member for row in rows[1]), standing(reader, member).status == GOOD)
    if seat is None or wanted != seat[:3]:
        raise Violation(f"the seat of {member} is {seat}, not {wanted}")
    if seat.validator and not seat.present:
        raise Violation(f"{member} runs a validator and does not count as present")
