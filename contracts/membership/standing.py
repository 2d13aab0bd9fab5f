"""The standing of a member: good, suspended for a time, or former.

Law: a standing decides what a member may still send (``Action.standing``) and never what it was or owns: its records,
ids and keys stay for ever. Who changes it is decided by governance; here it is only kept. Rule M12 of
contracts/membership/README.md.

A standing is a field of the member's own record, which whoever asks who a sender is has read already; a member in good
standing has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.action import FORMER, GOOD, STANDINGS, SUSPENDED, Reader, View
from coseal.contracts.membership.state import FORMER_KEY, SUSPENDED_KEY, member_key


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing, and where it comes from: the height ``since`` which, and the proposal (empty: the member itself).

    ``until_ms`` is the block time at which a suspension ends, None otherwise.
    """

    status: str = GOOD
    until_ms: int | None = None
    since: int = 0
    proposal: str = ""

    def allows(self, least: str) -> bool:
        """Say whether what asks for the standing ``least`` may be sent."""
        return STANDINGS.index(self.status) >= STANDINGS.index(least)

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        if self.status == GOOD:
            return {"status": GOOD}
        until = {} if self.until_ms is None else {"until_ms": self.until_ms}
        return {"status": self.status, **until, "since": self.since, "proposal": self.proposal}


IN_GOOD_STANDING: Final = Standing()


def standing_of(record: Mapping[str, Any]) -> Standing:
    """Return the standing that the record of a member says."""
    said = record.get("standing")
    return IN_GOOD_STANDING if said is None else Standing(*said)


def standing(reader: Reader, member_id: str) -> Standing:
    """Return the standing of a member."""
    record: Any = reader.get(member_key(member_id))
    return standing_of(record)


def suspended(reader: Reader) -> list[str]:
    """Return the members that are suspended, ascending."""
    ids: Any = reader.get(SUSPENDED_KEY)
    return list(ids or ())


def former(reader: Reader) -> list[str]:
    """Return the members that were removed or left, ascending."""
    ids: Any = reader.get(FORMER_KEY)
    return list(ids or ())


def put_standing(view: View, member_id: str, changed: Standing) -> None:
    """Give a member another standing."""
    record: Any = view.get(member_key(member_id))
    kept = {name: value for name, value in record.items() if name != "standing"}
    if changed.status != GOOD:
        # M12
        kept["standing"] = [changed.status, changed.until_ms, changed.since, changed.proposal]
    view.put(member_key(member_id), kept)
    for key, status in ((SUSPENDED_KEY, SUSPENDED), (FORMER_KEY, FORMER)):
        _list(view, key, member_id, listed=changed.status == status)


def _list(view: View, key: str, member_id: str, *, listed: bool) -> None:
    before: Any = view.get(key) or []
    if (member_id in before) == listed:
        return
    after = sorted([*before, member_id]) if listed else [other for other in before if other != member_id]
    if after:
        view.put(key, after)
    else:
        view.delete(key)
