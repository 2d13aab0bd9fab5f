"""An honest node over a real chain with supervision and a change of validators, and its answers at two times.

Law: answers are the real HTTP door's; what was answered at the first time is kept, for a liar to give again at the
second. The chain, and so every answer, is the same in every run but for signatures' salts, which nobody compares.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from coseal.audit.epochs import Epochs
from coseal.contracts.credit.figures import month_of
from coseal.contracts.credit.formula import EXAMPLE
from coseal.formats.exporters.chain import read_process
from coseal.formats.exporters.export import export, manifest
from coseal.ledger import merkle, signing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.head import announced
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.render import begin_proof_json, certified_header_json, proof_json, state_proof_json
from coseal.ledger.transaction import Transaction
from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from coseal.node.http.services import Location
from tests.audit.conftest import ListSource
from tests.liar.lies import Answer
from tests.node.http.world import READER, READING, World
from tests.support.currency import VAULT_A, Money, payment
from tests.support.genesis import make_genesis
from tests.support.keys import operator, validator
from tests.support.supervised import Story
from tests.support.trade import ORDERS, WALLETS, Trade
from tests.support.trade import A as DEBTOR
from tests.support.trade import C as CREDITOR

CASE: Final = ("t", "case", "c2")
QUIET: Final = ("t", "case", "c1")
SOURCE: Final = ("t", "source", "enterprise-a/live")
WALLET: Final = "bank-a/ea"
_LIMITS: Final = Limits(wait_seconds=0.05, loopback_requests_per_s=10**9)


@dataclass(frozen=True)
class Key:
    """A question as it is sent, but for the height that the answer must reach."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    accept: str
    body: bytes = b""

    @property
    def route(self) -> str:
        """Which kind of answer it is: the path up to what names a single thing."""
        parts = self.path.split("/")
        last = parts[-1] if parts[-1] in ("receipt", "events") else ""
        return "/".join([*parts[:3], *([last] if last and len(parts) > 3 else [])])


class Scene:
    """The node now, and what it answered before."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        settings = Settings(limits=_LIMITS, tokens=(READER,))
        self.world = World(folder, genesis=make_genesis("door", money=True), settings=settings)
        self.genesis = self.world.genesis
        self.story = Story(self.world.chain)
        self.now: dict[Key, Answer] = {}
        self.before: dict[Key, Answer] = {}
        self.story.tell()
        self._pay()
        self._feed()

    def _pay(self) -> None:
        """Issue money, and have a wallet receive and pay some."""
        money = Money(self.world.chain)
        money.found("bank-a")
        money.issue()
        money.open(WALLET, "member:enterprise-a")
        for fen in (700, 50):
            money.ok("bank-a", "pay", **payment(VAULT_A, WALLET, fen, "CASH"))
        money.ok("enterprise-a", "pay", **payment(WALLET, VAULT_A, 20, "CASH", reference="back"))
        trade = Trade(self.world.chain)
        trade.ok(DEBTOR, "process.define_type", **ORDERS)
        trade.open(WALLETS[CREDITOR], f"member:{CREDITOR}")
        trade.owed(creditor=CREDITOR)
        trade.settle(trade.owed(trade.deal(100, seller=CREDITOR), creditor=CREDITOR), 100)
        trade.decide("credit_formula", formula={**EXAMPLE})
        trade.ok(CREDITOR, "credit.consult", member=DEBTOR, purpose="A loan", legal_basis="external: consent")

    def go_on(self) -> None:
        """Let time pass: what was answered so far is of the past, and nearly all of it is answered otherwise now."""
        self.before, self.now = self.now, {}
        story = self.story
        story.record(("Create", "c1"), ("Check", "c2"), ("Create", "c7"), amount=3)
        story.do("supervision.acknowledge", finding="F3", note="late")
        story.do("membership.set_profile", description="new")
        story.do("policy.publish", id="p/1", title="Notice", type_document="notice", date_document="2026-01-01")
        self._change_validators()
        money = Money(self.world.chain)
        money.ok("bank-a", "pay", **payment(VAULT_A, WALLET, 9, "CASH"))
        trade = Trade(self.world.chain)
        trade.settle("R1", 7)
        fact = {"month": month_of(self.world.chain.executor.time_ms), "kind": "settled_on_time", "entry": 1}
        trade.ok(DEBTOR, "credit.contest", **fact, reason="It was another's")
        story.record(("Decide", "c1"))
        story.do("membership.set_profile", "bank-a", description="newer")
        self._feed()

    def answer(self, request: httpx.Request) -> tuple[Key, Answer]:
        """Return what the node answers now."""
        given = tuple(sorted(pair for pair in request.url.params.multi_items() if pair[0] != "min_height"))
        accept = request.headers.get("accept", "")
        key = Key(request.method, request.url.raw_path.decode().partition("?")[0], given, accept, request.content)
        if key not in self.now:
            self.now[key] = self._loop.run_until_complete(self._ask(key, request))
        return key, self.now[key]

    async def _ask(self, key: Key, request: httpx.Request) -> Answer:
        async with self.world.client() as client:
            headers = {"Accept": key.accept, "Content-Type": request.headers.get("content-type", "")}
            headers["Authorization"] = f"Bearer {READING}"  # wallets are for members
            query = httpx.QueryParams(key.params)
            url = f"{key.path}?{query}" if key.params else key.path
            reply = await client.request(key.method, url, content=key.body or None, headers=headers)
            return Answer(reply.content, reply.status_code)

    @property
    def tip(self) -> CommittedBlock:
        return self.world.chain.blocks[-1]

    @property
    def epochs(self) -> Epochs:
        """The epochs up to now."""
        epochs = Epochs(self.genesis)
        epochs.take_all(self.handovers)
        return epochs

    @property
    def handovers(self) -> list[Handover]:
        """What leads from the genesis to the validators of now."""
        return [
            Handover(one.block.header, one.certificate, following)
            for one in self.world.chain.blocks
            if (following := announced(one)) is not None
        ]

    def close(self) -> None:
        self.world.close()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    # Documents

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return a document of every kind that proves something now, but for those that a client puts together."""
        chain, tip = self.world.chain, self.tip
        begun = next(one for one in reversed(chain.blocks) if len(one.receipts[0]) > 100)
        path = tuple(merkle.prove(begun.receipts, 0))
        begin = BeginProof(begun.receipts[0], path, begun.block.header, begun.certificate)
        last = next(one for one in reversed(chain.blocks) if one.block.transactions)
        found = {
            "receipt": proof_json(TransactionProof.of(last, 0)),
            "begin-receipt": begin_proof_json(begin),
            "state-proof": state_proof_json(self._value("supervision/finding/F2")),
            "absence": state_proof_json(self._value("supervision/finding/F2222")),
            "certified-header": certified_header_json(tip.block.header, tip.certificate),
        }
        led = {name: with_handovers(one, self.handovers) for name, one in found.items()}
        names = ("coseal", "version", "raw", "handovers")
        bare = {
            f"{name}, only raw": {field: one[field] for field in names if field in one}
            for name, one in led.items()
            if "raw" in one
        }
        return json.loads(json.dumps(led | bare))

    def exported(self) -> tuple[dict[str, Any], bytes]:
        """Return the manifest of an export, and its file."""
        source = ListSource(self.world.chain.blocks, handovers=self.handovers)
        made = export(read_process(source, self.genesis, "t"), "ocel-json")
        who = "regulator/admin"
        return json.loads(manifest(made, "log.json", self.genesis.chain_id, who, operator("regulator"))), made.data

    def _value(self, key: str) -> CertifiedValue:
        value, proof = self.world.chain.executor.state.prove(key.encode())
        return CertifiedValue(key.encode(), value, proof, self.tip.block.header, self.tip.certificate)

    # Means

    def _feed(self) -> None:
        world = self.world
        for committed in world.chain.blocks[world.index.height :]:
            transactions = tuple(map(Transaction.decode, committed.block.transactions))
            height = committed.block.header.height
            world.places |= {tx.id: Location(height, index) for index, tx in enumerate(transactions)}
            world.index.feed(committed, transactions)
        if not world.index.wait(world.height, 30):
            raise AssertionError("the index does not follow")

    def _change_validators(self) -> None:
        """Give a validator another key, by ballot: the next epoch begins."""
        new = validator("bank-a second")
        preimage = signing.key_preimage(self.genesis.chain_id, "bank-a", new.public_key)
        subject = {"node": "bank-a", "key": new.public_key.hex(), "proof": new.sign(preimage).hex()}
        self.story.do("governance.propose", "bank-a", id="key", kind="rotate_validator_key", subject=subject)
        for member in ("regulator", "central-bank"):
            self.story.do("governance.vote", member, ballot="key", choice="yes")
        self.story.wait(1)


@contextmanager
def scene_in(folder: Path) -> Iterator[Scene]:
    """A scene that is closed at the end."""
    scene = Scene(folder)
    try:
        yield scene
    finally:
        scene.close()
