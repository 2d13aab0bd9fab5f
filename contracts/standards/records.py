"""The record of a version of a standard: how it is found, and how its status changes.

Law: a version has one status at a time, and its last changes stay readable with it.

``status`` is ``proposed`` (nobody but its proposer has taken it up), ``in_use``, ``de_facto``, ``lapsed`` or ``ended``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, Rejected, View
from coseal.contracts.kernel.fields import Identifier, Integer
from coseal.contracts.standards.state import head_key, open_key, standard_key

PROPOSED: Final = "proposed"
IN_USE: Final = "in_use"
DE_FACTO: Final = "de_facto"
LAPSED: Final = "lapsed"
ENDED: Final = "ended"
OVER: Final = (LAPSED, ENDED)
MAX_HISTORY: Final = 16
MAX_VERSION: Final = 1_000_000

Standard = dict[str, Any]

standard_id: Final = Identifier(slash=False)
version_field: Final = Integer(1, MAX_VERSION)
NAMED: Final = {"standard": standard_id, "version": version_field}
"""The fields that say which version is meant."""


def found(reader: Reader, args: Mapping[str, Any]) -> Standard | Rejected:
    """Return the record of the version that arguments name."""
    return record_of(reader, args["standard"], args["version"])


def record_of(reader: Reader, standard: str, version: int) -> Standard | Rejected:
    """Return the record of a version."""
    record: Any = reader.get(standard_key(standard, version))
    return Rejected("unknown_standard", f"there is no standard {standard} {version}") if record is None else record


def in_force(reader: Reader, args: Mapping[str, Any]) -> Standard | Rejected:
    """Return the record of the version that arguments name, unless it is over."""
    record = found(reader, args)
    if isinstance(record, Rejected) or record["status"] not in OVER:
        return record
    return Rejected("not_open", f"{args['standard']} {args['version']} is {record['status']}")


def head_of(reader: Reader, standard: str) -> dict[str, Any]:
    """Return what all versions of a standard share; there is one."""
    head: Any = reader.get(head_key(standard))
    return head  # type: ignore[no-any-return]


def owned(reader: Reader, args: Mapping[str, Any], member: str) -> Standard | Rejected:
    """Return the record of the version that arguments name, which is ``member``'s and not over."""
    record = in_force(reader, args)
    if isinstance(record, Rejected) or record["member"] == member:
        return record
    return Rejected("not_owner", f"{args['standard']} {args['version']} was proposed by {record['member']}")


def marked(record: Standard, status: str, height: int, time_ms: int) -> Standard:
    """Return a record with its status of now."""
    history = [*record["history"], [status, height, time_ms]][-MAX_HISTORY:]
    return {**record, "status": status, "history": history}


def change_open(view: View, member: str, change: int) -> None:
    """Count a standard of a member that nobody else has taken up (1), or that is so no longer (-1)."""
    count: Any = view.get(open_key(member)) or 0
    if count + change:
        view.put(open_key(member), count + change)
    else:
        view.delete(open_key(member))
