"""What the state says of this contract's sidecars: which are live, which acts change that, who may read one.

Law: an owner may read all of its vault; who holds a seat the envelopes of the keys, and cells; a reader of an audience
grants, and cells; who requested an opening what was released to it, and the cells of the scope once it is approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coseal.contracts.disclosure.audiences import is_reader
from coseal.contracts.disclosure.live import ENVELOPES, GRANT, RELEASE, live_of, newest_first
from coseal.contracts.disclosure.requests import may_open
from coseal.contracts.disclosure.sealing import RECORD, SEALED
from coseal.contracts.disclosure.vaults import vault_of
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.sidecars import Named, Sidecars

_ENVELOPES: Final = ("disclosure.open_vault", "disclosure.grant", "disclosure.release")


def _find(reader: Reader, name: bytes) -> Named | None:
    found = live_of(reader, name)
    return None if found is None else Named(name, found.size)


def _changed(act: str, data: Mapping[str, Any]) -> Iterable[bytes]:
    """Yield the names in what an act says: made live by what names a sidecar, erased by anything."""
    begun = [data["envelopes"]] if act in _ENVELOPES else []
    if act == RECORD and SEALED in data:
        begun.append(data[SEALED]["sidecar"])
    return map(bytes.fromhex, (*begun, *(erased[0] for erased in data.get("erased", ()))))


def _may_read(reader: Reader, name: bytes, member: str) -> bool:
    found = live_of(reader, name)
    if found is None:
        return False
    if found.number == RELEASE:
        return member in (found.owner, found.vault.partition("/")[0])
    vault = vault_of(reader, found.owner, found.vault)
    if vault is None:
        return False
    if member == vault.owner:
        return True
    holds = found.number != GRANT and vault.seat_of(member) is not None
    if holds or (found.number != ENVELOPES and is_reader(reader, vault, member)):
        return True
    return found.number > 0 and may_open(reader, vault, found.number, member)  # V21


SIDECARS: Final[Sidecars] = Sidecars(live=newest_first, find=_find, changed=_changed, may_read=_may_read)
