"""Evidence on the chain: what is proven is on record once, and what proves nothing is refused (attack row V2)."""

from __future__ import annotations

import json

import pytest

from coseal.contracts.evidence import actions as evidence
from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import new_state
from coseal.ledger import codec
from coseal.ledger.block import Receipt
from coseal.ledger.certificate import ROUND_MAX, Phase, vote_preimage
from coseal.ledger.comet import VoteKind
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.ledger.signing import key_preimage
from tests.support.comet import voted_twice

ONE, OTHER, THIRD = "11" * 32, "22" * 32, "33" * 32


@pytest.fixture
def report(chain, signer_of):
    """Make the arguments of a report; each field can be made another, and each half signed for another place."""

    def make(validator="bank-a", height=1, round=0, phase="prepare", hashes=(ONE, OTHER), epoch=0, **changed):
        def half(digest, chain_id=None, epoch=epoch, **place):
            at = {"height": height, "round": round, "phase": phase, **place}
            signed = vote_preimage(
                chain_id or chain.genesis.chain_id,
                epoch,
                at["height"],
                at["round"],
                evidence.PHASES[at["phase"]],
                bytes.fromhex(digest),
            )
            key = signer_of(changed.get("signer", f"node {validator}"))
            return {"hash": digest, "signature": key.sign(signed).hex()}

        first, second = half(hashes[0]), half(hashes[1], **changed.get("second", {}))
        args = {"validator": validator, "height": height, "round": round, "phase": phase}
        return {**args, "first": first, "second": second}

    return make


@pytest.mark.parametrize("phase", evidence.PHASES)
@pytest.mark.parametrize("sender", ["node:regulator", "node:bank-a", "public-a/admin"])
def test_a_proof_of_any_phase_by_a_node_or_an_operator_is_recorded(chain, report, phase, sender):
    receipt = chain.submit(sender, "evidence.report", **report(phase=phase))
    place = {"epoch": 0, "height": 1, "round": 0, "phase": phase}
    assert receipt.ok, receipt
    assert receipt.data == {"validator": "bank-a", "member": "bank-a", **place, "proofs": 1}
    (shown,) = evidence.proofs(chain.executor.reader, "bank-a")
    assert {name: shown[name] for name in place} == place
    assert (shown["reporter"], shown["reported_height"], shown["reported_ms"]) == (sender, 1, chain.executor.time_ms)
    assert json.loads(json.dumps(shown)) == shown
    assert evidence.counts(chain.executor.reader) == {"bank-a": 1}
    assert chain.executor.validators.index("bank-a") is not None  # nobody is removed by evidence


def test_what_is_shown_of_a_proof_is_enough_to_verify_it(chain, report):
    chain.submit("node:regulator", "evidence.report", **report())
    (shown,) = evidence.proofs(chain.executor.reader, "bank-a")
    proof = evidence.proof_of(shown)
    proof.verify(chain.genesis.chain_id, bytes.fromhex(shown["key"]))
    assert evidence.arguments_of("bank-a", proof) == report()


def test_o3_a_second_report_of_one_place_is_refused_whatever_it_shows(chain, report):
    again = chain.block(
        chain.sign("node:regulator", "evidence.report", report()),
        chain.sign("node:central-bank", "evidence.report", report()),
        chain.sign("node:enterprise-a", "evidence.report", report(hashes=(ONE, THIRD))),
    )
    assert [receipt.code for receipt in again] == ["ok", "already_reported", "already_reported"]
    assert chain.submit("bank-a/admin", "evidence.report", **report()).code == "already_reported"
    assert evidence.counts(chain.executor.reader) == {"bank-a": 1}


def test_each_place_and_each_validator_has_a_record_of_its_own(chain, report):
    chain.submit("node:regulator", "evidence.report", **report())
    chain.submit("node:regulator", "evidence.report", **report(phase="commit"))
    chain.submit("node:regulator", "evidence.report", **report(round=1))
    chain.submit("node:regulator", "evidence.report", **report(validator="enterprise-a"))
    chain.submit("node:regulator", "evidence.report", **report(height=2))
    reader = chain.executor.reader
    assert evidence.counts(reader) == {"bank-a": 4, "enterprise-a": 1}
    places = [(shown["height"], shown["round"], shown["phase"]) for shown in evidence.proofs(reader, "bank-a")]
    assert places == [(1, 0, "prepare"), (1, 0, "commit"), (1, 1, "prepare"), (2, 0, "prepare")]
    assert evidence.proofs(reader, "regulator") == []


@pytest.mark.parametrize("kind", VoteKind)
def test_two_votes_of_cometbft_are_a_proof_too(chain, signer_of, kind):
    votes = voted_twice(chain.genesis.chain_id, signer_of("node bank-a"), 1, kind=kind)
    proof = Equivocation.of(0, 1, 0, kind, *votes)
    args = evidence.arguments_of("bank-a", proof)
    phase = {VoteKind.PREVOTE: "prevote", VoteKind.PRECOMMIT: "precommit"}[kind]
    assert args["phase"] == phase
    receipt = chain.submit("node:regulator", "evidence.report", **args)
    assert receipt.ok, receipt
    (shown,) = evidence.proofs(chain.executor.reader, "bank-a")
    assert json.loads(json.dumps(shown)) == shown
    assert evidence.proof_of(shown) == proof
    assert chain.submit("node:central-bank", "evidence.report", **args).code == "already_reported"


def test_o6_the_form_of_a_half_is_that_of_its_phase(chain, signer_of, report):
    votes = Equivocation.of(
        0, 1, 0, VoteKind.PREVOTE, *voted_twice(chain.genesis.chain_id, signer_of("node bank-a"), 1)
    )
    args, plain = evidence.arguments_of("bank-a", votes), report()

    def code(changed):
        return chain.submit("node:regulator", "evidence.report", **changed).code

    for name in ("first", "second"):
        without = {key: value for key, value in args[name].items() if key != "vote"}
        assert code({**args, name: without}) == "invalid_argument"
        assert code({**plain, name: {**plain[name], "vote": args[name]["vote"]}}) == "invalid_argument"
    moved = {**args["first"]["vote"], "seconds": args["first"]["vote"]["seconds"] + 1}
    assert code({**args, "first": {**args["first"], "vote": moved}}) == "forged_evidence"
    assert code({**args, "phase": "precommit"}) == "forged_evidence"
    assert (
        code({**args, "first": {**args["first"], "vote": {**args["first"]["vote"], "parts": 1}}}) == "forged_evidence"
    )
    assert code(args) == "ok"


FORGED = {
    "another chain": {"second": {"chain_id": bytes(32)}},
    "another epoch": {"second": {"epoch": 1}},
    "another height": {"second": {"height": 2}},
    "another round": {"second": {"round": 1}},
    "another phase": {"second": {"phase": "commit"}},
    "another's key": {"signer": "node regulator"},
    "an operator's key": {"signer": "bank-a/admin"},
}


@pytest.mark.parametrize("how", FORGED)
def test_v2_forged_evidence_is_refused_and_leaves_nothing(chain, report, how):
    receipt = chain.submit("node:regulator", "evidence.report", **report(**FORGED[how]))
    assert (receipt.code, receipt.data) == ("forged_evidence", {})
    assert evidence.counts(chain.executor.reader) == {}
    assert chain.get("evidence/of/bank-a") is None


def test_v2_one_message_twice_is_no_contradiction(chain, report):
    twice = report(hashes=(ONE, ONE))
    assert chain.submit("node:regulator", "evidence.report", **twice).code == "invalid_argument"
    other_signature = {**twice, "second": {**twice["second"], "signature": "00" * 64}}
    assert chain.submit("node:regulator", "evidence.report", **other_signature).code == "invalid_argument"


@pytest.fixture
def rotated(chain, signer_of):
    """The chain after bank-a's validator got another key; epoch 1 begins at the height that is returned."""
    new = signer_of("node bank-a anew")
    proof = new.sign(key_preimage(chain.genesis.chain_id, "bank-a", new.public_key)).hex()
    subject = {"node": "bank-a", "key": new.public_key.hex(), "proof": proof}
    made = chain.submit("bank-a/admin", "governance.propose", id="r", kind="rotate_validator_key", subject=subject)
    assert made.ok, made
    for member in ("central-bank", "regulator"):
        made = chain.submit(f"{member}/admin", "governance.vote", ballot="r", choice="yes")
    chain.block()
    assert chain.executor.validators.epoch == 1
    return made.data["outcome"]["first_height"]


def test_o1_the_key_is_the_one_with_which_the_validator_voted_at_that_height(chain, report, rotated):
    def code(**fields):
        return chain.submit("node:regulator", "evidence.report", **report(**fields)).code

    chain.block()
    old, new = {"height": rotated - 1}, {"height": rotated, "epoch": 1, "signer": "node bank-a anew"}
    assert code(**old, signer="node bank-a anew") == "forged_evidence"
    assert code(**old, epoch=1) == "forged_evidence"
    assert code(**old) == "ok"
    assert code(**{**new, "signer": "node bank-a"}) == "forged_evidence"
    assert code(**{**new, "epoch": 0}) == "forged_evidence"
    assert code(**new) == "ok"
    shown = evidence.proofs(chain.executor.reader, "bank-a")
    assert [(proof["epoch"], proof["height"]) for proof in shown] == [(0, rotated - 1), (1, rotated)]
    for proof in shown:
        evidence.proof_of(proof).verify(chain.genesis.chain_id, bytes.fromhex(proof["key"]))


def test_o4_the_bound_is_for_each_epoch(chain, report, rotated):
    def send(number, **fields):
        reports = (report(round=r, **fields) for r in range(number))
        return chain.block(*(chain.sign("node:regulator", "evidence.report", args) for args in reports))

    chain.block()
    assert [receipt.ok for receipt in send(evidence.MAX_PROOFS + 1)] == [True] * evidence.MAX_PROOFS + [False]
    later = send(evidence.MAX_PROOFS + 1, height=rotated, epoch=1, signer="node bank-a anew")
    assert [receipt.code for receipt in later] == ["ok"] * evidence.MAX_PROOFS + ["enough_reported"]
    assert evidence.counts(chain.executor.reader) == {"bank-a": 2 * evidence.MAX_PROOFS}


def test_v2_any_changed_byte_of_a_signature_is_refused(chain, report):
    good = report()
    for name in ("first", "second"):
        text = good[name]["signature"]
        for at in range(0, len(text), 16):
            flipped = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
            args = {**good, name: {**good[name], "signature": flipped}}
            assert chain.submit("node:regulator", "evidence.report", **args).code == "forged_evidence"


def test_o1_only_who_voted_can_have_contradicted_itself(chain, report):
    for nobody in ("city", "nobody"):
        assert chain.submit("node:regulator", "evidence.report", **report(nobody)).code == "unknown_validator"


def test_o2_a_height_that_is_not_reached_cannot_be_reported(chain, report):
    assert chain.submit("node:regulator", "evidence.report", **report(height=2)).code == "not_yet"
    assert chain.submit("node:regulator", "evidence.report", **report(height=2)).ok
    assert chain.submit("node:regulator", "evidence.report", **report(height=2**63 - 1)).code == "not_yet"


def test_o4_what_is_kept_against_one_validator_is_bounded(chain, report):
    rounds = range(evidence.MAX_PROOFS + 1)
    receipts = chain.block(*(chain.sign("node:regulator", "evidence.report", report(round=r)) for r in rounds))
    assert [receipt.code for receipt in receipts] == ["ok"] * evidence.MAX_PROOFS + ["enough_reported"]
    assert receipts[-2].data["proofs"] == evidence.MAX_PROOFS
    assert chain.submit("node:regulator", "evidence.report", **report("enterprise-a", round=ROUND_MAX)).ok


def test_o5_a_proof_has_one_form(chain, report):
    args = report()
    swapped = {**args, "first": args["second"], "second": args["first"]}
    receipt = chain.submit("node:regulator", "evidence.report", **swapped)
    assert receipt.code == "invalid_argument"
    assert receipt.detail == "args.second.hash: expected another hash than the first, the lower one first"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("validator", "Bank A"),
        ("height", 0),
        ("height", 2**63),
        ("round", ROUND_MAX + 1),
        ("round", -1),
        ("phase", "checkpoint"),
        ("first", {"hash": ONE}),
        ("first", {"hash": ONE, "signature": "00" * 63}),
        ("second", {"hash": OTHER.upper().replace("2", "A"), "signature": "00" * 64}),
        ("second", None),
        ("epoch", 0),
    ],
)
def test_a_report_out_of_form_is_refused(chain, report, field, value):
    assert chain.submit("node:regulator", "evidence.report", **{**report(), field: value}).code == "invalid_argument"


def test_what_a_report_would_come_to_can_be_known_before(chain, report):
    reader = chain.executor.reader

    def refused(args):
        found = evidence.refusal(reader, args, chain_id=chain.genesis.chain_id, height=1, verify=lambda *_: True)
        return None if found is None else found.code

    assert refused(report()) is None
    assert refused(report(height=2)) == "not_yet"
    chain.submit("node:regulator", "evidence.report", **report())
    assert refused(report()) == "already_reported"


@pytest.mark.parametrize(("verdict", "code"), [(True, "ok"), (False, "forged_evidence")])
def test_a_network_with_other_signatures_judges_evidence_by_them(chain, report, verdict, code):
    genesis = chain.genesis
    executor = Executor(genesis, new_state(genesis), verify=lambda *_: verdict)
    tx = chain.sign("node:regulator", "evidence.report", report(signer="node regulator"))
    assert Receipt.decode(executor.run(1, chain.now_ms, [tx]).receipts[1]).code == code


def test_a_proof_is_a_value_that_a_state_proof_can_show(chain, report):
    chain.submit("node:regulator", "evidence.report", **report())
    raw = chain.state.get(b"evidence/proof/bank-a/1/0/prepare")
    record = codec.decode(raw)
    assert record["member"] == "bank-a"
    halves = [Signed(*half) for half in (record["first"], record["second"])]
    Equivocation.of(0, 1, 0, Phase.PREPARE, *halves).verify(chain.genesis.chain_id, record["key"])
