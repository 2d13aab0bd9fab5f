"""Openings from the requester's side: a request on record, then the cells opened with what seats released.

Law: the key of a request is on disk before it is sent. A value is returned only if its recorded item commits to it; who
released a false part, or sealed otherwise than it committed, is named with what shows it. One class for both clients:
its methods return what a blocking client does, or an awaitable of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from coseal.client.claims import EvaluatedClaim, evaluated, required_claim
from coseal.client.corrections import submitted
from coseal.client.custodian import required_vault
from coseal.client.exchange import Exchange
from coseal.client.releases import cells_of, hash_of, release, required_request
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.client.transactions import Committed
from coseal.contracts.disclosure.releasing import FAULTS
from coseal.contracts.disclosure.requests import RELEASED, Request
from coseal.contracts.disclosure.reviewing import EMERGENCY
from coseal.contracts.disclosure.state import NAME, request_key
from coseal.contracts.disclosure.vaults import Vault
from coseal.contracts.membership.state import operator_key, operators_key
from coseal.contracts.process.cells import Line, lines_of
from coseal.contracts.process.state import source_key, type_key
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import codec, custody, sealed
from coseal.ledger.codec import Value
from coseal.ledger.custody import Release
from coseal.ledger.errors import BadSignature, LedgerError, Malformed
from coseal.ledger.sealed import Cells, Envelopes
from coseal.ledger.transaction import Transaction
from coseal.sealing import releasing
from coseal.sealing.cells import read_cell
from coseal.sealing.envelopes import SealingKey
from coseal.sealing.releasing import Scoped
from coseal.sealing.secrets import Secrets

Acted = TypeVar("Acted")
PART, CHECK, COMMITMENT = FAULTS
OPENED: Final = "opened"
WAITING: Final = "waiting"
"""No seats that are enough agree on a key: more have to release."""


@dataclass(frozen=True, slots=True)
class OpenedCell:
    """A cell of the scope: ``status`` is ``opened``, ``waiting``, or the fault of its owner; ``values`` by name."""

    number: int
    source: str
    sequence: int
    label: str
    status: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What somebody did wrong: ``kind`` as the contract has it, by which member; ``evidence`` is what shows it."""

    kind: str
    member: str
    says: str
    evidence: Mapping[str, Value]

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical encoding of the evidence, which goes on record."""
        return sha256(codec.encode(dict(self.evidence))).hexdigest()


@dataclass(frozen=True, slots=True)
class Opening:
    """What a request gave: its cells in the order of the scope, and who was wrong, each member once by kind.

    ``claims`` is what the values say of what their owner stated of them.

    ``unsigned`` are members whose releases no operator signed that they have now: their parts count, as the sets of
    seats that agree decide, and cannot be shown to others by the signature.
    """

    request: Request
    cells: tuple[OpenedCell, ...]
    faults: tuple[Fault, ...]
    unsigned: tuple[str, ...] = ()
    claims: tuple[EvaluatedClaim, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Say whether no cell waits for further seats."""
        return all(cell.status != WAITING for cell in self.cells)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments by which the requester reports this."""
        opened = sum(cell.status == OPENED for cell in self.cells)
        faults = [{"kind": one.kind, "member": one.member, "evidence": one.digest} for one in self.faults]
        named = {"request": self.request.id, "opened": opened, "failed": len(self.cells) - opened}
        return {**named, "faults": faults[: custody.SEATS_MAX]}


class Openings(Generic[Acted]):
    """``client.openings(secrets)``. Writing returns a ``Committed``, whose refusal is in its receipt."""

    def __init__(self, session: Session, run: Callable[[Exchange[Any]], Any], secrets: Secrets | Path | str) -> None:
        self._session, self._run = session, run
        self.secrets = secrets if isinstance(secrets, Secrets) else Secrets(Path(secrets))

    def request(
        self,
        request: str,
        owner: str,
        vault: str,
        scope: Sequence[Mapping[str, Any]],
        *,
        basis: str,
        reference: str,
        purpose: str,
        legal_basis: str,
        expires_ms: int,
        emergency: str | None = None,
    ) -> Acted:
        """Request an opening of cells: ``scope`` has ``{number, sequences, labels}`` of each sidecar.

        A key for this request alone is made, and kept before anything is sent. With ``emergency``, the reason why it
        cannot wait, seats release at once, and members of other roles review it afterwards.
        """
        why = {"basis": basis, "reference": reference, "purpose": purpose, "legal_basis": legal_basis}
        args: dict[str, Any] = {"request": request, "owner": owner, "vault": vault, "expires_ms": expires_ms, **why}
        args |= {"scope": [dict(one) for one in scope], **({} if emergency is None else {"reason": emergency})}
        action = "request" if emergency is None else EMERGENCY
        acted: Acted = self._run(_request(self._session, self.secrets, action, args))
        return acted

    def release(self, by: str, request: str) -> Acted:
        """Release the parts of the own seat for a request of the member ``by``.

        Raises ``CosealError``, and sends nothing, unless it is approved, and the keys kept here are those of the seat.
        """
        acted: Acted = self._run(release(self._session, self.secrets, by, request))
        return acted

    def open(self, request: str) -> Any:
        """Return an ``Opening``: the cells of an own request, opened with what seats released so far.

        Each value was compared with what its recorded item commits to. Nothing is sent; ``report`` does that.
        """
        return self._run(_open(self._session, self.secrets, request))

    def report(self, opening: Opening) -> Acted:
        """Say on the chain how many cells were opened and who was wrong, which ends the request."""
        exchange = submitted(self._session, NAME, "opened", opening.arguments(), COMMIT_TIMEOUT_S)
        acted: Acted = self._run(exchange)
        return acted


def _request(session: Session, secrets: Secrets, action: str, args: Mapping[str, Any]) -> Exchange[Committed]:
    chain, name = session.genesis.chain_id, args["request"]
    if (yield from session.value(request_key(session.member, name))) is not None:
        raise CosealError(f"{session.member} has a request {name}", "choose another id")
    key = secrets.request_key(chain, name)  # kept by a run that did not come to send it
    if key is None:
        key = SealingKey.generate()
        secrets.save_request_key(chain, name, key)
    given = {**args, "key": key.public.hex()}
    return (yield from submitted(session, NAME, action, given, COMMIT_TIMEOUT_S))


def _open(session: Session, secrets: Secrets, name: str) -> Exchange[Opening]:
    request = yield from required_request(session, session.member, name)
    if request.status != RELEASED:
        raise BadAnswer(f"{request.name} is {request.status}: it is opened once enough seats released")
    key = secrets.request_key(session.genesis.chain_id, name)
    if key is None or key.public != request.key:
        raise CosealError(f"{secrets.folder} has no key of the request {name}", "use the folder that requested it")
    vault = yield from required_vault(session, request.owner, request.vault)
    opening = _Opener(session, request, vault)
    yield from opening.gather(key)
    for number, sequences, labels in request.scope:
        yield from opening.open(number, sequences, labels)
    claims = yield from opening.evaluate()
    return Opening(request, tuple(opening.cells), tuple(opening.faults.values()), tuple(opening.unsigned), claims)


class _Opener:
    """Opens the cells of a request, one sidecar after the other."""

    def __init__(self, session: Session, request: Request, vault: Vault) -> None:
        self._session, self._request, self._vault = session, request, vault
        self._chain = session.genesis.chain_id
        self._place = sealed.vault_id(self._chain, vault.owner, vault.id)
        self._said: dict[int, dict[bytes, tuple[bytes, ...]]] = {}
        self._raw: dict[int, bytes] = {}
        self._members: dict[int, str] = {}
        self._recorded: dict[str, _Recorded] = {}
        self.cells: list[OpenedCell] = []
        self.faults: dict[tuple[str, str], Fault] = {}
        self.unsigned: list[str] = []

    def gather(self, key: SealingKey) -> Exchange[None]:
        """Read what each seat released; who released anything else than parts is named."""
        for seat, member, name in self._request.released:
            self._members[seat] = member
            sidecar = yield from self._session.sidecar(name)
            try:
                found = self._release(sidecar, seat, key)
            except Malformed as error:
                self._blame(PART, member, error.reason, {"envelopes": name})
                continue
            if not (yield from self._is_signed(found, member)):
                self.unsigned.append(member)
            self._said[seat], self._raw[seat] = dict(found.cells), found.encode()

    def _release(self, sidecar: Any, seat: int, key: SealingKey) -> Release:
        if not isinstance(sidecar, Envelopes):
            raise Malformed("sidecar: no envelopes")
        plan, about = self._vault.custody, hash_of(self._session, self._request)
        found = releasing.disclosed(self._chain, self._request.by, plan, about, sidecar, key)
        if found.seat != seat:
            raise Malformed(f"release: of seat {found.seat}")
        return found

    def _is_signed(self, found: Release, member: str) -> Exchange[bool]:
        """Say whether an operator that the member has now signed a release."""
        users: Any = yield from self._session.value(operators_key(member))
        for user in users or ():
            record: Any = yield from self._session.value(operator_key(f"{member}/{user}"))
            try:
                found.verify(self._chain, record["key"])
            except BadSignature:
                continue
            return True
        return False

    def open(self, number: int, sequences: Sequence[int], labels: Sequence[str]) -> Exchange[None]:
        """Open the cells of one sidecar of the scope."""
        record, sidecar, cells = yield from cells_of(self._session, self._request, number, sequences, labels)
        recorded = yield from _recorded(self._session, record)
        known = self._recorded.setdefault(record["source"], recorded)
        known.items.update(recorded.items)
        lines = {(line.sequence, line.label): line for line in recorded.lines}
        for one in cells:
            self.cells.append(self._cell(number, record["source"], sidecar, one, lines))

    def _cell(
        self, number: int, source: str, sidecar: Cells, one: Scoped, lines: Mapping[tuple[int, str], Line]
    ) -> OpenedCell:
        cell, plan = one.cell, self._vault.custody
        said = {seat: cells[one.id] for seat, cells in self._said.items() if one.id in cells}
        for seat in self._said.keys() - said.keys():
            self._blame(PART, self._members[seat], "it left out a cell", {"release": self._raw[seat], "cell": one.id})
        status, values = WAITING, dict[str, Value]()
        found = custody.find_key(plan, self._place, one.id, cell.check, said)
        if found is not None:
            for seat in found.false:
                evidence = {"release": self._raw[seat], "cell": one.id, "key": found.key}
                self._blame(PART, self._members[seat], "its part is not that of its keys", evidence)
            status, values = self._read(sidecar, one, source, found.key, lines)
        elif len(said) >= plan.arming:  # B15
            status = CHECK
            releases = [self._raw[seat] for seat in sorted(said)]
            says = "no key of the vault fits a cell"
            self._blame(CHECK, self._vault.owner, says, {"cell": one.id, "releases": releases})
        return OpenedCell(number, source, cell.sequence, cell.label, status, values)

    def _read(
        self, sidecar: Cells, one: Scoped, source: str, key: bytes, lines: Mapping[tuple[int, str], Line]
    ) -> tuple[str, dict[str, Value]]:
        line = lines.get((one.cell.sequence, one.cell.label))
        try:
            if line is None:
                raise Malformed("cell: no item commits to it")
            values = read_cell(sidecar, one.cell, source, key, line.named)
        except LedgerError as error:
            self._blame(COMMITMENT, self._vault.owner, error.reason, {"cell": one.id, "key": key})
            return COMMITMENT, {}
        return OPENED, {value.name: value.value for value in values}

    def evaluate(self) -> Exchange[tuple[EvaluatedClaim, ...]]:
        """Return what the opened values say of the claims of their items."""
        values: dict[tuple[str, int], dict[str, Value]] = {}
        for cell in self.cells:
            if cell.status == OPENED:
                values.setdefault((cell.source, cell.sequence), {}).update(cell.values)
        found: list[EvaluatedClaim] = []
        for (source, sequence), opened in values.items():
            known = self._recorded[source]
            item = known.items[sequence]
            for rule, version, said in item.get("claims", ()):
                claim = yield from required_claim(self._session, known.definition, rule, version)
                if claim is not None and item["type"] in claim.reach.symbols:
                    clear = {**item, "attributes": _opened(item["attributes"], opened, known.definition, item["type"])}
                    found.append(evaluated(claim, said, clear, known.definition, source, sequence, known.zone_minutes))
        return tuple(found)

    def _blame(self, kind: str, member: str, says: str, evidence: Mapping[str, Value]) -> None:
        self.faults.setdefault((kind, member), Fault(kind, member, says, evidence))


def _opened(
    attributes: Mapping[str, Value], opened: Mapping[str, Value], definition: Mapping[str, Any], kind: str
) -> dict[str, Value]:
    """Return the attributes of an event, those that are sealed with their values, and left out if not known."""
    declared = definition["event_types"][kind]["attributes"]
    public = {name: value for name, value in attributes.items() if declared[name]["class"] != "sealed"}
    return {**public, **opened}


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The items of a source beside sidecars, by sequence, what they commit to, and what says how they are read."""

    items: dict[int, dict[str, Any]]
    lines: list[Line]
    definition: Mapping[str, Any]
    zone_minutes: int | None


def _recorded(session: Session, record: Mapping[str, Any]) -> Exchange[_Recorded]:
    """Return the items beside a sidecar, from the block that recorded them; they commit to what its record says."""
    source: Any = yield from session.value(source_key(record["source"]))
    definition: Any = yield from session.value(type_key(source["process_type"]))
    committed = yield from session.block(record["height"])
    lines, items = list[Line](), dict[int, dict[str, Any]]()
    for raw in committed.block.transactions:
        args: Any = Transaction.decode(raw).args
        said = args.get("sealed")
        if not isinstance(said, Mapping) or said.get("sidecar", {}).get("name") != record["name"].hex():
            continue
        for at, item in enumerate(args["items"]):
            try:
                lines += lines_of(args["sequence"] + at, item, definition)
            except LookupError:
                break
            items[args["sequence"] + at] = item
    if sealed.items_root(lines) != record["items_root"]:
        raise CosealError(
            f"the items {record['first']} to {record['last']} of {record['source']} commit to other cells",
            f"its process type {source['process_type']} has another version now, which does not say what was sealed",
        )
    return _Recorded(items, lines, definition, source.get("zone_minutes"))
