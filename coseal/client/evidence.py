"""Evidence against a validator as a member sees it: read from the certified state, and each proof verified here.

Law: nothing is shown that was not proven; that there is none is proven as well.
"""

from __future__ import annotations

from typing import Any

from coseal.client.blocking import Client
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.evidence.state import places_key, proof_key
from coseal.errors import BadAnswer
from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.render import time_text


def against(client: Client, validator: str) -> dict[str, Any]:
    """Return ``validator``, ``height`` (of the state) and ``proofs``, each as ``contracts.evidence.proofs`` gives it.

    Raises ``BadAnswer`` for a proof that does not verify, which no honest quorum certifies.
    """
    certified = client.state(places_key(validator))
    places: Any = [] if certified.value is None else codec.decode(certified.value)
    proofs = [_proof(client, validator, *place) for _, *place in places]
    return {"height": certified.header.height, "validator": validator, "proofs": proofs}


def _proof(client: Client, validator: str, height: int, round: int, phase: str) -> dict[str, Any]:
    record = client.value(proof_key(validator, height, round, phase))
    if record is None:
        raise BadAnswer(f"the state names a proof against {validator} and does not hold it")
    place = {"validator": validator, "height": height, "round": round, "phase": phase}
    shown = evidence.shown(place, record)
    try:
        evidence.proof_of(shown).verify(client.genesis.chain_id, record["key"])
    except LedgerError as error:
        raise BadAnswer(f"the proof of height {height} against {validator} does not hold: {error.reason}") from None
    return {**shown, "reported": time_text(record["reported_ms"])}
