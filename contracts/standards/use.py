"""What is recorded counts: in the domain of its process type, and under the standard that the type is.

Law: one write a batch for the domain and one for each standard, whatever the batch holds; a batch is never refused for
it. Only what live sources record counts.
"""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Observed
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.standards import domains, judging, series
from coseal.contracts.standards.adoptions import covers
from coseal.contracts.standards.state import adoption_key, use_key


def observe(view: View, context: Context, seen: Observed) -> Result | Rejected:
    """Count what a batch of a live source recorded."""
    facts = seen.facts
    if isinstance(facts, RecordedBatch) and facts.record["mode"] == "live":  # E2
        return _count(view, context, facts)
    return {}


def _count(view: View, context: Context, batch: RecordedBatch) -> Result:
    """Count a batch; return where it counted, for the receipt."""
    entry = domains.entry_of(view, batch.record["process_type"])
    judged = judging.judge(view, context, batch, entry["domain"])  # E24
    if not entry["domain"]:
        return judged
    period, items, member = domains.period_at(view, context.time_ms), len(batch.items), context.member
    domains.count(view, entry["domain"], member, period, items)
    counted = {"domain": entry["domain"], "period": period}
    if entry.get("definition") != batch.definition["definition"]:
        return {"counted": counted, **judged}
    standard, version = entry["standard"]
    adoption: Any = view.get(adoption_key(standard, version, member))
    if covers(adoption, batch.source.partition("/")[2], context.time_ms):  # E3
        key = use_key(standard, version, member)
        view.put(key, series.counted(view.get(key), period, items, items, 0))
        counted["standard"] = [standard, version]
    return {"counted": counted, **judged}
