"""A member's client of one node: signs here, sends, waits for the commit, and verifies what the node answers.

Law: a receipt or a proven value is returned only after it was verified against the genesis; the node is not trusted.

    client = Client("http://127.0.0.1:8600", genesis, signer=signer, sender="regulator/admin")
    committed = client.submit("policy", "publish", {"id": "cn/1", ...})
    committed.receipt.data
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from audit.epochs import Epochs
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable
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
_REQUEST_TIMEOUT_S: Final = 40.0  # a node holds ``wait=commit`` for up to 30 s
_BUSY: Final = frozenset({429, 503})
_BUSY_PAUSE_S: Final = 0.1
_POLL_S: Final = 0.05
_BARE: Final = {"handovers": "false"}
"""Answers without handovers: the client keeps those it has verified."""


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
    """Return a transaction of ``sender`` (MEMBER/USER), valid for half the time the chain allows by default."""
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


class Client:
    """Speaks to the node at ``url``. ``sender`` (MEMBER/USER) and ``signer`` are needed to submit, not to read."""

    def __init__(
        self,
        url: str,
        genesis: Genesis,
        *,
        signer: Signer | None = None,
        sender: str | None = None,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self.url = url.rstrip("/")
        self.genesis = genesis
        self.sender = sender
        self.epochs = Epochs(genesis)
        self._signer = signer
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=_REQUEST_TIMEOUT_S,
            trust_env=not _is_local(url),
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Writing

    def sign(
        self, contract: str, action: str, args: Mapping[str, Any], *, valid_for_ms: int | None = None
    ) -> Transaction:
        """Return a signed transaction, valid for half the time the chain allows unless told otherwise."""
        if self._signer is None or self.sender is None:
            raise CosealError("nobody to sign as", "give a sender MEMBER/USER and its key")
        return sign_as(self.genesis, self.sender, self._signer, contract, action, args, valid_for_ms=valid_for_ms)

    def submit(
        self, contract: str, action: str, args: Mapping[str, Any], *, timeout_s: float = COMMIT_TIMEOUT_S
    ) -> Committed:
        """Sign, send, wait for the commit and return the verified outcome, which may be a rejection.

        Raises ``Refused`` when the node does not take it, ``Unreachable`` when no commit is seen in time (sending
        the same transaction again is safe), ``BadAnswer`` when the node's proof does not hold.
        """
        transaction = self.sign(contract, action, args)
        return self.commit(transaction, timeout_s=timeout_s)

    def commit(self, transaction: Transaction, *, timeout_s: float = COMMIT_TIMEOUT_S) -> Committed:
        """Send a signed transaction and see it committed; see ``submit``."""
        deadline = time.monotonic() + timeout_s
        while self.send(transaction, wait="commit", deadline=deadline)["status"] == "accepted":
            if time.monotonic() > deadline:
                raise _not_committed(transaction, timeout_s)
        return self.receipt(transaction.id)

    def send(
        self, transaction: Transaction, *, wait: str = "accepted", deadline: float | None = None
    ) -> dict[str, Any]:
        """Post a transaction and return the node's answer; a busy node is asked again until ``deadline``.

        The same bytes are sent each time, so nothing can happen twice.
        """
        end = time.monotonic() + COMMIT_TIMEOUT_S if deadline is None else deadline
        while True:
            response = self._request(
                "POST",
                "/v1/transactions",
                params={"wait": wait},
                content=transaction.raw,
                headers={"Content-Type": MSGPACK},
            )
            if response.status_code in _BUSY and time.monotonic() < end:
                time.sleep(_BUSY_PAUSE_S)
                continue
            return _document(response)

    # Reading, verified

    def receipt(self, tx_id: bytes, *, timeout_s: float = 10.0) -> Committed:
        """Return a committed transaction with its proof, verified against the genesis.

        Right after a commit the node may need a moment until it can prove it.
        """
        path, deadline = f"/v1/transactions/{tx_id.hex()}/receipt", time.monotonic() + timeout_s
        response = self._request("GET", path, params=_BARE)
        while response.status_code in (404, *_BUSY) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            response = self._request("GET", path, params=_BARE)
        if response.status_code != 200:
            _document(response)
        return self._verified(response.content, tx_id)

    def _verified(self, content: bytes, tx_id: bytes) -> Committed:
        try:
            proof = proof_from_json(strict_json(content, "receipt", depth=MAX_DOCUMENT_DEPTH))
            validators = self.validators_of(proof.header, proof.certificate)
            transaction, receipt = proof.verify(self.genesis.chain_id, validators)
        except LedgerError as error:
            raise BadAnswer(f"{self.url} gave a receipt that does not hold: {error.reason}") from None
        if transaction.id != tx_id:
            raise BadAnswer(f"{self.url} gave the receipt of another transaction")
        return Committed(transaction, receipt, proof, self.epochs.up_to(proof.header.epoch))

    def state(self, key: str, *, min_height: int = 0) -> CertifiedValue:
        """Return the certified value of a state key, or its proven absence (``value`` None), verified."""
        params: dict[str, Any] = {"proof": "true", **_BARE} | ({"min_height": min_height} if min_height else {})
        response = self._request("GET", state_path(key), params=params)
        if response.status_code != 200:
            _document(response)
        try:
            certified = state_proof_from_json(strict_json(response.content, "proof", depth=MAX_DOCUMENT_DEPTH))
            certified.verify(self.genesis.chain_id, self.validators_of(certified.header, certified.certificate))
        except LedgerError as error:
            raise BadAnswer(f"{self.url} gave a state proof that does not hold: {error.reason}") from None
        if certified.key != key.encode():
            raise BadAnswer(f"{self.url} proved another key than {key}")
        return certified

    def state_document(self, key: str) -> dict[str, Any]:
        """Return the state-proof file of a key, which ``coseal verify`` checks with the genesis alone; verified."""
        certified = self.state(key)
        return with_handovers(state_proof_json(certified), self.epochs.up_to(certified.header.epoch))

    def value(self, key: str, *, min_height: int = 0) -> Any:
        """Return the decoded value of a state key, None if it is absent; proven, as ``state``."""
        raw = self.state(key, min_height=min_height).value
        return None if raw is None else codec.decode(raw)

    def electorate(self) -> tuple[str, ...]:
        """Return the members that run a validator, ascending; proven, as ``state``."""
        rows: Any = self.value("membership/validators")
        return tuple(sorted({member for _, member, _, _ in rows[1]}))

    def block(self, height: int | str) -> CommittedBlock:
        """Return a committed block by height or ``latest``, its certificate verified against the genesis."""
        response = self._request("GET", f"/v1/blocks/{height}", headers={"Accept": MSGPACK})
        if response.status_code != 200:
            _document(response)
        try:
            committed = CommittedBlock.decode(response.content)
            header = committed.block.header
            self.validators_of(header, committed.certificate)
            self.epochs.verify(header, committed.certificate)
        except LedgerError as error:
            raise BadAnswer(f"{self.url} gave a block that does not hold: {error.reason}") from None
        if height not in ("latest", str(header.height), header.height):
            raise BadAnswer(f"{self.url} gave block {header.height} for {height}")
        return committed

    def validators_of(self, header: Header, certificate: Certificate) -> ValidatorSet:
        """Return the validators of a header's epoch; the node is asked for what leads to it, which is verified.

        No signature on the header itself is checked. Raises a ``LedgerError`` if the node does not lead there.
        """
        while header.epoch > self.epochs.last.epoch:
            response = self._request(
                "GET", "/v1/handovers", params={"from": self.epochs.last.epoch + 1}, headers={"Accept": MSGPACK}
            )
            if response.status_code != 200:
                _document(response)
            known = len(self.epochs)
            rows = codec.sequence(codec.decode(response.content), "handovers", limit=MAX_HANDOVERS)
            self.epochs.take_all(Handover.decode(codec.octets(row, "handover")) for row in rows)
            if len(self.epochs) == known:
                break
        return self.epochs.of(header, certificate)

    # Reading, as the node says

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Return a JSON document of the API, unverified; raise ``Refused`` for a problem it answers with."""
        return _document(self._request("GET", path, params={name: v for name, v in params.items() if v is not None}))

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **options)
        except httpx.TimeoutException:
            raise Unreachable(f"{self.url} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            hint = "is the network up? `coseal status`"
            raise Unreachable(f"{self.url} cannot be reached: {error}", hint) from None


def _document(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a good answer; raise the problem of a bad one."""
    try:
        document = json.loads(response.content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise BadAnswer(f"{response.url} answered {response.status_code} without a JSON object")
    if response.is_success:
        return document
    code, detail = str(document.get("code", f"http_{response.status_code}")), str(document.get("detail", ""))
    if response.status_code in _BUSY:
        raise Unreachable(f"the node is busy: {code}: {detail}", "try again in a moment")
    raise Refused(code, detail)


def _not_committed(transaction: Transaction, timeout_s: float) -> Unreachable:
    return Unreachable(
        f"transaction {transaction.id.hex()} was accepted but not committed within {timeout_s:.0f} s",
        "look at `coseal status`; it may still be committed, see `coseal show tx`",
    )


def state_path(key: str) -> str:
    """Return the route of a state key, with what a URL cannot hold escaped."""
    return f"/v1/state/{quote(key, safe='/')}"


def _is_local(url: str) -> bool:
    return httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")
