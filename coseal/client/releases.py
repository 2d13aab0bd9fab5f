"""A custodian's side of an opening: the parts of its seat for an approved request, in an envelope for the requester.

Law: parts are derived of cells that the live sidecar has and the recorded scope names, and only by keys that are those
committed to; a request that is not approved gets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from coseal.client.custodian import Proven, required_vault
from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.client.transactions import Committed
from coseal.contracts.disclosure.requests import APPROVED, RELEASED, Request, request_of
from coseal.contracts.disclosure.state import NAME, request_key, sidecar_key
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import custody, sealed
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Cells
from coseal.sealing import dealing, releasing
from coseal.sealing.releasing import Scoped
from coseal.sealing.secrets import Secrets


def required_request(session: Session, by: str, name: str) -> Exchange[Request]:
    """Return a request for an opening, proven; raise ``BadAnswer`` if there is none."""
    value: Any = yield from session.value(request_key(by, name))
    found = request_of(Proven({request_key(by, name): value}), by, name)
    if found is None:
        raise BadAnswer(f"{by} has no request {name}", "`coseal list openings` names those that there are")
    return found


def hash_of(session: Session, request: Request) -> bytes:
    """Return what stands for a request in envelopes and releases (B1)."""
    return sealed.request_id(session.genesis.chain_id, [request.by, request.id])


def cells_of(
    session: Session, request: Request, number: int, sequences: Iterable[int], labels: Iterable[str]
) -> Exchange[tuple[dict[str, Any], Cells, list[Scoped]]]:
    """Return a sidecar of the scope: its record, proven, itself, and the cells of the scope that it has.

    Raises ``CosealError`` if it is erased, and for a sidecar that is not of the vault.
    """
    record: Any = yield from session.value(sidecar_key(request.owner, request.vault, number))
    if record is None:
        raise BadAnswer(f"the sidecar {number} of {request.owner}/{request.vault} is erased")
    sidecar = yield from session.sidecar(record["name"])
    vault = sealed.vault_id(session.genesis.chain_id, request.owner, request.vault)
    if not isinstance(sidecar, Cells) or sidecar.vault != vault:
        raise CosealError(f"the sidecar {number} has no cells of {request.owner}/{request.vault}")
    return record, sidecar, releasing.in_scope(sidecar, record["source"], set(sequences), set(labels))


def release(session: Session, secrets: Secrets, by: str, name: str) -> Exchange[Committed]:
    """Release the parts of the own seat; see ``coseal.client.openings.Openings.release``."""
    request = yield from required_request(session, by, name)
    if request.status not in (APPROVED, RELEASED):
        raise BadAnswer(f"{request.name} is {request.status}: seats release what is approved")
    vault = yield from required_vault(session, request.owner, request.vault)
    kept, about = secrets.seat(vault.owner, vault.id), hash_of(session, request)
    chain = session.genesis.chain_id
    place = sealed.vault_id(chain, vault.owner, vault.id)
    fault = dealing.fault_of(vault.custody, place, vault.commitments, kept.seat, kept.keys)
    if kept.chain != chain or vault.seat_of(session.member) != kept.seat or fault:
        raise CosealError(f"{secrets.folder} has other keys than those of this seat at {vault.owner}/{vault.id}")
    ids: list[bytes] = []
    for number, sequences, labels in request.scope:
        _, _, cells = yield from cells_of(session, request, number, sequences, labels)
        ids += [one.id for one in cells]
    given = releasing.release(chain, about, kept.seat, kept.keys, ids[: custody.RELEASED_MAX], session.signer)
    try:
        envelopes = releasing.enclose(chain, by, request.key, given)
    except Malformed as error:
        raise BadAnswer(error.reason, f"decline it: {by} sent bytes that are no key") from None
    args = {"by": by, "request": name}
    return (yield from session.commit_beside(NAME, "release", args, "envelopes", envelopes))
