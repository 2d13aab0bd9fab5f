"""Standings and measures as rows and lists: every change of a member's standing, and every measure with its end.

Law: the rows follow from the receipts of decided ballots and of the starts of blocks alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.governance.state import NAME, measure_key
from coseal.contracts.kernel.action import FORMER, GOOD, SUSPENDED
from coseal.contracts.kernel.lists import Filter, List, Order, Words
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.schema import MADE, Table, document, integer, text
from coseal.contracts.kernel.rows.writer import Writer
from coseal.ledger.transaction import Transaction

IN_FORCE: Final = "in force"
ENDED: Final = "ended"

STANDINGS: Final = Table(
    "standings",
    "one row a change of a member's standing",
    ("height", "position", "member"),
    (
        *MADE,
        text("member", "the member"),
        text("standing", "its standing from then on: `good`, `suspended` or `former`"),
        integer("until_ms", "when a suspension ends; null for what does not", null=True),
        text(
            "proposal", "proposal that decided it; null where a suspension ended by itself or a member left", null=True
        ),
        integer("time_ms", "block time of the change"),
    ),
    indexes=(("standings_member", "(member, height)"),),
)
MEASURES: Final = Table(
    "measures",
    "one row a measure",
    ("id",),
    (
        text("id", "its id: that of the proposal"),
        text("title", "its title"),
        integer("emergency", "1 for an emergency measure, else 0"),
        text("status", "`in force` or `ended`"),
        integer("first_height", "first block in which it holds"),
        integer("until_ms", "when it ends by itself"),
        integer("ended_ms", "block time at which it ended; null before", null=True),
        text("ended_by", "proposal that ended it; null where its time was over", null=True),
        *MADE,
        document("what it pauses, for whom, and the digest of its text"),
    ),
)
TABLES: Final = (STANDINGS, MEASURES)


def writer(rows: Rows) -> Writer:
    """Return what writes these rows."""
    return _Writing(rows).writer()


class _Writing:
    def __init__(self, rows: Rows) -> None:
        self._standings, self._measures = rows.of(STANDINGS), rows.of(MEASURES)
        self._effects = {
            "suspend_member": self._suspended,
            "reinstate_member": self._reinstated,
            "remove_member": self._removed,
            "measure": self._begun,
            "emergency_measure": self._begun,
            "end_measure": self._ended,
        }

    def writer(self) -> Writer:
        return Writer({f"{NAME}.{action}": self._voted for action in ("propose", "vote")}, self._due)

    def _voted(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        self._decided(data, act)

    def _due(self, data: Mapping[str, Any], act: Act) -> None:
        for decided in data.get("closed", ()):
            self._decided(decided, act)
        for one in data.get("reinstated", ()):
            self._change(one["member"], GOOD, act)
        for one in data.get("left", ()):
            if "code" not in one:
                self._change(one["member"], FORMER, act)
        for one in data.get("ended", ()):
            self._end(one["measure"], act, None)

    def _decided(self, data: Mapping[str, Any], act: Act) -> None:
        effect = self._effects.get(data["kind"])
        if effect is not None and data["status"] == "accepted":
            effect(data["outcome"], act, data["ballot"])

    def _suspended(self, outcome: Mapping[str, Any], act: Act, proposal: str) -> None:
        self._change(outcome["member"], SUSPENDED, act, proposal, outcome["until_ms"])

    def _reinstated(self, outcome: Mapping[str, Any], act: Act, proposal: str) -> None:
        self._change(outcome["member"], GOOD, act, proposal)

    def _removed(self, outcome: Mapping[str, Any], act: Act, proposal: str) -> None:
        self._change(outcome["member"], FORMER, act, proposal)

    def _change(
        self, member: str, standing: str, act: Act, proposal: str | None = None, until_ms: int | None = None
    ) -> None:
        self._standings.put(
            {
                **act.place,
                "member": member,
                "standing": standing,
                "until_ms": until_ms,
                "proposal": proposal,
                "time_ms": act.time_ms,
            }
        )

    def _begun(self, outcome: Mapping[str, Any], act: Act, proposal: str) -> None:
        self._measures.put(
            {
                **act.place,
                "id": outcome["measure"],
                "title": outcome["title"],
                "emergency": int(outcome["emergency"]),
                "status": IN_FORCE,
                "first_height": outcome["first_height"],
                "until_ms": outcome["until_ms"],
                "ended_ms": None,
                "ended_by": None,
                "document": {"pause": outcome["pause"], "text_sha256": outcome["text_sha256"]},
            }
        )

    def _ended(self, outcome: Mapping[str, Any], act: Act, proposal: str) -> None:
        self._end(outcome["measure"], act, proposal)

    def _end(self, measure_id: str, act: Act, proposal: str | None) -> None:
        found = self._measures.find(measure_id)
        if found is None:
            raise LookupError(f"the end of a measure {measure_id} that never began")
        self._measures.put({**found, "status": ENDED, "ended_ms": act.time_ms, "ended_by": proposal})


# Lists

_PART: Final = "governance"
_MEMBER: Final[Words] = {"en": "Member", "zh": "成员"}
_PLACE: Final = ("height", "position", "member")


def _measure(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in row.items() if name not in ("document", "position")}
    return {**columns, **row["document"], "emergency": bool(row["emergency"])}


STANDING_LIST: Final = List(
    "standings",
    "/v1/standings",
    _PART,
    STANDINGS,
    "Changes of members' standing: suspended, reinstated, removed, left",
    {"en": "Standing of members", "zh": "成员资格变动"},
    {
        "member": _MEMBER,
        "standing": {"en": "Standing", "zh": "资格"},
        "until_ms": {"en": "Until", "zh": "至"},
        "proposal": {"en": "Proposal", "zh": "提案"},
        "time_ms": {"en": "When", "zh": "时间"},
    },
    (Filter("member"), Filter("standing", values=(GOOD, SUSPENDED, FORMER))),
    (Order("oldest", _PLACE), Order("newest", _PLACE, descending=True)),
)
MEASURE_LIST: Final = List(
    "measures",
    "/v1/governance/measures",
    _PART,
    MEASURES,
    "Measures, by id",
    {"en": "Measures", "zh": "措施"},
    {
        "id": {"en": "Id", "zh": "编号"},
        "title": {"en": "Title", "zh": "标题"},
        "status": {"en": "Status", "zh": "状态"},
        "until_ms": {"en": "Until", "zh": "至"},
        "ended_ms": {"en": "Ended", "zh": "终止"},
    },
    (Filter("status", values=(IN_FORCE, ENDED)),),
    entry=_measure,
    key=measure_key,
)
LISTS: Final = (STANDING_LIST, MEASURE_LIST)
