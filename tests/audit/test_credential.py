"""Credentials of certified projects: issued, presented, verified here and by the libraries of others, and spoilt."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from coseal.audit import sd_jwt
from coseal.audit.credential import DISCLOSABLE, STEP_NAMES
from coseal.audit.report import Verdict
from coseal.audit.verify import Verification, verify_bytes
from coseal.client import credentials
from coseal.client.credentials import Issuer, issue, present
from coseal.contracts.membership.state import operator_key
from coseal.errors import CosealError
from coseal.ledger.errors import Malformed
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import state_proof_json
from coseal.ledger.signing import Ed25519Signer
from tests.liar.lies import Answer, sampled
from tests.support.keys import signer
from tests.support.panelled import APPLICANT, Panelled, certificate_document

Document = dict[str, Any]
BODY, HOLDER = "regulator/admin", f"{APPLICANT}/admin"
URI = "https://regulator.example/status"
BOUND = (signer(HOLDER), "https://bank.example", "n-0S6_WzA2Mj")


def verify(scene: Panelled, document: Any) -> Verification:
    return verify_bytes(json.dumps(document).encode(), scene.chain.genesis)


def bad(scene: Panelled, document: Any) -> str:
    found = verify(scene, document)
    assert (found.verdict, found.facts) == (Verdict.BAD, {}), found.reason
    return found.reason


def key_proof(scene: Panelled, sender: str) -> Document:
    tip, raw = scene.chain.blocks[-1], operator_key(sender).encode()
    value = CertifiedValue(raw, *scene.chain.state.prove(raw), tip.block.header, tip.certificate)
    return json.loads(json.dumps(state_proof_json(value)))  # type: ignore[no-any-return]


def issued(scene: Panelled, body: str = BODY, holder: str = HOLDER, **more: Any) -> Document:
    certificate = certificate_document(scene)
    facts = verify(scene, certificate).facts
    issuer = Issuer(body, signer(body), key_proof(scene, body))
    numbers = iter(range(1, 100))
    return issue(
        issuer,
        key_proof(scene, holder),
        certificate,
        {**facts, **more},
        scene.chain.genesis,
        status_uri=URI,
        salt=lambda: next(numbers).to_bytes(16, "big"),
    )


@pytest.fixture(scope="module")
def scene() -> Panelled:
    found = Panelled().admitted().reviewed()
    found.decided("certified")
    return found


@pytest.fixture
def document(scene: Panelled) -> Document:
    return issued(scene)


def bound(document: Document, *names: str, at_s: int = 1_700_000_000, **more: Any) -> Document:
    return present(document, names, binding=(*BOUND, at_s), **more)


def test_a_credential_is_proven_with_the_certificate_beside_it(scene: Panelled, document: Document) -> None:
    found = verify(scene, document)
    assert (found.verdict, found.kind) == (Verdict.OK, "credential"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    facts = found.facts
    assert (facts["issuer"], facts["holder"], facts["certificate"]) == (BODY, HOLDER, "C1")
    assert (facts["proven"], tuple(facts["disclosed"])) == (True, DISCLOSABLE)
    assert "issuer" not in found.remaining
    json.dumps(found.to_json())


def test_without_the_certificate_it_is_its_issuers_word_and_says_so(scene: Panelled, document: Document) -> None:
    found = verify(scene, present(document, ["title", "score"], with_proof=False))
    assert found.ok, found.reason
    assert "its word alone" in found.reason
    assert (found.facts["proven"], found.remaining[-1]) == (False, "issuer")
    assert {"title", "score"} < set(found.facts["claims"])
    assert "applicant" not in json.dumps(dict(found.facts["claims"]))


def test_a_document_is_as_of_the_oldest_block_in_it(scene: Panelled, document: Document) -> None:
    old = scene.chain.blocks[-1].block.header.height
    scene.chain.submit("city/admin", "membership.set_profile", description="later")
    for newer in (("issuer", BODY), ("holder", HOLDER)):
        document[newer[0]] = key_proof(scene, newer[1])
        assert verify(scene, document).height == old
    document["certificate"] = certificate_document(scene)
    assert verify(scene, document).height == old + 1


def test_a_presentation_discloses_what_its_holder_chose_to_the_one_who_asked(
    scene: Panelled, document: Document
) -> None:
    found = verify(scene, bound(document, "score", "outcome", "score"))
    assert found.ok, found.reason
    assert found.facts["disclosed"] == ["outcome", "score"]
    assert (found.facts["audience"], found.facts["nonce"]) == BOUND[1:]
    with pytest.raises(CosealError, match="no claim reviewers"):
        present(document, ["reviewers"])
    with pytest.raises(CosealError, match="no claim title"):
        present(present(document, ["score"]), ["title"])
    with pytest.raises(CosealError, match="bound to another key"):
        present(document, [], binding=(signer("bank-a/admin"), "x", "y", 0))


def changed_claims(document: Document, by: str, **claims: Any) -> Document:
    """Return a credential that the operator ``by`` signed again with other claims."""
    head, *rest = document["credential"].split("~")
    header, payload, _ = head.split(".")
    said = json.loads(sd_jwt.decode(payload, "x")) | claims
    payload = sd_jwt.encode(json.dumps({name: value for name, value in said.items() if value is not None}).encode())
    again = f"{header}.{payload}.{sd_jwt.encode(signer(by).sign(f'{header}.{payload}'.encode()))}"
    return {**document, "credential": "~".join([again, *rest])}


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("exp", 4_000_000_000),
        ("sub", "urn:coseal:00:project:other"),
        ("iss", "urn:coseal:00:member:regulator"),
        ("vct", "urn:other"),
        ("nbf", None),
        ("more", "than the ledger says"),
    ],
)
def test_a_claim_that_the_ledger_does_not_prove_is_found(
    scene: Panelled, document: Document, claim: str, value: Any
) -> None:
    changed = changed_claims(document, BODY, **{claim: value})
    assert f"the ledger proves another {claim}" in bad(scene, changed)
    alone = {name: part for name, part in changed.items() if name != "certificate"}
    assert verify(scene, alone).ok  # it is the issuer's word


def test_an_issuer_that_says_more_than_the_ledger_is_found(scene: Panelled) -> None:
    assert "another title" in bad(scene, issued(scene, title="A better one"))
    assert "another score" in bad(scene, issued(scene, score="4 of 4"))


def test_who_is_no_body_of_the_scheme_issues_nothing(scene: Panelled) -> None:
    assert "bank-a is no body" in bad(scene, issued(scene, body="bank-a/admin"))


def test_who_is_no_operator_of_the_applicant_holds_nothing(scene: Panelled) -> None:
    assert f"no operator of {APPLICANT}" in bad(scene, issued(scene, holder="bank-b/admin"))


def test_signatures_keys_and_bindings_are_those_of_their_owners(scene: Panelled, document: Document) -> None:
    assert "not signed with the key" in bad(scene, changed_claims(document, "bank-a/admin"))
    other = key_proof(scene, "city/admin")
    assert "is shown in the place of" in bad(scene, {**document, "issuer": other})
    assert "bound to another key" in bad(scene, {**document, "holder": other})
    nobody = key_proof(scene, f"{APPLICANT}/nobody")
    assert "is no operator" in bad(scene, {**document, "holder": nobody})
    with pytest.raises(CosealError, match="no operator"):
        issued(scene, holder=f"{APPLICANT}/nobody")
    shown = bound(document, "score", "title")
    first, *disclosures, binding = shown["credential"].split("~")
    less = {**shown, "credential": "~".join([first, disclosures[0], binding])}
    assert "of other disclosures" in bad(scene, less)
    forged = Ed25519Signer(bytes(range(32))).sign(binding.rpartition(".")[0].encode())
    other_binding = f"{binding.rpartition('.')[0]}.{sd_jwt.encode(forged)}"
    lie = {**shown, "credential": "~".join([first, *disclosures, other_binding])}
    assert "the presentation is not signed" in bad(scene, lie)


def disclosures_of(text: str) -> list[str]:
    return text.split("~")[1:-1]


def test_what_has_two_readings_is_malformed(document: Document) -> None:
    text: str = document["credential"]
    head = text.partition("~")[0]
    one = disclosures_of(text)[0]
    invented = sd_jwt.encode(json.dumps(["salt", "more", 1]).encode())
    array = sd_jwt.encode(json.dumps(["salt", "more"]).encode())
    for wrong, why in (
        (head, "no SD-JWT"),
        (f"{head}~{one}~{one}~", "is there twice"),
        (f"{head}~{invented}~", "none of the credential's"),
        (f"{head}~{array}~", "a salt, a name and a value"),
        (f"{head}~{one}=~", "base64url"),
        (f"{head}~~", "disclosure"),
        (text + "x", "three parts"),
        (f"{text}{head}", "expected typ kb"),
        (text.replace(".", "", 1), "three parts"),
        ("~" * 100, "more than 64 disclosures"),
        ("~" * 70_000, "at most 65536"),
        (f"{head.rpartition('.')[0]}.{sd_jwt.encode(bytes(60))}~", "has 64 bytes"),
    ):
        with pytest.raises(Malformed, match=why):
            sd_jwt.read(wrong)


def test_both_names_of_the_algorithm_are_read_and_no_other(scene: Panelled, document: Document) -> None:
    def named(alg: str) -> Document:
        head, *rest = document["credential"].split("~")
        header, payload, _ = head.split(".")
        said = json.loads(sd_jwt.decode(header, "x")) | {"alg": alg}
        header = sd_jwt.encode(json.dumps(said).encode())
        signature = sd_jwt.encode(signer(BODY).sign(f"{header}.{payload}".encode()))
        return {**document, "credential": "~".join([f"{header}.{payload}.{signature}", *rest])}

    assert verify(scene, named("Ed25519")).ok
    assert "expected typ" in bad(scene, named("none"))


def test_lies_about_every_part_are_refused_or_change_nothing(scene: Panelled, document: Document) -> None:
    raw = json.dumps(bound(document, "score")).encode()
    true = verify_bytes(raw, scene.chain.genesis)
    count = 0
    for lie in sampled(Answer(raw), Random(3), 120, old=[], other=[]):
        found = verify_bytes(lie.content, scene.chain.genesis)
        assert not found.ok or found.facts == true.facts or found.facts["proven"] is False, str(lie)
        count += 1
    assert count == 120


# Others' implementations, where the extra `oracle` is installed


def jwk_of(sender: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": sd_jwt.encode(signer(sender).public_key)}


@pytest.fixture(scope="module")
def shown(scene: Panelled) -> str:
    document = issued(scene)
    issued_s = sd_jwt.read(document["credential"]).issued.claims["nbf"]
    text: str = bound(document, "score", "panel", at_s=issued_s + 60)["credential"]
    return text


def test_the_reference_implementation_reads_the_same(shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jwk = pytest.importorskip("jwcrypto.jwk", reason="pip install -e '.[oracle]'")
    refusal = pytest.importorskip("jwcrypto.jws").InvalidJWSSignature
    verifier = pytest.importorskip("sd_jwt.verifier", reason="pip install -e '.[oracle]'")

    monkeypatch.setattr(verifier, "DEFAULT_SIGNING_ALG", "EdDSA")  # the one that it takes for a key binding

    def key(issuer: str, header: Mapping[str, Any]) -> Any:
        assert issuer.endswith(":member:regulator")
        return jwk.JWK(**jwk_of(header["kid"]))

    claims = verifier.SDJWTVerifier(shown, key, BOUND[1], BOUND[2]).get_verified_payload()
    read = sd_jwt.read(shown)
    assert {name: claims[name] for name in read.disclosed} == dict(read.disclosed)
    assert set(claims) == {*read.issued.claims, *read.disclosed} - {"_sd", "_sd_alg"}
    with pytest.raises(refusal):
        verifier.SDJWTVerifier(shown, lambda *_: jwk.JWK(**jwk_of("city/admin")), BOUND[1], BOUND[2])


def test_a_wallets_library_verifies_it_and_its_status(scene: Panelled, shown: str) -> None:
    openvc = pytest.importorskip("openvc.proof.sd_jwt", reason="pip install -e '.[oracle]'")
    claims = sd_jwt.read(shown).issued.claims
    during = datetime.fromtimestamp(claims["nbf"] + 60, UTC)
    suite = openvc.SdJwtVcProofSuite()
    asked = {"audience": BOUND[1], "nonce": BOUND[2], "require_key_binding": True}
    found = suite.verify(
        shown,
        public_key_jwk=jwk_of(BODY),
        expected_vct="urn:coseal:certificate:1",
        now=during,
        check_temporal=False,
        **asked,
    )
    assert (found.key_bound, found.claims["score"]) == (True, sd_jwt.read(shown).disclosed["score"])
    with pytest.raises(pytest.importorskip("openvc.proof.errors").SignatureInvalid):
        suite.verify(shown, public_key_jwk=jwk_of("city/admin"), now=during, check_temporal=False, **asked)


def test_the_status_list_is_packed_as_a_wallets_library_reads_it() -> None:
    statuses = pytest.importorskip("openvc.status.token_status_list", reason="pip install -e '.[oracle]'")
    said = [0, 1, 2, 0, 1, 0, 2, 2, 1]
    lst = sd_jwt.encode(zlib.compress(credentials._packed(said), 9))
    raw = statuses.decode_status_list(lst)
    assert [statuses.get_status(raw, index, bits=credentials.BITS) for index in range(len(said))] == said


def test_the_document_is_not_changed_by_a_presentation(document: Document) -> None:
    before = deepcopy(document)
    bound(document, "score")
    assert document == before
