"""How one set of validators hands over to the next, in a form that proves itself.

Law: a handover is believed only if the set before it certified its header; the set it brings is that of the header's
hash, whoever showed it.

Only the headers that announce a change are needed to go from the genesis to any later epoch: docs/spec/audit.md,
section Epochs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.ledger import codec, signing
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate, decode_certificate
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.proof import verify_certified
from coseal.ledger.render import certified_header_from_json, certified_header_json, raw_bytes, raw_text
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet

FIELD: Final = "handovers"
"""The field of a document that holds the handovers up to its epoch."""
MAX_HANDOVERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Handover:
    """The last header of an epoch with its commit certificate, and the ``validators`` of the next epoch."""

    header: Header
    certificate: Certificate
    validators: ValidatorSet

    @property
    def epoch(self) -> int:
        """The epoch that begins with the height after the header's."""
        return self.validators.epoch

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(
            ["handover", 1, self.header.raw, self.certificate.encode(), self.validators.encode()],
        )

    @staticmethod
    def decode(data: bytes) -> Handover:
        """Parse a handover; raise ``Malformed``. Proves nothing until ``verify``."""
        header, certificate, validators = codec.decode_record(data, "handover", 1, 3)
        return Handover(
            Header.decode(codec.octets(header, "header", limit=4096)),
            decode_certificate(codec.octets(certificate, "certificate")),
            ValidatorSet.decode(codec.octets(validators, "validators")),
        )

    def verify(self, chain_id: bytes, before: ValidatorSet, verify: Verify = signing.verify) -> None:
        """Raise a ``LedgerError`` unless the set ``before`` certified the header and it announces ``validators``."""
        verify_certified(self.header, self.certificate, chain_id, before, verify)
        require_announced(self.header, self.validators)


def require_announced(header: Header, validators: ValidatorSet) -> None:
    """Raise ``BadProof`` unless ``validators`` are those that ``header`` announces for the next epoch."""
    if header.next_validators_hash == header.validators_hash:
        raise BadProof(f"block {header.height} announces no change of validators")
    if validators.epoch != header.epoch + 1 or validators.hash != header.next_validators_hash:
        raise BadProof(f"block {header.height} announces other validators than those shown")


def handover_json(handover: Handover) -> dict[str, Any]:
    """Return a handover as JSON: ``{"header": certified-header, "validators": base64}``."""
    return {
        "header": certified_header_json(handover.header, handover.certificate),
        "validators": raw_text(handover.validators.encode()),
    }


def handover_from_json(value: Any) -> Handover:
    """Read a handover; raise ``Malformed``."""
    fields = codec.fields(value, "handover", ("header", "validators"))
    header, certificate = certified_header_from_json(fields.get("header"))
    validators = ValidatorSet.decode(raw_bytes(fields.get("validators"), "handover.validators"))
    return Handover(header, certificate, validators)


def with_handovers(document: Mapping[str, Any], handovers: Iterable[Handover]) -> dict[str, Any]:
    """Return ``document`` with what leads from the genesis to its epoch; unchanged if there is nothing to add."""
    rows = [handover_json(handover) for handover in handovers]
    return {**document, FIELD: rows} if rows else dict(document)


def split_handovers(document: Any) -> tuple[Any, tuple[Handover, ...]]:
    """Return a document without its handovers, and these; raise ``Malformed`` for handovers that are none."""
    if type(document) is not dict or FIELD not in document:
        return document, ()
    rest = {name: value for name, value in document.items() if name != FIELD}
    rows = codec.sequence(document[FIELD], FIELD, limit=MAX_HANDOVERS)
    if not rows:
        raise Malformed(f"{FIELD}: empty; leave it out")
    return rest, tuple(handover_from_json(row) for row in rows)
