"""What a correction or a dispute has to show: the item that it is about, and the history of objects judged again.

Law: who records names what it corrects, and who disputes what it disputes, and nothing more; what is put in beside it
was verified against the certified state, by the chain that the contract will check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.client.transactions import Committed
from coseal.contracts.process.actions import CONTRACT
from coseal.contracts.process.attestation import DISPUTED
from coseal.contracts.process.chain import ObjectName, item_hash
from coseal.contracts.process.corrections import MAX_SHOWN, MAX_SHOWN_OBJECTS, named_objects, shown_history
from coseal.contracts.process.state import attestation_key, source_key, type_key
from coseal.contracts.rules.rule import DISPUTED as WAYS
from coseal.contracts.supervision.object_monitors import recording_chain
from coseal.contracts.supervision.state import object_state_key
from coseal.errors import BadAnswer, Refused
from coseal.ledger import codec
from coseal.ledger.signing import ZERO_HASH

_PAGE: Final = 500
_TRIES: Final = 5
_HISTORY_BYTES: Final = 150 * 1024
"""Of a transaction's 256 KiB."""

Recording = tuple[str, int, int, int, dict[str, Any]]
"""(source, sequence, height, time in ms, item)."""


def submitted(
    session: Session, contract: str, action: str, args: Mapping[str, Any], timeout_s: float
) -> Exchange[Committed]:
    """Sign an action with what it has to show, and commit it; again if something is recorded of an object meanwhile."""
    for left in reversed(range(_TRIES)):
        shown = yield from completed(session, contract, action, args)
        committed = yield from session.commit(session.sign(contract, action, shown), timeout_s)
        gathered = "history" in shown and "history" not in args
        if committed.receipt.code != "history_incomplete" or not gathered or not left:
            break
    return committed


def completed(session: Session, contract: str, action: str, args: Mapping[str, Any]) -> Exchange[dict[str, Any]]:
    """Return the arguments of any action with what they have to show of what was recorded before.

    Arguments that are wrong are returned as they are: the chain says what is wrong with them.
    """
    if _shows(contract, action, args):
        if action == "attest":
            return (yield from with_attested(session, args))
        return (yield from with_history(session, f"{session.member}/{args['source']}", args))
    return dict(args)


def needs_history(contract: str, action: str, args: Mapping[str, Any]) -> bool:
    """Say whether ``completed`` has to ask a node for what these arguments show."""
    if not _shows(contract, action, args):
        return False
    if action == "attest":
        return args["verdict"] == "dispute" and "attested" not in args
    return "corrected" not in args and corrects_earlier(args["items"], args["sequence"])


def _shows(contract: str, action: str, args: Mapping[str, Any]) -> bool:
    """Say whether these are arguments of an action that may have to show something, as far as they are known."""
    if contract != CONTRACT.name or action not in ("record", "attest"):
        return False
    known = CONTRACT.actions[action].arguments.check(dict(args)) is None
    return known and all(isinstance(item, dict) for item in args.get("items", ()))


def corrects_earlier(items: Sequence[Mapping[str, Any]], first: int) -> bool:
    """Say whether any of the items, numbered from ``first`` on, corrects one that was recorded before them."""
    return any(_target(item) < first for item in items if "corrects" in item)


def _target(item: Mapping[str, Any]) -> int:
    """Return the number of the item that one corrects; a number alone stands for it and its hash."""
    corrects = item["corrects"]
    target: Any = corrects[0] if isinstance(corrects, list) and corrects else corrects
    return target if type(target) is int else 0


def with_history(session: Session, source: str, args: Mapping[str, Any]) -> Exchange[dict[str, Any]]:
    """Return the arguments of ``process.record`` with what its corrections show; ``source`` is ``member/source``.

    An item may name what it corrects by its number alone. An object whose history is too long for a transaction is left
    out: its rules are undetermined then, by the correction.
    """
    items, first = [dict(item) for item in args["items"]], args["sequence"]
    if not corrects_earlier(items, first) or "corrected" in args:
        return dict(args)
    record: Any = yield from session.value(source_key(source))
    definition: Any = None if record is None else (yield from session.value(type_key(record["process_type"])))
    if definition is None:
        return dict(args)
    corrected = []
    names: dict[ObjectName, None] = {}
    for item in items:
        if "corrects" not in item or _target(item) >= first:
            continue
        sequence = _target(item)
        shown = yield from recorded_item(session, source, sequence)
        hashed = item_hash(source, sequence, shown).hex()
        if item["corrects"] not in (sequence, [sequence, hashed]):
            hint = f"`coseal` names the hash itself if `corrects` is the number alone: {sequence}"
            raise Refused("invalid_item", f"item {sequence} of {source} has another hash than is corrected", hint)
        item["corrects"] = [sequence, hashed]
        corrected.append(shown)
        names |= dict.fromkeys((*named_objects(shown, definition), *named_objects(item, definition)))
    histories = yield from _histories(session, definition["id"], list(names)[:MAX_SHOWN_OBJECTS])
    shown_args = {"history": shown_history(histories)} if histories else {}
    return {**args, "items": items, "corrected": corrected, **shown_args}


def with_attested(session: Session, args: Mapping[str, Any]) -> Exchange[dict[str, Any]]:
    """Return the arguments of ``process.attest`` with what a dispute that begins or ends shows."""
    record: Any = yield from session.value(attestation_key(bytes.fromhex(args["item"])))
    if "attested" in args or record is None or (args["verdict"] != "dispute" and record["status"] != DISPUTED):
        return dict(args)
    source, sequence = record["source"], record["sequence"]
    shown = yield from recorded_item(session, source, sequence)
    if item_hash(source, sequence, shown).hex() != args["item"]:
        raise BadAnswer(f"item {sequence} of {source} has another hash than is attested", "ask another node with --url")
    registered: Any = yield from session.value(source_key(source))
    definition: Any = yield from session.value(type_key(registered["process_type"]))
    names = named_objects(shown, definition)
    histories = yield from _histories(session, definition["id"], names[:MAX_SHOWN_OBJECTS], _minds_disputes)
    shown_args = {"history": shown_history(histories)} if histories else {}
    return {**args, "attested": shown, **shown_args}


def _minds_disputes(monitors: Any) -> bool:
    """Say whether a dispute matters to any rule that looked at an object."""
    return any(0 < entry[3] < len(WAYS) for entry in monitors[4])


def with_hashes(
    session: Session, source: str, items: Sequence[dict[str, Any]], first: int
) -> Exchange[list[dict[str, Any]]]:
    """Return items, numbered from ``first`` on, that name what they correct by number and hash, not by number alone."""
    found: list[dict[str, Any]] = []
    for item in items:
        target = item.get("corrects")
        if type(target) is int:
            inside = 0 <= target - first < len(found)
            shown = found[target - first] if inside else (yield from recorded_item(session, source, target))
            item = {**item, "corrects": [target, item_hash(source, target, shown).hex()]}
        found.append(item)
    return found


def recorded_item(session: Session, source: str, sequence: int) -> Exchange[dict[str, Any]]:
    """Return an item of a source as a node has it; its hash is compared by who names one."""
    answer = yield from session.get(f"/v1/sources/{quote(source, safe='/')}/items/{sequence}")
    item: Any = answer.get("item", {}).get("item")
    if not isinstance(item, dict):
        raise BadAnswer(f"item {sequence} of {source} is no item")
    return item


def _histories(
    session: Session, process_type: str, names: Sequence[ObjectName], wanted: Callable[[Any], bool] = bool
) -> Exchange[dict[ObjectName, Any]]:
    """Return what was recorded of objects since rules look at them, of those that fit into a transaction.

    ``wanted`` says by the monitors of an object whether its history is needed.
    """
    found: dict[ObjectName, list[Recording]] = {}
    numbers: dict[tuple[str, int], int] = {}
    for name in names:
        recorded = yield from _history(session, process_type, name, wanted)
        sizes = {entry[:2]: len(codec.encode(list(entry))) for entry in recorded}
        more = numbers | sizes
        if recorded and len(more) <= MAX_SHOWN and sum(more.values()) <= _HISTORY_BYTES:
            found[name], numbers = recorded, more
    return found


def _history(
    session: Session, process_type: str, name: ObjectName, wanted: Callable[[Any], bool]
) -> Exchange[list[Recording]]:
    """Return what was recorded of an object since rules look at it, verified against its certified state."""
    key = object_state_key(process_type, *name)
    for _ in range(_TRIES):
        value: Any = yield from session.value(key)
        if value is None or value[6] == 0 or value[6] > MAX_SHOWN or not wanted(value):
            return []
        first, count, head = value[5:8]
        recorded = (yield from _items(session, process_type, name))[first:]
        current = ZERO_HASH
        for source, sequence, height, time_ms, item in recorded[:count]:
            current = recording_chain(current, item_hash(source, sequence, item), height, time_ms)
        if len(recorded) == count and current == head:
            return recorded
    raise BadAnswer(
        f"the items of {name[0]} {name[1]} are not those of its certified state",
        "ask another node with --url, or try again: something may have been recorded meanwhile",
    )


def _items(session: Session, process_type: str, name: ObjectName) -> Exchange[list[Recording]]:
    """Return all items of an object, as a node gives them."""
    path = f"/v1/objects/{quote(name[1], safe='')}/events"
    found: list[Recording] = []
    cursor = None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page = yield from session.get(path, process_type=process_type, type=name[0], limit=_PAGE, **more)
        for row in page["items"]:
            found.append((row["source"], row["sequence"], row["height"], row["time_ms"], row["item"]))
        cursor = page.get("next")
        if cursor is None:
            return found
