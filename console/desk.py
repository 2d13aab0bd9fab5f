"""Signing for the person at this console: one operator key, held in this process.

Law: the key never leaves the process; what is signed is shown in the form the person sent, and what it came to is said
only after its receipt was verified.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from console.nodes import MSGPACK, NoAnswer, Problem, Reply
from console.reading import Reader, Shown
from ledger.errors import LedgerError
from ledger.genesis import Genesis
from ledger.signing import Signer
from ledger.transaction import SALT_BYTES, sign

_COMMIT_S: Final = 45.0
_RECEIPT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Signs as ``sender`` (MEMBER/USER) with ``signer``."""

    genesis: Genesis
    sender: str
    signer: Signer

    @property
    def member(self) -> str:
        """The member it acts for."""
        return self.sender.partition("/")[0]

    async def submit(
        self, reader: Reader, contract: str, action: str, args: Mapping[str, Any]
    ) -> Shown[dict[str, Any]]:
        """Sign, send, see it committed and return its verified receipt (see ``Reader.transaction``).

        Raises ``Problem`` if no node takes it, or if it makes no transaction; ``NoAnswer`` if none answers.
        """
        try:
            transaction = sign(
                self.signer,
                chain_id=self.genesis.chain_id,
                sender=self.sender,
                contract=contract,
                action=action,
                args=dict(args),
                valid_until_ms=time.time_ns() // 1_000_000 + self.genesis.parameters.validity_ms_max // 2,
                salt=secrets.token_bytes(SALT_BYTES),
            )
        except (LedgerError, TypeError, ValueError, OverflowError) as error:
            raise Problem(422, "no_transaction", str(error), "") from None
        await self._send(reader, transaction.raw)
        deadline = time.monotonic() + _RECEIPT_S
        while True:
            try:
                shown = await reader.transaction(transaction.id.hex())
                break
            except Problem as problem:  # right after a commit a node may need a moment until it can prove it
                if problem.status != 404 or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)
        while reader.light.height < (shown.height or 0) and time.monotonic() < deadline:
            await reader.nodes.poll()  # so that the page that follows shows what was just done
            if not await reader.light.advance():
                await asyncio.sleep(0.1)
        reader.forget()
        return shown

    async def _send(self, reader: Reader, body: bytes) -> None:
        """Send the same bytes to one node after another until one has seen them committed."""
        reasons: list[tuple[str, str]] = []
        headers = {"Content-Type": MSGPACK, "Accept": "application/json"}
        for address in reader.nodes.order():
            try:
                response = await reader.nodes.http.post(
                    f"{address.url}/v1/transactions?wait=commit",
                    content=body,
                    headers=headers | address.headers,
                    timeout=_COMMIT_S,
                )
            except httpx.HTTPError as error:
                reasons.append((address.name, str(error) or type(error).__name__))
                continue
            reply = Reply(address.name, response.status_code, response.content)
            if reply.status >= 500 or reply.status == 429:
                reasons.append((address.name, f"answered {reply.status}"))
                continue
            document = reply.json()
            if document.get("status") != "accepted":
                return
            reasons.append((address.name, "accepted, but not committed in time"))
        raise NoAnswer(reasons)
