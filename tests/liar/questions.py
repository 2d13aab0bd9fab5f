"""What clients ask, and what of the answers they show as verified: that is compared, and nothing else.

Law: a question returns all that it says is proven, in a form that compares; what is only a node's word it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from coseal.audit.bundle import verify_bundle
from coseal.client import bundle, evidence, supervision
from coseal.client.blocking import Client
from coseal.client.connection import _fetched, introduced
from coseal.client.history import object_history
from coseal.client.stream import Follower
from coseal.client.trade import TradeProof
from coseal.client.transactions import Committed
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.transaction import Transaction
from tests.liar.scene import CASE, DEBTOR, QUIET, SOURCE, WALLET, Scene
from tests.support.keys import operator

Question = Callable[[Client], Any]

LISTS: Final = (
    ("/v1/findings", "findings"),
    ("/v1/policies", "policies"),
    ("/v1/objects", "objects"),
    ("/v1/sources", "sources"),
    ("/v1/ballots", "ballots"),
    ("/v1/holds", "holds"),
    ("/v1/rules", "rules"),
)
WORDS: Final = ("/v1/status", "/v1/members", "/v1/nodes", "/v1/validators", "/v1/obligations", "/v1/supervision/times")


def questions(scene: Scene) -> dict[str, Question]:
    """Return everything that the SDK verifies, and the lists that it passes on as a node's word."""
    blocks = scene.world.chain.blocks
    accepted = next(tx for tx in _transactions(scene) if tx.action == "record")
    refused = _refused(scene)
    return {
        "connect": _connect(scene),
        "state": lambda client: _value(client.state("supervision/finding/F3")),
        "absence": lambda client: _value(client.state("supervision/finding/F3333")),
        "values": lambda client: [_value(one) for one in client.values(["membership/members", "process/type/t"])],
        "state document": lambda client: client.state_document("membership/validators"),
        "policy": lambda client: client.policy("p/1"),
        "block": lambda client: client.block(len(blocks) - 3).encode(),
        "latest block": lambda client: client.block("latest").encode(),
        "receipt": lambda client: _committed(client.receipt(accepted.id, timeout_s=0)),
        "receipt of a refusal": lambda client: _committed(client.receipt(refused.id, timeout_s=0)),
        "commit": lambda client: _committed(client.commit(accepted, timeout_s=0)),
        "history": lambda client: _history(client, CASE),
        "history of nothing": lambda client: _history(client, ("t", "case", "nobody")),
        "stream": lambda client: _stream(client, len(blocks) - 12),
        "stream of more": lambda client: _stream(client, len(blocks) - 30),
        "finding": lambda client: supervision.finding(client, "F2"),
        "rule": lambda client: supervision.rule(client, "R-ONCE"),
        "ballot": lambda client: supervision.ballot(client, "B1"),
        "evidence": lambda client: evidence.against(client, "bank-a"),
        "decision": lambda client: _decision(client, "B1"),
        "decision on another ballot": lambda client: _decision(client, "B2"),
        "statement": lambda client: _statement(client, WALLET),
        "statement of a month": lambda client: _statement(client, WALLET, first="2023-11"),
        "statement of the issuance": lambda client: _statement(client, "issuance"),
        "unpledged": lambda client: _proof(client.unpledged("R1")),
        "unregistered": lambda client: _proof(client.unregistered("city", "I-9", "2026-03-31", 100)),
        "dossier": lambda client: _dossier(client, DEBTOR),
        "dossier of a month": lambda client: _dossier(client, DEBTOR, formulas=(), months=1),
        "bundle": lambda client: _bundle(client, CASE),
        "bundle of a quiet case": lambda client: _bundle(client, QUIET),
        "bundle of a source": lambda client: _bundle(client, SOURCE),
        "lists": _lists,
        "words": _words,
    }


def _transactions(scene: Scene) -> list[Transaction]:
    return [Transaction.decode(raw) for one in scene.world.chain.blocks for raw in one.block.transactions]


def _refused(scene: Scene) -> Transaction:
    from coseal.ledger.block import Receipt

    for committed in scene.world.chain.blocks:
        for raw, receipt in zip(committed.block.transactions, committed.receipts[1:], strict=True):
            if not Receipt.decode(receipt).ok:
                return Transaction.decode(raw)
    return _transactions(scene)[0]


def _connect(scene: Scene) -> Question:
    def connect(client: Client) -> Any:
        chain_id = scene.genesis.chain_id.hex()
        genesis = client.run(_fetched(client.session.urls, chain_id))
        client.run(introduced(client.session, operator("regulator")))
        return genesis.raw

    return connect


def _value(certified: CertifiedValue) -> Any:
    return certified.key, certified.value, certified.header.height, certified.header.hash


def _committed(committed: Committed) -> Any:
    receipt = committed.receipt
    return committed.transaction.raw, receipt.encode(), committed.height, committed.proof.index, committed.ok


def _history(client: Client, name: tuple[str, str, str]) -> Any:
    document, history = object_history(client, *name)
    return document, history.items, history.height, history.time_ms


def _stream(client: Client, start: int) -> Any:
    follower = Follower(client.session, start=start, follow=False, patience_s=0)
    events: list[Any] = []
    while not follower.done:
        events += client.run(follower.more())
    return events


def _decision(client: Client, ballot: str) -> Any:
    found = client.decision(ballot)
    return found.reason, found.facts, sorted(found.document)


def _statement(client: Client, wallet: str, **months: str) -> Any:
    found = client.statement(wallet, **months)
    return found.reason, found.facts, found.movements, sorted(found.document)


def _proof(found: TradeProof) -> Any:
    return found.reason, found.facts, sorted(found.document)


def _dossier(client: Client, member: str, **asked: Any) -> Any:
    found = client.dossier(member, **{"formulas": ("payment",), "months": 12, **asked})
    return found.reason, found.facts, found.listed, sorted(found.document)


def _bundle(client: Client, name: tuple[str, str, str]) -> Any:
    document = bundle.collect(client, name)
    return verify_bundle(document, client.genesis).facts, sorted(document)


def _lists(client: Client) -> None:
    for path, name in LISTS:
        for _ in zip(range(5_000), client.pages(path, name), strict=False):
            pass


def _words(client: Client) -> None:
    for path in WORDS:
        client.get(path)
