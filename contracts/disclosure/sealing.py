"""A batch whose sealed attributes come as cells beside it: its sidecar is live until the retention of its vault ends.

Law: a sidecar is registered in the transaction that records what it commits to, or not at all; what is due is erased
in the first block whose time reaches its end.

contracts/disclosure/README.md, V10, V11 and V23.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure import live, log, vaults
from coseal.contracts.disclosure.state import NAME, sidecar_key
from coseal.contracts.disclosure.vaults import ARMED, Vault, found, vault_of
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.kernel.contract import Moment, Observed
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.sidecars import named
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.process.cells import cells_of
from coseal.ledger.sealed import items_root

RECORD: Final = "process.record"
SEALED: Final = "sealed"
ERASE: Final = "erase"
"""The kind of due thing that ends the retention of a sidecar."""
WAIT_MS: Final = 90 * DAY_MS
"""How long at most a sidecar outlives its retention while requests for it are open."""


def observe(view: View, context: Context, observed: Observed) -> Result | Rejected:
    """Register the sidecar of a batch that says to be sealed, or refuse the batch."""
    if observed.name != RECORD or SEALED not in observed.args:
        return {}
    said, batch = observed.args[SEALED], observed.facts
    if not isinstance(batch, RecordedBatch):
        raise TypeError(f"{RECORD} says nothing of its batch")
    vault, sidecar = found(view, context.member, said["vault"]), named(said["sidecar"])
    if isinstance(vault, Rejected):
        return vault
    refusal = _closed(vault, context) or live.refusal(view, vault.owner, sidecar)
    if refusal is not None:
        return refusal
    view.charge(ITEM_STEPS * said["cells"])
    lines = cells_of(batch.items, batch.definition)
    if len(lines) != said["cells"]:  # V10
        return Rejected("wrong_cells", f"the batch has {len(lines)} cells, one an item and label, not {said['cells']}")
    root = items_root(lines)
    vault.sealed, vault.live = vault.sealed + 1, vault.live + 1
    erase_ms = context.time_ms + vault.retain_ms
    record = {"name": sidecar.name, "cells": len(lines), "source": batch.source, "items_root": root, "requests": []}
    record |= {"first": batch.items[0].sequence, "last": batch.items[-1].sequence}
    view.put(
        sidecar_key(vault.owner, vault.id, vault.sealed), {**record, "height": context.height, "erase_ms": erase_ms}
    )
    live.add(view, sidecar, vault.owner, vault.id, vault.sealed)
    vaults.write(view, vault)
    deadlines.add(view, NAME, BLOCK_CLOCK, erase_ms, [ERASE, vault.owner, vault.id, vault.sealed])
    shown = {"vault": vault.id, "number": vault.sealed, "sidecar": said["sidecar"]["name"], "cells": len(lines)}
    return {SEALED: {**shown, "items_root": root.hex(), "erase_ms": erase_ms}}


def _closed(vault: Vault, context: Context) -> Rejected | None:
    """Refuse what is sealed into a vault that takes nothing now."""
    if vault.status != ARMED:  # V10
        return Rejected("vault_not_armed", f"{vault.id} is {vault.status}; seal into one that its custodians accepted")
    if context.time_ms >= vault.ends_ms:
        return Rejected("vault_ended", f"{vault.id} takes no sealed data any more; open another vault")
    return None


def erase(view: View, moment: Moment, owner: str, name: str, number: int) -> Result:
    """Erase a sidecar whose retention ended."""
    record: Any = view.get(sidecar_key(owner, name, number))
    vault = vault_of(view, owner, name)
    if record is None or vault is None:
        return {}
    last_ms = record["erase_ms"] + WAIT_MS
    if record["requests"] and moment.time_ms < last_ms:  # V23
        deadlines.add(view, NAME, BLOCK_CLOCK, last_ms, [ERASE, owner, name, number])
        return {}
    live.remove(view, record["name"])
    view.delete(sidecar_key(owner, name, number))
    vault.live -= 1
    vaults.write(view, vault)
    sidecar: str = record["name"].hex()
    entry = log.extend(view, moment.height, owner, "erased", name, f"{number} {sidecar}")
    return {"erased": [[sidecar, owner, name, number]], log.LOG: [entry]}  # V11
