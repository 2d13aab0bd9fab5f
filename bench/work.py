"""The transactions that benchmarks send: process events as real sources record them, signed ahead of time."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from bench.network import Network
from coseal.load import LoadResult, connect, post
from ledger.transaction import sign

PROCESS_TYPE = "bench-fines"
MEMBER = "enterprise-a"
_VALID_MS = 500_000

DEFINITION: dict[str, Any] = {
    "id": PROCESS_TYPE,
    "version": 1,
    "title": "Fines, for measurements",
    "object_types": {"case": {"attributes": {}}},
    "event_types": {
        name: {"attributes": {"amount": "decimal", "points": "decimal", "article": "string"}}
        for name in ("Create Fine", "Send Fine", "Payment", "Add penalty")
    },
}


def transaction(network: Network, contract: str, action: str, args: dict[str, Any], member: str = MEMBER) -> bytes:
    """Return one signed transaction in wire form, valid for some minutes."""
    signed = sign(
        network.signer(member),
        chain_id=network.genesis.chain_id,
        sender=f"{member}/admin",
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=time.time_ns() // 1_000_000 + _VALID_MS,
        salt=secrets.token_bytes(16),
    )
    return signed.raw


def event(source: int, number: int) -> dict[str, Any]:
    """Return one small event of a case of three events."""
    return {
        "event": f"s{source}-e{number}",
        "type": ("Create Fine", "Send Fine", "Payment")[number % 3],
        "time": "2006-07-24T00:00:00Z",
        "objects": [["case", f"s{source}-c{number // 3}"]],
        "attributes": {"amount": "35.0", "points": "0.0", "article": "157"},
    }


def record(network: Network, source: int, first: int, count: int) -> bytes:
    """Return a transaction that records ``count`` events of one source from sequence ``first`` on."""
    items = [event(source, number) for number in range(first, first + count)]
    return transaction(network, "process", "record", {"source": f"bench-{source}", "sequence": first, "items": items})


async def prepare(network: Network, url: str, sources: Sequence[int]) -> None:
    """Define the process type unless an earlier row did, and register the sources, waiting for each commit."""
    connection = await connect(url)
    setup = [transaction(network, "process", "define_type", DEFINITION)]
    setup += [
        transaction(
            network,
            "process",
            "register_source",
            {"id": f"bench-{source}", "process_type": PROCESS_TYPE, "mode": "historical"},
        )
        for source in sources
    ]
    for raw in setup:
        status, body = await connection.request(post(url, "/v1/transactions?wait=commit", raw))
        if status != 200 or json.loads(body)["receipt"]["code"] not in ("ok", "version"):
            raise RuntimeError(f"HTTP {status}: {body.decode(errors='replace')[:400]}")
    connection.close()


def require_answered(result: LoadResult) -> None:
    """Raise unless every request of a run was answered 200 or 202 in the end."""
    bad = {status: count for status, count in result.statuses.items() if status not in (200, 202, 429, 503)}
    if bad:
        raise RuntimeError(f"answers {bad}: {json.dumps(result.last_body.decode(errors='replace'))[:400]}")
