"""Credentials of certified projects: SD-JWT VCs that issuers sign, holders present, and wallets of others read.

Law: a key signs here, on its owner's machine; what a document has beside the credential was verified as its receiver
will. Nothing is sent to the chain.

RFC 9901, draft-ietf-oauth-sd-jwt-vc-19, draft-ietf-oauth-status-list.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.audit import certificate as certificates
from coseal.audit import sd_jwt
from coseal.audit.credential import DISCLOSABLE, KIND, claims_of
from coseal.audit.sd_jwt import BINDING_TYPE, CREDENTIAL_TYPE, HASH
from coseal.client.exchange import Exchange
from coseal.client.proven import proven_values
from coseal.client.session import Session
from coseal.contracts.certification.certificates import IN_FORCE, is_suspended
from coseal.contracts.certification.state import CERTIFICATES_KEY, certificate_key
from coseal.errors import CosealError
from coseal.ledger import codec
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import FIELD
from coseal.ledger.signing import Signer
from coseal.ledger.strict_json import json_text

SALT_BYTES: Final = 16
STATUS_TYPE: Final = "statuslist+jwt"
BITS: Final = 2
VALID, INVALID, SUSPENDED = 0, 1, 2
"""Statuses of draft-ietf-oauth-status-list, section 7.1."""
_AT_ONCE: Final = 100
MAX_STATUSES: Final = 100_000


class Issuer(NamedTuple):
    """Who signs: an operator as ``member/user``, the signer of its key, and the state-proof document of that key."""

    sender: str
    signer: Signer
    proof: Mapping[str, Any]


def issue(
    issuer: Issuer,
    holder: Mapping[str, Any],
    certificate: Mapping[str, Any],
    facts: Mapping[str, Any],
    genesis: Genesis,
    *,
    status_uri: str | None = None,
    salt: Callable[[], bytes] = lambda: secrets.token_bytes(SALT_BYTES),
) -> dict[str, Any]:
    """Return the document of a new credential with all disclosures, the ledger's proof beside it.

    ``holder``: the state-proof document of the operator's key that it is bound to. ``certificate`` and ``facts``: the
    document of the certificate, and what it proves. ``status_uri``: where the issuer publishes its status list.
    """
    shown = certificates.read(_bare(certificate))
    record = next(one.value for one in shown.values if one.key == certificate_key(shown.name).encode())
    found: Any = codec.decode(record or b"")
    disclosures = [_part([sd_jwt.encode(salt()), name, facts[name]]) for name in DISCLOSABLE]
    times = (found["from_ms"], found["until_ms"])
    claims = claims_of(genesis.chain_id, facts, times, record or b"", _key_in(holder), issuer.sender.partition("/")[0])
    claims |= {"iat": shown.header.time_ms // 1_000, "_sd_alg": HASH, "_sd": sorted(map(sd_jwt.digest_of, disclosures))}
    if status_uri is not None:
        claims["status"] = {"status_list": {"idx": index_of(shown.name), "uri": status_uri}}
    text = "~".join([_signed(CREDENTIAL_TYPE, claims, issuer.signer, kid=issuer.sender), *disclosures, ""])
    parts = {"issuer": issuer.proof, "holder": holder, "certificate": certificate}
    return _document(text, parts)


def present(
    document: Mapping[str, Any],
    names: Iterable[str],
    *,
    binding: tuple[Signer, str, str, int] | None = None,
    with_proof: bool = True,
) -> dict[str, Any]:
    """Return a credential's document that discloses the claims of these names and no others.

    ``binding``: the holder's signer, the audience, its nonce, and the time in seconds: the proof that who presents it
    has the key. ``with_proof``: keep the document of the certificate beside it, which shows all of the certificate.
    Raises ``CosealError`` for a name that is not there, or a key that is not the holder's.
    """
    text = document["credential"]
    read, wanted = sd_jwt.read(text), list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in read.disclosed]
    if unknown:
        known = ", ".join(read.disclosed) or "nothing"
        raise CosealError(f"the credential has no claim {unknown[0]}", f"it can disclose {known}")
    first, *rest = text.split("~")
    kept = [one for one in rest[:-1] if json.loads(sd_jwt.decode(one, "disclosure"))[1] in wanted]
    shown = "~".join([first, *kept, ""])
    if binding is not None:
        signer, audience, nonce, now_s = binding
        if read.issued.claims["cnf"]["jwk"]["x"] != sd_jwt.encode(signer.public_key):
            raise CosealError("the credential is bound to another key", "present it as its holder")
        claims = {"iat": now_s, "aud": audience, "nonce": nonce, "sd_hash": sd_jwt.digest_of(shown)}
        shown += _signed(BINDING_TYPE, claims, signer)
    left = ("issuer", "holder", "certificate") if with_proof else ("issuer", "holder")
    handovers = {FIELD: document[FIELD]} if FIELD in document else {}
    return {"coseal": KIND, "version": 1, "credential": shown, **{name: document[name] for name in left}, **handovers}


def status_list(session: Session, issuer: tuple[str, Signer], uri: str, min_height: int = 0) -> Exchange[str]:
    """Return a status list token of all certificates as of one block or a later one, signed; each is proven.

    The certificate ``C<n>`` has the index n - 1 and 2 bits: 0 valid, 1 invalid, 2 suspended.
    """
    seen = yield from proven_values(session, [CERTIFICATES_KEY], min_height)
    count = int(seen.get(CERTIFICATES_KEY) or 0)
    if count > MAX_STATUSES:
        raise CosealError(f"there are {count} certificates; a status list has {MAX_STATUSES} at most")
    statuses: list[int] = []
    time_ms = seen.time_ms
    for first in range(1, count + 1, _AT_ONCE):
        keys = [certificate_key(f"C{n}") for n in range(first, min(first + _AT_ONCE, count + 1))]
        seen = yield from proven_values(session, keys, seen.height)
        time_ms = seen.time_ms
        statuses += [_status(seen.get(key), time_ms) for key in keys]
    packed = {"bits": BITS, "lst": sd_jwt.encode(zlib.compress(_packed(statuses), 9))}
    claims = {"sub": uri, "iat": time_ms // 1_000, "status_list": packed}
    return _signed(STATUS_TYPE, claims, issuer[1], kid=issuer[0])


def index_of(certificate: str) -> int:
    """Return the index of a certificate such as ``C1`` in a status list."""
    return int(certificate.removeprefix("C")) - 1


def _status(record: Any, time_ms: int) -> int:
    if record["status"] not in IN_FORCE or record["until_ms"] <= time_ms:
        return INVALID
    return SUSPENDED if is_suspended(record, time_ms) else VALID


def _packed(statuses: Sequence[int]) -> bytes:
    """Return statuses of 2 bits, the first in the lowest bits of the first byte (section 4.1)."""
    raw = bytearray((len(statuses) * BITS + 7) // 8 or 1)
    for index, status in enumerate(statuses):
        raw[index * BITS // 8] |= status << (index * BITS % 8)
    return bytes(raw)


def _document(text: str, parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the document; the handovers of all parts, each from the genesis on, stand once."""
    longest: Sequence[Any] = max((part.get(FIELD, ()) for part in parts.values()), key=len)
    bare = {name: _bare(part) for name, part in parts.items()}
    found = {"coseal": KIND, "version": 1, "credential": text, **bare}
    return {**found, FIELD: list(longest)} if longest else found


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != FIELD}


def _key_in(proof: Mapping[str, Any]) -> bytes:
    """Return the key in the state-proof document of an operator; raise ``CosealError`` if there is none."""
    record = proof["value"]
    if record is None or record["key"] is None:
        raise CosealError(f"{proof['key']} is no operator's", "choose an operator of the applicant with --holder")
    return bytes.fromhex(record["key"])


def _signed(type_: str, claims: Mapping[str, Any], signer: Signer, **more: str) -> str:
    header = {"alg": sd_jwt.ALGORITHMS[0], "typ": type_, **more}
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{sd_jwt.encode(signer.sign(signed.encode()))}"


def _part(value: Any) -> str:
    return sd_jwt.encode(json_text(value).encode())
