"""A member's client: signs here, sends, waits for the commit, and verifies what nodes answer.

Law: it only carries requests; what is asked and what is believed is decided in ``coseal.client.session``, for the
asynchronous client (``coseal.client.asynchronous``) as well.

    with coseal.connect("http://127.0.0.1:8600", key="regulator.pem", genesis="genesis.json") as client:
        committed = client.submit("policy", "publish", {"id": "cn/1", ...})
        committed.receipt.data
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx

from coseal.audit.history import ObjectHistory
from coseal.audit.sources import MAX_RESPONSE_BYTES, RESPONSE_SECONDS
from coseal.client.access import ProvenAccesses, access_history_of
from coseal.client.base import BaseClient
from coseal.client.certificates import ProvenCertificate, certificate_of
from coseal.client.corrections import completed
from coseal.client.custodian import Answer
from coseal.client.decisions import Decision, decision_of
from coseal.client.dossiers import ProvenDossier, dossier_of
from coseal.client.exchange import MSGPACK, Ask, Exchange, Pause, Reply, state_path
from coseal.client.missions import Missions
from coseal.client.money import Money
from coseal.client.netting import Solved, solved
from coseal.client.openings import Openings
from coseal.client.pages import Pages
from coseal.client.recording import BATCH_ITEMS, WINDOW, Progress, Recorded, record_events
from coseal.client.session import COMMIT_TIMEOUT_S
from coseal.client.signed_requests import SIGNATURE
from coseal.client.standards import Standards
from coseal.client.statements import Statement, statement_of
from coseal.client.stream import Event, Follower
from coseal.client.submitting import Submitting
from coseal.client.trade import TradeProof, unpledged, unregistered
from coseal.client.transactions import Committed, sign_as
from coseal.client.vaults import Vaults
from coseal.contracts.policy.state import instrument_key
from coseal.errors import Unreachable
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.sealing.secrets import Secrets

__all__ = ["COMMIT_TIMEOUT_S", "MSGPACK", "Client", "Committed", "sign_as", "state_path"]

_T = TypeVar("_T")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


class Client(BaseClient, Submitting):
    """Speaks to the nodes at ``url`` (one or several). ``sender`` (MEMBER/USER) and ``signer`` are needed to submit.

    Made by ``coseal.connect``; close it, or use it with ``with``. Not for several threads at once: give each its own.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        genesis: Genesis,
        *,
        signer: Signer | None = None,
        sender: str | None = None,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, genesis, signer=signer, sender=sender)
        self._http = http_client(self.session.urls, token, transport)
        self.standards: Standards[Committed, dict[str, Any], list[dict[str, Any]]] = Standards(self.session, self.run)
        self.missions: Missions[dict[str, Any]] = Missions(self.session, self.run)
        self.money: Money[Committed, dict[str, Any], Decimal] = Money(self.session, self.run)

    def vaults(self, secrets: Secrets | Path | str) -> Vaults[Committed, Answer]:
        """Return what opens vaults and holds seats, with the folder of secrets beside the operator's key."""
        return Vaults(self.session, self.run, secrets)

    def openings(self, secrets: Secrets | Path | str) -> Openings[Committed]:
        """Return what requests openings of sealed cells, releases to them and opens, with the same folder."""
        return Openings(self.session, self.run, secrets)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, exchange: Exchange[_T]) -> _T:
        """Carry a session out and return what it comes to."""
        return carry(self._http, exchange)

    # Writing

    def sign(
        self, contract: str, action: str, args: Mapping[str, Any], *, valid_for_ms: int | None = None
    ) -> Transaction:
        """Return a signed transaction, valid for half the time the chain allows unless given (ms).

        Nothing is sent. Keep its ``raw`` bytes if it must survive this process: ``Transaction.decode`` reads them,
        and committing it again later is safe.

        >>> transaction = client.sign("membership", "set_profile", {"name": "Regulator"})
        >>> client.commit(transaction).height == client.commit(transaction).height
        True
        """
        return self.session.sign(contract, action, args, valid_for_ms=valid_for_ms)

    def commit(self, transaction: Transaction, *, timeout_s: float = COMMIT_TIMEOUT_S) -> Committed:
        """Send a signed transaction, wait until it is committed, and return the verified outcome.

        The same bytes are sent again, to this node or the next, until ``timeout_s`` seconds are over: it takes effect
        once however often it arrives. Raises ``Refused`` when no node may take it, ``Unreachable`` when it was never
        sent, ``NotCommitted`` when it may still be committed (call this again with the same transaction),
        ``FalseAnswer`` when no node gives a receipt that holds.
        """
        return self.run(self.session.commit(transaction, timeout_s))

    def send(
        self, transaction: Transaction, *, wait: str = "accepted", deadline: float | None = None
    ) -> dict[str, Any]:
        """Post a transaction and return the node's answer, unverified; a busy node is asked again until ``deadline``.

        ``deadline`` is a reading of ``time.monotonic``, in a minute by default.
        """
        return self.run(self.session.send(transaction, wait=wait, deadline=deadline))

    def simulate(self, contract: str, action: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the receipt that an action would get now, recording nothing; as the node says, unverified.

        Nothing is signed, so nobody can submit it. ``status`` is ``committed`` or ``rejected``, ``receipt`` what it
        would be, ``height`` that of the state it was tried on, ``node`` who says so. Raises ``BadArguments``, and
        ``Refused`` for what no block could hold.

        >>> client.simulate("policy", "endorse", {"id": "no/such"})["receipt"]["code"]
        'unknown_instrument'
        """
        shown = self.run(completed(self.session, contract, action, args))
        return self.run(self.session.simulate(contract, action, shown))

    def record(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        source: str | None = None,
        sequence: int | None = None,
        batch_items: int = BATCH_ITEMS,
        window: int = WINDOW,
        progress: Progress | None = None,
    ) -> Recorded:
        """Record items of process data as the member's ``source``, each exactly once, and prove that all are there.

        ``events`` are items (contracts/process/README.md), or CloudEvents 1.0 (docs/spec/api.md), which bring source
        and sequence themselves; ``datetime`` and ``Decimal`` become their texts. They are sent in transactions of up to
        ``batch_items``, ``window`` of them on their way at once; a batch that was lost or came too early is sent again.
        ``sequence`` is the number of the first event in its source: what the source has already is left out, so that
        the same call can be repeated after any error (and compared, if they are given from 1 on). Without it, the
        events follow what is recorded.

        Raises ``Refused`` by the contract's code (nothing after that item is recorded), ``BadAnswer`` if something
        else was recorded in between, ``Unreachable`` when nothing is committed for a minute.

        >>> event = {"event": "e1", "type": "pay", "time": "2026-01-05T10:00:00+08:00", "objects": [["order", "o1"]]}
        >>> recorded = client.record([event], source="orders", sequence=1)
        >>> recorded.sequence
        1
        >>> client.record([event], source="orders", sequence=1).added
        0
        """
        return self.run(record_events(self.session, events, source, sequence, batch_items, window, progress))

    # Reading, verified

    def receipt(self, tx_id: bytes, *, timeout_s: float = 10.0) -> Committed:
        """Return a committed transaction with its proof, verified; waits up to ``timeout_s`` for the node to have it.

        Raises ``Refused`` (``unknown_transaction``, ``not_committed``), ``FalseAnswer``, ``Unreachable``.
        """
        return self.run(self.session.receipt(tx_id, timeout_s))

    def state(self, key: str, *, min_height: int = 0) -> CertifiedValue:
        """Return the certified value of a state key, or its proven absence (``value`` None), verified.

        ``header.height`` of what it returns says as of which block. That is never below ``min_height``, nor below any
        height that this client has verified: a node that answers of an older block is set aside, and the next is
        asked; ``StaleAnswer`` if there is none.
        """
        return self.run(self.session.state(key, min_height))

    def values(self, keys: Sequence[str], *, min_height: int = 0) -> list[CertifiedValue]:
        """Return the certified values of several state keys, in order, all of one block; verified, as ``state``.

        >>> members, seats = client.values(["membership/members", "membership/validators"])
        >>> members.header == seats.header
        True
        """
        return self.run(self.session.values(keys, min_height))

    def state_document(self, key: str) -> dict[str, Any]:
        """Return the state-proof file of a key, which ``coseal verify`` checks with the genesis alone; verified."""
        return self.run(self.session.state_document(key))

    def value(self, key: str, *, min_height: int = 0) -> Any:
        """Return the decoded value of a state key, None if it is absent; proven, as ``state``.

        >>> client.value("membership/member/regulator")["role"]
        'government'
        """
        return self.run(self.session.value(key, min_height))

    def block(self, height: int | str) -> CommittedBlock:
        """Return a committed block by height or ``latest``, its certificate verified against the genesis."""
        return self.run(self.session.block(height))

    def decision(self, ballot_id: str, *, min_height: int = 0) -> Decision:
        """Return how a proposal, or a ballot about rules, was decided, and the ``document`` that proves it.

        All votes are there with their reasons, and what they come to was worked out again: ``reason`` says it in words,
        ``facts`` in figures. Raises ``Refused`` for what is not decided, ``FalseAnswer`` if no node proves all of it.

        >>> client.decision("raise-the-version").facts["status"]
        'withdrawn'
        """
        return self.run(decision_of(self.session, ballot_id, min_height))

    def certificate(self, name: str, *, min_height: int = 0) -> ProvenCertificate:
        """Return a certificate in force such as ``C1``, and the ``document`` that proves it, for ``coseal verify``.

        The argument, the panel and its reviews are there, and the verdict was worked out again. Raises ``Refused`` for
        what is revoked, suspended or over, ``FalseAnswer`` if no node proves all of it.
        """
        return self.run(certificate_of(self.session, name, min_height))

    def unpledged(self, receivable: str, *, min_height: int = 0) -> TradeProof:
        """Return the proof that no bank finances a receivable such as ``R1``, for ``coseal verify``.

        It is of the newest block and says nothing of later ones. A receivable that is financed, or on which nothing is
        owed, is a ``Refused`` answer; a node that hides it is found out.
        """
        return self.run(unpledged(self.session, receivable, min_height))

    def unregistered(self, creditor: str, number: str, date: str, total: int, *, min_height: int = 0) -> TradeProof:
        """Return the proof that an invoice (its total in fen) stands behind no receivable on this chain.

        However its number is spelt. One that does is a ``Refused`` answer; a node that hides it is found out.
        """
        return self.run(unregistered(self.session, creditor, number, date, total, min_height))

    def dossier(
        self, member: str, *, formulas: Sequence[str] | None = None, months: int | None = None, min_height: int = 0
    ) -> ProvenDossier:
        """Return all facts of a member, proven to be all, and what formulas say of them, for ``coseal verify``.

        ``formulas`` are ids of adopted ones, by default all that the node lists; ``months`` how many up to the newest
        block, by default all there can be. A member that did not record why it reads (``credit.consult``) is
        ``Refused``; a node that leaves a fact out is found out.
        """
        return self.run(dossier_of(self.session, member, formulas, months, min_height))

    def access_history(self, member: str, *, min_height: int = 0) -> ProvenAccesses:
        """Return every step that concerned what a member sealed, proven to be all, for ``coseal verify``.

        Who holds its keys, who was granted or asked for a value, who approved and opened, what was erased: its
        ``entries``. A node that leaves one out is found out.
        """
        return self.run(access_history_of(self.session, member, min_height))

    def solved_run(self, run: str, *, min_height: int = 0) -> Solved:
        """Return the greatest clearing of a netting run such as ``N1``, solved here from its proven state.

        Its ``arguments`` are those of ``trade.clear``.
        """
        return self.run(solved(self.session, run, min_height))

    def statement(
        self, wallet: str, *, first: str | None = None, last: str | None = None, min_height: int = 0
    ) -> Statement:
        """Return all movements of a wallet (``institution/id``), proven to be all, and the ``document`` that proves it.

        ``first`` and ``last`` are months such as ``2026-03``, both included; without them it is of all the wallet ever
        did, up to the newest block. ``issuance`` is what was issued and redeemed. Raises ``Refused`` if there is no
        such wallet, or the client has no ``token`` of a member, ``FalseAnswer`` if no node proves all of it.

        >>> client.statement("bank-a/vault").facts["closing"]
        '0.00'
        """
        return self.run(statement_of(self.session, wallet, first, last, min_height))

    def history(self, process_type: str, object_type: str, object_id: str, *, min_height: int = 0) -> ObjectHistory:
        """Return all items of an object, proven to be all; errors as ``coseal.client.history.object_history``.

        The ``height`` and ``time_ms`` of what it returns are those of the block as of which they are all.
        """
        from coseal.client.history import object_history

        return object_history(self, process_type, object_type, object_id, min_height=min_height)[1]

    def validators_of(self, header: Header, certificate: Certificate) -> ValidatorSet:
        """Return the validators of a header's epoch; the node is asked for what leads to it, which is verified.

        No signature on the header itself is checked. Raises a ``LedgerError`` if the node does not lead there,
        ``FalseAnswer`` if what it gives does not hold.
        """
        return self.run(self.session.validators_of(header, certificate))

    def stream(
        self,
        *,
        after: str | None = None,
        start: int | None = None,
        contract: str | None = None,
        kind: str | None = None,
        follow: bool = True,
    ) -> Iterator[Event]:
        """Yield what is committed, in ledger order, each block verified before its events are; nothing is left out.

        Begins after the event with the id ``after`` (keep the last ``event.id`` to resume), else with the height
        ``start``, else with what comes next. ``kind`` is ``transaction``, ``finding``, ``evidence`` or ``begin``;
        ``contract`` leaves out the others' (findings are those of ``supervision``). Ends at the tip unless ``follow``.
        Another node is asked when one fails or lags; ``Unreachable`` after a minute without any.

        >>> [event.data["action"] for event in client.stream(start=1, contract="process", follow=False)][:2]
        ['define_type', 'register_source']
        """
        follower = Follower(self.session, after=after, start=start, contract=contract, kind=kind, follow=follow)
        while not follower.done:
            yield from self.run(follower.more())

    # Reading, as the node says

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Return a JSON document of the API, unverified; raise ``Refused`` for a problem it answers with."""
        return self.run(self.session.get(path, **params))

    def pages(self, path: str, name: str, /, *, limit: int | None = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of a paged list of the API, as the node says, at most ``limit``."""
        pages = Pages(self.session, path, name, filters, limit)
        while not pages.done:
            yield from self.run(pages.more())

    def policies(self, *, limit: int | None = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield policies by id, as the node's index says; ``policy`` proves one.

        Filters: ``year``, ``area``, ``level``, ``issuer``, ``status``, ``origin``, ``type_document``, ``member``,
        ``title`` (contained).

        >>> list(client.policies(level="central", year=1990))
        []
        """
        return self.pages("/v1/policies", "policies", limit=limit, **filters)

    def policy(self, identifier: str) -> dict[str, Any] | None:
        """Return a policy as the certified state has it, None if there is none; proven, as ``state``."""
        found: dict[str, Any] | None = self.value(instrument_key(identifier))
        return found

    def findings(self, *, limit: int | None = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield findings, oldest first, as the node's index says; ``coseal.client.supervision.finding`` proves one.

        Filters: ``status``, ``rule``, ``process_type``, ``object_type``, ``object``, ``severity``, ``source``,
        ``party``, ``awaits`` (``supervisor`` or ``subject``), ``overdue`` (``true`` or ``false``).
        """
        return self.pages("/v1/findings", "findings", limit=limit, **filters)


def http_client(urls: Sequence[str], token: str | None, transport: httpx.BaseTransport | None) -> httpx.Client:
    """Return what sends requests to these nodes."""
    return httpx.Client(headers=headers_of(token), trust_env=not are_local(urls), transport=transport)


def carry(http: httpx.Client, exchange: Exchange[_T]) -> _T:
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
            time.sleep(step.seconds)
            continue
        try:
            with http.stream(step.method, step.url, **options_of(step)) as response:
                body = Body(step)
                for part in response.iter_bytes():
                    body.add(part)
                reply = Reply(step.node, response.status_code, body.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = unreachable(step, error)
        except Unreachable as error:
            failure = error


def options_of(ask: Ask) -> dict[str, Any]:
    """Return what a request is made with, beside its method and URL."""
    made = {"params": ask.params, "content": ask.content, "headers": ask.headers, "timeout": ask.timeout_s}
    return {**made, "auth": _by_signature} if SIGNATURE in ask.headers else made


def _by_signature(request: httpx.Request) -> httpx.Request:
    """Leave the token out of a signed request: a node would take it as asked by the token."""
    request.headers.pop("Authorization", None)
    return request


class Body:
    """The body of an answer as it comes in, bounded in size and in time."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._parts: list[bytes] = []
        self._size = 0
        self._deadline = time.monotonic() + max(ask.timeout_s, RESPONSE_SECONDS)

    def add(self, part: bytes) -> None:
        """Take a part; raise ``Unreachable`` for an answer that is too large, or comes too slowly."""
        self._size += len(part)
        if self._size > MAX_RESPONSE_BYTES:
            raise self._ended(f"an answer of more than {MAX_RESPONSE_BYTES} bytes")
        if time.monotonic() > self._deadline:
            raise self._ended("no whole answer in time")
        self._parts.append(part)

    @property
    def content(self) -> bytes:
        """What came in."""
        return b"".join(self._parts)

    def _ended(self, why: str) -> Unreachable:
        return Unreachable(f"{self._ask.node} gave {why}", "ask another node", sent=True)


def headers_of(token: str | None) -> dict[str, str]:
    """Return the headers of every request."""
    return {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})


def unreachable(ask: Ask, error: Exception) -> Unreachable:
    """Return what a failed request comes back as: it says whether the request may have arrived."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, _NOT_SENT):
        return Unreachable(
            f"{ask.node} did not answer in time", "try again in a moment, or ask another node", sent=True
        )
    hint = "is the network up? `coseal status`"
    return Unreachable(f"{ask.node} cannot be reached: {error}", hint, sent=not isinstance(error, _NOT_SENT))


def are_local(urls: Sequence[str]) -> bool:
    """Say whether all these are of this machine, which no proxy is asked for."""
    try:
        return all(httpx.URL(url).host in ("127.0.0.1", "localhost", "::1") for url in urls)
    except httpx.InvalidURL:
        return False
