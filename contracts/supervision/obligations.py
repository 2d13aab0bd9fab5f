"""Obligations: which source owes which event by when, as the periodic rules in force say it.

Law: a period that ends is met or missed, and either is counted; the next one begins by itself.

What runs is the monitor of the source (``supervision.monitor_runtime``); the record here says it in figures.
contracts/supervision/README.md, Obligations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coseal.contracts.kernel.action import View
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.rule import Rule
from coseal.contracts.supervision.state import obligation_key


def begin(view: View, process_type: str, rule: Rule, body: Periodic, detail: Sequence[Any]) -> None:
    """Record that an obligation runs; ``detail`` is the state of its monitor."""
    before: Any = view.get(obligation_key(rule.id, body.source))
    record = {
        "rule": rule.id,
        "version": rule.version,
        "process_type": process_type,
        "source": body.source,
        "member": body.source.partition("/")[0],
        "event_types": list(body.reach.symbols),
        "n": body.n,
        "from_ms": detail[0],
        "due_ms": body.period(detail[0])[1],
        "met": 0 if before is None else before["met"],
        "missed": 0 if before is None else before["missed"],
        "status": "running",
    }
    view.put(obligation_key(rule.id, body.source), record)


def advance(view: View, rule: Rule, body: Periodic, before: Sequence[Any], after: Sequence[Any]) -> None:
    """Count the periods that ended between two states of a monitor."""
    record: Any = view.get(obligation_key(rule.id, body.source))
    if record is None or before[0] == after[0]:
        return
    counts: dict[int, int] = dict(before[1])
    met, missed, start = record["met"], record["missed"], before[0]
    while start < after[0]:  # J25
        if counts.get(start, 0) >= body.n:
            met += 1
        else:
            missed += 1
        start = body.period(start)[1]
    changed = {"from_ms": after[0], "due_ms": body.period(after[0])[1], "met": met, "missed": missed}
    view.put(obligation_key(rule.id, body.source), {**record, **changed})


def end(view: View, rule: Mapping[str, Any]) -> None:
    """Record that a rule obliges nobody any more."""
    if rule["kind"] == "periodic":
        record: Any = view.get(obligation_key(rule["id"], rule["source"]))
        if record is not None:
            view.put(obligation_key(rule["id"], rule["source"]), {**record, "status": "ended"})
