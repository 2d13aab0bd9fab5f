"""What a client says to nodes and what it believes of their answers, without a socket.

Law: a receipt or a proven value is returned only after it was verified against the genesis; no node is trusted. The
bytes of a transaction are the same however often they are sent, so nothing can happen twice.

A conversation is a generator: it yields an ``Ask`` (one HTTP request) or a ``Pause``, is sent the ``Reply``, and
returns what it came to. ``coseal.client`` and ``coseal.aio`` carry the same ones out, one blocking, one not.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from audit.epochs import Epochs
from coseal.errors import BadAnswer, Busy, CosealError, FalseAnswer, NotCommitted, Refused, Unreachable
from ledger import codec
from ledger.block import CommittedBlock, Header, Receipt
from ledger.certificate import Certificate
from ledger.errors import LedgerError
from ledger.genesis import Genesis
from ledger.handover import MAX_HANDOVERS, Handover, with_handovers
from ledger.proof import CertifiedValue, TransactionProof
from ledger.render import MAX_DOCUMENT_DEPTH, proof_from_json, proof_json, state_proof_from_json, state_proof_json
from ledger.signing import Signer
from ledger.strict_json import strict_json
from ledger.transaction import SALT_BYTES, Transaction, sign
from ledger.validators import ValidatorSet

MSGPACK: Final = "application/msgpack"
COMMIT_TIMEOUT_S: Final = 60.0
REQUEST_TIMEOUT_S: Final = 40.0  # a node holds ``wait=commit`` and ``min_height`` for up to 30 s
BUSY: Final = frozenset({429, 503})
_NOT_THE_NODE: Final = frozenset({502, 503, 504})
"""What a proxy answers when it does not reach its node."""
_RECEIPT_TIMEOUT_S: Final = 10.0
_BUSY_PAUSE_S: Final = 0.1
_POLL_S: Final = 0.05
_BARE: Final = {"handovers": "false"}
"""Answers without handovers: the conversation keeps those it has verified."""

_log = logging.getLogger("coseal")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request to a path of a node; a failed one comes back into the conversation as ``Unreachable``."""

    method: str
    node: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = REQUEST_TIMEOUT_S

    @property
    def url(self) -> str:
        """The whole URL, but for the parameters."""
        return self.node + self.path


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to be asked for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered, whatever it is."""

    node: str
    status: int
    content: bytes


Dialogue: TypeAlias = Generator[Ask | Pause, Reply, _T]


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed transaction: where it stands, what it came to, and the proof of both (verified).

    ``handovers`` lead from the genesis to the validators who certified it.
    """

    transaction: Transaction
    receipt: Receipt
    proof: TransactionProof
    handovers: tuple[Handover, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it took effect; if not, the receipt says why."""
        return self.receipt.ok

    @property
    def height(self) -> int:
        """The height of its block."""
        return self.proof.header.height

    @property
    def data(self) -> Mapping[str, Any]:
        """What the contract answered."""
        return self.receipt.data

    def document(self) -> dict[str, Any]:
        """Return the receipt file, which ``coseal verify`` checks with the genesis alone."""
        return with_handovers(proof_json(self.proof), self.handovers)

    def require_ok(self) -> Committed:
        """Return self, or raise ``Refused`` with the contract's code."""
        if not self.ok:
            raise Refused(self.receipt.code, self.receipt.detail)
        return self


def sign_as(
    genesis: Genesis,
    sender: str,
    signer: Signer,
    contract: str,
    action: str,
    args: Mapping[str, Any],
    *,
    valid_for_ms: int | None = None,
) -> Transaction:
    """Return a transaction of ``sender`` (MEMBER/USER), valid for half the time the chain allows by default.

    Raises ``BadArguments`` for what the chain would refuse whatever its state.
    """
    from coseal.arguments import require_valid  # all contracts, for those alone who write

    require_valid(contract, action, args)
    validity_ms = genesis.parameters.validity_ms_max // 2 if valid_for_ms is None else valid_for_ms
    try:
        return sign(
            signer,
            chain_id=genesis.chain_id,
            sender=sender,
            contract=contract,
            action=action,
            args=dict(args),
            valid_until_ms=time.time_ns() // 1_000_000 + validity_ms,
            salt=secrets.token_bytes(SALT_BYTES),
        )
    except (LedgerError, TypeError, ValueError, OverflowError) as error:
        raise CosealError(f"{contract}.{action} makes no transaction: {error}") from None


class Conversation:
    """One client's side of its talks with the nodes at ``urls``, which are asked in turn when one fails.

    ``distrusted`` names every node that said what does not hold, and what; ``height`` is the highest height certified
    so far, behind which no later read of the state goes, at whichever node.
    """

    def __init__(
        self, urls: Sequence[str], genesis: Genesis, *, signer: Signer | None = None, sender: str | None = None
    ) -> None:
        if not urls:
            raise CosealError("no node to ask", "give the URL of one or several nodes")
        self.urls = tuple(dict.fromkeys(url.rstrip("/").removesuffix("/v1") for url in urls))
        self.genesis = genesis
        self.sender = sender
        self.epochs = Epochs(genesis)
        self.distrusted: dict[str, str] = {}
        self.height = 0
        self._signer = signer
        self._turn = 0

    @property
    def url(self) -> str:
        """The node that is asked next."""
        return self.urls[self._turn]

    @property
    def member(self) -> str:
        """The member that signs; raises ``CosealError`` if nobody does."""
        if self.sender is None:
            raise CosealError("nobody to sign as", "give a sender MEMBER/USER and its key")
        return self.sender.partition("/")[0]

    def turn(self, node: str) -> None:
        """Ask the next node after this one from now on, unless another is asked already."""
        if self.url == node:
            self._turn = (self._turn + 1) % len(self.urls)

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
    ) -> Dialogue[Reply]:
        """Return a node's reply; those that do not answer are passed over, ``Unreachable`` if none does."""
        failed: dict[str, Unreachable] = {}
        while len(failed) < len(self.urls):
            node = next(url for url in (*self.urls[self._turn :], *self.urls) if url not in failed)
            try:
                return (yield Ask(method, node, path, params or {}, content, headers or {}, timeout_s))
            except Unreachable as error:
                failed[node] = error
                self.turn(node)
        sent, last = any(error.sent for error in failed.values()), failed[node]
        raise Unreachable(last.detail, last.hint, sent=sent)

    def believed(self, question: Callable[[], Dialogue[_T]]) -> Dialogue[_T]:
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
        """Note what a node said, and turn to the next."""
        self.distrusted[error.node] = error.detail
        _log.warning("%s", error.detail)
        self.turn(error.node)

    def get(self, path: str, **params: Any) -> Dialogue[dict[str, Any]]:
        """Return a JSON document of the API, unverified; raise ``Refused`` for a problem it answers with."""
        given = {name: value for name, value in params.items() if value is not None}
        return document_of((yield from self.ask("GET", path, params=given)))

    # Writing

    def sign(
        self, contract: str, action: str, args: Mapping[str, Any], *, valid_for_ms: int | None = None
    ) -> Transaction:
        """Return a signed transaction, valid for half the time the chain allows unless told otherwise."""
        if self._signer is None or self.sender is None:
            raise CosealError("nobody to sign as", "give a sender MEMBER/USER and its key")
        return sign_as(self.genesis, self.sender, self._signer, contract, action, args, valid_for_ms=valid_for_ms)

    def commit(self, transaction: Transaction, timeout_s: float) -> Dialogue[Committed]:
        """Send a signed transaction until it is seen committed, to the same node or others; see ``Client.commit``."""
        deadline, sent, why = time.monotonic() + timeout_s, False, ""
        while True:
            try:
                answer = yield from self.send(transaction, wait="commit", deadline=deadline)
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

    def _located(self, transaction: Transaction) -> Dialogue[bool]:
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
        self, transaction: Transaction, *, wait: str = "accepted", deadline: float | None = None
    ) -> Dialogue[dict[str, Any]]:
        """Post a transaction and return the node's answer; a busy node is asked again until ``deadline``."""
        end = time.monotonic() + COMMIT_TIMEOUT_S if deadline is None else deadline
        while True:
            reply = yield from self.ask(
                "POST",
                "/v1/transactions",
                params={"wait": wait},
                content=transaction.raw,
                headers={"Content-Type": MSGPACK},
                timeout_s=min(REQUEST_TIMEOUT_S, max(1.0, end - time.monotonic())),
            )
            if reply.status not in BUSY or time.monotonic() >= end:
                return document_of(reply)
            yield Pause(_BUSY_PAUSE_S)

    # Reading, verified

    def receipt(self, tx_id: bytes, timeout_s: float = _RECEIPT_TIMEOUT_S) -> Dialogue[Committed]:
        """Return a committed transaction with its proof, verified against the genesis.

        Right after a commit the node may need a moment until it can prove it.
        """
        return (yield from self.believed(lambda: self._receipt(tx_id, timeout_s)))

    def _receipt(self, tx_id: bytes, timeout_s: float) -> Dialogue[Committed]:
        path, deadline = f"/v1/transactions/{tx_id.hex()}/receipt", time.monotonic() + timeout_s
        reply = yield from self.ask("GET", path, params=_BARE)
        while reply.status in (404, *BUSY) and time.monotonic() < deadline:
            yield Pause(_POLL_S)
            reply = yield from self.ask("GET", path, params=_BARE)
        if reply.status != 200:
            document_of(reply)
        try:
            proof = proof_from_json(strict_json(reply.content, "receipt", depth=MAX_DOCUMENT_DEPTH))
            validators = yield from self.validators_of(proof.header, proof.certificate)
            transaction, receipt = proof.verify(self.genesis.chain_id, validators)
        except LedgerError as error:
            raise false_answer(reply.node, f"gave a receipt that does not hold: {error.reason}") from None
        if transaction.id != tx_id:
            raise false_answer(reply.node, "gave the receipt of another transaction")
        self.height = max(self.height, proof.header.height)
        return Committed(transaction, receipt, proof, self.epochs.up_to(proof.header.epoch))

    def state(self, key: str, min_height: int = 0) -> Dialogue[CertifiedValue]:
        """Return the certified value of a state key, or its proven absence (``value`` None), verified."""
        return (yield from self.believed(lambda: self._state(key, max(min_height, self.height))))

    def _state(self, key: str, min_height: int) -> Dialogue[CertifiedValue]:
        params: dict[str, Any] = {"proof": "true", **_BARE} | ({"min_height": min_height} if min_height else {})
        reply = yield from self.ask("GET", state_path(key), params=params)
        if reply.status != 200:
            document_of(reply)
        try:
            certified = state_proof_from_json(strict_json(reply.content, "proof", depth=MAX_DOCUMENT_DEPTH))
            validators = yield from self.validators_of(certified.header, certified.certificate)
            certified.verify(self.genesis.chain_id, validators)
        except LedgerError as error:
            raise false_answer(reply.node, f"gave a state proof that does not hold: {error.reason}") from None
        if certified.key != key.encode():
            raise false_answer(reply.node, f"proved another key than {key}")
        self.height = max(self.height, certified.header.height)
        return certified

    def state_document(self, key: str) -> Dialogue[dict[str, Any]]:
        """Return the state-proof file of a key, which ``coseal verify`` checks with the genesis alone; verified."""
        certified = yield from self.state(key)
        return with_handovers(state_proof_json(certified), self.epochs.up_to(certified.header.epoch))

    def value(self, key: str, min_height: int = 0) -> Dialogue[Any]:
        """Return the decoded value of a state key, None if it is absent; proven, as ``state``."""
        raw = (yield from self.state(key, min_height)).value
        return None if raw is None else codec.decode(raw)

    def block(self, height: int | str) -> Dialogue[CommittedBlock]:
        """Return a committed block by height or ``latest``, its certificate verified against the genesis."""
        return (yield from self.believed(lambda: self._block(height)))

    def _block(self, height: int | str) -> Dialogue[CommittedBlock]:
        reply = yield from self.ask("GET", f"/v1/blocks/{height}", headers={"Accept": MSGPACK})
        if reply.status != 200:
            document_of(reply)
        committed = yield from self.verified_block(reply.node, reply.content)
        found = committed.block.header.height
        if height not in ("latest", str(found), found):
            raise false_answer(reply.node, f"gave block {found} for {height}")
        return committed

    def verified_block(self, node: str, raw: bytes) -> Dialogue[CommittedBlock]:
        """Return the block in a record of the block log that a node gave: its roots and its certificate verified."""
        try:
            committed = CommittedBlock.decode(raw)
            header = committed.block.header
            yield from self.validators_of(header, committed.certificate)
            self.epochs.verify(header, committed.certificate)
        except LedgerError as error:
            raise false_answer(node, f"gave a block that does not hold: {error.reason}") from None
        self.height = max(self.height, header.height)
        return committed

    def validators_of(self, header: Header, certificate: Certificate) -> Dialogue[ValidatorSet]:
        """Return the validators of a header's epoch; the node is asked for what leads to it, which is verified.

        No signature on the header itself is checked. Raises a ``LedgerError`` if the node does not lead there.
        """
        while header.epoch > self.epochs.last.epoch:
            after = {"from": self.epochs.last.epoch + 1}
            reply = yield from self.ask("GET", "/v1/handovers", params=after, headers={"Accept": MSGPACK})
            if reply.status != 200:
                document_of(reply)
            known = len(self.epochs)
            rows = codec.sequence(codec.decode(reply.content), "handovers", limit=MAX_HANDOVERS)
            self.epochs.take_all(Handover.decode(codec.octets(row, "handover")) for row in rows)
            if len(self.epochs) == known:
                break
        return self.epochs.of(header, certificate)


def false_answer(node: str, what: str) -> FalseAnswer:
    """Return the error for a node that ``what`` is said of."""
    return FalseAnswer(f"{node} {what}", "ask another node, and tell the member that runs this one", node=node)


def document_of(reply: Reply) -> dict[str, Any]:
    """Return the JSON object of a good answer; raise the problem of a bad one."""
    try:
        document = json.loads(reply.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        if reply.status in _NOT_THE_NODE:
            raise Busy(f"{reply.node} answered {reply.status}", "try again in a moment", node=reply.node)
        raise BadAnswer(f"{reply.node} answered {reply.status} without a JSON object", "is this the URL of a node?")
    if 200 <= reply.status < 300:
        return document
    code, detail = str(document.get("code", f"http_{reply.status}")), str(document.get("detail", ""))
    if reply.status in BUSY:
        raise Busy(f"the node is busy: {code}: {detail}", "try again in a moment", node=reply.node)
    raise Refused(code, detail)


def state_path(key: str) -> str:
    """Return the route of a state key, with what a URL cannot hold escaped."""
    return f"/v1/state/{quote(key, safe='/')}"


def _not_committed(transaction: Transaction, timeout_s: float, why: str) -> NotCommitted:
    return NotCommitted(
        transaction,
        f"transaction {transaction.id.hex()} was sent but not seen committed within {timeout_s:.0f} s{why}",
        "look at `coseal status`; it may still be committed: commit the same transaction again, or `coseal show tx`",
    )
