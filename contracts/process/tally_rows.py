"""Tallies as rows: the figures of every object by member, and how they match, kept as items come.

Law: the rows say what the state says, and follow from the items in ledger order; what has no tally costs nothing of
this. contracts/process/README.md, section Tallies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.process.tables import MATCHES, TALLIED_TYPES, TALLIES, TALLY_MEMBERS
from coseal.contracts.process.tallies import Declared, declared_tallies
from coseal.contracts.process.tally import EMPTY, Tally, after, figures_of, matched, sides
from coseal.contracts.process.types import normalised

MAX_PAIRS: Final = 16
"""How many pairs of buyer and seller of an object are matched again when one of them records something."""
_NO_TYPES: Final[Mapping[str, Declared]] = {}


class TallyRows:
    """Puts what items change of tallies."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._types, self._members = rows.of(TALLIED_TYPES), rows.of(TALLY_MEMBERS)
        self._tallies, self._matches = rows.of(TALLIES), rows.of(MATCHES)
        self._declared: dict[str, Mapping[str, Declared]] = {}

    def define(self, args: Mapping[str, Any], act: Act) -> None:
        """Keep what a version of a process type declares."""
        self._declared.pop(args["id"], None)
        if args.get("tallies") or self._types.find(args["id"]) is not None:
            self._types.put({"process_type": args["id"], **act.place, "document": normalised(args)})

    def declared(self, process_type: str) -> Mapping[str, Declared]:
        """Return by object type what a process type declares of tallies."""
        found = self._declared.get(process_type)
        if found is None:
            row = self._types.find(process_type)
            found = _NO_TYPES if row is None else declared_tallies(row["document"])
            self._declared[process_type] = found
        return found

    def definition(self, process_type: str) -> Mapping[str, Any]:
        """Return the newest definition of a process type that declares tallies."""
        row = self._types.find(process_type)
        return {} if row is None else row["document"]

    def add(
        self,
        process_type: str,
        source: str,
        sequence: int,
        item: Mapping[str, Any],
        mine: tuple[ObjectName, ...],
        corrected: tuple[int, Any, tuple[ObjectName, ...]] | None,
        act: Act,
    ) -> None:
        """Add an item to the tallies of the objects that it names, and of those that what it corrects named."""
        others = () if corrected is None else corrected[2]
        for name in (*mine, *(other for other in others if other not in mine)):
            declared = self.declared(process_type).get(name[0])
            if declared is not None:
                own = item if name in mine else None
                corrects = corrected[:2] if corrected is not None and name in others else None
                self._add(declared, (process_type, *name), source, sequence, own, corrects, act)
                if own is not None and "event" in item and declared.matched is not None:
                    self._match(declared, (process_type, *name), act, own)

    def _add(
        self,
        declared: Declared,
        place: tuple[str, str, str],
        source: str,
        sequence: int,
        item: Mapping[str, Any] | None,
        corrects: Any,
        act: Act,
    ) -> None:
        member = source.partition("/")[0]
        before = self._row(place, member)
        known = EMPTY if before is None else Tally({member: before}, {}, {})
        tally = after(declared, known, source, sequence, item, corrects)
        row = tally.members.get(member)
        if row is None or row is before:
            return
        names = dict(zip(("process_type", "type", "id"), place, strict=True))
        mode, unit, currency, figures, corrections, _ = row
        said = {"mode": mode, "unit": unit, "currency": currency, "corrections": corrections}
        self._members.put({**names, "member": member, **said, **act.place, "document": row})
        for tally_name, (total, events, inexact) in figures.items():
            if before is None or before[3].get(tally_name) != figures[tally_name]:
                sums = {"tally": tally_name, "sum": total, "events": events, "inexact": inexact}
                self._tallies.put({**names, "member": member, **sums, **act.place})

    def _row(self, place: tuple[str, str, str], member: str) -> Any:
        found = self._members.find(*place, member)
        return None if found is None else found["document"]

    def _match(self, declared: Declared, place: tuple[str, str, str], act: Act, item: Mapping[str, Any]) -> None:
        other = item.get("counterparty", act.member)
        rows = {who: row for who in (act.member, other) if (row := self._row(place, who)) is not None}
        mine = sides(declared, Tally(rows, {}, {}), item["type"], act.member, other)
        for buyer, seller in dict.fromkeys((mine, *self._pairs(place, act.member))):
            rows = {who: row for who in (buyer, seller) if (row := self._row(place, who)) is not None}
            tally = Tally(rows, {}, {})
            match, figures = matched(declared, tally, buyer, seller), figures_of(declared, tally, buyer, seller)
            known = self._matches.find(*place, buyer, seller) is not None
            if match is not None and (known or figures.why or any(figures[1:6])):
                names = dict(zip(("process_type", "type", "id"), place, strict=True))
                said: dict[str, Any] = {"buyer": buyer, "seller": seller, "verdict": match.verdict}
                said |= {"mode": figures.mode, "reasons": ", ".join(match.reasons)}
                said |= {"payable_quantity": match.payable_quantity, "payable": match.payable_amount}
                said |= dict(zip(figures._fields[1:6], figures[1:6], strict=True))
                self._matches.put({**names, **said, **act.place})

    def _pairs(self, place: tuple[str, str, str], member: str) -> Iterator[tuple[str, str]]:
        """Yield the pairs that a member is one of, in the order of their names."""
        where = "process_type = ? AND type = ? AND id = ? AND (buyer = ? OR seller = ?)"
        query = f"SELECT buyer, seller FROM matches WHERE {where} ORDER BY buyer, seller LIMIT 1 OFFSET "
        for number in range(MAX_PAIRS):
            found = self._rows.ask(f"{query}{number}", (*place, member, member))
            if found is None:
                return
            yield found[0], found[1]
