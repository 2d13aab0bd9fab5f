"""The sealed values of an object, opened with the keys of its owner or of a reader, each compared with its commitment.

Law: a value is returned only if the proven history of the object commits to it. What cannot be read is said with its
reason; nothing is taken on a node's word, which gives no more than where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from coseal.audit.history import UNPROVEN, ObjectHistory, history_json
from coseal.audit.reveal import MAX_VALUES, Revealed, reveal_json
from coseal.client import reads
from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.contracts.disclosure.keys import READER
from coseal.contracts.disclosure.state import at_key, audience_key
from coseal.contracts.process.cells import Line, lines_of
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import type_key
from coseal.errors import BadAnswer, CosealError, Refused
from coseal.ledger import custody, sealed
from coseal.ledger.codec import Value
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.handover import with_handovers
from coseal.ledger.sealed import Cells, Envelopes
from coseal.ledger.transaction import Transaction
from coseal.sealing import dealing
from coseal.sealing.cells import key_for_audience, read_cell
from coseal.sealing.ciphers import SealedValue
from coseal.sealing.secrets import Secrets

READ: Final = "read"
NO_TYPE: Final = "no_type"
NO_CELL: Final = "no_cell"
ERASED: Final = "erased"
NO_ACCESS: Final = "no_access"
NO_KEY: Final = "no_key"
FALSE: Final = "false"
REASONS: Final[Mapping[str, str]] = {
    NO_TYPE: "the newest version of the process type does not say what was sealed here",
    NO_CELL: "only its commitment was recorded",
    ERASED: "erased by its term",
    NO_ACCESS: "no node gives it: this member is in no audience of the vault, or no node that answers holds it",
    NO_KEY: "no granted key opens it; its owner grants one: `coseal disclosure audience grant`",
    FALSE: "its owner sealed other bytes than it committed to",
}
"""Why a value is not read, by status."""


@dataclass(frozen=True, slots=True)
class SealedAttribute:
    """A sealed attribute of an item: ``status`` is ``read``, or why it is not (``REASONS``).

    ``salt`` and ``value`` are those of what was read; ``vault`` is empty where no cell is known, ``name`` where the
    item's type is not.
    """

    source: str
    sequence: int
    label: str
    name: str
    status: str
    vault: str = ""
    value: Value = None
    salt: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class OpenedHistory:
    """All items of an object, proven to be all, and every sealed attribute in them in their order."""

    history: ObjectHistory
    attributes: tuple[SealedAttribute, ...]

    def of(self, source: str, sequence: int) -> dict[str, SealedAttribute]:
        """Return the sealed attributes of one item by name."""
        return {one.name: one for one in self.attributes if (one.source, one.sequence) == (source, sequence)}


def read_sealed(session: Session, secrets: Secrets, place: tuple[str, str, str]) -> Exchange[OpenedHistory]:
    """Read the object (process type, object type, id); see ``coseal.client.vaults.Vaults.read``."""
    history, document = yield from session.believed(lambda: reads.history(session, place, session.height))
    definition: Any = yield from session.value(type_key(place[0]))
    if definition is None:
        raise BadAnswer(f"there is no process type {place[0]}", "`coseal list process-types` names them")
    reading, found = _Reading(session, secrets), []
    for (source, sequence, item), row in zip(history.items, document["items"], strict=True):
        try:
            lines = lines_of(sequence, item, definition)
        except LookupError:
            found.append(SealedAttribute(source, sequence, "", "", NO_TYPE))
            continue
        if lines:
            found += yield from reading.item(source, sequence, item, lines, row.get(UNPROVEN, {}).get("tx"))
    return OpenedHistory(history, tuple(found))


def revealed(
    session: Session,
    secrets: Secrets,
    place: tuple[str, str, str],
    names: Sequence[str],
    item: tuple[str, int] | None,
) -> Exchange[dict[str, Any]]:
    """Return a document that shows sealed values; see ``coseal.client.vaults.Vaults.reveal``."""
    opened = yield from read_sealed(session, secrets, place)
    chosen = [one for one in opened.attributes if item in (None, (one.source, one.sequence))]
    values = []
    for name in names:
        there = [one for one in chosen if one.name == name]
        if not there:
            raise CosealError(f"{place[2]} has no sealed attribute {name}", "`coseal disclosure read` shows those")
        for one in there:
            if one.status != READ:
                raise CosealError(f"{name} of item {one.sequence} of {one.source} is not read: {REASONS[one.status]}")
            values.append(Revealed(one.source, one.sequence, name, one.salt, one.value))
    if len(values) > MAX_VALUES:
        raise CosealError(f"{len(values)} values, at most {MAX_VALUES} in one document", "name one item")
    header = opened.history.record.header
    document = reveal_json(history_json(opened.history), values)
    return with_handovers(document, session.epochs.up_to(header.epoch))


class _Reading:
    """Reads items one after the other; transactions and sidecars are asked for once, keys are read once."""

    def __init__(self, session: Session, secrets: Secrets) -> None:
        self._session, self._secrets = session, secrets
        self._transactions: dict[bytes, Transaction] = {}
        self._sidecars: dict[bytes, Cells | str] = {}
        self._own: dict[str, tuple[bytes, ...]] = {}
        self._granted: dict[tuple[str, str], dict[tuple[str, int], bytes]] = {}
        self._asked: set[tuple[str, str, str]] = set()

    def item(
        self, source: str, sequence: int, item: Mapping[str, Any], lines: Sequence[Line], tx: Any
    ) -> Exchange[list[SealedAttribute]]:
        """Return every sealed attribute of one item."""
        said = yield from self._said(source, sequence, item, tx)
        if said is None:
            return [
                SealedAttribute(source, sequence, line.label, name, NO_CELL) for line in lines for name, _ in line.named
            ]
        owner = source.partition("/")[0]
        sidecar = yield from self._sidecar(bytes.fromhex(said["sidecar"]["name"]))
        found = []
        for line in lines:
            values: str | list[SealedValue] = sidecar if isinstance(sidecar, str) else FALSE
            if not isinstance(sidecar, str):
                values = yield from self._cell(owner, said["vault"], source, sidecar, line)
            found += _attributes(source, line, said["vault"], values)
        return found

    def _said(self, source: str, sequence: int, item: Mapping[str, Any], tx: Any) -> Exchange[Any]:
        """Return what the transaction of an item says of its cells, None if it says nothing."""
        try:
            name = bytes.fromhex(tx)
        except (TypeError, ValueError):
            raise BadAnswer(f"the node does not say where item {sequence} of {source} was recorded") from None
        if name not in self._transactions:
            self._transactions[name] = (yield from self._session.receipt(name)).transaction
        args, member = self._transactions[name].args, self._transactions[name].sender.partition("/")[0]
        at = sequence - int(args.get("sequence", 0))
        recorded = args.get("items", ())
        same = f"{member}/{args.get('source')}" == source and 0 <= at < len(recorded)
        if not same or item_hash(source, sequence, recorded[at]) != item_hash(source, sequence, item):
            raise BadAnswer(
                f"item {sequence} of {source} is not in the transaction that the node names", "ask another node"
            )
        return args.get("sealed")

    def _sidecar(self, name: bytes) -> Exchange[Cells | str]:
        """Return a sidecar of cells, or the status that says why it cannot be read."""
        if name not in self._sidecars:
            self._sidecars[name] = yield from self._fetched(name)
        return self._sidecars[name]

    def _fetched(self, name: bytes) -> Exchange[Cells | str]:
        try:
            sidecar = yield from self._session.sidecar(name)
        except Refused as error:
            if error.code != "unknown_sidecar":
                raise
            return ERASED if (yield from self._session.value(at_key(name))) is None else NO_ACCESS
        return sidecar if isinstance(sidecar, Cells) else FALSE

    def _cell(
        self, owner: str, vault: str, source: str, sidecar: Cells, line: Line
    ) -> Exchange[str | list[SealedValue]]:
        """Return the values of one cell, or the status that says why they cannot be read."""
        about = sealed.vault_id(self._session.genesis.chain_id, owner, vault)
        cell = next((each for each in sidecar.cells if (each.sequence, each.label) == line[:2]), None)
        if cell is None or sidecar.vault != about:
            return FALSE
        if owner == self._session.member:
            if vault not in self._own:
                self._own[vault] = self._secrets.vault(vault).keys
            key = custody.cell_key(about, self._own[vault], sealed.cell_id(about, sidecar.seed, source, *line[:2]))
        else:
            granted = yield from self._audiences(owner, vault, about, sidecar.audiences)
            if not granted:
                return NO_KEY
            reader, shared = next(iter(granted.items()))
            try:
                key = key_for_audience(sidecar, cell, source, reader, shared)
            except Malformed:
                return FALSE
        try:
            return read_cell(sidecar, cell, source, key, line.named)
        except LedgerError:
            return FALSE

    def _audiences(
        self, owner: str, vault: str, about: bytes, readers: Iterable[tuple[str, int]]
    ) -> Exchange[dict[tuple[str, int], bytes]]:
        """Return the keys of these audiences that are kept here, or that a live grant has for this member."""
        session, place = self._session, (owner, vault)
        if place not in self._granted:
            self._granted[place] = self._secrets.granted_keys(session.genesis.chain_id, owner, vault)
        kept = self._granted[place]
        for audience, version in readers:
            if (audience, version) not in kept and (owner, vault, audience) not in self._asked:
                self._asked.add((owner, vault, audience))
                yield from self._receive(owner, vault, about, audience)
        return {reader: kept[reader] for reader in readers if reader in kept}

    def _receive(self, owner: str, vault: str, about: bytes, audience: str) -> Exchange[None]:
        """Keep the keys that the live grants of an audience have for this member."""
        session = self._session
        record: Any = yield from session.value(audience_key(owner, vault, audience))
        if record is None or session.member not in record["members"]:
            return
        private = self._secrets.sealing_keys(READER)
        versions = {sealed.audience_id(about, audience, each): each for each in range(1, record["version"] + 1)}
        for name in record["grants"]:
            try:
                sidecar = yield from session.sidecar(name)
            except Refused:
                continue  # replaced meanwhile: then there is no key
            if not isinstance(sidecar, Envelopes) or sidecar.about not in versions:
                continue
            for envelope in sidecar.envelopes:
                if envelope.member == session.member and envelope.version in private:
                    self._keep(owner, vault, (audience, versions[sidecar.about]), sidecar.about, envelope, private)

    def _keep(
        self, owner: str, vault: str, reader: tuple[str, int], about: bytes, envelope: sealed.Envelope, private: Any
    ) -> None:
        chain = self._session.genesis.chain_id
        try:
            key = dealing.granted(chain, about, self._session.member, envelope, private[envelope.version])
        except Malformed:
            return
        if reader not in self._granted[owner, vault]:
            self._secrets.add_granted_key(chain, owner, vault, reader, key)
            self._granted[owner, vault][reader] = key


def _attributes(source: str, line: Line, vault: str, values: str | list[SealedValue]) -> list[SealedAttribute]:
    sequence, label, named = line
    if isinstance(values, str):
        return [SealedAttribute(source, sequence, label, name, values, vault) for name, _ in named]
    return [SealedAttribute(source, sequence, label, one.name, READ, vault, one.value, one.salt) for one in values]
