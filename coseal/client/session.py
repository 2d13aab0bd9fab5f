"""What a client says to nodes and what it believes of their answers, without a socket.

Law: a receipt or a proven value is returned only after it was verified against the genesis; no node is trusted. What
is proven of the present is never of an older block than one that was verified here before. The bytes of a transaction
are the same however often they are sent, so nothing can happen twice.

A session is a generator: it yields an ``Ask`` (one HTTP request) or a ``Pause``, is sent the ``Reply``, and
returns its result. ``coseal.client.blocking`` and ``coseal.client.asynchronous`` carry the same ones out.
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

from coseal.audit.epochs import Epochs
from coseal.client.roster import STALE_ASIDE_S, Roster
from coseal.errors import Busy, CosealError, FalseAnswer, NotCommitted, Refused, StaleAnswer, Unreachable
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.certificate import Certificate
from coseal.ledger.errors import BadProof, LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import MAX_HANDOVERS, Handover, with_handovers
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.render import (
    MAX_DOCUMENT_DEPTH,
    proof_from_json,
    proof_json,
    state_proof_from_json,
    state_proof_json,
)
from coseal.ledger.signing import Signer
from coseal.ledger.strict_json import strict_json
from coseal.ledger.transaction import SALT_BYTES, Transaction, sign
from coseal.ledger.validators import ValidatorSet

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
"""Answers without handovers: the session keeps those it has verified."""
_PROVEN_KEYS: Final = 256
_PROVEN_KEYS_BYTES: Final = 6_000  # of a URL; what stands before a node may take no more than 8 KB
_PASSES: Final = 8
_OF_NO_HEIGHT: Final = ("/v1/genesis", "/v1/snapshot", "/v1/status")
"""Routes that wait for no height; every other one under /v1/ does."""

_log = logging.getLogger("coseal")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request to a path of a node; a failed one comes back into the session as ``Unreachable``."""

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


Exchange: TypeAlias = Generator[Ask | Pause, Reply, _T]


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
    from coseal.client.arguments import require_valid  # all contracts, for those alone who write

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
            raise CosealError("nobody to sign as", "give a sender MEMBER/USER and its key")
        return self.sender.partition("/")[0]

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
        """Return a signed transaction, valid for half the time the chain allows unless told otherwise."""
        if self._signer is None or self.sender is None:
            raise CosealError("nobody to sign as", "give a sender MEMBER/USER and its key")
        return sign_as(self.genesis, self.sender, self._signer, contract, action, args, valid_for_ms=valid_for_ms)

    def commit(self, transaction: Transaction, timeout_s: float) -> Exchange[Committed]:
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
        self, transaction: Transaction, *, wait: str = "accepted", deadline: float | None = None
    ) -> Exchange[dict[str, Any]]:
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

    def simulate(self, contract: str, action: str, args: Mapping[str, Any]) -> Exchange[dict[str, Any]]:
        """Return what a node says would come of an action of the sender; see ``Client.simulate``."""
        from coseal.client.arguments import require_valid

        require_valid(contract, action, args)
        if self.sender is None:
            raise CosealError("nobody to act as", "give a sender MEMBER/USER")
        asked = {"sender": self.sender, "contract": contract, "action": action, "args": dict(args)}
        try:
            content = json.dumps(asked, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise CosealError(f"{contract}.{action} makes no transaction: {error}") from None
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
        return (yield from self.believed(lambda: self._receipt(tx_id, timeout_s)))

    def _receipt(self, tx_id: bytes, timeout_s: float) -> Exchange[Committed]:
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

    def state(self, key: str, min_height: int = 0) -> Exchange[CertifiedValue]:
        """Return the certified value of a state key, or its proven absence (``value`` None), verified."""
        floor = max(min_height, self.height)
        return (yield from self.believed(lambda: self._state(key, floor)))

    def _state(self, key: str, floor: int) -> Exchange[CertifiedValue]:
        params = {"proof": "true", **_BARE, **asking_for(floor)}
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
        self.saw(reply.node, f"the state of {key}", certified.header.height, floor)
        return certified

    def values(self, keys: Sequence[str], min_height: int = 0) -> Exchange[list[CertifiedValue]]:
        """Return the certified values of state keys, in order, all of one block, verified; as ``state`` otherwise.

        Many keys take several requests; they are made again while the chain grows in between, ``Busy`` if it does so
        every time.
        """
        pages, floor = _pages_of(keys), max(min_height, self.height)
        for _ in range(_PASSES):
            found: list[CertifiedValue] = []
            for page in pages:
                found += yield from self.believed(lambda page=page, floor=floor: self._values(page, floor))  # type: ignore[misc]
                floor = max(floor, found[-1].header.height)
            if all(one.header == found[0].header for one in found):
                return found
        raise Busy(f"{len(keys)} values cannot be read of one block: the chain grows meanwhile", "try again")

    def _values(self, keys: Sequence[str], floor: int) -> Exchange[list[CertifiedValue]]:
        params = {"keys": json.dumps(keys, ensure_ascii=False), **asking_for(floor)}
        reply = yield from self.ask("GET", "/v1/proofs", params=params, headers={"Accept": MSGPACK})
        if reply.status != 200:
            document_of(reply)
        try:
            rows = codec.sequence(codec.decode(reply.content), "proofs", limit=_PROVEN_KEYS)
            found = [CertifiedValue.decode(codec.octets(row, "proof")) for row in rows]
            for one in found:
                if one.header != found[0].header:
                    raise BadProof("the values are of several blocks")
                if one is found[0] or one.certificate != found[0].certificate:
                    yield from self.validators_of(one.header, one.certificate)
                    self.epochs.verify(one.header, one.certificate)
                one.proof.verify(one.key, one.value, one.header.state_root)
        except LedgerError as error:
            raise false_answer(reply.node, f"gave state proofs that do not hold: {error.reason}") from None
        if [one.key for one in found] != [key.encode() for key in keys]:
            raise false_answer(reply.node, "proved other keys than it was asked for")
        self.saw(reply.node, "the state", found[0].header.height, floor)
        return found

    def saw(self, node: str, what: str, height: int, floor: int) -> None:
        """Note that a node proved ``what`` as of a height; raise ``StaleAnswer`` if it was asked for a later one."""
        self.require_reached(node, what, height, floor)
        self.height = max(self.height, height)

    @staticmethod
    def require_reached(node: str, what: str, height: int, floor: int) -> None:
        """Raise ``StaleAnswer`` for an answer of a lower height than a node was asked for."""
        if height < floor:
            raise StaleAnswer(
                f"{node} gave {what} as of block {height}, though block {floor} was asked for",
                "ask another node: this one lags, or shows what is past",
                node=node,
            )

    def state_document(self, key: str) -> Exchange[dict[str, Any]]:
        """Return the state-proof file of a key, which ``coseal verify`` checks with the genesis alone; verified."""
        certified = yield from self.state(key)
        return with_handovers(state_proof_json(certified), self.epochs.up_to(certified.header.epoch))

    def value(self, key: str, min_height: int = 0) -> Exchange[Any]:
        """Return the decoded value of a state key, None if it is absent; proven, as ``state``."""
        raw = (yield from self.state(key, min_height)).value
        return None if raw is None else codec.decode(raw)

    def block(self, height: int | str) -> Exchange[CommittedBlock]:
        """Return a committed block by height or ``latest``, its certificate verified against the genesis."""
        floor = self.height if height == "latest" else 0
        return (yield from self.believed(lambda: self._block(height, floor)))

    def _block(self, height: int | str, floor: int) -> Exchange[CommittedBlock]:
        path = f"/v1/blocks/{height}"
        reply = yield from self.ask("GET", path, params=asking_for(floor), headers={"Accept": MSGPACK})
        if reply.status != 200:
            document_of(reply)
        committed = yield from self.verified_block(reply.node, reply.content)
        found = committed.block.header.height
        if height not in ("latest", str(found), found):
            raise false_answer(reply.node, f"gave block {found} for {height}")
        self.saw(reply.node, "the latest block", found, floor)
        return committed

    def verified_block(self, node: str, raw: bytes) -> Exchange[CommittedBlock]:
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


def false_answer(node: str, what: str) -> FalseAnswer:
    """Return the error for a node that ``what`` is said of."""
    return FalseAnswer(f"{node} {what}", "ask another node, and tell the member that runs this one", node=node)


def asking_for(floor: int) -> dict[str, Any]:
    """Return the parameter that makes a node wait until it has come to a height."""
    return {"min_height": floor} if floor else {}


def _pages_of(keys: Sequence[str]) -> list[list[str]]:
    """Return keys in runs that one request can name."""
    pages: list[list[str]] = []
    size = 0
    for key in keys:
        length = len(quote(json.dumps(key, ensure_ascii=False))) + len("%2C%20")
        if not pages or size + length > _PROVEN_KEYS_BYTES or len(pages[-1]) == _PROVEN_KEYS:
            pages.append([])
            size = 0
        pages[-1].append(key)
        size += length
    return pages


def document_of(reply: Reply) -> dict[str, Any]:
    """Return the JSON object of a good answer; raise the problem of a bad one."""
    try:
        document = json.loads(reply.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        if reply.status in _NOT_THE_NODE:
            raise Busy(f"{reply.node} answered {reply.status}", "try again in a moment", node=reply.node)
        hint = "is this the URL of a node?"
        raise FalseAnswer(f"{reply.node} answered {reply.status} without a JSON object", hint, node=reply.node)
    if 200 <= reply.status < 300:
        return document
    code, detail = str(document.get("code", f"http_{reply.status}")), str(document.get("detail", ""))
    if reply.status in BUSY:
        raise Busy(f"the node is busy: {code}: {detail}", "try again in a moment", node=reply.node)
    raise Refused(code, detail)


def state_path(key: str) -> str:
    """Return the route of a state key, with what a URL cannot hold, or clients would take out of a path, escaped."""
    contract, _, rest = key.partition("/")
    changed = not _TAKEN_OUT.isdisjoint(rest.split("/"))
    return f"/v1/state/{quote(contract, safe='')}/{quote(rest, safe='' if changed else '/')}"


_TAKEN_OUT: Final = frozenset(("", ".", ".."))


def _not_committed(transaction: Transaction, timeout_s: float, why: str) -> NotCommitted:
    return NotCommitted(
        transaction,
        f"transaction {transaction.id.hex()} was sent but not seen committed within {timeout_s:.0f} s{why}",
        "look at `coseal status`; it may still be committed: commit the same transaction again, or `coseal show tx`",
    )
