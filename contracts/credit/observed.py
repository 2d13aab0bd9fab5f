"""What trade, supervision and process did, as facts: each act and due thing by its name.

Law: a fact is counted when and where what it rests on is recorded; findings on historical sources never count.

contracts/credit/README.md, C1, C3 to C5, C14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from coseal.contracts.credit import figures
from coseal.contracts.credit.facts import Fact, Facts, now
from coseal.contracts.credit.state import origin_key
from coseal.contracts.governance.measures import paused
from coseal.contracts.kernel.action import SUSPENDED, Context, Reader, Result, View
from coseal.contracts.kernel.contract import DueThing, Moment, Observed
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.membership.standing import standing
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.process.state import source
from coseal.contracts.supervision.findings import finding
from coseal.contracts.supervision.holds import held
from coseal.contracts.supervision.state import question_key
from coseal.contracts.supervision.terms import SUBJECT
from coseal.contracts.trade.ledger import OVERDUE, SETTLED, WRITTEN_OFF

CREDIT: Final = "credit"
"""The field of a receipt that shows what was added."""
_PAY: Final = "trade.settle"
_RESPOND: Final = "respond"
_LIVE: Final = "live"


def observe(view: View, context: Context, seen: Observed) -> Result:
    """Add what an accepted act of another contract says of members; return what its receipt shows of it."""
    count = _OF_ACTS.get(seen.name)
    if count is None or (seen.name == _RECORD and (seen.facts is None or seen.facts.gap is None)):
        return {}
    facts = Facts(view, context.height, context.time_ms)
    count(facts, context, seen)
    said = facts.write()
    return {CREDIT: said} if said else {}


def observe_due(view: View, moment: Moment, done: DueThing) -> Result:
    """Add what a due thing of another contract says of members; return lists for the block's first receipt."""
    count = _OF_DUE.get((done.contract, done.entry[0]))
    if count is None:
        return {}
    facts = now(view, moment)
    count(facts, moment, done.result)
    said = facts.write()
    return {"facts": said} if said else {}


# Trade


def _settled(facts: Facts, said: Mapping[str, Any], time_ms: int) -> None:
    """Count a receivable that was paid; what fell overdue before is late."""  # C3
    late = facts.view.get(origin_key(said["id"])) is not None
    kind = figures.SETTLED_LATE if late else figures.SETTLED_ON_TIME
    days = -(-(time_ms - said["due_ms"]) // DAY_MS) if late else 0
    facts.add(Fact(said["debtor"], kind, said["id"], said["holder"], said["amount"], days))
    if late:
        facts.closed(said["id"])


def _paid(facts: Facts, context: Context, seen: Observed) -> None:
    for said in seen.result.get("receivables", ()):
        if said["status"] == SETTLED:
            _settled(facts, said, context.time_ms)


def _written_off(facts: Facts, context: Context, seen: Observed) -> None:
    for said in seen.result["receivables"]:
        if said["status"] == WRITTEN_OFF:
            facts.add(Fact(said["debtor"], figures.WRITTEN_OFF, said["id"], said["holder"], said["outstanding"]))


def _resolved(facts: Facts, context: Context, seen: Observed) -> None:
    """Count a dispute that ended: upheld for its debtor if the receivable became less, else refused."""
    amount = seen.args["amount"]
    for said in seen.result["receivables"]:
        if said["disputed"]:
            continue
        if not amount:
            _refused(facts, said)
            continue
        facts.add(Fact(said["creditor"], figures.DISPUTE_UPHELD, said["id"], said["debtor"], amount))
        if said["status"] == SETTLED:  # C5
            facts.overturn(said["id"])


def _refused(facts: Facts, said: Mapping[str, Any]) -> None:
    facts.add(Fact(said["debtor"], figures.DISPUTE_REFUSED, said["id"], said["holder"], said["outstanding"]))


def _fell_due(facts: Facts, moment: Moment, result: Result) -> None:
    for act in result.get("fell_due", ()):
        for said in act.get("receivables", ()):
            if said["status"] == SETTLED:
                _settled(facts, said, moment.time_ms)
            elif said["status"] == OVERDUE:
                why = _kept_from_paying(facts.view, said["debtor"], moment)
                named = (said["id"], said["holder"], said["outstanding"], 0, why)
                facts.add(Fact(said["debtor"], figures.FELL_OVERDUE, *named, open=True))


def _kept_from_paying(reader: Reader, member: str, moment: Moment) -> str:
    """Name the hold, suspension or measure that a debtor is under, or nothing."""  # C14
    hold = held(reader, "trade", "party", member)
    if hold is not None:
        return str(hold["finding"])
    found = standing(reader, member)
    if found.status == SUSPENDED:
        return found.proposal
    pauses = paused(reader, moment.height, moment.time_ms).get(_PAY, ())
    return next((pause.measure for pause in pauses if pause.concerns(member)), "")


def _gave_up(facts: Facts, moment: Moment, result: Result) -> None:
    for act in result.get("fell_due", ()):
        for said in act["receivables"]:
            _refused(facts, said)


# Supervision


def _counts(reader: Reader, found: Mapping[str, Any]) -> bool:
    """Say whether a finding counts: none on a historical source does."""  # C4
    record = source(reader, found["source"]) if found["source"] else None
    return record is None or record["mode"] == _LIVE


def _decided(facts: Facts, context: Context, seen: Observed) -> None:
    found = finding(facts.view, seen.args["finding"])
    outcome = seen.args["outcome"]
    if found is None or outcome == "dismissed" or not _counts(facts.view, found):  # C4
        return
    kind, days = figures.SANCTIONED, 0
    if outcome == "rectified":
        late = any(step[1] == SUBJECT for step in found["overdue"])
        kind = figures.RECTIFIED_LATE if late else figures.RECTIFIED_IN_TIME
        days = (context.time_ms - found["time_ms"]) // DAY_MS
    facts.add(Fact(found["subject"], kind, found["id"], context.member, 0, days, open=True))


def _appealed(facts: Facts, context: Context, seen: Observed) -> None:
    if seen.args["outcome"] == figures.OVERTURNED:  # C5
        facts.overturn(seen.args["finding"])
    else:
        facts.closed(seen.args["finding"])


def _closed(facts: Facts, moment: Moment, result: Result) -> None:
    for said in result.get("closed", ()):
        facts.closed(said["id"])


def _responded(facts: Facts, context: Context, seen: Observed) -> None:
    found = finding(facts.view, seen.args["finding"])
    if found is None or not _counts(facts.view, found):
        return
    inquired = [step[2] for step in found["steps"] if step[0] in ("inquire", "decide")][-1]
    late = any(step[0] == _RESPOND and step[3] > inquired for step in found["overdue"])
    _answered(facts, context, found["id"], found["supervisor"], seen.result["took_ms"], late=late)


def _answered(facts: Facts, context: Context, origin: str, asked_by: str, took_ms: int, *, late: bool) -> None:
    kind = figures.ANSWERED_LATE if late else figures.ANSWERED_IN_TIME
    facts.add(Fact(context.member, kind, origin, asked_by, 0, took_ms // DAY_MS))


def _question(facts: Facts, context: Context, seen: Observed) -> None:
    record: Any = facts.view.get(question_key(seen.args["question"]))
    took_ms = seen.result["took_ms"]
    _answered(facts, context, seen.args["question"], record["member"], took_ms, late=bool(record["overdue"]))


# Process


def _gap(facts: Facts, context: Context, seen: Observed) -> None:
    batch = seen.facts
    if isinstance(batch, RecordedBatch) and batch.gap is not None and batch.record["mode"] == _LIVE:
        first, last = batch.gap
        facts.add(Fact(context.member, figures.GAP, f"{batch.source}/{first}", "", last - first + 1))


_RECORD: Final = "process.record"
_OfAct: TypeAlias = Callable[[Facts, Context, Observed], None]
_OfDue: TypeAlias = Callable[[Facts, Moment, Result], None]
_OF_ACTS: Final[Mapping[str, _OfAct]] = {
    _PAY: _paid,
    "trade.clear": _paid,
    "trade.write_off": _written_off,
    "trade.resolve": _resolved,
    "supervision.decide": _decided,
    "supervision.decide_appeal": _appealed,
    "supervision.respond": _responded,
    "supervision.answer": _question,
    _RECORD: _gap,
}
_OF_DUE: Final[Mapping[tuple[str, str], _OfDue]] = {
    ("trade", "due"): _fell_due,
    ("trade", "dispute"): _gave_up,
    ("supervision", "finding"): _closed,
}
OBSERVED: Final = tuple(_OF_ACTS)
"""The acts of others that add facts."""
