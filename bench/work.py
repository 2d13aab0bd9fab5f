"""The transactions that benchmarks send: process events as real sources record them, signed ahead of time."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from bench.network import Network
from coseal.client.load import LoadResult, connect, post
from coseal.ledger.codec import encode
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.transaction import sign

PROCESS_TYPE = "bench-fines"
MEMBER = "enterprise-a"
_VALID_MS = 500_000
_SUBMIT_S = 60.0

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


@cache
def signer_of(network: Network, member: str) -> Ed25519Signer:
    """Return the key of a member's user ``admin``, read once."""
    return network.signer(member)


def transaction(network: Network, contract: str, action: str, args: dict[str, Any], member: str = MEMBER) -> bytes:
    """Return one signed transaction in wire form, valid for some minutes."""
    signed = sign(
        signer_of(network, member),
        chain_id=network.genesis.chain_id,
        sender=f"{member}/admin",
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=time.time_ns() // 1_000_000 + _VALID_MS,
        salt=secrets.token_bytes(16),
    )
    return signed.raw


def event(source: int, number: int, case: int) -> dict[str, Any]:
    """Return one small event of a case."""
    return {
        "event": f"s{source}-e{number}",
        "type": ("Create Fine", "Send Fine", "Payment")[number % 3],
        "time": "2006-07-24T00:00:00Z",
        "objects": [["case", f"s{source}-c{case}"]],
        "attributes": {"amount": "35.0", "points": "0.0", "article": "157"},
    }


def record(network: Network, source: int, first: int, count: int, *, objects: bool = False) -> bytes:
    """Return a transaction that records ``count`` events of one source from sequence ``first`` on.

    Three events are of one case; with ``objects`` each is of a case of its own.
    """
    numbers = range(first, first + count)
    items = [event(source, number, number if objects else number // 3) for number in numbers]
    return transaction(network, "process", "record", {"source": f"bench-{source}", "sequence": first, "items": items})


async def prepare(network: Network, url: str, sources: Sequence[int]) -> None:
    """Define the process type unless it is, and register the sources."""
    mode = {"process_type": PROCESS_TYPE, "mode": "historical"}
    for raws in (
        [transaction(network, "process", "define_type", DEFINITION)],
        [transaction(network, "process", "register_source", {"id": f"bench-{source}", **mode}) for source in sources],
    ):
        await submit(url, raws, may_be=("version",))


async def submit(url: str, raws: list[bytes], may_be: Sequence[str] = ()) -> None:
    """Have transactions committed; raise unless each took effect or was rejected with one of the codes ``may_be``.

    What a node has no room for is offered again: with many validators its part of every limit is small.
    """
    deadline = time.monotonic() + _SUBMIT_S
    connection = await connect(url)
    try:
        while True:
            status, body = await connection.request(post(url, "/v1/transactions/batch?wait=commit", encode(raws)))
            results = json.loads(body)["results"] if status == 200 else []
            committed = results and all("receipt" in result for result in results)
            if committed and all(result["receipt"]["code"] in ("ok", *may_be) for result in results):
                return
            if committed or time.monotonic() > deadline:
                raise RuntimeError(f"HTTP {status}: {body.decode(errors='replace')[:400]}")
            await asyncio.sleep(0.2)
    finally:
        connection.close()


def require_answered(result: LoadResult) -> None:
    """Raise unless every request of a run was answered 200 or 202 in the end."""
    bad = {status: count for status, count in result.statuses.items() if status not in (200, 202, 429, 503)}
    if bad:
        raise RuntimeError(f"answers {bad}: {json.dumps(result.last_body.decode(errors='replace'))[:400]}")
