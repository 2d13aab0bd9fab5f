"""A node that is only an HTTP answer: real contracts, blocks of one transaction, real certificates, no network."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.cli.archived_statements import statement_from
from coseal.client.blocking import Client
from coseal.client.exchange import SEALED
from coseal.contracts.currency.statement import Period, month_from
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.state import object_key
from coseal.contracts.registry import CAPABILITIES
from coseal.ledger import merkle
from coseal.ledger.block import Receipt
from coseal.ledger.codec import decode, encode
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.render import plain, proof_json, receipt_json, state_proof_json
from coseal.ledger.sealed import decode_sidecar, name_of
from coseal.ledger.transaction import Transaction
from tests.audit.conftest import ListSource
from tests.reference import reference
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.keys import signer


class FakeNode(httpx.BaseTransport):
    """Commits each posted transaction in a block of its own; ``lose`` and ``busy`` make it misbehave."""

    def __init__(self, constitution: Mapping[str, Any] | None = None) -> None:
        self.chain = Chain(make_genesis(capabilities=CAPABILITIES, constitution=constitution))
        self.genesis, self.executor, self.blocks = self.chain.genesis, self.chain.executor, self.chain.blocks
        self.places: dict[bytes, int] = {}
        self.posted: list[Transaction] = []
        self.lose: set[int] = set()
        self.busy = 0
        self.sidecars: dict[str, bytes] = {}
        self.tamper: Callable[[str, dict], dict] = lambda path, document: document

    def client(self, member: str = "enterprise-a") -> Client:
        sender = f"{member}/admin"
        return Client("http://node.test", self.genesis, signer=signer(sender), sender=sender, transport=self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            return self._post(request)
        if path.startswith("/v1/transactions/"):
            return self._transaction(path)
        if path.startswith("/v1/sidecars/"):
            return self._sidecar(path.rpartition("/")[2], request.headers)
        if path == "/v1/disclosure/log":
            return self._accesses(request.url.params)
        if path.startswith("/v1/objects/") and path.endswith("/events"):
            return self._history(path.removeprefix("/v1/objects/").removesuffix("/events"), request.url.params)
        if path.startswith("/v1/state/"):
            return self._state(path.removeprefix("/v1/state/"), proof="proof=true" in str(request.url))
        if path.startswith("/v1/wallets/") and path.endswith("/statement"):
            return self._statement(path.removeprefix("/v1/wallets/").removesuffix("/statement"), request.url.params)
        if path == "/v1/proofs":
            return self._proofs(json.loads(request.url.params["keys"]))
        if path == "/v1/status":
            return httpx.Response(200, json={"chain_id": self.genesis.chain_id.hex(), "height": len(self.blocks)})
        if path == "/v1/genesis":
            return httpx.Response(200, content=self.genesis.raw)
        if path == "/v1/blocks":
            return self._blocks(int(request.url.params["from"]), int(request.url.params["limit"]))
        if path == "/v1/blocks/latest":
            return httpx.Response(200, content=self.blocks[-1].encode())
        if path.startswith("/v1/blocks/"):
            return httpx.Response(200, content=self.blocks[int(path.rpartition("/")[2]) - 1].encode())
        return self._problem(404, "not_found")

    def _accesses(self, params: Mapping[str, str]) -> httpx.Response:
        """List the log of an owner, a page at a time, as an index would: from the receipts of all blocks."""
        found = []
        for committed in self.blocks:
            for raw in committed.receipts:
                data = Receipt.decode(raw).data
                begun = data.get("disclosure", {}) if isinstance(data.get("disclosure", {}), Mapping) else {}
                for owner, number, step, vault, subject in (*data.get("log", ()), *begun.get("log", ())):
                    row = {"number": number, "step": step, "vault": vault, "subject": subject}
                    if owner == params["owner"]:
                        found.append({"owner": owner, **row, "height": committed.block.header.height})
        start, limit = int(params.get("cursor") or 0), int(params["limit"])
        following = str(start + limit) if start + limit < len(found) else None
        rows = {"height": len(self.blocks), "entries": found[start : start + limit], "next": following}
        return httpx.Response(200, json=self.tamper("/v1/disclosure/log", rows))

    def _sidecar(self, name: str, headers: Mapping[str, str]) -> httpx.Response:
        """Give a sidecar to a member that may read it; one that is live no more is gone."""
        reader, sender = self.executor.reader, re.search('keyid="([^/"]+)/', headers.get("signature-input", ""))
        hooks = self.executor.sidecar_hooks().values()
        live = any(hook.find(reader, bytes.fromhex(name)) for hook in hooks)
        if not live:
            self.sidecars.pop(name, None)
        may = sender and any(hook.may_read(reader, bytes.fromhex(name), sender[1]) for hook in hooks)
        if name in self.sidecars and may:
            return httpx.Response(200, content=self.sidecars[name])
        return self._problem(404, "unknown_sidecar")

    def _history(self, name: str, params: Mapping[str, str]) -> httpx.Response:
        place = (params["process_type"], params["type"], name)
        items = []
        for committed in self.blocks:
            transactions = map(Transaction.decode, committed.block.transactions)
            for index, (transaction, raw) in enumerate(zip(transactions, committed.receipts[1:], strict=True)):
                if (transaction.contract, transaction.action) != ("process", "record") or not Receipt.decode(raw).ok:
                    continue
                source, first = f"{transaction.sender.partition('/')[0]}/{transaction.args['source']}", transaction.args
                for at, item in enumerate(first["items"]):
                    if place[1:] in objects_of(item):
                        where = {"height": committed.block.header.height, "index": index, "tx": transaction.id.hex()}
                        row = {"source": source, "sequence": first["sequence"] + at, "item": plain(item)}
                        items.append({**row, "unproven": where})
        record = json.loads(self._state(object_key(*place), proof=True).content)
        names = dict(zip(("process_type", "type", "id"), place, strict=True))
        document = {"coseal": "object-history", "version": 1, **names, "count": len(items), "items": items}
        return httpx.Response(200, json=self.tamper("/v1/objects", {**document, "record": record}))

    def _statement(self, wallet: str, params: Mapping[str, str]) -> httpx.Response:
        period = Period(*(month_from(params[name]) if name in params else None for name in ("first", "last")))
        made = statement_from([ListSource(self.blocks)], self.genesis, wallet, period)
        return httpx.Response(200, json={name: value for name, value in made.items() if name != "handovers"})

    def _blocks(self, first: int, limit: int) -> httpx.Response:
        raws = [committed.encode() for committed in self.blocks[first - 1 : first - 1 + limit]]
        return httpx.Response(200, content=encode(raws)) if raws else self._problem(503, "height_not_reached")

    def _post(self, request: httpx.Request) -> httpx.Response:
        if self.busy:
            self.busy -= 1
            return self._problem(503, "mempool_full")
        raw = request.content
        if request.headers["content-type"] == SEALED:
            _, _, raw, sidecar = decode(raw)
            self.sidecars[name_of(decode_sidecar(sidecar)).hex()] = sidecar
        transaction = Transaction.decode(raw)
        self.posted.append(transaction)
        if len(self.posted) in self.lose:
            return httpx.Response(202, json=self._accepted(transaction.id))
        if transaction.id not in self.places:
            refused = self.executor.check(transaction, max(self.executor.time_ms, transaction.valid_until_ms - 300_000))
            if refused is not None:
                return self._problem(422, refused.code, refused.detail)
            self._commit(transaction)
        return httpx.Response(200, json=self._located(transaction.id))

    def _commit(self, transaction: Transaction) -> None:
        executor = self.chain.executor
        time_ms = max(executor.time_ms + 1, transaction.valid_until_ms - 300_000)
        self.chain.extend([transaction], later_ms=time_ms - executor.time_ms)
        self.places[transaction.id] = executor.height

    def _transaction(self, path: str) -> httpx.Response:
        tx_id = bytes.fromhex(path.split("/")[3])
        if tx_id not in self.places:
            return self._problem(404, "unknown_transaction")
        if not path.endswith("/receipt"):
            return httpx.Response(200, json=self._located(tx_id))
        committed = self.blocks[self.places[tx_id] - 1]
        proof = TransactionProof(
            committed.block.transactions[0],
            committed.receipts[1],
            0,
            (),
            tuple(merkle.prove(committed.receipts, 1)),
            committed.block.header,
            committed.certificate,
        )
        return httpx.Response(200, json=self.tamper(path, proof_json(proof)))

    def _state(self, key: str, *, proof: bool) -> httpx.Response:
        value, state_proof = self.executor.state.prove(key.encode())
        if not proof or not self.blocks:
            return httpx.Response(200, json={"height": len(self.blocks), "value": value and plain(decode(value))})
        tip = self.blocks[-1]
        certified = CertifiedValue(key.encode(), value, state_proof, tip.block.header, tip.certificate)
        return httpx.Response(200, json=self.tamper(key, state_proof_json(certified)))

    def _proofs(self, keys: list[str]) -> httpx.Response:
        tip, state = self.blocks[-1], self.executor.state
        raws = [
            CertifiedValue(key.encode(), *state.prove(key.encode()), tip.block.header, tip.certificate).encode()
            for key in keys
        ]
        return httpx.Response(200, content=encode(raws))

    def _located(self, tx_id: bytes) -> dict:
        committed = self.blocks[self.places[tx_id] - 1]
        receipt = Receipt.decode(committed.receipts[1])
        status = "committed" if receipt.ok else "rejected"
        return {"id": tx_id.hex(), "status": status, "height": 1, "index": 0, "receipt": receipt_json(receipt)}

    @staticmethod
    def _accepted(tx_id: bytes) -> dict:
        return {"id": tx_id.hex(), "status": "accepted", "height": None, "index": None, "receipt": None}

    @staticmethod
    def _problem(status: int, code: str, detail: str = "") -> httpx.Response:
        return httpx.Response(status, content=json.dumps({"code": code, "detail": detail, "status": status}))


@pytest.fixture
def node() -> FakeNode:
    """A node whose chain has one block."""
    node = FakeNode()
    with node.client("regulator") as client:
        client.submit("membership", "remove_operator", {"user": "nobody"})
    return node


@pytest.fixture
def reference_data() -> Path:
    """The folder of reference data; without it the test is skipped."""
    return reference()
