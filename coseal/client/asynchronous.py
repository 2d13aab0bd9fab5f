"""The asynchronous client: the exchanges of ``coseal.client.blocking``, without blocking the event loop.

Law: it decides nothing; every method says and believes what the blocking client's of the same name does.

    async with await coseal.connect_async("http://127.0.0.1:8600", key="bank.pem", genesis="genesis.json") as client:
        committed = await client.submit("process", "attest", {"item": digest, "verdict": "confirm"})
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx

from coseal.audit.history import ObjectHistory
from coseal.client.access import ProvenAccesses, access_history_of
from coseal.client.base import BaseClient
from coseal.client.blocking import Body, are_local, headers_of, options_of, unreachable
from coseal.client.certificates import ProvenCertificate, certificate_of
from coseal.client.corrections import completed
from coseal.client.custodian import Answer
from coseal.client.decisions import Decision, decision_of
from coseal.client.dossiers import ProvenDossier, dossier_of
from coseal.client.exchange import Exchange, Pause, Reply
from coseal.client.history import object_history_of
from coseal.client.missions import Missions
from coseal.client.money import Money
from coseal.client.netting import Solved, solved
from coseal.client.openings import Openings
from coseal.client.pages import Pages
from coseal.client.recording import BATCH_ITEMS, WINDOW, Progress, Recorded, record_events
from coseal.client.session import COMMIT_TIMEOUT_S
from coseal.client.standards import Standards
from coseal.client.statements import Statement, statement_of
from coseal.client.stream import Event, Follower
from coseal.client.submitting import AsyncSubmitting
from coseal.client.trade import TradeProof, unpledged, unregistered
from coseal.client.transactions import Committed
from coseal.client.vaults import Vaults
from coseal.contracts.policy.state import instrument_key
from coseal.errors import Unreachable
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction
from coseal.sealing.secrets import Secrets

_T = TypeVar("_T")


class AsyncClient(BaseClient, AsyncSubmitting):
    """Speaks to the nodes at ``url`` (one or several); made by ``coseal.connect_async``.

    Errors are those of ``coseal.client.blocking.Client``. Several tasks may share one: what one has verified, all know.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        genesis: Genesis,
        *,
        signer: Signer | None = None,
        sender: str | None = None,
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, genesis, signer=signer, sender=sender)
        self._http = http_client(self.session.urls, token, transport)
        self.standards: Standards[Awaitable[Committed], Awaitable[dict[str, Any]], Awaitable[list[dict[str, Any]]]] = (
            Standards(self.session, self.run)
        )
        self.missions: Missions[Awaitable[dict[str, Any]]] = Missions(self.session, self.run)
        self.money: Money[Awaitable[Committed], Awaitable[dict[str, Any]], Awaitable[Decimal]] = Money(
            self.session, self.run
        )

    def vaults(self, secrets: Secrets | Path | str) -> Vaults[Awaitable[Committed], Awaitable[Answer]]:
        """Return what opens vaults and holds seats; see ``Client.vaults``."""
        return Vaults(self.session, self.run, secrets)

    def openings(self, secrets: Secrets | Path | str) -> Openings[Awaitable[Committed]]:
        """Return what requests openings of sealed cells, releases to them and opens; see ``Client.openings``."""
        return Openings(self.session, self.run, secrets)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def run(self, exchange: Exchange[_T]) -> _T:
        """Carry a session out and return what it comes to."""
        return await carry(self._http, exchange)

    # Writing

    def sign(
        self, contract: str, action: str, args: Mapping[str, Any], *, valid_for_ms: int | None = None
    ) -> Transaction:
        """Return a signed transaction; see ``Client.sign``."""
        return self.session.sign(contract, action, args, valid_for_ms=valid_for_ms)

    async def commit(self, transaction: Transaction, *, timeout_s: float = COMMIT_TIMEOUT_S) -> Committed:
        """Send a signed transaction until it is seen committed, and return the verified outcome; see ``Client.commit``.

        If the task is cancelled, the transaction may still be committed: commit it again.
        """
        return await self.run(self.session.commit(transaction, timeout_s))

    async def simulate(self, contract: str, action: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the receipt that an action would get now, recording nothing, unverified; see ``Client.simulate``."""
        shown = await self.run(completed(self.session, contract, action, args))
        return await self.run(self.session.simulate(contract, action, shown))

    async def record(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        source: str | None = None,
        sequence: int | None = None,
        batch_items: int = BATCH_ITEMS,
        window: int = WINDOW,
        progress: Progress | None = None,
    ) -> Recorded:
        """Record items as the member's ``source``, each exactly once, proven at the end; see ``Client.record``."""
        return await self.run(record_events(self.session, events, source, sequence, batch_items, window, progress))

    # Reading, verified

    async def receipt(self, tx_id: bytes, *, timeout_s: float = 10.0) -> Committed:
        """Return a committed transaction with its proof, verified; see ``Client.receipt``."""
        return await self.run(self.session.receipt(tx_id, timeout_s))

    async def state(self, key: str, *, min_height: int = 0) -> CertifiedValue:
        """Return the certified value of a state key, or its proven absence (``value`` None), verified."""
        return await self.run(self.session.state(key, min_height))

    async def values(self, keys: Sequence[str], *, min_height: int = 0) -> list[CertifiedValue]:
        """Return the certified values of several state keys, in order, all of one block; see ``Client.values``."""
        return await self.run(self.session.values(keys, min_height))

    async def value(self, key: str, *, min_height: int = 0) -> Any:
        """Return the decoded value of a state key, None if it is absent; proven, as ``state``."""
        return await self.run(self.session.value(key, min_height))

    async def block(self, height: int | str) -> CommittedBlock:
        """Return a committed block by height or ``latest``, its certificate verified against the genesis."""
        return await self.run(self.session.block(height))

    async def decision(self, ballot_id: str, *, min_height: int = 0) -> Decision:
        """Return how a ballot was decided; see ``Client.decision``."""
        return await self.run(decision_of(self.session, ballot_id, min_height))

    async def certificate(self, name: str, *, min_height: int = 0) -> ProvenCertificate:
        """Return a certificate in force, and the document that proves it; see ``Client.certificate``."""
        return await self.run(certificate_of(self.session, name, min_height))

    async def statement(
        self, wallet: str, *, first: str | None = None, last: str | None = None, min_height: int = 0
    ) -> Statement:
        """Return all movements of a wallet, proven to be all; see ``Client.statement``."""
        return await self.run(statement_of(self.session, wallet, first, last, min_height))

    async def solved_run(self, run: str, *, min_height: int = 0) -> Solved:
        """Return the greatest clearing of a netting run; see ``Client.solved_run``."""
        return await self.run(solved(self.session, run, min_height))

    async def unpledged(self, receivable: str, *, min_height: int = 0) -> TradeProof:
        """Return the proof that no bank finances a receivable; see ``Client.unpledged``."""
        return await self.run(unpledged(self.session, receivable, min_height))

    async def unregistered(
        self, creditor: str, number: str, date: str, total: int, *, min_height: int = 0
    ) -> TradeProof:
        """Return the proof that an invoice stands behind no receivable; see ``Client.unregistered``."""
        return await self.run(unregistered(self.session, creditor, number, date, total, min_height))

    async def dossier(
        self, member: str, *, formulas: Sequence[str] | None = None, months: int | None = None, min_height: int = 0
    ) -> ProvenDossier:
        """Return all facts of a member, proven to be all, with formulas; see ``Client.dossier``."""
        return await self.run(dossier_of(self.session, member, formulas, months, min_height))

    async def access_history(self, member: str, *, min_height: int = 0) -> ProvenAccesses:
        """Return every step that concerned what a member sealed, proven to be all; see ``Client.access_history``."""
        return await self.run(access_history_of(self.session, member, min_height))

    async def history(
        self, process_type: str, object_type: str, object_id: str, *, min_height: int = 0
    ) -> ObjectHistory:
        """Return all items of an object, proven to be all; see ``Client.history``."""
        exchange = object_history_of(self.session, process_type, object_type, object_id, min_height)
        return (await self.run(exchange))[1]

    async def stream(
        self,
        *,
        after: str | None = None,
        start: int | None = None,
        contract: str | None = None,
        kind: str | None = None,
        follow: bool = True,
    ) -> AsyncIterator[Event]:
        """Yield what is committed, in ledger order, verified, nothing left out; see ``Client.stream``."""
        follower = Follower(self.session, after=after, start=start, contract=contract, kind=kind, follow=follow)
        while not follower.done:
            for event in await self.run(follower.more()):
                yield event

    # Reading, as the node says

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Return a JSON document of the API, unverified; raise ``Refused`` for a problem it answers with."""
        return await self.run(self.session.get(path, **params))

    async def pages(
        self, path: str, name: str, /, *, limit: int | None = None, **filters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the items of a paged list of the API, as the node says, at most ``limit``."""
        pages = Pages(self.session, path, name, filters, limit)
        while not pages.done:
            for item in await self.run(pages.more()):
                yield item

    def policies(self, *, limit: int | None = None, **filters: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield policies by id, as the node's index says; filters as ``Client.policies``."""
        return self.pages("/v1/policies", "policies", limit=limit, **filters)

    async def policy(self, identifier: str) -> dict[str, Any] | None:
        """Return a policy as the certified state has it, None if there is none; proven, as ``state``."""
        found: dict[str, Any] | None = await self.value(instrument_key(identifier))
        return found

    def findings(self, *, limit: int | None = None, **filters: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield findings, oldest first, as the node's index says; filters as ``Client.findings``."""
        return self.pages("/v1/findings", "findings", limit=limit, **filters)


def http_client(
    urls: Sequence[str], token: str | None, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """Return what sends requests to these nodes."""
    return httpx.AsyncClient(headers=headers_of(token), trust_env=not are_local(urls), transport=transport)


async def carry(http: httpx.AsyncClient, exchange: Exchange[_T]) -> _T:
    """Carry a session out and return what it comes to; a failed request comes back into it."""
    reply: Reply | None = None
    failure: Unreachable | None = None
    while True:
        try:
            step = exchange.throw(failure) if failure else exchange.send(reply)  # type: ignore[arg-type]
        except StopIteration as end:
            result: _T = end.value
            return result
        reply, failure = None, None
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            continue
        try:
            async with http.stream(step.method, step.url, **options_of(step)) as response:
                body = Body(step)
                async for part in response.aiter_bytes():
                    body.add(part)
                reply = Reply(step.node, response.status_code, body.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = unreachable(step, error)
        except Unreachable as error:
            failure = error
