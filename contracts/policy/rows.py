"""How policy transactions become rows: one row an instrument, and what can be filtered or counted.

Law: the rows of an instrument follow from the transactions about it in ledger order; what they say of status, level,
year, areas and issuers equals what the state says of it at the same height. contracts/policy/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.schema import Table
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.policy.instrument import RELATIONS, issuers_of, status_of
from coseal.contracts.policy.tables import (
    POLICIES,
    POLICY_AREAS,
    POLICY_EVENTS,
    POLICY_ISSUERS,
    POLICY_RELATIONS,
    POLICY_SOURCES,
)
from coseal.ledger.transaction import Transaction

_ACTS: Final = ("publish", "endorse", "approve", "promulgate", "amend", "repeal", "evaluate")

# Which arguments of an act change fields of the instrument that are kept.
_FIELDS_OF_ACT: Final[Mapping[str, tuple[str, ...]]] = {
    "promulgate": ("date_publication", "first_date_entry_in_force", "number"),
    "amend": ("text_sha256", "text_ref"),
    "repeal": ("date_no_longer_in_force",),
}
_FACTS: Final = ("action", "date", "issuer", "number")

Document = dict[str, Any]


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    return Writer({f"policy.{action}": partial(_write, rows) for action in (*_ACTS, "record")})


def _write(rows: Rows, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
    action, args = tx.action, tx.args
    if action != "record":
        _acted(rows, action, args, data, act)
        return
    source = args["source_sha256"]
    if rows.of(POLICY_SOURCES).find(source) is None:
        found = {"sha256": source, "source": args["source"], "member": act.member}
        rows.of(POLICY_SOURCES).put(found | act.place)
    for item in args["instruments"]:
        _recorded(rows, item, source, act)


def _acted(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    """Apply a live act."""
    before = _load(rows, args["id"])
    if action == "publish":
        fields = {name: value for name, value in args.items() if name != "stage"}
        document = {**fields, "level": data["level"], "passed_by": data["passed_by"], "origin": "live"}
        document["member"] = act.member if before is None else before["member"]
    elif before is None:
        raise LookupError(f"{action} of an instrument that was never published")
    else:
        document = before | {name: args[name] for name in _FIELDS_OF_ACT.get(action, ()) if name in args}
    document["status"] = data["status"]
    # An evaluation is kept beside the events of an instrument, in the state as well as here.
    events = [_event(event, act) for event in data["events"]] if action != "evaluate" else []
    document["events"] = [*(before or {"events": []})["events"], *events]
    _store(rows, before, document, act)


def consulted(rows: Rows, policy: str, event: Mapping[str, Any], act: Act) -> None:
    """Put the event that an instrument was opened for comment, which another contract added."""
    before = _load(rows, policy)
    if before is not None:
        document = {**before, "events": [*before["events"], _event(event, act)]}
        _store(rows, before, document, act)


def _recorded(rows: Rows, item: Mapping[str, Any], source: str, act: Act) -> None:
    """Add the historical facts of one instrument; fields known before stay, events known before are not repeated."""
    before = _load(rows, item["id"])
    if before is not None and before["origin"] == "live":
        return
    fields = {name: value for name, value in item.items() if name != "events"}
    standing = {"member": act.member, "origin": "recorded", "source_sha256": source}
    document = {**fields, **standing, **(before or {})}
    events = list(document.get("events", []))
    for event in item.get("events", ()):
        new = _event(event, act)
        if not any(_same(new, old) for old in events):
            events.append(new)
    document["events"] = events
    document["status"] = status_of(document)
    _store(rows, before, document, act)


def _event(event: Mapping[str, Any], act: Act) -> Document:
    return {**{name: event[name] for name in _FACTS if name in event}, **act.place}


def _same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return all(left.get(name) == right.get(name) for name in _FACTS)


def _load(rows: Rows, policy: str) -> Document | None:
    row = rows.of(POLICIES).find(policy)
    return None if row is None else row["document"]


def _store(rows: Rows, before: Document | None, document: Document, act: Act) -> None:
    """Replace the rows of an instrument, which stood as ``before``."""
    policy = document["id"]
    rows.of(POLICIES).put(
        {
            "id": policy,
            "title": document["title"],
            "level": document.get("level", "unstated"),
            "year": year_of(document),
            "type_document": document.get("type_document", "unstated"),
            "status": document["status"],
            "origin": document["origin"],
            "member": document["member"],
            "date": date_of(document),
            "source": document.get("source_sha256", ""),
            **act.place,
            "document": document,
        },
    )
    then = _attached(before or {"events": []}, policy)
    for (table, now), (_, old) in zip(_attached(document, policy), then, strict=True):
        for key in old:
            if key not in now:
                rows.of(table).remove(*key)
        for key, values in now.items():
            if old.get(key) != values:
                rows.of(table).put(dict(zip(table.key, key, strict=True)) | values | act.place)
    known = 0 if before is None else len(before["events"])
    for number, event in enumerate(document["events"][known:], known):
        said = (event["action"], event.get("date", ""), event.get("issuer", ""))
        rows.of(POLICY_EVENTS).add(policy, number, *said, *act.where)


_Attached: TypeAlias = dict[tuple[str, ...], dict[str, int]]


def _attached(document: Mapping[str, Any], policy: str) -> tuple[tuple[Table, _Attached], ...]:
    """Return the rows of areas, issuers and relations of an instrument: by key, the other columns."""
    passed_by = document.get("passed_by", [])
    targets = [(name, target) for name in RELATIONS for target in document.get(name, ())]
    return (
        (POLICY_AREAS, {(area, policy): {} for area in document.get("is_about", ())}),
        (POLICY_ISSUERS, {(one, policy): {"joint": int(one in passed_by)} for one in issuers_of(document)}),
        (POLICY_RELATIONS, {(policy, name, target): {} for name, target in targets}),
    )


def year_of(document: Mapping[str, Any]) -> str:
    """Return the year an instrument counts in: of its publication, else of the document, else ``undated``."""
    return date_of(document)[:4] or "undated"


def date_of(document: Mapping[str, Any]) -> str:
    """Return the date an instrument is placed at: of its publication, else of the document, else empty."""
    return str(document.get("date_publication") or document.get("date_document") or "")
