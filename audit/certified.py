"""The steps that every document shares: what it is, of which chain, and that a quorum of the right validators signed.

Law: each step calls the one function that decides it; what it notes beside is for who reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from coseal.audit.epochs import Epochs
from coseal.audit.steps import Trace
from coseal.ledger import codec, merkle, signing
from coseal.ledger.block import Header
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadCertificate, BadProof, LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, split_handovers
from coseal.ledger.proof import CertifiedValue, verify_certified
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged:
    """A header that the validators of its epoch certified."""

    header: Header
    certificate: Certificate
    validators: ValidatorSet


def read(document: Any, trace: Trace, reader: Callable[[Any], T]) -> tuple[T, tuple[Handover, ...]]:
    """Return what ``reader`` makes of a document, and its handovers: that it shows what its raw form holds."""
    with trace.step("form", "encoding.md N1, N4") as seen:
        rest, handovers = split_handovers(document)
        found = reader(codec.mapping(rest, "document"))
        seen.values = {"kind": rest["coseal"], "version": rest["version"], "handovers": len(handovers)}
        seen.detail = "every field shows what the raw form holds"
    return found, handovers


def judge(
    header: Header, certificate: Certificate, handovers: Sequence[Handover], genesis: Genesis, trace: Trace
) -> Judged:
    """Take the steps from the genesis to a certified header."""
    with trace.step("chain", "encoding.md N2, Q3") as seen:
        seen.values = {"chain_id": header.chain_id.hex(), "genesis": genesis.chain_id.hex()}
        if header.chain_id != genesis.chain_id:
            raise BadCertificate("the header is of another chain")
        seen.detail = f"the header names chain {header.chain_id.hex()}, that of the genesis"
    with trace.step("header", "encoding.md D4, Q3") as seen:
        seen.values = {
            "height": header.height,
            "header_hash": header.hash.hex(),
            "certified_hash": certified_hash(header, certificate).hex(),
        }
        if not certificate.is_of(header):
            raise BadCertificate("the certificate is of another block")
        seen.detail = f"the certificate is of this header, {header.hash.hex()}"
    with trace.step("validators", "audit.md A11") as seen:
        seen.values = {"epoch": header.epoch, "handovers": len(handovers), "genesis_epoch": genesis.validators.epoch}
        epochs = Epochs(genesis)
        epochs.take_all(handovers)
        validators = epochs.of(header, certificate)
        seen.values |= {"quorum": f"{validators.quorum} / {validators.n}", "validators_hash": validators.hash.hex()}
        seen.detail = f"the genesis leads to the {validators.n} validators of epoch {validators.epoch}"
    with trace.step("certificate", "encoding.md Q1 to Q3, E1, D2") as seen:
        verdicts: list[dict[str, Any]] = []
        names = {seat.key: seat for seat in validators.validators}
        seen.values = {"round": certificate.round, "quorum": validators.quorum, "signatures": verdicts}

        def noting(key: bytes, message: bytes, signature: bytes) -> bool:
            holds = signing.verify(key, message, signature)
            verdicts.append({"validator": names[key].id, "member": names[key].member, "holds": holds})
            return holds

        verify_certified(header, certificate, genesis.chain_id, validators, noting)
        seen.detail = f"{len(verdicts)} of {validators.n} validators signed it, {validators.quorum} are a quorum"
    return Judged(header, certificate, validators)


def certified_hash(header: Header, certificate: Certificate) -> bytes:
    """Return what the certificate's signers voted for: our block's hash, or that of the CometBFT block around it."""
    if isinstance(certificate, PbftCertificate):
        return certificate.block_hash
    return certificate.block_hash(header)


def block_text(header: Header) -> str:
    """Return which block a header is of, and its time, in words."""
    return f"block {header.height} ({time_text(header.time_ms)})"


def path(leaf: bytes, index: int, size: int, siblings: Sequence[bytes], root: bytes) -> dict[str, Any]:
    """Return the values of a Merkle path: where it begins, the siblings, where it leads and where it should."""
    values: dict[str, Any] = {
        "leaf": merkle.leaf_hash(leaf).hex(),
        "index": index,
        "leaves": size,
        "siblings": [sibling.hex() for sibling in siblings],
        "root": root.hex(),
    }
    with suppress(LedgerError):
        values["leads_to"] = merkle.root_reached(leaf, index, size, siblings).hex()
    return values


def signed(raw: bytes) -> dict[str, Any]:
    """Return the values of a transaction's signature; none if it is no transaction."""
    try:
        transaction = Transaction.decode(raw)
    except LedgerError:
        return {}
    return {
        "transaction": transaction.id.hex(),
        "sender": transaction.sender,
        "public_key": transaction.public_key.hex(),
        "signature": transaction.signature.hex(),
    }


def value_of(value: CertifiedValue, key: str) -> Any:
    """Return the decoded value of a key, None if it is absent; raise ``BadProof`` unless that is proven."""
    if value.key != key.encode():
        raise BadProof(f"{value.key.decode('utf-8', 'backslashreplace')} is shown in the place of {key}")
    value.proof.verify(value.key, value.value, value.header.state_root)
    return None if value.value is None else codec.decode(value.value)


def state_path(value: CertifiedValue, trace: Trace) -> None:
    """Take the step from a key and its value to the state root of a certified header."""
    with trace.step("state path", "encoding.md S1 to S5") as seen:
        seen.values = {
            "key": value.key.decode("utf-8", "backslashreplace"),
            "present": value.value is not None,
            "bucket_keys": len(value.proof.entries),
            "levels": len(value.proof.siblings),
            "state_root": value.header.state_root.hex(),
        }
        value.proof.verify(value.key, value.value, value.header.state_root)
        held = "holds this value" if value.value is not None else "lacks the key"
        seen.detail = f"the bucket {held}, and the siblings lead to the header's state_root"


class Proven:
    """The state as far as a document shows it; whatever is read is proven first."""

    def __init__(self, values: Sequence[CertifiedValue]) -> None:
        """Raise ``BadProof`` for a value that is shown twice."""
        self._shown = {value.key.decode("utf-8", "backslashreplace"): value for value in values}
        self._left = dict.fromkeys(self._shown)
        if len(self._shown) < len(values):
            raise BadProof("a value is shown twice")

    def get(self, key: str) -> Any:
        """Return the value of a key; raise ``BadProof`` unless it is shown and proven."""
        value = self._shown.get(key)
        if value is None:  # A28
            raise BadProof(f"{key} is neither shown nor proven absent")
        self._left.pop(key, None)
        return value_of(value, key)

    def require_no_more(self, whole: str) -> None:
        """Raise ``BadProof`` if more is shown than was read, which is ``whole``."""
        if self._left:
            raise BadProof(f"{min(self._left)} is no part of {whole}")
