"""A load generator that does not wait to be asked: signed transactions at a rate, refused ones not sent again.

    python -m bench.flood NETWORK MEMBER RATE SECONDS

It signs what it will need, says ``ready``, and then for each line of URLs on its standard input sends for SECONDS and
prints what it was answered, as JSON. With ``sink`` as its only argument it is an idle port instead: it answers
everything with 503 at once, so that the generator's own cost can be measured beside something else.

It sends at nice 19, so that on a machine it shares with the nodes it takes what they leave.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httptools

from coseal.client.keys import read_signer
from coseal.client.load import Connection, connect, post
from coseal.ledger.codec import encode
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import sign

BATCH = 20
"""Transactions in a request."""
CONNECTIONS = 64
_NICE = 19
_VALID_MS = 590_000
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if arguments == ["sink"]:
        os.nice(_NICE)
        asyncio.run(_sink())
        return 0
    network, member, rate, seconds = Path(arguments[0]), arguments[1], float(arguments[2]), float(arguments[3])
    batches = _signed(network, member, int(rate * seconds))
    os.nice(_NICE)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(asyncio.run(_flood(line.split(), batches, rate, seconds))), flush=True)
    return 0


def _signed(network: Path, member: str, count: int) -> list[bytes]:
    """Return batches of transactions that take effect in any order."""
    genesis = Genesis.decode((network / "genesis.json").read_bytes())
    key = read_signer(network / "members" / member / "admin.pem")
    until = time.time_ns() // 1_000_000 + _VALID_MS

    def one(number: int) -> bytes:
        return sign(
            key,
            chain_id=genesis.chain_id,
            sender=f"{member}/admin",
            contract="membership",
            action="set_profile",
            args={"description": f"flood {number}"},
            valid_until_ms=until,
            salt=secrets.token_bytes(16),
        ).raw

    return [encode([one(first + place) for place in range(BATCH)]) for first in range(0, count, BATCH)]


async def _flood(urls: list[str], batches: list[bytes], rate: float, seconds: float) -> dict[str, Any]:
    """Send the batches over all connections, none before its time; return counts of answers and times to refuse."""
    answers: Counter[str] = Counter()
    refused_ms: list[float] = []
    waiting = iter(enumerate(batches))
    began = time.perf_counter()

    async def client(url: str) -> None:
        connection: Connection = await connect(url)
        try:
            for number, body in waiting:
                await asyncio.sleep(began + number * BATCH / rate - time.perf_counter())
                sent = time.perf_counter()
                if sent - began > seconds:
                    return
                status, answer = await connection.request(post(url, "/v1/transactions/batch", body))
                count(status, answer, (time.perf_counter() - sent) * 1000)
        finally:
            connection.close()

    def count(status: int, answer: bytes, took_ms: float) -> None:
        if status not in (200, 202):
            answers[str(status)] += BATCH
            refused_ms.append(took_ms)
            return
        results = json.loads(answer)["results"]
        answers.update(result.get("code") or result["status"] for result in results)

    async with asyncio.timeout(seconds + 60), asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(client(urls[number % len(urls)]))
    refused_ms.sort()
    return {
        "elapsed_s": time.perf_counter() - began,
        "answers": dict(answers),
        "refused_ms": [refused_ms[int(len(refused_ms) * share)] for share in (0.5, 0.99)] if refused_ms else [0.0, 0.0],
    }


class _Sink(asyncio.Protocol):
    """Refuses every request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(_REFUSED)


async def _sink() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until who started it is gone


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
