"""Block execution: from a committed state and a block to receipts, a new state root and the next validators.

Law: the outcome of a block depends on the state before it and the block alone; executing changes nothing until
``commit``; a rejected transaction leaves its receipt and nothing else; a transaction takes effect at most once.

What may never be in a block (rules V1 to V6 of docs/spec/contracts.md) is told apart from what fails inside one:
the first makes the block invalid, the second is a receipt. An exception out of a contract is contained: it refuses its
transaction as ``internal_error`` (docs/spec/budget.md, why that cannot fork: docs/decisions/0025). A broken invariant
is not: the node stops before it votes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias

from coseal.contracts.apply import Frame, apply_transaction
from coseal.contracts.governance import measures
from coseal.contracts.kernel import admitted, deadlines
from coseal.contracts.kernel.action import Arguments, Rejected
from coseal.contracts.kernel.admitted import Admitted, lacking
from coseal.contracts.kernel.budget import BLOCK_STEPS, fits, least_steps
from coseal.contracts.kernel.due import begin_block, earliest_ms
from coseal.contracts.kernel.overlay import Broken, CommittedReader, Fault, Overlay, Watcher
from coseal.contracts.kernel.sidecars import BLOCK_SIDECARS_BYTES_MAX, MARK, Named, Sidecars, total_bytes
from coseal.contracts.kernel.state import PROTOCOL_VERSION_KEY
from coseal.contracts.kernel.window import SeenWindow
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import NO_OTHERS, RULES, Contracts, Others, compose
from coseal.ledger import merkle, signing
from coseal.ledger.block import OK, Block, Receipt
from coseal.ledger.codec import Value
from coseal.ledger.engines import engine_of
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis, Sources
from coseal.ledger.signing import ZERO_HASH, Verify
from coseal.ledger.state import Change, State
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet

Admit: TypeAlias = Callable[[bytes], Transaction]
"""Decode a raw transaction and verify its signature; raise ``LedgerError``. A node remembers what it verified."""

MAX_FAULTS: Final = 64
"""How many contained exceptions wait to be taken."""
MAX_RECEIPTS_BYTES: Final = 16 * 1024 * 1024
"""All receipts of a block; its builder leaves what does not fit to the next block."""


class UnknownProtocol(Exception):
    """The state asks for rules that this software does not have; only newer software can go on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a block comes to. ``receipts`` are encoded, ``begin_block``'s first; ``time_ms`` is block time.

    ``next_validators`` is the set of the next height, ``change`` what ``State.commit`` applies. ``steps`` is what it
    took, ``taken`` what each transaction did, ``beyond`` what one did that was executed and had no room (0: none).
    ``faults`` are the exceptions that were contained, for the log and the operator: no part of what is agreed upon.
    """

    height: int
    time_ms: int
    transactions: tuple[Transaction, ...]
    receipts: tuple[bytes, ...]
    receipts_root: bytes
    state_root: bytes
    next_validators: ValidatorSet
    change: Change
    members_changed: bool
    deadlines_changed: frozenset[str]
    steps: int = 0
    taken: tuple[int, ...] = ()
    beyond: int = field(default=0, compare=False)  # nothing of the block itself
    faults: tuple[Fault, ...] = ()

    @property
    def tx_ids(self) -> tuple[bytes, ...]:
        """The transactions' ids, in block order."""
        return tuple(tx.id for tx in self.transactions)


def decode_and_verify(raw: bytes) -> Transaction:
    """Parse a transaction and verify its signature; raise ``LedgerError``. The default ``Admit``."""
    tx = Transaction.decode(raw)
    tx.verify_signature()
    return tx


class Executor:
    """Executes blocks on a committed state; ``height`` and ``time_ms`` are those of the tip (0: genesis)."""

    def __init__(
        self,
        genesis: Genesis,
        state: State,
        admit: Admit = decode_and_verify,
        *,
        height: int = 0,
        time_ms: int | None = None,
        rules: Mapping[int, Contracts] = RULES,
        others: Others = NO_OTHERS,
        verify: Verify = signing.verify,
        watcher: Callable[[], Watcher] | None = None,
    ) -> None:
        """``state`` is that after block ``height``, whose header has ``time_ms`` (None: genesis time).

        ``verify`` checks signatures inside of transactions; ``admit`` has checked their own. ``watcher`` makes
        what looks at the values that blocks are given: tests have one that notices a value changed in place.

        Raises ``UnknownProtocol`` if this software cannot go on from that state.
        """
        self.genesis = genesis
        self.chain_id = genesis.chain_id
        self.parameters = genesis.parameters
        self._carries_sidecars = engine_of(genesis).carries_sidecars
        self.state = state
        self.height = height
        self.time_ms = genesis.time_ms if time_ms is None else time_ms
        self.tip_steps = 0
        """What the tip took; 0 before a block is committed here."""
        self.reader = CommittedReader(state.get)
        self.validators = membership.validators(self.reader)
        self._admit = admit
        self._rules, self._others = rules, others
        self._composed: tuple[object, Contracts] | None = None
        self._hooks: dict[str, Sidecars] | None = None
        self._naming: dict[tuple[str, str], Arguments] | None = None  # of the next block; None: not asked yet
        self._verify = verify
        self._watcher = watcher
        self._faults: list[tuple[int, Fault]] = []
        self._seen = SeenWindow.load(self.reader)
        self._senders: dict[str, bytes] = {}
        self._contracts()
        self._earliest: dict[str, int | None] = {}
        self._noted_root = b""
        """The root of the state that the deadlines were found in."""
        self._note_deadlines(frozenset())

    # What may be in a block

    def check(self, tx: Transaction, time_ms: int) -> Rejected | None:
        """Say why ``tx`` can never be in a valid block at ``time_ms`` after the tip, or None.

        Its size and signature were checked when it was admitted. Codes: wrong_chain, expired, too_far,
        duplicate, unknown_sender.
        """
        if tx.chain_id != self.chain_id:  # V1
            return Rejected("wrong_chain", f"signed for chain {tx.chain_id.hex()}, this is {self.chain_id.hex()}")
        if tx.valid_until_ms <= time_ms:  # V2
            until, now = moment_text(tx.valid_until_ms), moment_text(time_ms)
            return Rejected("expired", f"valid until {until}, block time is {now}; sign it again")
        if tx.valid_until_ms > time_ms + self.parameters.validity_ms_max:  # V3
            limit, now = duration_text(self.parameters.validity_ms_max), moment_text(time_ms)
            return Rejected("too_far", f"valid_until is more than {limit} after block time {now}")
        if tx.id in self._seen:  # V4, X1
            return Rejected("duplicate", "already recorded; ask for its receipt")
        key = self._senders.get(tx.sender)
        if key is None:
            key = membership.sender_key(self.reader, tx.sender)
            if key is None:  # V5
                return Rejected("unknown_sender", f"{tx.sender} is no operator or node of this chain")
            self._senders[tx.sender] = key
        if tx.public_key != key:  # V5
            return Rejected("unknown_sender", f"{tx.sender} is registered with another key")
        return None

    def names(self, tx: Transaction) -> Named | None:
        """Return the sidecar that a transaction in the next block names, by its arguments alone (N40)."""
        arguments = self._arguments_with_sidecar().get((tx.contract, tx.action))
        return None if arguments is None else arguments.names(tx.args)

    def names_in(self, block: Block) -> tuple[Named, ...]:
        """Return what the transactions of a block after the tip, which was executed here, name beside it."""
        if not self._arguments_with_sidecar():
            return ()
        named = (self.names(Transaction.decode_own(raw)) for raw in block.transactions if MARK in raw)
        return tuple(one for one in named if one is not None)

    def sidecar_hooks(self) -> dict[str, Sidecars]:
        """Return what the contracts of the next block say of sidecars, by contract."""
        if self._hooks is None:
            contracts = self._contracts() if self._carries_sidecars else {}
            self._hooks = {name: one.sidecars for name, one in contracts.items() if one.sidecars is not None}
        return self._hooks

    def _arguments_with_sidecar(self) -> dict[tuple[str, str], Arguments]:
        if self._naming is None:
            self._naming = _naming(self._contracts()) if self._carries_sidecars else {}
        return self._naming

    def execute_block(self, block: Block) -> Outcome | Rejected:
        """Check and execute a block after the tip; change nothing.

        The refusal ``diverged`` means that the block is valid but our execution gives other roots: a determinism
        fault on one side. Every other code says why the block is invalid.
        """
        header = block.header
        refusal = self._check_header(block)
        if refusal is not None:
            return refusal
        transactions: list[Transaction] = []
        inside: set[bytes] = set()
        for index, raw in enumerate(block.transactions):
            try:
                tx = self._admit(raw)
            except LedgerError as error:  # V6
                return Rejected("invalid_transaction", f"transaction {index}: {error.reason}")
            refusal = self.check(tx, header.time_ms)
            if refusal is not None:
                return Rejected(refusal.code, f"transaction {index}: {refusal.detail}")
            if tx.id in inside:  # V4, X1
                return Rejected("duplicate", f"transaction {index}: twice in the block")
            inside.add(tx.id)
            transactions.append(tx)
        named = total_bytes(self.names(tx) for tx in transactions)
        if named > BLOCK_SIDECARS_BYTES_MAX:  # N40
            limit = f"at most {BLOCK_SIDECARS_BYTES_MAX}"
            return Rejected("invalid_block", f"the block names sidecars of {named} bytes, {limit}")
        outcome = self.run(header.height, header.time_ms, transactions)
        if len(outcome.transactions) < len(transactions):  # B5
            reason = f"receipts of more than {MAX_RECEIPTS_BYTES} bytes, or takes more than {BLOCK_STEPS} steps"
            return Rejected("invalid_block", f"the block has {reason}")
        for what, claimed, found in (
            ("receipts_root", header.receipts_root, outcome.receipts_root),
            ("state_root", header.state_root, outcome.state_root),
            ("next_validators_hash", header.next_validators_hash, outcome.next_validators.hash),
        ):
            if claimed != found:
                return Rejected("diverged", f"{what} of block {header.height} is {claimed.hex()}, here {found.hex()}")
        return outcome

    def _check_header(self, block: Block) -> Rejected | None:
        header, parameters = block.header, self.parameters
        for wrong, reason in (
            (header.chain_id != self.chain_id, "of another chain"),
            (header.height != self.height + 1, f"at height {header.height}, the tip is {self.height}"),
            (
                header.time_ms <= self.time_ms,
                f"at {moment_text(header.time_ms)}, not after its parent's {moment_text(self.time_ms)}",
            ),
            (header.epoch != self.validators.epoch, f"of epoch {header.epoch}, this is {self.validators.epoch}"),
            (header.validators_hash != self.validators.hash, "of other validators"),
            (self.validators.index(header.proposer) is None, f"proposed by {header.proposer}, which does not vote"),
            (header.tx_count != len(block.transactions), "of another number of transactions than it says"),
            (header.tx_count > parameters.block_transactions_max, f"with {header.tx_count} transactions"),
            (len(block.raw) > parameters.block_bytes_max, f"of {len(block.raw)} bytes"),
            (not block.is_whole, "with transactions that are not those of its root"),
        ):
            if wrong:
                return Rejected("invalid_block", f"the block is {reason}")
        return None

    def member_of(self, sender: str) -> str:
        """Return the member that an operator or node speaks for; empty for a node that the state does not know."""
        return membership.member_of(self.reader, sender)

    # Execution

    def run(
        self, height: int, time_ms: int, transactions: Sequence[Transaction], room_steps: int = BLOCK_STEPS
    ) -> Outcome:
        """Execute transactions that all passed ``check``, as block ``height`` at ``time_ms``; change nothing.

        The outcome has fewer transactions if the receipts of more would take over ``MAX_RECEIPTS_BYTES``, or more of
        them do not fit into ``room_steps`` (``budget.fits``), which a builder may set lower. The first always fits.
        Raises ``UnknownProtocol`` if this block's rules are not known here, and ``Broken``.
        """
        try:
            return self._run(height, time_ms, transactions, room_steps, careful=False)
        except _NoEncoding:
            return self._run(height, time_ms, transactions, room_steps, careful=True)

    def _run(
        self, height: int, time_ms: int, transactions: Sequence[Transaction], room_steps: int, *, careful: bool
    ) -> Outcome:
        version, contracts = self.protocol_version, self._contracts()
        watcher = None if self._watcher is None else self._watcher()
        view = Overlay(self.state.get, _open_keys(contracts), watcher)
        observers = tuple(one.observe for one in contracts.values() if one.observe is not None)
        if self._noted_root != self.state.root:
            self._earliest = {}
            self._note_deadlines(frozenset())
        begun = begin_block(view, contracts, self._earliest, height, time_ms, careful=careful)
        paused = measures.paused(view, height, time_ms)
        frame = Frame(
            self.chain_id,
            height,
            time_ms,
            version,
            contracts,
            self._verify,
            observers,
            paused,
            self._carries_sidecars,
            careful,
        )
        receipts = [Receipt(ZERO_HASH, OK, "", begun.data, begun.steps).encode()]
        room, left_steps = MAX_RECEIPTS_BYTES - len(receipts[0]), BLOCK_STEPS - begun.steps
        taken: list[int] = []
        steps = beyond = 0
        for tx in transactions:
            if taken and not fits(least_steps(len(tx.raw)), steps, room_steps, left_steps):
                break
            faults = len(view.faults)
            receipt, cost = apply_transaction(view, frame, tx)
            room -= len(receipt)
            if taken and (room < 0 or not fits(cost, steps, room_steps, left_steps)):  # B5
                view.rollback()
                del view.faults[faults:]
                beyond = cost
                break
            view.mark()
            steps += cost
            receipts.append(receipt)
            taken.append(cost)
        included = transactions[: len(taken)]
        self._faults = [*self._faults, *((height, fault) for fault in view.faults)][-MAX_FAULTS:]
        _require_held(view, contracts)
        self._seen.write(view, height, time_ms, included)
        change = self.state.derive(_updates(view, careful))
        return Outcome(
            height=height,
            time_ms=time_ms,
            transactions=tuple(included),
            receipts=tuple(receipts),
            receipts_root=merkle.root(receipts),
            state_root=change.root,
            next_validators=membership.validators(view),
            change=change,
            members_changed=view.wrote(f"{membership.NAME}/"),
            deadlines_changed=deadlines.changed(view.written),
            steps=begun.steps + steps,
            taken=tuple(taken),
            beyond=beyond,
            faults=tuple(view.faults),
        )

    def take_faults(self) -> list[tuple[int, Fault]]:
        """Return, once, the latest exceptions of contracts that were contained, each with the height of its block.

        Those of a block that was refused are among them: a node that fails alone has to say why it differs.
        """
        faults, self._faults = self._faults, []
        return faults

    def commit(self, outcome: Outcome) -> None:
        """Make an outcome the tip. The store is written by whoever owns it, then ``State.flushed``."""
        self.state.commit(outcome.change)
        self._seen.commit(outcome.height, outcome.time_ms, outcome.transactions)
        self.height, self.time_ms, self.tip_steps = outcome.height, outcome.time_ms, outcome.steps
        self.validators = outcome.next_validators
        self._naming = self._hooks = None
        if outcome.members_changed:
            self._senders.clear()
        self._note_deadlines(outcome.deadlines_changed)

    @property
    def protocol_version(self) -> int:
        """The version of the rules under which the next block runs."""
        version: Any = self.reader.get(PROTOCOL_VERSION_KEY)
        return int(version)

    def require_rules(self) -> None:
        """Raise ``UnknownProtocol`` if the next block runs under rules that this software does not have."""
        self._contracts()

    @property
    def known_versions(self) -> tuple[int, ...]:
        """The protocol versions whose rules this software has, ascending."""
        return tuple(sorted(self._rules))

    def knows(self, version: int) -> bool:
        """Say whether this software has the rules of a protocol version."""
        return version in self._rules

    @property
    def others(self) -> Others:
        """The contracts of others that this software has, by their sources."""
        return self._others

    @property
    def offered(self) -> tuple[Sources, ...]:
        """The sources of contracts of others that this software has, ascending."""
        return tuple(sorted(self._others))

    def offers(self, name: str, version: int, sha256: str) -> bool:
        """Say whether this software has the sources of a contract of others."""
        return Sources(name, version, sha256) in self._others

    def get(self, key: str) -> Value:
        """Return the decoded committed value of a state key, or None."""
        return self.reader.get(key)

    def next_deadline_ms(self) -> int | None:
        """Return the block time at which some ``begin_block`` has something to do, or None."""
        return self._deadline_ms

    def _note_deadlines(self, changed: Set[str]) -> None:
        """Find when something is due after the tip; read again the index of each contract in ``changed``."""
        self._noted_root = self.state.root
        try:
            contracts = self._contracts()
        except UnknownProtocol:
            self._earliest, self._deadline_ms = {}, None
            return
        known = self._earliest
        self._earliest = {
            name: known[name] if name in known and name not in changed else earliest_ms(self.reader, contract)
            for name, contract in contracts.items()
            if contract.fire is not None
        }
        found = [first_ms for first_ms in self._earliest.values() if first_ms is not None]
        if any(one.waits is not None and one.waits(self.reader) for one in contracts.values()):
            found.append(0)
        self._deadline_ms = min(found, default=None)

    def _contracts(self) -> Contracts:
        """Return what the block after the tip runs with."""  # W6
        version, wanted = self.protocol_version, admitted.admitted(self.reader)
        if self._composed is None or self._composed[0] != (version, wanted):
            self._composed = ((version, wanted), self._compose(version, wanted))
        return self._composed[1]

    def _compose(self, version: int, wanted: Sequence[Admitted]) -> Contracts:
        shipped = self._rules.get(version)
        if shipped is None:
            known = ", ".join(str(known) for known in sorted(self._rules))
            reason = f"block {self.height + 1} needs protocol version {version}, this software knows {known}"
            raise UnknownProtocol(f"{reason}: install a newer release and start again")
        for entry in wanted:
            if entry.sources not in self._others:  # W7
                raise UnknownProtocol(f"block {self.height + 1} needs {lacking(entry.sources, self._others)}")
        return compose(shipped, [self._others[entry.sources] for entry in wanted])


def _naming(contracts: Contracts) -> dict[tuple[str, str], Arguments]:
    """Return the arguments of the actions that name a sidecar."""
    return {
        (contract.name, name): action.arguments
        for contract in contracts.values()
        for name, action in contract.actions.items()
        if action.arguments.sidecar is not None
    }


class _NoEncoding(Exception):
    """Some value that the block wrote has no encoding, or is too large."""


def _updates(view: Overlay, careful: bool) -> dict[bytes, bytes | None]:
    """Return what the block wrote, encoded; with ``careful`` each transaction's values were encoded before."""
    try:
        return view.updates()
    except MemoryError:
        raise
    except Exception as error:
        if careful:
            raise Broken(f"a state value has no encoding: {error}") from error
        raise _NoEncoding from error


@cache
def _prefixes(*of_contracts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(prefix for prefixes in of_contracts for prefix in prefixes)


def _open_keys(contracts: Contracts) -> tuple[str, ...]:
    return _prefixes(*(contract.open_keys for contract in contracts.values()))


def _require_held(view: Overlay, contracts: Contracts) -> None:
    """Raise ``Broken`` if a contract's own invariant does not hold at the end of a block (B12)."""
    for contract in contracts.values():
        broken = None if contract.holds is None else contract.holds(view)
        if broken is not None:
            raise Broken(f"{contract.name}: {broken}")
