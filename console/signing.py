"""Signing for the person at this console: one operator key, held in this process.

Law: the key never leaves the process; what is signed is shown in the form the person sent, and its outcome is said
only after its receipt was verified.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.client.exchange import MSGPACK
from coseal.client.transactions import signed
from coseal.console.documents import SENT
from coseal.console.nodes import UNANSWERED, NoAnswer, Problem, Reply, reason_of, require_able
from coseal.console.reader import Reader
from coseal.console.shapes import Odd
from coseal.console.shown import Shown
from coseal.errors import CosealError
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction

_COMMIT_S: Final = 45.0
_RECEIPT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Operator:
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
            transaction = signed(self.genesis, self.sender, self.signer, contract, action, args)
        except CosealError as error:
            raise Problem(422, "no_transaction", error.detail, "") from None
        shown = await self._committed(reader, transaction)
        deadline = time.monotonic() + _RECEIPT_S
        while reader.light.height < (shown.height or 0) and time.monotonic() < deadline:
            await reader.nodes.poll()  # so that the page that follows shows what was just done
            if not await reader.light.advance():
                await asyncio.sleep(0.1)
        reader.forget()
        return shown

    async def _committed(self, reader: Reader, transaction: Transaction) -> Shown[dict[str, Any]]:
        """Send the same bytes to one node after another until there is a receipt that verifies, and return it.

        What a node says about it is not believed; if none leads to a receipt, what the first one said is raised.
        """
        reasons: list[tuple[str, str]] = []
        refusal: Problem | None = None
        headers = {"Content-Type": MSGPACK, "Accept": "application/json"}
        for address in reader.nodes.order():
            try:
                response = await reader.nodes.http.post(
                    f"{address.url}/v1/transactions?wait=commit",
                    content=transaction.raw,
                    headers=headers | address.headers,
                    timeout=_COMMIT_S,
                )
                reply = Reply(address.name, response.status_code, response.content)
                require_able(reply)
                said = reply.json(SENT)["status"]
                if said == "accepted":
                    raise NoAnswer([(address.name, "accepted, but not committed in time")])
                return await self._receipt(reader, transaction.id.hex())
            except UNANSWERED as error:
                reasons.append((address.name, reason_of(error)))
            except Odd as error:
                reasons.append((address.name, error.reason))
            except Problem as problem:
                refusal = refusal or problem
        raise refusal or NoAnswer(reasons)

    async def _receipt(self, reader: Reader, tx_id: str) -> Shown[dict[str, Any]]:
        """Return the verified receipt: right after a commit a node may need a moment until it can prove it."""
        deadline = time.monotonic() + _RECEIPT_S
        while True:
            try:
                return await reader.transaction(tx_id)
            except Problem as problem:
                if problem.status != 404 or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)
