"""Vaults from a member's side: keys for envelopes, a vault dealt to its custodians, audiences and their grants.

Law: a secret is on disk before anything that depends on it is sent, so a step that was interrupted is repeated with
the same keys. Who gets an envelope follows from proven state alone. One class for both clients: its methods return
what a blocking client does, or an awaitable of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final, Generic, TypeVar

from coseal.client.corrections import submitted
from coseal.client.custodian import Proven, answer_seat, required_vault, vault_exchange
from coseal.client.exchange import Exchange
from coseal.client.recording import Progress
from coseal.client.sealed_values import read_sealed, revealed
from coseal.client.sealing import BATCH_ITEMS, record_sealed
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.client.transactions import Committed
from coseal.contracts.disclosure.dealing import sitting
from coseal.contracts.disclosure.keys import CUSTODY, READER
from coseal.contracts.disclosure.state import (
    NAME,
    audience_key,
    newest_key_key,
    plan_key,
    sealing_key_key,
    vault_key,
)
from coseal.contracts.disclosure.vaults import vault_of
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.membership.state import member_key
from coseal.errors import BadAnswer, CosealError, Refused
from coseal.ledger import codec, custody, sealed
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Envelopes
from coseal.sealing import dealing
from coseal.sealing.dealing import Receiver
from coseal.sealing.envelopes import SealingKey
from coseal.sealing.secrets import Secrets, VaultSecrets

Acted = TypeVar("Acted")
Answered = TypeVar("Answered")
DAY_MS: Final = 86_400_000
DAYS: Final = 365
"""How long a vault takes sealed data unless it is said."""


class Vaults(Generic[Acted, Answered]):
    """``client.vaults(secrets)``. Writing returns a ``Committed``, whose refusal is in its receipt (``require_ok``)."""

    def __init__(self, session: Session, run: Callable[[Exchange[Any]], Any], secrets: Secrets | Path | str) -> None:
        self._session, self._run = session, run
        self.secrets = secrets if isinstance(secrets, Secrets) else Secrets(Path(secrets))

    def set_sealing_key(self, use: str) -> Acted:
        """Publish a new key of use ``reader`` or ``custody``; the private one is kept before."""
        acted: Acted = self._run(_set_sealing_key(self._session, self.secrets, use))
        return acted

    def open_vault(
        self,
        vault: str,
        plan: str,
        retention: str,
        *,
        ends_ms: int | None = None,
        pad: int = 0,
        again: str | None = None,
    ) -> Acted:
        """Deal the keys of a new vault to the seats of a plan; ``pad`` is 0 to 16, a cell takes 2^pad bytes at least.

        ``again`` names a refused vault that this one replaces. Raises ``Refused`` as the chain would: ``no_plan``,
        ``no_key``, ``no_custodian``, ``exists``.
        """
        until = time.time_ns() // 1_000_000 + DAYS * DAY_MS if ends_ms is None else ends_ms
        more = {"retention": retention, "ends_ms": until, "pad": pad, **({} if again is None else {"again": again})}
        acted: Acted = self._run(_open_vault(self._session, self.secrets, vault, plan, more))
        return acted

    def close_vault(self, vault: str) -> Acted:
        """Close a vault of the own member, after its last sidecar was erased."""
        return self._submit("close_vault", {"vault": vault})

    def define_audience(self, vault: str, audience: str, members: Sequence[str]) -> Acted:
        """Say who reads what is sealed into a vault from now on; the key of the new version is drawn and kept."""
        acted: Acted = self._run(_define(self._session, self.secrets, vault, audience, members))
        return acted

    def grant(self, vault: str, audience: str, *, version: int | None = None, to: Sequence[str] | None = None) -> Acted:
        """Give readers the key of a version of an audience: all of them that of the newest, unless given."""
        acted: Acted = self._run(_grant(self._session, self.secrets, vault, audience, version, to))
        return acted

    def accept_seat(self, owner: str, vault: str) -> Answered:
        """Compare every key of the own seat with the chain, and accept it; or refuse it with the reason.

        Raises ``CosealError`` where the keys cannot be compared here, and answers nothing then.
        """
        answered: Answered = self._run(answer_seat(self._session, self.secrets, owner, vault))
        return answered

    def record(
        self,
        vault: str,
        events: Iterable[Mapping[str, Any]],
        *,
        source: str | None = None,
        sequence: int | None = None,
        batch_items: int = BATCH_ITEMS,
        progress: Progress | None = None,
    ) -> Any:
        """Record events whose sealed attributes are given in the clear; return what was committed, a batch each.

        Each batch goes with its cells, encrypted to an armed vault and the newest version of its audiences. With the
        ``sequence`` of the first event, those that the source holds already are passed over, not compared: salts are
        drawn again. Raises ``Refused`` as the chain would, ``CosealError`` where an event does not fit.
        """
        exchange = record_sealed(self._session, self.secrets, vault, events, source, sequence, batch_items, progress)
        return self._run(exchange)

    def read(self, process_type: str, object_type: str, object_id: str) -> Any:
        """Return all items of an object, proven to be all, with the sealed values that this member can read.

        An ``OpenedHistory``. Each value was compared with the commitment of its item; of what is not read the reason is
        said. The owner reads with the keys of its vault, others with those of audiences, which are kept once received.
        Raises ``Refused`` for an unknown object, ``CosealError`` where the owner's keys are not in this folder.
        """
        return self._run(read_sealed(self._session, self.secrets, (process_type, object_type, object_id)))

    def reveal(
        self,
        process_type: str,
        object_type: str,
        object_id: str,
        names: Sequence[str],
        *,
        item: tuple[str, int] | None = None,
    ) -> Any:
        """Return the document ``reveal``: these sealed attributes of an object, which ``coseal verify`` checks alone.

        ``item`` is one item by source (``member/source``) and sequence; by default every item that has the attribute.
        The document has all items of the object, and of sealed values only those asked for. Raises as ``read``, and
        ``CosealError`` where one of the values cannot be read here.
        """
        place = (process_type, object_type, object_id)
        return self._run(revealed(self._session, self.secrets, place, names, item))

    def _submit(self, action: str, args: Mapping[str, Any]) -> Acted:
        acted: Acted = self._run(submitted(self._session, NAME, action, args, COMMIT_TIMEOUT_S))
        return acted


def _set_sealing_key(session: Session, secrets: Secrets, use: str) -> Exchange[Committed]:
    kept = secrets.sealing_keys(use)
    version = ((yield from session.value(newest_key_key(session.member, use))) or 0) + 1
    key = kept.get(version)  # kept by a run that did not come to publish it
    if key is None:
        key = SealingKey.generate()
        secrets.save_sealing_key(use, version, key)
    args = {"use": use, "key": key.public.hex()}
    committed = yield from submitted(session, NAME, "set_sealing_key", args, COMMIT_TIMEOUT_S)
    if committed.ok and committed.data["version"] != version:  # another operator published one meanwhile
        secrets.save_sealing_key(use, committed.data["version"], key)
    return committed


def _open_vault(
    session: Session, secrets: Secrets, name: str, plan: str, more: Mapping[str, Any]
) -> Exchange[Committed]:
    chain, owner = session.genesis.chain_id, session.member
    if (yield from vault_exchange(session, owner, name)) is not None:
        raise Refused("exists", f"{owner} has a vault {name}", "choose another id")
    record = yield from session.value(plan_key(plan))
    if record is None:
        raise Refused("no_plan", f"there is no plan {plan}", "a ballot decides one: `coseal governance propose`")
    members = yield from _seats(session, plan, record, more.get("again"))
    seats = yield from receivers(session, members, CUSTODY)
    shape = custody.Plan(len(seats), record["threshold"])
    kept = _kept_keys(secrets, VaultSecrets(chain, owner, name, plan, dealing.new_keys(shape)))
    envelopes = _sealed(lambda: dealing.deal(chain, kept.hash, shape, kept.keys, seats))
    commitments = [each.hex() for each in dealing.commitments(kept.hash, kept.keys)]
    args = {"vault": name, "plan": plan, "commitments": commitments, **more}
    committed = yield from session.commit_beside(NAME, "open_vault", args, "envelopes", envelopes)
    if committed.ok and [member for member, _ in committed.data["seats"]] != members:
        hint = f"its custodians will refuse; then open another one with again={name}"
        raise BadAnswer(f"other members sit at {name} than its keys were dealt to a moment before", hint)
    return committed


def _kept_keys(secrets: Secrets, fresh: VaultSecrets) -> VaultSecrets:
    """Return the keys that an interrupted run kept for this vault, else the fresh ones, kept now."""
    if not secrets.has_vault(fresh.id):
        secrets.save_vault(fresh)
        return fresh
    kept = secrets.vault(fresh.id)
    same = (kept.chain, kept.owner, kept.plan, len(kept.keys)) == (
        *(fresh.chain, fresh.owner, fresh.plan),
        len(fresh.keys),
    )
    if not same:
        raise CosealError(f"{secrets.folder} has keys of another vault {fresh.id}", "choose another id")
    return kept


def _seats(session: Session, plan: str, record: Mapping[str, Any], again: str | None) -> Exchange[list[str]]:
    """Return who will sit at a vault that is opened now, as the contract says it (V3, V6)."""
    owner, names = session.member, [*record["seats"], *record["substitutes"]]
    keys = [member_key(name) for name in names] + ([] if again is None else [vault_key(owner, again)])
    found = yield from session.values(keys)
    values = [None if one.value is None else codec.decode(one.value) for one in found]
    reader = Proven(dict(zip(keys, values, strict=True)))
    before = None if again is None else vault_of(reader, owner, again)
    seated = sitting(reader, owner, record, before)
    if isinstance(seated, Rejected):
        raise Refused(seated.code, seated.detail)
    return seated


def receivers(session: Session, members: Sequence[str], use: str) -> Exchange[list[Receiver]]:
    """Return the newest key of each member, proven; raise ``Refused`` (``no_key``) naming those who have none."""
    newest = yield from session.values([newest_key_key(member, use) for member in members])
    versions = [0 if one.value is None else int(codec.decode(one.value)) for one in newest]  # type: ignore[arg-type]
    lacking = [member for member, version in zip(members, versions, strict=True) if not version]
    if lacking:
        hint = f"each publishes one: `coseal disclosure key set --use {use} --as MEMBER`"
        raise Refused("no_key", f"no key for {use} of {', '.join(lacking)}", hint)
    pairs = list(zip(members, versions, strict=True))
    records = yield from session.values([sealing_key_key(member, use, version) for member, version in pairs])
    return [
        Receiver(member, version, codec.decode(one.value)["key"])  # type: ignore[arg-type, index, call-overload]
        for (member, version), one in zip(pairs, records, strict=True)
    ]


def _define(
    session: Session, secrets: Secrets, vault: str, audience: str, members: Sequence[str]
) -> Exchange[Committed]:
    secrets.vault(vault)  # so that its keys can be kept here
    args = {"vault": vault, "audience": audience, "members": list(members)}
    committed = yield from submitted(session, NAME, "define_audience", args, COMMIT_TIMEOUT_S)
    if committed.ok:
        _audience_key(secrets, vault, audience, committed.data["version"])
    return committed


def _audience_key(secrets: Secrets, vault: str, audience: str, version: int) -> bytes:
    """Return the key of a version of an audience; a new one is kept first."""
    kept = secrets.vault(vault).audiences.get(audience, {}).get(version)
    if kept is None:
        kept = token_bytes(custody.KEY_BYTES)
        secrets.add_audience_key(vault, audience, version, kept)
    return kept


def _grant(
    session: Session, secrets: Secrets, vault: str, audience: str, version: int | None, to: Sequence[str] | None
) -> Exchange[Committed]:
    chain, owner = session.genesis.chain_id, session.member
    yield from required_vault(session, owner, vault)
    record = yield from session.value(audience_key(owner, vault, audience))
    if record is None:
        raise Refused("unknown_audience", f"{vault} has no audience {audience}", "define it first")
    chosen = record["version"] if version is None else version
    if not 1 <= chosen <= record["version"]:
        raise Refused("unknown_audience", f"the newest version of {audience} is {record['version']}")
    readers = list(record["members"]) if to is None else list(to)
    sealing = yield from receivers(session, readers, READER)
    key = _audience_key(secrets, vault, audience, chosen)
    about = sealed.audience_id(secrets.vault(vault).hash, audience, chosen)
    envelopes = _sealed(lambda: dealing.grant(chain, about, key, sealing))
    args = {"vault": vault, "audience": audience, "version": chosen, "to": readers}
    return (yield from session.commit_beside(NAME, "grant", args, "envelopes", envelopes))


def _sealed(make: Callable[[], Envelopes]) -> Envelopes:
    try:
        return make()
    except Malformed as error:
        raise BadAnswer(
            error.reason, "its member publishes another key; any bytes of the right size are taken"
        ) from None
