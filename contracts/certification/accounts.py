"""What projects under a scheme may cost: the sums of what is planned, what was released, what refusals keep back.

Law: the sums follow from the projects' records; released is at most planned, and kept back is what a refused project
had planned and not yet received.

contracts/certification/README.md, F7.
"""

from __future__ import annotations

from typing import Any

from coseal.contracts.certification.state import funds_key
from coseal.contracts.certification.verdict import REFUSED
from coseal.contracts.kernel.action import Args, View


def account(view: View, before: Args, after: Args) -> None:
    """Count in the sums of its scheme what changed of a project."""  # F7
    was, now = _sums(before), _sums(after)
    if was != now:
        key = funds_key(after["scheme"])
        kept: Any = view.get(key) or dict.fromkeys(now, 0)
        view.put(key, {name: kept[name] + now[name] - was[name] for name in now})


def planned_under(view: View, scheme: str) -> int:
    """Return what is planned under a scheme, in fen."""
    kept: Any = view.get(funds_key(scheme))
    return 0 if kept is None else int(kept["planned"])


def _sums(record: Args) -> dict[str, int]:
    planned, released = record.get("planned", 0), record.get("released", 0)
    kept_back = planned - released if record["status"] == REFUSED else 0
    return {"planned": planned, "released": released, "withheld_by_refusal": kept_back}
