"""What `coseal bench` sends to a running network: small process events, each client a source of its own.

Law: every transaction is signed before the clock starts, and only commits with receipt ``ok`` count.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

import uvloop

from coseal.client.blocking import Client
from coseal.client.load import LoadResult, run_clients
from coseal.contracts.process.state import source_key, type_key
from coseal.errors import BadAnswer, CosealError, Unreachable

PROCESS_TYPE: Final = "coseal-bench"
_CATCH_UP_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.05
_DEFINITION: Final[dict[str, Any]] = {
    "id": PROCESS_TYPE,
    "version": 1,
    "title": "Load of coseal bench",
    "object_types": {"case": {}},
    "event_types": {"step": {"attributes": {"amount": "decimal"}}},
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcome of a load run; each client waited for its commit before it sent the next transaction."""

    clients: int
    transactions: int
    batch: int
    elapsed_s: float
    p50_ms: float
    p99_ms: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures, rates included."""
        rate = self.transactions / self.elapsed_s
        return {
            "clients": self.clients,
            "transactions": self.transactions,
            "events_per_transaction": self.batch,
            "elapsed_s": round(self.elapsed_s, 3),
            "transactions_per_s": round(rate, 1),
            "events_per_s": round(rate * self.batch, 1),
            "p50_ms": round(self.p50_ms, 2),
            "p99_ms": round(self.p99_ms, 2),
        }


def measure(client: Client, urls: list[str], *, clients: int, transactions: int, batch: int) -> Measured:
    """Send ``transactions`` (at least one a client) of ``batch`` events each, spread over the nodes at ``urls``."""
    each = max(1, transactions // clients)
    run = secrets.token_hex(4)
    sources = [f"bench-{run}-{number}" for number in range(clients)]
    if client.value(type_key(PROCESS_TYPE)) is None:
        client.submit_any("process", "define_type", _DEFINITION).require_ok()
    for source in sources:
        args = {"id": source, "process_type": PROCESS_TYPE, "mode": "historical"}
        client.submit_any("process", "register_source", args).require_ok()
    work = [[_record(client, source, 1 + index * batch, batch) for index in range(each)] for source in sources]
    try:
        result = uvloop.run(run_clients(urls, "/v1/transactions?wait=commit", work))
    except* OSError as group:
        raise Unreachable(f"a node closed a connection: {group.exceptions[0]}", "see `coseal status`") from None
    _require_all_ok(client, sources, each * batch, result)
    done = each * clients
    return Measured(clients, done, batch, result.elapsed_s, result.percentile_ms(0.5), result.percentile_ms(0.99))


def _record(client: Client, source: str, first: int, count: int) -> bytes:
    items = [
        {
            "event": f"{source}-{number}",
            "type": "step",
            "time": "2026-01-01T00:00:00Z",
            "objects": [["case", f"{source}-{number // 4}"]],
            "attributes": {"amount": "35.0"},
        }
        for number in range(first, first + count)
    ]
    return client.sign("process", "record", {"source": source, "sequence": first, "items": items}).raw


def _require_all_ok(client: Client, sources: list[str], expected: int, result: LoadResult) -> None:
    """Look into the certified state whether every event of every source is there.

    The node that is asked may be a block behind the one that answered last.
    """
    if client.sender is None:
        raise CosealError("no sender", "give --as MEMBER")
    member = client.sender.partition("/")[0]
    for source in sources:
        until = time.monotonic() + _CATCH_UP_S
        while (recorded := client.value(source_key(f"{member}/{source}"))["sequence"]) != expected:
            if time.monotonic() < until:
                time.sleep(_LOOK_AGAIN_S)
                continue
            last = result.last_body.decode(errors="replace")
            detail = json.dumps(last)[:300]
            raise BadAnswer(f"{source}: {recorded} of {expected} events took effect; the last answer was {detail}")
