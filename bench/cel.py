"""``python -m bench.cel``: microseconds a guard takes, compiled and evaluated, beside the official C++ implementation.

The oracle is asked through its Python binding, as a node would have to, with the event converted for each call.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from coseal.contracts.rules.cel.compile import Timestamp, compile_expression

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EVENT_TYPE: Final = """
{id: string, type: string, time: timestamp, source: string, sequence: int, member: string,
 attributes: {days: int, amount: string, currency: string, kind: string},
 objects: list({type: string, id: string, qualifier: string})}
"""
VARIABLES: Final = {"e": EVENT_TYPE, "block": "{height: int, time: timestamp}"}
BINDINGS: Final[dict[str, Any]] = {
    "e": {
        "id": "e-1",
        "type": "receivable.certificate.issued",
        "time": Timestamp(1_760_000_000_000),
        "source": "bank-a/core",
        "sequence": 41,
        "member": "bank-a",
        "attributes": {"days": 180, "amount": "125000.50", "currency": "CNY", "kind": "trade"},
        "objects": [{"type": "receivable", "id": f"r-{index}", "qualifier": "of"} for index in range(5)],
    },
    "block": {"height": 1_000, "time": Timestamp(1_760_000_100_000)},
}
GUARDS: Final = {
    "one comparison": "e.attributes.days <= 360",
    "four conditions": (
        "e.type == 'receivable.certificate.issued' && e.attributes.days <= 360 "
        "&& e.attributes.currency in ['CNY', 'USD', 'EUR'] && has(e.attributes.amount)"
    ),
    "times": "block.time - e.time <= duration('24h') && e.time >= timestamp('2025-01-01T00:00:00Z')",
    "over 5 objects": "e.objects.exists(o, o.type == 'bank' || o.id == 'r-4')",
    "a missing attribute": "e.attributes.rate > 5 || e.attributes.days < 10",
}
OURS_ALONE: Final = {"decimal": "decimal(e.attributes.amount, 2) <= 50000000"}
_MISSING: Final = EVENT_TYPE.replace("days: int", "days: int, rate: int")


def main() -> int:
    """Print one line a guard."""
    ask = oracle()
    for name, text in {**GUARDS, **OURS_ALONE}.items():
        variables = {**VARIABLES, "e": _MISSING}
        compiling = microseconds(lambda text=text, variables=variables: compile_expression(text, variables))
        guard = compile_expression(text, variables, result="bool")
        ours = microseconds(lambda guard=guard: guard.evaluate(BINDINGS))
        line = f"{name:20} cost {guard.cost:5}  compile {compiling:6.0f} us  evaluate {ours:6.2f} us"
        if ask is not None and name not in OURS_ALONE:
            theirs = microseconds(ask(text))
            line += f"  official C++ {theirs:6.2f} us ({theirs / ours:.1f} x)"
        print(line)
    return 0


def microseconds(work: Callable[[], object], seconds: float = 0.3) -> float:
    """Return the time of one call, the least of five rounds."""
    work()
    count, best = 1, 0.0
    while best < seconds / 5:
        count *= 2
        best = min(timed(work, count) for _ in range(2))
    return min(timed(work, count) for _ in range(5)) / count * 1e6


def timed(work: Callable[[], object], count: int) -> float:
    """Return the seconds of ``count`` calls."""
    started = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - started


def oracle() -> Callable[[str], Callable[[], object]] | None:
    """Return how to ask the official implementation, or None if it is not installed."""
    if importlib.util.find_spec("cel_expr_python") is None:
        print("the oracle is not installed (pip install -e '.[oracle]'): ours alone")
        return None
    from cel_expr_python import cel

    # It takes no times inside of a map: they are variables of their own.
    times = {f"{name}_time": EPOCH + timedelta(milliseconds=BINDINGS[name]["time"].ms) for name in BINDINGS}
    kinds = dict.fromkeys(times, cel.Type.TIMESTAMP)
    environment = cel.NewEnv(variables={"e": cel.Type.DYN, **kinds})
    event = {name: value for name, value in BINDINGS["e"].items() if name != "time"}

    def ask(text: str) -> Callable[[], object]:
        expression = environment.compile(text.replace(".time", "_time"))
        data = {"e": event, **(times if ".time" in text else {})}
        return lambda: expression.eval(data=data)

    return ask


if __name__ == "__main__":
    raise SystemExit(main())
