"""Recording items whose sealed attributes go into cells beside the transaction, encrypted to a vault.

Law: a value of class ``sealed`` leaves this process as ciphertext and commitment alone, and only after the vault on the
chain was found armed and committed to the keys that are kept here. Batches are sent one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.client.claims import judging_claims, stated
from coseal.client.custodian import required_vault
from coseal.client.events import read_events
from coseal.client.exchange import Exchange
from coseal.client.recording import Progress
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.client.transactions import Committed
from coseal.contracts.disclosure.vaults import ARMED
from coseal.contracts.process.cells import LABEL, attributes_of, in_the_clear, seals
from coseal.contracts.process.items import Unfit, schema_of
from coseal.contracts.process.state import source_key, type_key
from coseal.errors import CosealError, Refused
from coseal.ledger import codec, sealed
from coseal.ledger.codec import Value
from coseal.ledger.errors import LedgerError
from coseal.sealing import dealing
from coseal.sealing.cells import Vault, seal_batch
from coseal.sealing.secrets import Secrets

BATCH_ITEMS: Final = 500
_BATCH_BYTES: Final = 200 * 1024  # of a transaction's 256 KiB
_SIDECAR_BYTES: Final = sealed.SIDECAR_BYTES_MAX - 8 * 1024  # its head names at most 16 audiences
_CELL_BYTES: Final = 192  # of a cell besides ciphertext and wraps: a label of 64, a check, a number, lengths
_COMMITMENT_BYTES: Final = 66

Cells = dict[str, dict[str, Value]]
"""The sealed attributes of one item in the clear, by label and name."""


@dataclass(frozen=True, slots=True)
class _Item:
    """An item, its cells, and at most how many bytes it takes in a transaction and in a sidecar."""

    item: dict[str, Any]
    cells: Cells
    bytes: int
    sidecar_bytes: int


def record_sealed(
    session: Session,
    secrets: Secrets,
    name: str,
    events: Iterable[Mapping[str, Any]],
    source_id: str | None,
    sequence: int | None,
    batch_items: int,
    progress: Progress | None = None,
) -> Exchange[list[Committed]]:
    """Record events after what a source holds; see ``coseal.client.vaults.Vaults.record``."""
    if not 1 <= batch_items <= 1_000:
        raise CosealError(f"batches of {batch_items} items", "expected 1 to 1000")
    given = read_events(events, source_id, sequence)
    vault, audiences = yield from _armed(session, secrets, name)
    source = f"{session.member}/{given.source_id}"
    record: Any = yield from session.value(source_key(source))
    if record is None:
        hint = "register it first: submit process.register_source with its process type and mode"
        raise Refused("unknown_source", f"{source} is no source of this chain", hint)
    definition: Any = yield from session.value(type_key(record["process_type"]))
    if not seals(definition):
        hint = "record them without a vault, or define a version of it with attributes of class sealed"
        raise CosealError(f"{record['process_type']} has no sealed attributes", hint)
    zone = record.get("zone_minutes")
    items = _read(given.fitted(definition), definition, zone)
    claims = yield from judging_claims(session, definition)
    if claims:
        items = [(_claiming(item, stated(claims, item, definition, source, zone)), cells) for item, cells in items]
    base: int = record["sequence"]
    known = 0 if given.sequence is None else base + 1 - given.sequence
    if known < 0 or known > len(items):
        raise Refused("sequence", f"{source} expects {base + 1}, and the first event is {given.sequence}")
    sizes = [_sized(item, cells, vault.pad, len(audiences)) for item, cells in items[known:]]
    done, first, report = [], base + 1, progress or (lambda recorded, total: None)
    report(known, len(items))
    for batch in _cut(sizes, batch_items):
        args = {"source": given.source_id, "sequence": first}
        committed = yield from _record(session, vault, audiences, name, source, args, batch)
        done.append(committed)
        first += len(batch)
        report(known + first - base - 1, len(items))
    return done


def _armed(session: Session, secrets: Secrets, name: str) -> Exchange[tuple[Vault, dict[tuple[str, int], bytes]]]:
    """Return the keys of a vault that is armed with them, and those of the newest version of its audiences."""
    kept = secrets.vault(name)
    found = yield from required_vault(session, session.member, name)
    if found.status != ARMED:
        hint = "its custodians accept their seats first, see `coseal list seats`"
        raise Refused("vault_not_armed", f"{name} is {found.status}", hint)
    ours = (kept.chain, kept.owner) == (session.genesis.chain_id, session.member)
    if not ours or dealing.commitments(kept.hash, kept.keys) != list(found.commitments):
        raise CosealError(f"{secrets.folder} has other keys than those of {name}", "use the folder that opened it")
    newest = {(audience, max(versions)): versions[max(versions)] for audience, versions in kept.audiences.items()}
    if len(newest) > sealed.AUDIENCES_MAX:
        raise CosealError(f"{name} has {len(newest)} audiences, at most {sealed.AUDIENCES_MAX}", "open another vault")
    return Vault(kept.hash, kept.keys, 1 << found.pad if found.pad else 0), newest


def _read(
    items: Sequence[dict[str, Any]], definition: Mapping[str, Any], zone: int | None
) -> list[tuple[dict[str, Any], Cells]]:
    """Return each item without a place for its sealed values, and these; raise unless all fit the process type."""
    schema, read = schema_of(in_the_clear(definition), zone), []
    for index, item in enumerate(items):
        if "corrects" in item:
            raise CosealError(
                f"events[{index}].corrects: a correction is not sealed", "submit process.record with commitments"
            )
        try:
            schema.read(item)
            read.append((item, _cells(item, definition)))
        except Unfit as error:
            raise CosealError(f"events[{index}]{error}") from None
    return read


def _claiming(item: dict[str, Any], said: list[list[Any]]) -> dict[str, Any]:
    """Return an item with what its owner states of claims, unless it says so itself."""
    return {**item, "claims": said} if said and "claims" not in item else item


def _cells(item: Mapping[str, Any], definition: Mapping[str, Any]) -> Cells:
    cells: Cells = {}
    for name, spec, value in attributes_of(item, definition):
        if spec["class"] == "sealed":
            named = cells.setdefault(spec.get("label", LABEL), {})
            if name in named:
                raise Unfit(f".attributes: two values of {name}, which is sealed; record each as an item")
            named[name] = value
    return cells


def _sized(item: dict[str, Any], cells: Cells, pad: int, audiences: int) -> _Item:
    """Return an item with bounds of its sizes; raise ``CosealError`` if it has no encoding."""
    try:
        size = len(codec.encode(item)) + _COMMITMENT_BYTES * sum(map(len, cells.values()))
        texts = [codec.encode([[name, bytes(32), value] for name, value in named.items()]) for named in cells.values()]
    except (LedgerError, TypeError, ValueError, OverflowError) as error:
        raise CosealError(f"an item has no encoding: {error}") from None
    each = _CELL_BYTES + (sealed.WRAP_BYTES + 2) * audiences
    return _Item(item, cells, size, sum(each + len(sealed.pad(text, pad)) for text in texts))


def _cut(items: Sequence[_Item], batch_items: int) -> Iterator[list[_Item]]:
    """Yield batches that fit a transaction and a sidecar (N40)."""
    batch: list[_Item] = []
    size = sidecar = cells = 0
    for item in items:
        size, sidecar, cells = size + item.bytes, sidecar + item.sidecar_bytes, cells + len(item.cells)
        fits = size <= _BATCH_BYTES and sidecar <= _SIDECAR_BYTES and cells <= sealed.LINES_MAX
        if batch and not (fits and len(batch) < batch_items):
            yield batch
            batch, size, sidecar, cells = [], item.bytes, item.sidecar_bytes, len(item.cells)
        batch.append(item)
    if batch:
        yield batch


def _record(
    session: Session,
    vault: Vault,
    audiences: Mapping[tuple[str, int], bytes],
    name: str,
    source: str,
    args: Mapping[str, Any],
    batch: Sequence[_Item],
) -> Exchange[Committed]:
    """Seal one batch and send it with its sidecar; raise ``Refused`` unless it is accepted."""
    first: int = args["sequence"]
    plain = {(first + at, label): named for at, one in enumerate(batch) for label, named in one.cells.items()}
    items = [one.item for one in batch]
    if not plain:
        committed = yield from session.commit(
            session.sign("process", "record", {**args, "items": items}), COMMIT_TIMEOUT_S
        )
        return committed.require_ok()
    made = seal_batch(vault, source, plain, audiences)
    commitments: dict[int, dict[str, str]] = {}
    for sequence, _, named in made.lines:
        commitments.setdefault(sequence, {}).update((key, value.hex()) for key, value in named)
    items = [_committing(item, commitments.get(first + at, {})) for at, item in enumerate(items)]
    said, raw = sealed.attached(made.sidecar)
    more = {"items": items, "sealed": {"vault": name, "sidecar": said, "cells": len(plain)}}
    committed = yield from session.commit(session.sign("process", "record", {**args, **more}), COMMIT_TIMEOUT_S, raw)
    return committed.require_ok()


def _committing(item: Mapping[str, Any], commitments: Mapping[str, str]) -> dict[str, Any]:
    """Return an item that has commitments in place of its sealed values."""
    if not commitments:
        return dict(item)
    had = item["attributes"]
    if isinstance(had, Mapping):
        return {**item, "attributes": {**had, **commitments}}
    return {**item, "attributes": [[name, at, commitments.get(name, value)] for name, at, value in had]}
