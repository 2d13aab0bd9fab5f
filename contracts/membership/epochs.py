"""The validators of every epoch, and how one set follows another.

Law: a change accepted in block H is promoted at the start of H+1 and signs from H+2, never earlier; one change
at a time; every set that ever signed stays known, with the height from which it does. Rule M10 of
contracts/membership/README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from coseal.contracts.kernel.action import Reader, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.membership.state import PENDING_KEY, VALIDATORS_KEY, epoch_key, node_key
from coseal.ledger.validators import Validator, ValidatorSet


class Epoch(NamedTuple):
    """A set, and the first height that it decides."""

    first_height: int
    validators: ValidatorSet


def install(view: View, validators: ValidatorSet) -> None:
    """Write the set of genesis as the first epoch."""
    _begin_epoch(view, validators, first_height=1)


def validators(reader: Reader) -> ValidatorSet:
    """Return the validators of the height after the state's own."""
    record: Any = reader.get(VALIDATORS_KEY)
    return ValidatorSet(record[0], _seats(record[1]))


def epoch(reader: Reader, number: int) -> Epoch | None:
    """Return an epoch of this chain, or None if there is none of this number (yet)."""
    record: Any = reader.get(epoch_key(number))
    return None if record is None else Epoch(record[0], ValidatorSet(number, _seats(record[1])))


def validators_at(reader: Reader, height: int) -> ValidatorSet | None:
    """Return who decides, or decided, ``height``, as far as this state knows; None below 1.

    Heights beyond the state's own + 1 give the newest set. Reads as many keys as the number of epochs has bits.
    """
    low, high = 0, validators(reader).epoch
    while low < high:
        middle = (low + high + 1) // 2
        found = epoch(reader, middle)
        low, high = (middle, high) if found is not None and found.first_height <= height else (low, middle - 1)
    found = epoch(reader, low)
    return None if found is None or height < 1 else found.validators


def epochs(reader: Reader) -> list[dict[str, Any]]:
    """Return every epoch, oldest first: ``epoch``, ``first_height``, ``n``, ``quorum``, ``hash``, ``validators``."""
    found = (epoch(reader, number) for number in range(validators(reader).epoch + 1))
    return [shown(item) for item in found if item is not None]


def shown(item: Epoch) -> dict[str, Any]:
    """Return an epoch as JSON can hold it, keys in hexadecimal."""
    current = item.validators
    seats = [
        {"id": seat.id, "member": seat.member, "role": seat.role, "key": seat.key.hex()} for seat in current.validators
    ]
    return {
        "epoch": current.epoch,
        "first_height": item.first_height,
        "n": current.n,
        "quorum": current.quorum,
        "hash": current.hash.hex(),
        "validators": seats,
    }


def pending(reader: Reader) -> str | None:
    """Return the id of the proposal whose set the next block promotes, or None."""
    record: Any = reader.get(PENDING_KEY)
    return None if record is None else str(record[0])


def coming(reader: Reader) -> ValidatorSet | None:
    """Return the set that the next block promotes, which decides the height after that block's; or None."""
    record: Any = reader.get(PENDING_KEY)
    return None if record is None else ValidatorSet(validators(reader).epoch + 1, _seats(record[1]))


def is_pending(reader: Reader, node_id: str) -> bool:
    """Say whether the set that the next block promotes has this node."""
    record: Any = reader.get(PENDING_KEY)
    return record is not None and any(row[0] == node_id for row in record[1])


def schedule(view: View, proposal_id: str, seats: Sequence[Validator]) -> None:
    """Have the next block promote these seats. The caller has checked the set, and that nothing is pending."""
    view.put(PENDING_KEY, [proposal_id, _rows(seats)])


def begin(view: View, moment: Moment) -> Result:
    """Promote the pending set: it signs from the next height on, and the registry of nodes follows it."""
    record: Any = view.get(PENDING_KEY)
    if record is None:
        return {}
    proposal_id, rows = record
    before = validators(view)
    after = ValidatorSet(before.epoch + 1, _seats(rows))
    view.delete(PENDING_KEY)
    _begin_epoch(view, after, first_height=moment.height + 1)  # M10
    added = [seat.id for seat in after.validators if before.index(seat.id) is None]
    removed = [seat.id for seat in before.validators if after.index(seat.id) is None]
    for node_id in removed:
        _change_node(view, node_id, kind="observer")
    for seat in after.validators:
        _change_node(view, seat.id, kind="validator", consensus_key=seat.key)
    data = {"proposal": proposal_id, "epoch": after.epoch, "first_height": moment.height + 1, "n": after.n}
    # With the set itself, whoever has this block can follow the chain past it (ledger.head.announced).
    return {"validators": {**data, "added": added, "removed": removed, "rows": rows}}


def is_set_pending(reader: Reader) -> bool:
    """Say whether a set waits for the next block."""
    return reader.get(PENDING_KEY) is not None


def _begin_epoch(view: View, current: ValidatorSet, *, first_height: int) -> None:
    rows = _rows(current.validators)
    view.put(VALIDATORS_KEY, [current.epoch, rows])
    view.put(epoch_key(current.epoch), [first_height, rows])


def _change_node(view: View, node_id: str, **fields: Any) -> None:
    record: Any = view.get(node_key(node_id))
    changed = {**record, **fields}
    if changed != record:
        view.put(node_key(node_id), changed)


def _rows(seats: Sequence[Validator]) -> list[Any]:
    return [[seat.id, seat.member, seat.role, seat.key] for seat in seats]


def _seats(rows: Sequence[Any]) -> tuple[Validator, ...]:
    return tuple(Validator(*row) for row in rows)
