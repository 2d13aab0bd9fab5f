"""The in-process cluster with members that act: nodes are registered, proposals made and voted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coseal.contracts.governance import actions as governance
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import KINDS
from coseal.ledger.block import CommittedBlock, Receipt
from tests.support.cluster import Cluster, Host
from tests.support.keys import validator
from tests.support.transactions import acted, signed

NEW, OWNER = "enterprise-b", "enterprise-b"
"""A node that is registered later, and the member whose node it is."""


class ActingNetwork:
    """A cluster whose members act: each call commits what it says, or asserts."""

    def __init__(self, n: int = 4, **options: Any) -> None:
        self.cluster = Cluster(n, bystanders=6 - n if n < 6 else 1, **options)
        self.cluster.start()
        self.count = 1_000

    @property
    def front(self) -> Host:
        """A running node that is ahead of or level with all others."""
        return max((host for host in self.cluster.running() if host.halted is None), key=lambda host: host.height)

    @property
    def state(self) -> Any:
        return executor_of(self.front).reader

    @property
    def validators(self) -> list[str]:
        return [seat.id for seat in membership.validators(self.state).validators]

    def sign(self, member: str, name: str, /, **args: Any) -> Any:
        self.count += 1
        until = self.cluster.now_ms + 120_000
        return acted(self.cluster.genesis, self.count, member, name, args, valid_until_ms=until)

    def send(self, member: str, name: str, /, **args: Any) -> Any:
        """Give a transaction of a member to the node in front; return it."""
        tx = self.sign(member, name, **args)
        self.cluster.submit(self.front.name, tx)
        return tx

    def do(self, member: str, name: str, /, **args: Any) -> Mapping[str, Any]:
        """Commit a transaction that must be accepted; return its receipt's data."""
        receipt = self.receipt(self.send(member, name, **args))
        assert receipt.ok, receipt
        return receipt.data

    def receipt(self, tx: Any) -> Receipt:
        found: list[Receipt] = []

        def committed() -> bool:
            for committed, outcome in self.front.published[-20:]:
                for index, tx_id in enumerate(outcome.tx_ids):
                    if tx_id == tx.id:
                        found.append(Receipt.decode(committed.receipts[index + 1]))
            return bool(found)

        assert self.cluster.run_until(committed, 60_000), "not committed"
        return found[0]

    def grow(self, blocks: int = 1) -> None:
        """Commit so many transactions, one after another."""
        for _ in range(blocks):
            self.count += 1
            tx = signed(self.cluster.genesis, self.count, valid_until_ms=self.cluster.now_ms + 120_000)
            self.cluster.submit(self.front.name, tx)
            self.receipt(tx)

    def register(self, node: str = NEW, member: str = OWNER) -> Host:
        """Register a node, start it on an empty disk, and wait until it has said that it is ready."""
        self.do(
            member,
            "membership.add_node",
            node=node,
            consensus_key=validator(node).public_key.hex(),
            link_certificate=f"3004{self.count:08x}",
        )
        host = self.cluster.add_host(node)
        self.cluster.start(node)
        assert self.cluster.run_until(lambda: "ready" in (membership.node(self.state, node) or {}), 60_000)
        return host

    def propose(self, kind: str, by: str = "bank-a", /, **subject: Any) -> str:
        name = f"p{self.count}"
        self.do(by, "governance.propose", id=name, kind=kind, subject=subject)
        return name

    def vote(self, proposal: str) -> int:
        """Vote yes, one after another, until it is decided; return the height that decided it."""
        for member in dict.fromkeys(seat.member for seat in membership.validators(self.state).validators):
            found = governance.proposal(self.state, proposal, KINDS)
            if found["status"] == "open" and member not in [vote["member"] for vote in found["votes"]]:
                self.do(member, "governance.vote", ballot=proposal, choice="yes")
        found = governance.proposal(self.state, proposal, KINDS)
        assert found["status"] == "accepted", found
        return int(found["decided"]["height"])

    def change(self, kind: str, by: str = "bank-a", /, **subject: Any) -> int:
        """Have a change accepted and in force; return the height that accepted it."""
        epoch = membership.validators(self.state).epoch
        height = self.vote(self.propose(kind, by, **subject))
        assert self.cluster.run_until(lambda: membership.validators(self.state).epoch == epoch + 1)
        return height

    def settle(self, height: int = 0) -> None:
        """Wait until all running nodes agree."""
        assert self.cluster.run_until(lambda: self.cluster.agrees(height), 60_000)

    def signers(self, height: int) -> list[str]:
        """Who signed the commit certificate of a height, by the validators that the state has for it."""
        validators = membership.validators_at(self.state, height)
        (certificate,) = {
            committed.certificate.encode(): committed.certificate
            for committed, _ in self.front.published
            if committed.block.header.height == height
        }.values()
        return [validators[index].id for index in certificate.signers()]

    def header(self, height: int) -> Any:
        raw = self.front.disk.block(height)
        return CommittedBlock.decode(raw).block.header

    def votes(self, node: str) -> bool:
        """Whether a node would sign."""
        standing = self.cluster[node].machine.replica.standing()
        return standing.votes and standing.silence is None


def executor_of(host: Host) -> Any:
    """Return the executor of a host that runs."""
    assert host.machine is not None
    return host.machine.executor
