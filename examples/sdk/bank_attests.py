"""A bank attests: it listens to what others record about it, compares with its own books, and confirms or disputes.

    python examples/sdk/bank_attests.py http://127.0.0.1:8602,http://127.0.0.1:8600 bank-a.pem genesis.json books.csv

The stream is verified block by block and left out is nothing; the place in it is kept in a file, written after the
attestations it covers, so a crash repeats some of them at most, which the ledger refuses as made already.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import coseal
from coseal.contracts.process.chain import item_hash

MADE_ALREADY = "already_attested"


def named(event: coseal.Event, member: str) -> list[tuple[bytes, dict[str, Any]]]:
    """Return (hash, item) of the items in an event that name a member as counterparty."""
    data = event.data
    if data["action"] != "record" or not data["receipt"]["ok"]:
        return []
    source, first = data["receipt"]["data"]["source"], data["args"]["sequence"]
    items = enumerate(data["args"]["items"], first)
    return [(item_hash(source, number, item), item) for number, item in items if item.get("counterparty") == member]


def verdict(item: dict[str, Any], books: dict[str, int]) -> dict[str, str]:
    """Return what the bank says about an item: its books hold the same amount (in cents), or it disputes."""
    certificate, amount = item["objects"][0][1], item.get("attributes", {}).get("amount")
    if amount is None or books.get(certificate) == amount:
        return {"verdict": "confirm"}
    return {"verdict": "dispute", "reason": f"our books have {books.get(certificate, 'nothing')} for {certificate}"}


async def attest(
    client: coseal.AsyncClient, books: dict[str, int], after: str | None, *, follow: bool = True
) -> AsyncIterator[tuple[str, str]]:
    """Attest whatever names the bank from a place on; yield (place, what was said) after it is on the ledger."""
    member = client.member
    place = {"after": after} if after else {"start": 1}
    async for event in client.stream(**place, contract="process", kind="transaction", follow=follow):
        for digest, item in named(event, member):
            said = verdict(item, books)
            committed = await client.submit("process", "attest", {"item": digest.hex(), **said})
            if committed.receipt.code != MADE_ALREADY:
                committed.require_ok()
            yield event.id, f"{item['event']}: {said['verdict']}"
        yield event.id, ""


async def main(urls: str, key: str, genesis: str, books: str, cursor: str = "attested.place") -> int:
    """Attest until it is stopped."""
    with open(books, newline="") as file:
        amounts = {row["certificate"]: int(row["amount"]) for row in csv.DictReader(file)}
    kept = Path(cursor)
    async with await coseal.connect_async(urls.split(","), key=key, genesis=genesis) as client:
        async for place, said in attest(client, amounts, kept.read_text() if kept.exists() else None):
            if said:
                print(said)
            else:
                kept.write_text(place)  # everything up to here is attested
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
