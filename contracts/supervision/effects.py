"""What was found, as it takes effect: findings, holds, counts of a trial, and what a receipt shows of them.

Law: a trial has no effect; a receipt has its bound, and what has no room in it stands in the next block's first.

contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.budget import FINDING_STEPS
from coseal.contracts.rules.monitor import Finding
from coseal.contracts.rules.reasons import Reason, reason
from coseal.contracts.rules.verdict import FINAL, Verdict
from coseal.contracts.supervision import findings as supervision_findings
from coseal.contracts.supervision import holds as supervision_holds
from coseal.contracts.supervision.sets_in_force import JudgingSet
from coseal.contracts.supervision.state import trial_key
from coseal.contracts.supervision.terms import schedule
from coseal.ledger import codec

HOLD_RULE: Final = "system:hold"


class Item(NamedTuple):
    """Where a finding comes from; a deadline has no sequence, event and item hash."""

    sequence: int | None = None
    event: str | None = None
    hash: str | None = None


class Found(NamedTuple):
    """What a set found on an object."""

    judge: JudgingSet
    object_type: str
    object_id: str
    finding: Finding
    item: Item


class Outcome:
    """What was found, as it takes effect: findings and holds of rules in force, counts of those on trial."""

    def __init__(self, view: View, height: int, time_ms: int) -> None:
        self.view, self.height, self.time_ms = view, height, time_ms
        self.findings: list[dict[str, Any]] = []
        self.shadow: list[dict[str, Any]] = []
        self.holds: list[dict[str, Any]] = []
        self.superseded: list[dict[str, Any]] = []
        self._trials: dict[str, dict[str, dict[str, int]]] = {}

    def take(self, process_type: str, source: str, found: Found) -> None:
        """Let what a set found take effect: on trial it is counted, else it becomes a finding, and perhaps a hold."""
        self.view.charge(FINDING_STEPS)
        rule, verdict = found.finding.rule, found.finding.verdict.value
        place = {"process_type": process_type, "object_type": found.object_type, "object": found.object_id}
        if found.judge.shadow:  # J9
            self._count(found, verdict)
            named = {"set": found.judge.id, "rule": rule.id, "version": rule.version, **place}
            self.shadow.append({**named, "sequence": found.item.sequence, "verdict": verdict, "effect": rule.effect})
            return
        record = self.record(
            {
                "rule": rule.id,
                "version": rule.version,
                **place,
                **_origin(source, found.item),
                "verdict": verdict,
                "severity": rule.severity,
                "effect": rule.effect,
                **_why(found.finding.reason),
            }
        )
        if rule.effect == "hold":
            hold = supervision_holds.begin(self.view, record, time_ms=self.time_ms, hold_ms=rule.hold_ms)
            if hold is not None:
                self.holds.append(supervision_holds.view_of(hold))

    def supersede(self, record: Mapping[str, Any], context: Context) -> None:
        """Supersede a finding that no longer holds by the corrected trace, unless it was decided."""
        self.view.charge(FINDING_STEPS)
        step = [supervision_findings.SUPERSEDED, context.sender, self.height, self.time_ms, context.tx_id.hex(), []]
        ended = supervision_findings.supersede(self.view, record, step)
        if ended is not None:
            self.holds += ended
            self.superseded.append({"id": record["id"], "by": context.sender})

    def recount(self, judge: JudgingSet, rule: str, before: Verdict, after: Verdict) -> None:
        """Change what a trial counts of a rule whose verdict on an object is another by its corrected trace."""
        for verdict, change in ((before, -1), (after, 1)):
            if verdict in FINAL.values():
                self._counts(judge.id, rule)[verdict.value] += change

    def breach(self, hold: Mapping[str, Any], source: str, item: Item) -> None:
        """Record that something happened on an object under a hold."""
        self.view.charge(FINDING_STEPS)
        self.record(
            {
                "rule": HOLD_RULE,
                "version": 1,
                **{name: hold[name] for name in ("process_type", "object_type", "object")},
                **_origin(source, item),
                "verdict": Verdict.VIOLATED.value,
                "severity": "violation",
                "effect": "flag",
                **_why(reason("on_hold", until_ms=hold["until_ms"], finding=hold["finding"])),
            }
        )

    def record(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Raise a finding with these facts."""
        record = supervision_findings.raise_finding(self.view, height=self.height, time_ms=self.time_ms, facts=facts)
        self.findings.append(supervision_findings.view_of(record))
        return record

    def result(self, limit_bytes: int) -> Result:
        """Write the counts of trials, and return what the receipt shows.

        What goes beyond ``limit_bytes`` is shown in the first receipts of the next blocks instead.
        """
        for set_id, rules in self._trials.items():
            self.view.put(trial_key(set_id), rules)
        result: Result = {}
        shown_lists = (("findings", self.findings), ("superseded", self.superseded), ("holds", self.holds))
        for name, entries in (*shown_lists, ("shadow", self.shadow)):
            shown, limit_bytes = _fitting(entries, limit_bytes)  # J14
            if shown:
                result[name] = entries[:shown]
            if name != "shadow":
                for entry in entries[shown:]:
                    schedule(self.view, self.time_ms, ["show", *_named(entry)])
        return result

    def _count(self, found: Found, verdict: str) -> None:
        self._counts(found.judge.id, found.finding.rule.id)["rejected" if refuses(found.finding) else verdict] += 1

    def _counts(self, set_id: str, rule: str) -> dict[str, int]:
        rules = self._trials.get(set_id)
        if rules is None:
            known: Any = self.view.get(trial_key(set_id)) or {}
            rules = self._trials[set_id] = {name: dict(counts) for name, counts in known.items()}
        return rules.setdefault(rule, {"violated": 0, "undetermined": 0, "rejected": 0})


def refuses(finding: Finding) -> bool:
    """Say whether a rule refuses the batch for what it found; what it cannot tell is a finding only."""
    return finding.rule.effect == "reject" and finding.verdict is Verdict.VIOLATED  # J13


def violated(offset: int, item: Mapping[str, Any], finding: Finding) -> Rejected:
    """Return the refusal of a batch with an item that violates a rule."""
    rule = finding.rule
    detail = f"items[{offset}]: event {item['event']} violates {rule.id} version {rule.version}: {finding.reason}"
    return Rejected("rule_violated", f"{detail} ({rule.title})")


def _origin(source: str, item: Item) -> dict[str, Any]:
    member = source.partition("/")[0]
    return {"source": source, "subject": member, "sequence": item.sequence, "event": item.event, "item": item.hash}


def _why(found: Reason) -> dict[str, Any]:
    """Return why, for programs and other languages, and the same in English."""
    return {"reason": [found.code, found.values], "detail": str(found)}


def _fitting(entries: Sequence[Any], limit_bytes: int) -> tuple[int, int]:
    """Return how many entries fit, and how many bytes are left then."""
    for index, entry in enumerate(entries):
        size = len(codec.encode(entry))
        if size > limit_bytes:
            return index, 0
        limit_bytes -= size
    return len(entries), limit_bytes


def _named(entry: Mapping[str, Any]) -> list[str]:
    """Return what finds a finding or hold that a receipt had no room for."""
    if "by" in entry:
        return ["superseded", entry["id"], entry["by"]]
    if "id" in entry:
        return ["finding", entry["id"]]
    return ["hold", entry["process_type"], entry["object_type"], entry["object"]]
