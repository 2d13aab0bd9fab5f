"""A certificate as a credential for others' wallets: an SD-JWT VC, and beside it what the ledger itself proves.

Law: the keys of issuer and holder are those that the certified state has; with the certificate's own document beside
it, each claim is compared with what that proves. Without it, a credential is no more than its issuer's word.

docs/spec/audit.md, section Credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit import certificate as certificates
from coseal.audit import certified, sd_jwt
from coseal.audit.certified import Judged, block_text
from coseal.audit.sd_jwt import SdJwt
from coseal.audit.steps import Trace
from coseal.contracts.certification.proof import Ground
from coseal.contracts.certification.state import certificate_key
from coseal.contracts.membership.state import operator_key
from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import document_fields, state_proof_from_json
from coseal.ledger.state import value_hash_of

KIND: Final = "credential"
RULE: Final = "audit.md, Credential"
STEP_NAMES: Final = (
    *("form", "chain", "header", "validators", "certificate"),
    *("issuer", "credential", "holder"),
    *certificates.STEP_NAMES[5:],
    "claims",
)
VCT: Final = "urn:coseal:certificate:1"
"""The type of these credentials (draft-ietf-oauth-sd-jwt-vc-19, section 2.2.2.1)."""
DISCLOSABLE: Final = (
    *("applicant", "title", "scheme", "project_kind", "outcome"),
    *("criteria", "score", "failed", "panel", "argument"),
)
"""Facts of a certificate that its holder may disclose or not, each by itself."""
_NAMES: Final = frozenset({"coseal", "version", "credential", "issuer", "holder", "certificate"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a document shows; ``issuer`` and ``holder`` are what the state has of two operators."""

    credential: SdJwt
    issuer: CertifiedValue
    holder: CertifiedValue
    certificate: certificates.Shown | None


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields({"certificate": None, **codec.mapping(value, "document")}, KIND, _NAMES)
    certificate = fields["certificate"]
    return Shown(
        sd_jwt.read(codec.text(fields["credential"], f"{KIND}.credential", limit=sd_jwt.MAX_TEXT)),
        state_proof_from_json(fields["issuer"]),
        state_proof_from_json(fields["holder"]),
        None if certificate is None else certificates.read(certificate),
    )


def claims_of(
    chain_id: bytes, facts: Mapping[str, Any], valid: tuple[int, int], record: bytes, holder_key: bytes, issuer: str
) -> dict[str, Any]:
    """Return the claims in the open of a credential about a certificate.

    ``valid``: from and until, in ms; ``record``: the certificate's value in the state; ``issuer``: a member.
    """
    prefix = f"urn:coseal:{chain_id.hex()}"
    return {
        "iss": f"{prefix}:member:{issuer}",
        "sub": f"{prefix}:project:{facts['project']}",
        "vct": VCT,
        "nbf": valid[0] // 1_000,
        "exp": valid[1] // 1_000,
        "cnf": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": sd_jwt.encode(holder_key)}},
        "coseal": {
            "chain": chain_id.hex(),
            "certificate": facts["certificate"],
            "status": facts["status"],
            "key": certificate_key(facts["certificate"]),
            "record": value_hash_of(record).hex(),
        },
    }


def verify_credential(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    credential, issued = shown.credential, shown.credential.issued
    judged = certified.judge(shown.issuer.header, shown.issuer.certificate, handovers, genesis, trace)
    with trace.step("issuer", RULE) as seen:
        issuer = codec.text(issued.header.get("kid"), "credential.kid", limit=160)
        issuer_key = _key_of(shown.issuer, issuer)
        seen.values = {"issuer": issuer, "key": issuer_key.hex()}
        seen.detail = f"{issuer} has the key {issuer_key.hex()} after {block_text(shown.issuer.header)}"
    with trace.step("credential", RULE) as seen:
        issued.verify(issuer_key, "the credential")  # A34
        seen.values = {"type": issued.claims.get("vct"), "disclosed": list(credential.disclosed)}
        seen.detail = f"{issuer} signed it; disclosed: {', '.join(credential.disclosed) or 'nothing'}"
    with trace.step("holder", RULE) as seen:
        held = certified.judge(shown.holder.header, shown.holder.certificate, handovers, genesis, Trace())
        holder, binding = _holder(shown)
        judged = _older(judged, held)
        seen.values = {"holder": holder, **binding}
        seen.detail = f"{holder} holds it" + (f" and answered {binding['audience']}" if binding else "")
    facts: dict[str, Any] = {"issuer": issuer, "holder": holder, **binding}
    if shown.certificate is None:
        facts |= {"claims": {**_open(issued.claims), **credential.disclosed}, "proven": False}
        words = f"{issuer} signed a credential about {issued.claims.get('sub')}: its word alone"  # A38
        return f"{words}, without what the ledger proves, as of {block_text(judged.header)}", facts, judged
    judged = _older(
        judged, certified.judge(shown.certificate.header, shown.certificate.certificate, handovers, genesis, Trace())
    )
    ground, said = certificates.prove(shown.certificate, trace)
    with trace.step("claims", RULE) as seen:
        _require_claims(shown, shown.certificate, ground, said, genesis.chain_id)
        seen.values = {"claims": sorted(_open(issued.claims)), "disclosed": sorted(credential.disclosed)}
        seen.detail = "each claim is what the ledger proves"
    facts |= {**said, "disclosed": list(credential.disclosed), "proven": True}
    status = f"{said['certificate']}: {said['project']} of {said['applicant']} is {said['status']}"
    return f"{status} as of {block_text(judged.header)}; {issuer} signed the credential of {holder}", facts, judged


def _open(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims in the open, without what the form itself needs and where a status list is."""
    return {name: value for name, value in claims.items() if name not in ("_sd", "_sd_alg", "status", "iat")}


def _key_of(value: CertifiedValue, sender: str) -> bytes:
    """Return the key that an operator has; raise ``BadProof`` unless that is proven."""  # A35
    record = certified.value_of(value, operator_key(sender))
    if record is None or record["key"] is None:
        raise BadProof(f"{sender} is no operator")
    return bytes(record["key"])


def _older(one: Judged, other: Judged) -> Judged:
    """Return the older of two blocks: all that a document shows holds as of the oldest."""
    return other if other.header.height < one.header.height else one


def _holder(shown: Shown) -> tuple[str, dict[str, Any]]:
    """Return who holds it, and the audience and nonce that it was presented to, if it was."""
    value, binding = shown.holder, shown.credential.binding
    sender = value.key.decode("utf-8", "replace").removeprefix(operator_key(""))
    key = _key_of(value, sender)
    confirmed = {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": sd_jwt.encode(key)}}
    if shown.credential.issued.claims.get("cnf") != confirmed:
        raise BadProof(f"the credential is bound to another key than that of {sender}")
    if binding is None:
        return sender, {}
    binding.verify(key, "the presentation")  # A36
    if binding.claims.get("sd_hash") != sd_jwt.digest_of(shown.credential.shown):
        raise BadProof("the presentation is of other disclosures")
    said = {name: codec.text(binding.claims.get(name), f"presentation.{name}", limit=512) for name in ("aud", "nonce")}
    return sender, {"audience": said["aud"], "nonce": said["nonce"]}


def _require_claims(
    shown: Shown, certificate: certificates.Shown, ground: Ground, said: Mapping[str, Any], chain_id: bytes
) -> None:
    """Raise ``BadProof`` unless a body of the scheme issued it, and it claims what the ledger proves."""  # A37
    member = shown.credential.issued.header["kid"].partition("/")[0]
    user = shown.holder.key.decode("utf-8", "replace").rpartition("/")[0]
    if member not in ground.scheme["bodies"]:
        raise BadProof(f"{member} is no body of {said['scheme']}")
    if user != operator_key(said["applicant"]):
        raise BadProof(f"the holder is no operator of {said['applicant']}")
    record = next(one.value for one in certificate.values if one.key == certificate_key(ground.name).encode())
    times = (ground.certificate["from_ms"], ground.certificate["until_ms"])
    key = _key_of(shown.holder, shown.holder.key.decode().removeprefix(operator_key("")))
    wanted = claims_of(chain_id, said, times, record or b"", key, member)
    claimed = _open(shown.credential.issued.claims)
    other = sorted(name for name in {*wanted, *claimed} if wanted.get(name) != claimed.get(name))
    if other:
        raise BadProof(f"the ledger proves another {other[0]} than the credential claims; it may have changed since")
    for name, value in shown.credential.disclosed.items():
        if name not in DISCLOSABLE or value != said[name]:
            raise BadProof(f"the ledger proves another {name} than the credential discloses")
