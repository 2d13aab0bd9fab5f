"""A custodian's side of a vault: its envelope opened, every key compared with the chain, then accepted or refused.

Law: the keys of a seat are on disk before it is accepted, because the envelopes are erased afterwards; a seat whose
keys are not those committed to is refused with the reason, and nothing is refused for what this side lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coseal.client.corrections import submitted
from coseal.client.exchange import Exchange
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.client.transactions import Committed
from coseal.contracts.disclosure.keys import CUSTODY
from coseal.contracts.disclosure.state import NAME, newest_key_key, vault_key
from coseal.contracts.disclosure.vaults import ARMED, DEALT, Vault, vault_of
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import sealed
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Envelope, Envelopes
from coseal.sealing import dealing
from coseal.sealing.secrets import SeatSecrets, Secrets

ACCEPT: Final = "accept_seat"
REFUSE: Final = "refuse_seat"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a custodian answered for its seat: ``refused`` is the reason, or empty; ``status`` is the vault's then."""

    owner: str
    vault: str
    seat: int
    refused: str
    status: str
    committed: Committed


class Proven:
    """State values that were proven, as the ledger's own functions read them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def get(self, key: str) -> Any:
        """Return a value, None if it is proven absent; ``KeyError`` for one that nobody asked for."""
        return self._values[key]


def vault_exchange(session: Session, owner: str, vault: str) -> Exchange[Vault | None]:
    """Return a vault, proven, or None."""
    value = yield from session.value(vault_key(owner, vault))
    return vault_of(Proven({vault_key(owner, vault): value}), owner, vault)


def required_vault(session: Session, owner: str, vault: str) -> Exchange[Vault]:
    """Return a vault, proven; raise ``BadAnswer`` if there is none."""
    found = yield from vault_exchange(session, owner, vault)
    if found is None:
        raise BadAnswer(f"{owner} has no vault {vault}", "`coseal list vaults` names those that there are")
    return found


def answer_seat(session: Session, secrets: Secrets, owner: str, name: str) -> Exchange[Answer]:
    """Accept the own seat at a vault if all its keys are those committed to, else refuse it with the reason.

    Raises ``CosealError``, and answers nothing, where this side lacks the key or no node gives the envelopes.
    """
    vault = yield from required_vault(session, owner, name)
    seat = vault.seat_of(session.member)
    if seat is None:
        raise BadAnswer(f"{session.member} has no seat at {owner}/{name}")
    if vault.seats[seat][1] != DEALT or vault.status not in (DEALT, ARMED):
        raise BadAnswer(
            f"{owner}/{name} is {vault.status}, the seat {vault.seats[seat][1]}: there is nothing to answer"
        )
    chain = session.genesis.chain_id
    about = sealed.vault_id(chain, owner, name)
    reason, keys = yield from _dealt(session, secrets, vault, about)
    reason = reason or dealing.fault_of(vault.custody, about, vault.commitments, seat, keys) or ""
    if not reason and not secrets.has_seat(owner, name):
        secrets.save_seat(SeatSecrets(chain, owner, name, seat, keys))
    return (yield from _answered(session, vault, seat, reason))


def _answered(session: Session, vault: Vault, seat: int, reason: str) -> Exchange[Answer]:
    args = {"owner": vault.owner, "vault": vault.id}
    action, more = (REFUSE, {"reason": reason}) if reason else (ACCEPT, {})
    committed = yield from submitted(session, NAME, action, {**args, **more}, COMMIT_TIMEOUT_S)
    status = str(committed.require_ok().data["status"])
    return Answer(vault.owner, vault.id, seat, reason, status, committed)


def _dealt(session: Session, secrets: Secrets, vault: Vault, about: bytes) -> Exchange[tuple[str, tuple[bytes, ...]]]:
    """Return why the envelope of the own seat has no keys, or empty and its keys."""
    if secrets.has_seat(vault.owner, vault.id):  # an earlier run saved them, and did not come to answer
        kept = secrets.seat(vault.owner, vault.id)
        if kept.chain == session.genesis.chain_id:
            return "", kept.keys
        raise CosealError(f"{secrets.folder} has keys of {vault.owner}/{vault.id} on another chain", "move them away")
    sidecar = yield from session.sidecar(vault.envelopes)
    if not isinstance(sidecar, Envelopes) or sidecar.about != about:
        return "The sidecar has no envelopes of this vault", ()
    own = [envelope for envelope in sidecar.envelopes if envelope.member == session.member]
    if len(own) != 1:
        return f"The sidecar has {len(own)} envelopes for {session.member}, expected one", ()
    return (yield from _opened(session, secrets, about, own[0]))


def _opened(
    session: Session, secrets: Secrets, about: bytes, envelope: Envelope
) -> Exchange[tuple[str, tuple[bytes, ...]]]:
    member, version = session.member, envelope.version
    newest: Any = yield from session.value(newest_key_key(member, CUSTODY))
    if not 1 <= version <= (newest or 0):
        return f"The envelope is for version {version} of a key of which {newest or 0} is the newest", ()
    key = secrets.sealing_keys(CUSTODY).get(version)
    if key is None:
        hint = "run this with the key of the operator who published it"
        raise CosealError(f"{secrets.folder} has no private key of version {version} for custody", hint)
    try:
        return "", dealing.opened(session.genesis.chain_id, about, member, envelope, key)
    except Malformed as error:
        return f"The envelope for {member} is wrong: {error.reason}", ()
