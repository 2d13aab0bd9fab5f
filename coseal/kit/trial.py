"""A chain in memory on which a contract of others is in force from the first block.

Law: every block is executed as nodes execute it, with the contract as its sources would be admitted; equal calls give
equal bytes, in every process.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import new_state
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.overlay import Fault
from coseal.contracts.registry import CAPABILITIES
from coseal.kit.shown import Shown
from coseal.ledger import codec
from coseal.ledger.block import Receipt
from coseal.ledger.codec import Value
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, Sources, encode_genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.state import MemoryStore
from coseal.ledger.transaction import sign

START_MS: Final = 1_700_000_000_000
BLOCK_MS: Final = 1_000
MEMBERS: Final[Mapping[str, str]] = {
    "regulator": "government",
    "bank-a": "bank",
    "bank-b": "bank",
    "enterprise-a": "enterprise",
    "institute-a": "institute",
    "public-a": "public",
}
"""The members of the chain and their roles; the user ``admin`` of each has every capability that the role may have."""
VALIDATORS: Final = ("regulator", "bank-a", "bank-b", "enterprise-a")


class ChangedInPlace(Exception):
    """A contract changed a value that a view gave it, instead of writing a new one."""


class Trial:
    """``submit`` makes a block of one transaction; ``begun`` is what the last block began with, ``faults`` all that
    the frame contained so far, ``shown`` what an index, a stream and lists show of it."""

    def __init__(self, contract: Contract) -> None:
        sources = Sources(contract.name, contract.version, "00" * 32)
        self.genesis = _genesis(sources)
        self.shown = Shown(contract, sources)
        self._store = MemoryStore(self.genesis.parameters.state_bits)
        self._executor = Executor(
            self.genesis, new_state(self.genesis, self._store), others={sources: contract}, watcher=_Watcher
        )
        self.begun: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._salt = 0

    @property
    def height(self) -> int:
        """The height of the last block."""
        return self._executor.height

    @property
    def time_ms(self) -> int:
        """The time of the last block."""
        return self._executor.time_ms

    @property
    def state_root(self) -> bytes:
        """The root of the state after the last block."""
        return self._executor.state.root

    def get(self, key: str) -> Value:
        """Return the value of a state key, or None."""
        return self._executor.get(key)

    def submit(self, sender: str, name: str, /, **args: Any) -> Receipt:
        """Commit ``CONTRACT.ACTION`` of an operator (``bank-a`` is short for ``bank-a/admin``) or ``node:ID``."""
        return self.send(sender, name, args)

    def send(self, sender: str, name: str, args: Mapping[str, Any]) -> Receipt:
        """As ``submit``, for arguments that are no names of Python."""
        who = sender if "/" in sender or ":" in sender else f"{sender}/admin"
        contract, _, action = name.partition(".")
        self._salt += 1
        time_ms = self.time_ms + BLOCK_MS
        transaction = sign(
            _signer(who),
            chain_id=self.genesis.chain_id,
            sender=who,
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=time_ms + 60_000,
            salt=self._salt.to_bytes(16, "big"),
        )
        refused = self._executor.check(transaction, time_ms)
        if refused is not None:
            raise ValueError(f"{who}: {refused.code}, {refused.detail}")
        return self._block(time_ms, [transaction])[0]

    def wait(self, duration_ms: int) -> dict[str, Any]:
        """Commit an empty block so much later; return what it began with."""
        self._block(self.time_ms + duration_ms, [])
        return self.begun

    def _block(self, time_ms: int, transactions: list[Any]) -> list[Receipt]:
        outcome = self._executor.run(self.height + 1, time_ms, transactions)
        self._executor.commit(outcome)
        self._store.write(outcome.change.entries)
        self._executor.state.flushed(outcome.change)
        self.faults += [fault for _, fault in self._executor.take_faults()]
        begun, *receipts = map(Receipt.decode, outcome.receipts)
        self.begun = begun.data
        self.shown.take(outcome.height, time_ms, begun, list(zip(transactions, receipts, strict=True)))
        return receipts


class _Watcher:
    """Notices a value that was changed in place: a refusal could not undo that."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[Value, bytes]] = {}

    def gave(self, key: str, value: Value) -> None:
        """See ``Watcher``."""
        if value is not None and (key not in self._given or self._given[key][0] is not value):
            self._given[key] = (value, _bytes_of(value))

    def compare(self) -> None:
        """See ``Watcher``."""
        given, self._given = self._given, {}
        for key, (value, encoded) in given.items():
            if _bytes_of(value) != encoded:
                raise ChangedInPlace(f"the value of {key} was changed in place; copy it, and write the copy")


def _bytes_of(value: Value) -> bytes:
    try:
        return codec.encode(value)
    except (TypeError, ValueError, OverflowError):  # it costs its transaction, which says so
        return b""


def _signer(who: str) -> Ed25519Signer:
    return Ed25519Signer(sha256(f"trial {who}".encode()).digest())


def _genesis(sources: Sources) -> Genesis:
    def capabilities(role: str) -> tuple[str, ...]:
        given = CAPABILITIES if role == "government" else ("operate", "submit")
        return tuple(sorted(given))

    members = tuple(
        Member(
            id=name,
            name=name,
            role=role,
            level="central" if role == "government" else "",
            sector="",
            central_bank=False,
            operators=(Operator("admin", _signer(f"{name}/admin").public_key, capabilities(role)),),
        )
        for name, role in MEMBERS.items()
    )
    nodes = tuple(
        Node(name, name, "validator", _signer(f"node:{name}").public_key, name.encode()) for name in VALIDATORS
    )
    raw = encode_genesis(
        name="trial",
        time_ms=START_MS,
        parameters=Parameters(state_bits=8),
        members=members,
        nodes=nodes,
        contracts=(sources,),
    )
    return Genesis.decode(raw)
