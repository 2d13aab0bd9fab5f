"""Two banks race for one receivable on a network of processes: one finances it, and nobody's money moves otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

import coseal
from coseal.ledger.block import Receipt
from tests.cluster.commands import coseal as command
from tests.cluster.network import Cluster
from tests.support.currency import payment
from tests.support.keys import signer
from tests.support.trade import ORDERS, WALLETS, A, B, Trade

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

BANKS = ("bank-a", "bank-b")
RACES = 4
ISSUER = "central-bank/issuer"


class Net:
    """What ``Trade`` asks of a chain, of a running network: each member speaks to a node of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.executor, self.reader = cluster, self, self
        self._clients: dict[str, coseal.Client] = {}

    @property
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    @property
    def height(self) -> int:
        return int(self.client("regulator/admin").session.height)

    def client(self, sender: str) -> coseal.Client:
        if sender not in self._clients:
            net, member = self.cluster.net, sender.partition("/")[0]
            key: Any = signer(sender) if sender == ISSUER else net.key_path(sender)
            first = sorted(self.cluster.names, key=lambda name: name != member)
            urls = [self.cluster.entry(name).url for name in first]
            self._clients[sender] = coseal.connect(urls, key=key, sender=sender, genesis=net.genesis_path)
        return self._clients[sender]

    def get(self, key: str) -> Any:
        return self.client("regulator/admin").value(
            key, min_height=max(c.session.height for c in self._clients.values())
        )

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class NetTrade(Trade):
    """Trade on a network."""

    def __init__(self, net: Net) -> None:
        super().__init__(net)  # type: ignore[arg-type]
        self.net, self._issued = net, 0

    def issuing(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:  # type: ignore[override]
        """Say another invoice each time, whatever height a client has seen."""
        self._issued += 1
        args = super().issuing(*lines, **more)
        return {**args, "invoice": {**args["invoice"], "number": f"INV-{self._issued}"}}

    def submit(self, sender: str, action: str, /, **args: Any) -> Receipt:
        contract, _, name = (action if "." in action else f"currency.{action}").partition(".")
        who = sender if "/" in sender else f"{sender}/admin"
        return self.net.client(who).submit(contract, name, args).receipt


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetTrade]:
    cluster = Cluster.make(tmp_path_factory.mktemp("race"), 6)
    net = Net(cluster)
    try:
        cluster.start()
        cluster.wait_height(1, seconds=180)
        trade = NetTrade(net)
        trade.found()
        trade.ok(A, "process.define_type", **ORDERS)
        for bank, member in zip(BANKS, (A, B), strict=True):
            trade.ok(ISSUER, "issue", **trade.instruct(bank, "1000000.00"))
            for holder in (bank, member):
                trade.open(WALLETS[holder], f"member:{holder}")
                trade.ok(bank, "pay", **payment(f"{bank}/vault", WALLETS[holder], 10_000_000, "CASH"))
            trade.ok(bank, "trade.set_limit", debtor=A, amount=100_000_000)
        yield trade
    finally:
        net.close()
        cluster.close()


def race(trade: NetTrade, name: str) -> dict[str, str]:
    """Accept the offers of both banks at once, each through another node; return the codes by bank."""
    net, barrier = trade.net.cluster, Barrier(2)
    nodes = dict(zip(BANKS, net.names, strict=False))

    def accept(bank: str) -> str:
        key = net.net.key_path(f"{B}/admin")
        with coseal.connect(net.entry(nodes[bank]).url, key=key, genesis=net.net.genesis_path) as client:
            args = {"receivable": name, "bank": bank, "wallet": WALLETS[B]}
            barrier.wait(timeout=30)
            return client.submit("trade", "accept_finance", args).receipt.code

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(BANKS, pool.map(accept, BANKS), strict=True))


def test_one_of_two_banks_finances_and_the_other_is_refused(trade: NetTrade) -> None:
    for number in range(RACES):
        name = trade.owed()
        for bank in BANKS:
            kind = ("assignment", "pledge")[number % 2]
            trade.ok(bank, "trade.offer_finance", **trade.financing(name, bank, kind))
        before = {bank: trade.balance(WALLETS[bank]) for bank in BANKS}
        codes = race(trade, name)
        assert sorted(codes.values()) == ["encumbered", "ok"], codes
        winner = min(codes, key=lambda bank: codes[bank] != "ok")
        trade.ok("regulator", "membership.set_profile", description=f"after race {number}")
        assert trade.receivable(name).financier == winner
        moved = {bank: before[bank] - trade.balance(WALLETS[bank]) for bank in BANKS}
        assert moved == {bank: 900_000 if bank == winner else 0 for bank in BANKS}


def test_a_ring_is_solved_by_a_client_that_believes_no_node(trade: NetTrade) -> None:
    there = trade.owed(nettable=True)
    back = trade.owed(trade.deal(400_000, seller=A, buyer=B), debtor=B, creditor=A, nettable=True)
    trade.ok(A, "trade.open_run", closes_ms=trade.net.now_ms + 3_700_000)
    for member, name in ((B, there), (A, back)):
        trade.ok(member, "trade.enter", run="N1", receivables=[name])
    folder = trade.net.cluster.net.directory
    found = json.loads(command("netting", "solve", "N1", "--json", "--dir", folder))
    assert (found["cleared"], found["total"]) == ([400_000, 400_000], 800_000)
    assert "8000.00 of 14000.00 yuan clear without money" in command("netting", "solve", "N1", "--dir", folder)
    command("netting", "clear", "N1", "--as", "central-bank", "--dir", folder, code=1)


def test_a_proof_is_handed_to_a_bank_and_not_with_a_letter_changed(trade: NetTrade, tmp_path: Path) -> None:
    folder, out = trade.net.cluster.net.directory, tmp_path / "proof.json"
    name = trade.owed()
    command("trade", "proof", name, "--unpledged", "--out", out, "--dir", folder)
    genesis = ("--genesis", folder / "genesis.json")
    assert f"{name} is unpledged" in command("verify", out, *genesis)
    document = json.loads(out.read_text())
    out.write_text(json.dumps({**document, "receivable": "R1"}))
    command("verify", out, *genesis, code=1)
    command("trade", "proof", "R1", "--unpledged", "--dir", folder, code=1)
    invoice = ("--creditor", B, "--number", "X-1", "--date", "2026-03-31", "--total", "12.50")
    command("trade", "proof", "--unregistered", *invoice, "--out", out, "--dir", folder)
    assert "unregistered" in command("verify", out, *genesis)
