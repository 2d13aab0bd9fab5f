"""The start of a block: what it cannot begin without, then what is due, entry by entry, each contract its share.

Law: one due thing that fails costs itself alone: it is undone, leaves the index for ``system/aside/<n>``, and is named
in the block's first receipt; what is left over is done in the next block, so no number of due things holds a block up.

At most ``MAX_ASIDE`` wait; one more has no number: it is named in the receipt and gone. docs/spec/budget.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    INTERNAL_ERROR,
    TOO_COSTLY,
    VALUE_TOO_LARGE,
    Accepted,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.budget import (
    DUE_DECISION_STEPS,
    DUE_ENTRY_STEPS,
    DUE_FIRST_STEPS,
    DUE_STEPS,
    MAX_DUE,
    TAKE_STEPS,
    Meter,
    Spent,
)
from coseal.contracts.kernel.contract import Contract, DueThing, Entry, Fire, Moment, Observed
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.overlay import Broken, Fault, Overlay, ValueTooLarge
from coseal.contracts.kernel.state import ASIDES_COUNT_KEY, ASIDES_KEY, SYSTEM, aside_key
from coseal.ledger import codec

MAX_SHOWN_BYTES: Final = 512 * 1024
"""What the due things of a block show in its first receipt, about; what has no room is shown in the next."""
_LEAST_ROOM_BYTES: Final = 64 * 1024
"""What one due thing at least has room for."""
MAX_ASIDE: Final = 1_000


class Begun(NamedTuple):
    """What a block began with: data by contract for the first receipt, and the steps that it took."""

    data: Result
    steps: int


def begin_block(
    view: Overlay,
    contracts: Mapping[str, Contract],
    earliest: Mapping[str, int | None],
    height: int,
    time_ms: int,
    *,
    careful: bool = False,
) -> Begun:
    """Do what is due at the start of a block, and keep it.

    ``earliest`` is what ``earliest_ms`` says of each contract that has due things; ``careful`` as for
    ``Overlay.settle``.
    """
    return _Start(view, contracts, earliest, height, time_ms, careful=careful).run()


def earliest_ms(reader: Reader, contract: Contract) -> int | None:
    """Return when the next thing of a contract falls due, or None; an index that one of others damaged has nothing."""
    try:
        return deadlines.earliest_ms(reader, contract.name, BLOCK_CLOCK)
    except TypeError:  # W10
        if contract.writes:
            return None
        raise


def waiting(reader: Reader) -> int:
    """Return how many things were set aside and not made due again."""
    numbers: Any = reader.get(ASIDES_KEY)
    return len(numbers or ())


def asides(reader: Reader) -> list[dict[str, Any]]:
    """Return what was set aside and not made due again, oldest first."""
    numbers: Any = reader.get(ASIDES_KEY) or []
    return [aside(reader, number) for number in numbers]


def aside(reader: Reader, number: int) -> dict[str, Any]:
    """Return one thing that was set aside; the caller has seen that it is there."""
    value: Any = reader.get(aside_key(number))
    return {"number": number, **dict(zip(("contract", "entry", "height", "code"), value, strict=True))}


def retry(view: View, number: int) -> Result:
    """Make a thing that was set aside due again, at once; the caller has seen that it is there."""
    found = aside(view, number)
    numbers: Any = view.get(ASIDES_KEY)
    view.delete(aside_key(number))
    view.put(ASIDES_KEY, [other for other in numbers if other != number])
    deadlines.add(view, found["contract"], BLOCK_CLOCK, 0, found["entry"])
    return {"contract": found["contract"], "entry": found["entry"]}


class _Start:
    """One block's start."""

    def __init__(
        self,
        view: Overlay,
        contracts: Mapping[str, Contract],
        earliest: Mapping[str, int | None],
        height: int,
        time_ms: int,
        *,
        careful: bool,
    ) -> None:
        self.careful, self.earliest = careful, earliest
        self.view, self.contracts, self.height, self.time_ms = view, contracts, height, time_ms
        self.observers = [(one.name, one.observe_due) for one in contracts.values() if one.observe_due is not None]
        self.data: Result = {}
        self.left_bytes = MAX_SHOWN_BYTES
        self.steps = 0

    def run(self) -> Begun:
        for contract in self.contracts.values():
            if contract.begin is not None:
                begun = contract.begin(self.view, Moment(self.height, self.time_ms, self.left_bytes))
                if begun:
                    self.data[contract.name] = begun
        self.view.mark()
        self._shares()
        return Begun(self.data, self.steps)

    def _shares(self) -> None:
        """Give each contract an equal share; what one leaves goes to the next, beginning at another each height."""
        changed = deadlines.changed(self.view.written)
        sharing = [one for one in self.contracts.values() if one.fire is not None and self._may_have_due(one, changed)]
        left, left_steps = MAX_DUE, DUE_STEPS
        for index in range(len(sharing)):  # B10
            contract = sharing[(self.height + index) % len(sharing)]
            waiting = len(sharing) - index
            share = left_steps // waiting if index else max(left_steps // waiting, DUE_FIRST_STEPS)
            done, steps = self._share(contract, left // waiting, share)
            left, left_steps = left - done, left_steps - steps
            self.steps += steps

    def _may_have_due(self, contract: Contract, changed: Set[str]) -> bool:
        """Say whether a contract takes part: one that has nothing due leaves the others their shares as they are."""
        if contract.writes:  # of others: their index may be damaged
            return True
        name = contract.name
        first_ms = earliest_ms(self.view, contract) if name in changed else self.earliest[name]
        return first_ms is not None and first_ms <= self.time_ms

    def _share(self, contract: Contract, entries: int, steps: int) -> tuple[int, int]:
        """Do what is due of one contract within its share; return how many things and steps that was."""
        fire = contract.fire
        done = spent = 0
        if fire is None:
            return 0, 0
        while done < entries and self.left_bytes >= _LEAST_ROOM_BYTES:
            entry = self._take(contract)
            if entry is None:
                break
            limit = DUE_DECISION_STEPS if entry[0] in contract.decisions else DUE_ENTRY_STEPS
            if spent + TAKE_STEPS + limit > steps:
                self.view.rollback()  # it stays in the index
                break
            self.view.mark()
            done += 1
            spent += TAKE_STEPS + self._fire(contract, fire, entry, limit)
        return done, spent

    def _take(self, contract: Contract) -> Entry | None:
        """Take what is due next out of the contract's index; one of others whose index is damaged has nothing due."""
        if contract.due is not None:
            return contract.due(self.view, self.time_ms)
        if not contract.writes:
            return deadlines.take(self.view, contract.name, BLOCK_CLOCK, self.time_ms)
        try:
            entry = deadlines.take(self.view, contract.name, BLOCK_CLOCK, self.time_ms)
            return entry if entry is None or type(entry[0]) is str else None
        except (Broken, MemoryError):
            raise
        except Exception as error:  # W10
            self.view.faults.append(Fault(f"{contract.name}: due", b"", error))
            self.view.rollback()
            return None

    def _fire(self, contract: Contract, fire: Fire, entry: Entry, limit: int) -> int:
        """Do one due thing, or set it aside; return the steps that it counts for."""
        view = self.view
        meter = view.meter = Meter(limit)
        view.writes = contract.writes
        try:
            moment = Moment(self.height, self.time_ms, self.left_bytes)
            fired = fire(view, moment, entry)
            result = self._observed(moment, fired) if isinstance(fired, Accepted) else fired
            view.writes = ""
            observed = self._observed_due(moment, DueThing(contract.name, entry, result))
            size = len(codec.encode([result, observed]))
            view.settle(careful=self.careful)
        except Spent:
            code = TOO_COSTLY
        except (Broken, MemoryError):
            raise
        except ValueTooLarge:
            code = VALUE_TOO_LARGE
        except Exception as error:
            code = INTERNAL_ERROR
            view.faults.append(Fault(f"{contract.name}: {entry[0]}", b"", error))
        else:
            code = ""
            self._show(contract.name, result, size)
            for name, added in observed.items():
                self._show(name, added, 0)
        view.meter, view.writes = Meter.unlimited(), ""
        if code:
            view.rollback()
            self._set_aside(contract.name, entry, code)
        view.mark()
        return limit if code else meter.spent  # B4

    def _observed(self, moment: Moment, fired: Accepted) -> Result:
        """Let the other contracts see what fell due; return its lists with those that they add."""
        self.view.writes = ""
        context, result = moment.context(), fired.result
        for contract in self.contracts.values():
            if contract.observe is not None:
                added = contract.observe(self.view, context, Observed("begin", {}, result, fired.facts))
                if isinstance(added, Rejected):
                    raise ValueError(f"{contract.name} refuses what fell due: {added.detail}")
                result = {**result, **added}
        return result

    def _observed_due(self, moment: Moment, done: DueThing) -> dict[str, Result]:
        """Let other contracts see what one did; return the lists that they add, by contract."""
        if not done.result:
            return {}
        added = {name: observe(self.view, moment, done) for name, observe in self.observers}
        return {name: result for name, result in added.items() if result}

    def _show(self, name: str, result: Result, size: int) -> None:
        """Add the lists of a result to those of the contract."""
        self.left_bytes = max(0, self.left_bytes - size)
        if result:
            shown = self.data.setdefault(name, {})
            for key, entries in result.items():
                shown[key] = [*shown.get(key, ()), *entries]

    def _set_aside(self, name: str, entry: Entry, code: str) -> None:
        view = self.view
        named = {"contract": name, "entry": entry, "code": code}
        numbers: Any = view.get(ASIDES_KEY) or []
        if len(numbers) < MAX_ASIDE:
            count: Any = view.get(ASIDES_COUNT_KEY) or 0
            view.put(ASIDES_COUNT_KEY, count + 1)
            view.put(ASIDES_KEY, [*numbers, count + 1])
            view.put(aside_key(count + 1), [name, entry, self.height, code])
            named["number"] = count + 1
        # B9
        self.data[SYSTEM] = {"aside": [*self.data.get(SYSTEM, {}).get("aside", ()), named]}
