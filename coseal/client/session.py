"""What a client says to nodes and what it believes of their answers, without a socket.

Law: a receipt or a proven value is returned only after it was verified against the genesis; no node is trusted. What
is proven of the present is never of an older block than one that was verified here before. The bytes of a transaction
are the same however often they are sent, so nothing can happen twice.

Every question is an exchange (``coseal.client.exchange``); ``coseal.client.reads`` decides what its answer proves.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from coseal.audit.epochs import Epochs
from coseal.client import reads
from coseal.client.exchange import (
    BUSY,
    MSGPACK,
    REQUEST_TIMEOUT_S,
    SEALED,
    Ask,
    Exchange,
    Pause,
    Reply,
    document_of,
    false_answer,
)
from coseal.client.roster import STALE_ASIDE_S, Roster
from coseal.client.signed_requests import signed_headers
from coseal.client.transactions import Committed, sign_as
from coseal.errors import Busy, CosealError, FalseAnswer, NotCommitted, Refused, StaleAnswer, Unreachable
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import MAX_HANDOVERS, Handover, with_handovers
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import (
    state_proof_json,
)
from coseal.ledger.sealed import Sidecar, attached, decode_sidecar
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet

COMMIT_TIMEOUT_S: Final = 60.0
_RECEIPT_TIMEOUT_S: Final = 10.0
_BUSY_PAUSE_S: Final = 0.1
_POLL_S: Final = 0.05
_PASSES: Final = 8
_OF_NO_HEIGHT: Final = ("/v1/genesis", "/v1/snapshot", "/v1/status")
"""Routes that wait for no height; every other one under /v1/ does."""

_log = logging.getLogger("coseal")
_T = TypeVar("_T")


class Session:
    """One client's side of its talks with the nodes at ``urls``, which are asked in turn when one fails.

    ``height`` is the highest height certified so far: no later read of the present goes behind it, at whichever node.
    """

    def __init__(
        self, urls: Sequence[str], genesis: Genesis, *, signer: Signer | None = None, sender: str | None = None
    ) -> None:
        if not urls:
            raise CosealError("no node to ask", "give the URL of one or several nodes")
        self.roster = Roster(tuple(dict.fromkeys(url.rstrip("/").removesuffix("/v1") for url in urls)))
        self.genesis = genesis
        self.sender = sender
        self.epochs = Epochs(genesis)
        self.height = 0
        self._signer = signer

    @property
    def urls(self) -> tuple[str, ...]:
        """The nodes."""
        return self.roster.urls

    @property
    def url(self) -> str:
        """The node that is asked next."""
        return self.roster.order[0]

    @property
    def distrusted(self) -> dict[str, str]:
        """The nodes set aside: what one said does not hold, or is older than what is known; and what that was."""
        return self.roster.aside

    @property
    def member(self) -> str:
        """The member that signs; raises ``CosealError`` if nobody does."""
        if self.sender is None:
            raise CosealError("no signing identity", "give a sender MEMBER/USER and its key")
        return self.sender.partition("/")[0]

    @property
    def signer(self) -> Signer:
        """The key of who signs; raises ``CosealError`` if nobody does."""
        if self._signer is None:
            raise CosealError("no signing identity", "give a sender MEMBER/USER and its key")
        return self._signer

    def turn(self, node: str) -> None:
        """Ask the next node after this one from now on, unless another is asked already."""
        self.roster.turn(node)

    # Asking

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> Exchange[Reply]:
        """Return a node's reply; those that do not answer are passed over, ``Unreachable`` if none does."""
        failed: dict[str, Unreachable] = {}
        while len(failed) < len(self.urls):
            node = next(url for url in self.roster.order if url not in failed)
            try:
                return (yield Ask(method, node, path, params or {}, content, headers or {}, timeout_s))
            except Unreachable as error:
                failed[node] = error
                self.turn(node)
        sent, last = any(error.sent for error in failed.values()), failed[node]
        raise Unreachable(last.detail, last.hint, sent=sent)

    def believed(self, question: Callable[[], Exchange[_T]]) -> Exchange[_T]:
        """Return the first answer that holds; a node whose answer does not is noted, and the next is asked."""
        for left in reversed(range(len(self.urls))):
            try:
                return (yield from question())
            except FalseAnswer as error:
                self.distrust(error)
                if not left:
                    raise
            except Busy as error:
                self.turn(error.node)
                if not left:
                    raise
        raise AssertionError  # there is a node to ask

    def distrust(self, error: FalseAnswer) -> None:
        """Set a node aside for what it said, and turn to the next."""
        _log.warning("%s", error.detail)
        if isinstance(error, StaleAnswer):
            self.roster.set_aside(error.node, error.detail, STALE_ASIDE_S)
        else:
            self.roster.set_aside(error.node, error.detail)

    def get(self, path: str, **params: Any) -> Exchange[dict[str, Any]]:
        """Return a JSON document of the API, unverified; raise ``Refused`` for a problem it answers with.

        The node is asked to have come as far as what was verified here before.
        """
        given = {name: value for name, value in params.items() if value is not None}
        if self.height and path.startswith("/v1/") and not path.startswith(_OF_NO_HEIGHT):
            given["min_height"] = max(self.height, int(given.get("min_height", 0)))
        return document_of((yield from self.ask("GET", path, params=given)))

    # Writing

    def sign(
        self, contract: str, action: str, args: Mapping[str, Any], *, valid_for_ms: int | None = None
    ) -> Transaction:
        """Return a signed transaction, valid for half the time the chain allows unless given."""
        if self._signer is None or self.sender is None:
            raise CosealError("no signing identity", "give a sender MEMBER/USER and its key")
        return sign_as(self.genesis, self.sender, self._signer, contract, action, args, valid_for_ms=valid_for_ms)

    def commit(self, transaction: Transaction, timeout_s: float, sidecar: bytes | None = None) -> Exchange[Committed]:
        """Send a signed transaction until it is seen committed, to the same node or others; see ``Client.commit``.

        ``sidecar`` is what it names, sent beside it.
        """
        deadline, sent, why = time.monotonic() + timeout_s, False, ""
        while True:
            try:
                answer = yield from self.send(transaction, wait="commit", deadline=deadline, sidecar=sidecar)
                sent = True
                if answer.get("status") in ("committed", "rejected"):
                    return (yield from self.receipt(transaction.id, _RECEIPT_TIMEOUT_S))
            except Unreachable as error:
                sent, why = sent or error.sent, f": {error.detail}"
                if not sent:
                    raise
            except Refused as error:
                why = f": {error.detail}"
                unproven = error.code in ("unknown_transaction", "not_committed")  # it said committed, and has no proof
                if not unproven and not (error.code == "expired" and (yield from self._located(transaction))):
                    raise
            if time.monotonic() > deadline:
                raise _not_committed(transaction, timeout_s, why)
            yield Pause(_POLL_S)

    def _located(self, transaction: Transaction) -> Exchange[bool]:
        """Say whether a transaction may be on the chain: a quorum's tip shows it, or could not be asked."""
        try:
            yield from self.get(f"/v1/transactions/{transaction.id.hex()}", consistent="true")
        except Refused as error:
            if error.code != "unknown_transaction":
                raise
            return False
        except Unreachable:
            return True
        return True

    def send(
        self,
        transaction: Transaction,
        *,
        wait: str = "accepted",
        deadline: float | None = None,
        sidecar: bytes | None = None,
    ) -> Exchange[dict[str, Any]]:
        """Post a transaction and return the node's answer; a busy node is asked again until ``deadline``."""
        body, kind = transaction.raw, MSGPACK
        if sidecar is not None:
            body, kind = codec.encode(["sealed", 1, transaction.raw, sidecar]), SEALED
        end = time.monotonic() + COMMIT_TIMEOUT_S if deadline is None else deadline
        while True:
            reply = yield from self.ask(
                "POST",
                "/v1/transactions",
                params={"wait": wait},
                content=body,
                headers={"Content-Type": kind},
                timeout_s=min(REQUEST_TIMEOUT_S, max(1.0, end - time.monotonic())),
            )
            if reply.status not in BUSY or time.monotonic() >= end:
                return document_of(reply)
            yield Pause(_BUSY_PAUSE_S)

    def simulate(self, contract: str, action: str, args: Mapping[str, Any]) -> Exchange[dict[str, Any]]:
        """Return what a node says would come of an action of the sender; see ``Client.simulate``."""
        from coseal.client.arguments import require_valid

        require_valid(contract, action, args)
        if self.sender is None:
            raise CosealError("no sender", "give a sender MEMBER/USER")
        asked = {"sender": self.sender, "contract": contract, "action": action, "args": dict(args)}
        try:
            content = json.dumps(asked, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise CosealError(f"{contract}.{action} cannot be made into a transaction: {error}") from None
        headers, end = {"Content-Type": "application/json"}, time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            reply = yield from self.ask("POST", "/v1/simulate", content=content, headers=headers)
            if reply.status not in BUSY or time.monotonic() >= end:
                return {**document_of(reply), "node": reply.node}
            yield Pause(_BUSY_PAUSE_S)

    # Reading, verified

    def receipt(self, tx_id: bytes, timeout_s: float = _RECEIPT_TIMEOUT_S) -> Exchange[Committed]:
        """Return a committed transaction with its proof, verified against the genesis.

        Right after a commit the node may need a moment until it can prove it.
        """
        found = yield from self.believed(lambda: reads.receipt(self, tx_id, timeout_s))
        proof, transaction, receipt = found
        self.height = max(self.height, proof.header.height)
        return Committed(transaction, receipt, proof, self.epochs.up_to(proof.header.epoch))

    def state(self, key: str, min_height: int = 0) -> Exchange[CertifiedValue]:
        """Return the certified value of a state key, or its proven absence (``value`` None), verified."""
        floor = max(min_height, self.height)
        return (yield from self.believed(lambda: reads.state(self, key, floor)))

    def values(self, keys: Sequence[str], min_height: int = 0) -> Exchange[list[CertifiedValue]]:
        """Return the certified values of state keys, in order, all of one block, verified; as ``state`` otherwise.

        Many keys take several requests; they are made again while the chain grows in between, ``Busy`` if it does so
        every time.
        """
        pages, floor = reads.asked_at_once(keys), max(min_height, self.height)
        for _ in range(_PASSES):
            found: list[CertifiedValue] = []
            for page in pages:
                found += yield from self.believed(lambda page=page, floor=floor: reads.values(self, page, floor))  # type: ignore[misc]
                floor = max(floor, found[-1].header.height)
            if all(one.header == found[0].header for one in found):
                return found
        raise Busy(f"{len(keys)} values cannot be read of one block: the chain grows meanwhile", "try again")

    def saw(self, node: str, what: str, height: int, floor: int) -> None:
        """Note that a node proved ``what`` as of a height; raise ``StaleAnswer`` if it was asked for a later one."""
        reads.require_reached(node, what, height, floor)
        self.height = max(self.height, height)

    def state_document(self, key: str) -> Exchange[dict[str, Any]]:
        """Return the state-proof file of a key, which ``coseal verify`` checks with the genesis alone; verified."""
        certified = yield from self.state(key)
        return with_handovers(state_proof_json(certified), self.epochs.up_to(certified.header.epoch))

    def value(self, key: str, min_height: int = 0) -> Exchange[Any]:
        """Return the decoded value of a state key, None if it is absent; proven, as ``state``."""
        raw = (yield from self.state(key, min_height)).value
        return None if raw is None else codec.decode(raw)

    def sidecar(self, name: bytes) -> Exchange[Sidecar]:
        """Return a live sidecar that the own member may read; it is the one of this name.

        Nodes are asked in turn: one may not hold it yet. Raises ``Refused`` (``unknown_sidecar``) if none gives it,
        ``FalseAnswer`` if one gives something else.
        """
        if self._signer is None or self.sender is None:
            raise CosealError(
                "no signing identity", "a sidecar is read by a member that may: give a sender and its key"
            )
        path = f"/v1/sidecars/{name.hex()}"
        for left in reversed(range(len(self.urls))):
            headers = signed_headers(self._signer, self.genesis.chain_id, self.sender, path)
            reply = yield from self.ask("GET", path, headers=headers)
            if reply.status == 200:
                break
            self.turn(reply.node)
            if not left:
                document_of(reply)
        try:
            return decode_sidecar(reply.content, name)
        except LedgerError as error:
            raise false_answer(reply.node, f"gave other bytes than the sidecar: {error.reason}") from None

    def commit_beside(
        self, contract: str, action: str, args: Mapping[str, Any], field: str, sidecar: Sidecar
    ) -> Exchange[Committed]:
        """Sign an action that names a sidecar in ``field`` of its arguments, and commit it with the sidecar."""
        named, raw = attached(sidecar)
        transaction = self.sign(contract, action, {**args, field: named})
        return (yield from self.commit(transaction, COMMIT_TIMEOUT_S, raw))

    def block(self, height: int | str) -> Exchange[CommittedBlock]:
        """Return a committed block by height or ``latest``, its certificate verified against the genesis."""
        floor = self.height if height == "latest" else 0
        return (yield from self.believed(lambda: reads.block(self, height, floor)))

    def verified_block(self, node: str, raw: bytes) -> Exchange[CommittedBlock]:
        """Return the block in a record of the block log that a node gave: its roots and its certificate verified."""
        committed = yield from reads.verified_block(self, node, raw)
        self.height = max(self.height, committed.block.header.height)
        return committed

    def validators_of(self, header: Header, certificate: Certificate) -> Exchange[ValidatorSet]:
        """Return the validators of a header's epoch; the node is asked for what leads to it, which is verified.

        No signature on the header itself is checked. Raises a ``LedgerError`` if the node does not lead there,
        ``FalseAnswer`` if what it gives does not hold.
        """
        while header.epoch > self.epochs.last.epoch:
            after = {"from": self.epochs.last.epoch + 1}
            reply = yield from self.ask("GET", "/v1/handovers", params=after, headers={"Accept": MSGPACK})
            if reply.status != 200:
                document_of(reply)
            known = len(self.epochs)
            try:
                rows = codec.sequence(codec.decode(reply.content), "handovers", limit=MAX_HANDOVERS)
                self.epochs.take_all(Handover.decode(codec.octets(row, "handover")) for row in rows)
            except LedgerError as error:
                raise false_answer(reply.node, f"gave handovers that do not hold: {error.reason}") from None
            if len(self.epochs) == known:
                break
        return self.epochs.of(header, certificate)


def _not_committed(transaction: Transaction, timeout_s: float, why: str) -> NotCommitted:
    return NotCommitted(
        transaction,
        f"transaction {transaction.id.hex()} was sent but not seen committed within {timeout_s:.0f} s{why}",
        "look at `coseal status`; it may still be committed: commit the same transaction again, or `coseal show tx`",
    )
