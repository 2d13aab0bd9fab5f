"""Changes of validators: who certifies which epoch, and what an audit says of those who claim otherwise."""

from dataclasses import replace
from itertools import pairwise

import pytest

from coseal.audit import audit as audit_module
from coseal.audit.audit import audit
from coseal.audit.epochs import Epochs, ForkedEpochs
from coseal.audit.light import BadHeader, UnknownValidators, check_certificate, follow, genesis_anchor
from coseal.audit.report import Level, Verdict
from coseal.audit.sources import FileSource
from coseal.audit.verify import verify_document
from coseal.ledger import framing, render, signing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import BadCertificate, BadProof, Malformed
from coseal.ledger.handover import Handover, handover_json, split_handovers, with_handovers
from coseal.ledger.head import Head, announced
from coseal.ledger.proof import TransactionProof
from coseal.ledger.validators import ValidatorSet
from tests.audit.conftest import seat
from tests.support.keys import signer

BELOW_REPLAY = [Level.HEADERS, Level.CERTIFICATES, Level.MERKLE]


@pytest.fixture
def changing(make_chain):
    """Twenty blocks in four epochs: one validator is added at 5, a key rotated at 10, one removed at 15."""
    chain = make_chain().grow(4)
    chain.change(add=seat("bank-b", "bank")).grow(4)
    chain.change(**{"bank-a": "node:bank-a 2"}).grow(4)
    chain.change(remove="central-bank").grow(5)
    assert [len(chain.blocks), chain.executor.validators.epoch] == [20, 3]
    return chain


def finding(report):
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def receipt_at(chain, height):
    return render.proof_json(TransactionProof.of(chain.blocks[height - 1], 0))


def test_headers_are_followed_through_every_epoch(changing):
    anchor = genesis_anchor(changing.genesis)
    for committed in changing.blocks:
        anchor = follow(anchor, committed.block.header, lambda wanted, epoch, block=committed: announced(block))
        check_certificate(anchor, committed.block.header, committed.certificate)
    assert (anchor.validators.epoch, anchor.validators.n) == (3, 4)


@pytest.mark.parametrize("level", BELOW_REPLAY)
def test_an_audit_below_replay_reads_the_sets_from_the_blocks(changing, list_source, level):
    report = audit([list_source(changing.blocks)], changing.genesis, level)
    assert (report.verdict, report.last, report.epoch) == (Verdict.OK, 20, 3)
    assert any("any epoch before" in line for line in report.remaining_trust)


@pytest.mark.parametrize("level", BELOW_REPLAY)
@pytest.mark.parametrize("size", [1, 2, 4, 5, 7])
def test_where_runs_of_blocks_end_makes_no_difference(changing, list_source, level, size, monkeypatch):
    monkeypatch.setattr(audit_module, "RUN_BLOCKS", size)
    sources = [list_source(changing.blocks), list_source(changing.blocks, "other")]
    assert audit(sources, changing.genesis, level).verdict is Verdict.OK


@pytest.mark.parametrize("level", BELOW_REPLAY)
@pytest.mark.parametrize("height", [5, 10, 15])
def test_a_handover_that_the_old_set_did_not_certify_is_refused_at_every_level(changing, list_source, level, height):
    blocks = list(changing.blocks)
    committed = blocks[height - 1]
    unsigned = replace(committed.certificate, signatures=tuple(bytes(64) for _ in committed.certificate.signatures))
    blocks[height - 1] = CommittedBlock(committed.block, unsigned, committed.receipts)
    report = audit([list_source(blocks)], changing.genesis, level)
    assert (report.verdict, report.last, finding(report).height) == (Verdict.BAD, height - 1, height)


@pytest.mark.parametrize("level", BELOW_REPLAY)
def test_the_former_set_does_not_certify_the_next_epoch(changing, list_source, level):
    former = changing.genesis.validators
    committed = changing.blocks[5]
    certificate = changing.certify(committed.block.header, validators=former)
    forged = CommittedBlock(committed.block, certificate, committed.receipts)
    report = audit([list_source([*changing.blocks[:5], forged])], changing.genesis, level)
    assert (report.verdict, finding(report).height) == (Verdict.BAD, 6)


def test_a_set_that_the_header_does_not_announce_is_not_taken_from_the_receipt(changing):
    committed = changing.blocks[4]
    assert announced(committed) == changing.handovers[0].validators
    assert announced(changing.blocks[3]) is None
    lying = replace(committed, receipts=(changing.blocks[9].receipts[0], *committed.receipts[1:]))
    assert announced(lying) is None
    assert announced(replace(committed, receipts=(b"", *committed.receipts[1:]))) is None


@pytest.mark.parametrize("level", BELOW_REPLAY)
def test_a_set_found_nowhere_means_could_not_tell(changing, list_source, level):
    blocks = list(changing.blocks)
    blocks[4] = replace(blocks[4], receipts=blocks[3].receipts)
    report = audit([list_source(blocks)], changing.genesis, level)
    assert (report.verdict, report.last) == (Verdict.UNKNOWN, 4)
    assert "nothing here says to whom" in finding(report).reason


@pytest.fixture
def governed(make_chain):
    """A chain whose members rotate the key of bank-a's validator by ballot: accepted at 4, it signs from 6 on."""
    chain = make_chain().grow(2)
    new = signer("node:bank-a 2")
    proof = new.sign(signing.key_preimage(chain.chain_id, "bank-a", new.public_key))
    subject = {"node": "bank-a", "key": new.public_key.hex(), "proof": proof.hex()}
    propose = {"contract": "governance", "action": "propose", "sender": "bank-a/admin"}
    vote = {"contract": "governance", "action": "vote", "ballot": "key", "choice": "yes"}
    chain.add([chain.transaction(**propose, id="key", kind="rotate_validator_key", subject=subject)])
    chain.add([chain.transaction(**vote, sender=f"{member}/admin") for member in ("regulator", "central-bank")])
    return chain.grow(6)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("size", [1, 3, 256])
def test_a_change_by_ballot_is_followed_at_every_level(governed, list_source, level, size, monkeypatch):
    monkeypatch.setattr(audit_module, "RUN_BLOCKS", size)
    assert [committed.block.header.epoch for committed in governed.blocks] == [0] * 5 + [1] * 5
    report = audit([list_source(governed.blocks)], governed.genesis, level)
    assert (report.verdict, report.last, report.epoch) == (Verdict.OK, 10, 1)


def test_replay_computes_the_set_that_a_block_does_not_tell(governed, list_source):
    blocks = list(governed.blocks)
    blocks[4] = replace(blocks[4], receipts=blocks[3].receipts[:1] + blocks[4].receipts[1:])
    report = audit([list_source(blocks), list_source(governed.blocks, "whole")], governed.genesis, Level.REPLAY)
    assert (report.last, finding(report).source) == (10, "list")  # its receipts are not those of the root


def test_replay_refuses_a_set_that_the_votes_did_not_make(make_chain, list_source):
    chain = make_chain().grow(3)
    chain.change(add=seat("bank-b", "bank")).grow(2)
    report = audit([list_source(chain.blocks)], chain.genesis, Level.REPLAY)
    assert (report.verdict, report.last, finding(report).height) == (Verdict.BAD, 3, 4)
    assert audit([list_source(chain.blocks)], chain.genesis, Level.MERKLE).verdict is Verdict.OK


@pytest.mark.parametrize("first", [6, 7, 11, 16, 20])
@pytest.mark.parametrize("level", BELOW_REPLAY)
def test_a_range_begins_in_any_epoch_with_the_handovers_alone(changing, list_source, first, level):
    source = list_source(changing.blocks, handovers=changing.handovers)
    report = audit([source], changing.genesis, level, first=first)
    assert (report.verdict, report.first, report.last) == (Verdict.OK, first, 20)


def test_a_range_in_a_later_epoch_without_handovers_means_could_not_tell(changing, list_source):
    report = audit([list_source(changing.blocks)], changing.genesis, Level.MERKLE, first=12)
    assert (report.verdict, finding(report).height) == (Verdict.UNKNOWN, 11)
    assert "--trust 11:HASH" in finding(report).reason


def test_a_gap_in_the_handovers_is_not_skipped(changing, list_source):
    source = list_source(changing.blocks, handovers=[changing.handovers[0], changing.handovers[2]])
    assert audit([source], changing.genesis, Level.MERKLE, first=18).verdict is Verdict.UNKNOWN
    assert audit([source], changing.genesis, Level.MERKLE, first=8).verdict is Verdict.OK


def test_a_pin_anchors_past_an_epoch_whose_handovers_nobody_has(changing, list_source):
    pin = (17, changing.blocks[16].block.hash)
    source = list_source(changing.blocks, handovers=changing.handovers[2:])
    report = audit([source], changing.genesis, Level.MERKLE, first=18, pin=pin)
    assert (report.verdict, report.first, report.last) == (Verdict.OK, 18, 20)
    wrong = audit([source], changing.genesis, Level.MERKLE, first=18, pin=(17, changing.blocks[15].block.hash))
    assert wrong.verdict is Verdict.BAD


def test_a_pin_on_a_handover_goes_on_with_the_set_its_block_announces(changing, list_source):
    source = list_source(changing.blocks, handovers=changing.handovers[1:2])
    pin = (15, changing.blocks[14].block.hash)
    assert audit([source], changing.genesis, Level.MERKLE, first=16, pin=pin).verdict is Verdict.OK


def test_one_source_with_handovers_serves_those_without(changing, list_source):
    sources = [list_source(changing.blocks, "bare"), list_source(changing.blocks, "full", handovers=changing.handovers)]
    assert audit(sources, changing.genesis, Level.MERKLE, first=12).verdict is Verdict.OK


def test_a_forged_handover_refutes_who_shows_it_and_the_rest_goes_on(changing, list_source):
    one = changing.handovers[0]
    unsigned = replace(one.certificate, signatures=tuple(bytes(64) for _ in one.certificate.signatures))
    forged = list_source(changing.blocks, "forged", handovers=[replace(one, certificate=unsigned)])
    honest = list_source(changing.blocks, "honest", handovers=changing.handovers)
    report = audit([forged, honest], changing.genesis, Level.MERKLE, first=12)
    assert (report.verdict, finding(report).source) == (Verdict.BAD, "forged")
    assert report.last == 20


# Two histories


def test_two_certified_headers_of_different_epochs_at_one_height_name_who_signed_both(
    changing, make_chain, list_source
):
    """The set of genesis goes on by itself at height 6, where the next epoch has begun."""
    stale = make_chain(changing.genesis).grow(4)
    stale.blocks = [*changing.blocks[:4]]
    other = make_chain(changing.genesis).grow(8)
    block = CommittedBlock(
        other.blocks[6].block, other.certify(other.blocks[6].block.header, (0, 1, 2)), other.blocks[6].receipts
    )
    pruned = _PrunedAt(list_source(changing.blocks, "stale"), 7, [block.encode()])
    report = audit([list_source(changing.blocks, "true"), pruned], changing.genesis, Level.CERTIFICATES)
    assert (report.verdict, report.last, finding(report).height) == (Verdict.BAD, 6, 7)
    assert "of epochs 1 and 0" in finding(report).reason
    assert finding(report).members == ("bank-a", "central-bank", "enterprise-a")


def test_a_later_epoch_of_another_history_is_judged_by_the_handovers_of_its_source(changing, make_chain, list_source):
    other = make_chain(changing.genesis).grow(4)
    other.change(add=seat("institute-a", "institute")).grow(4)
    raws = [committed.encode() for committed in other.blocks]
    late = _PrunedAt(list_source(changing.blocks, "late", handovers=other.handovers), 7, raws[6:])
    report = audit([list_source(changing.blocks, "true"), late], changing.genesis, Level.CERTIFICATES)
    assert (report.verdict, finding(report).height) == (Verdict.BAD, 7)
    assert "two certified blocks at one height" in finding(report).reason
    bare = _PrunedAt(list_source(changing.blocks, "late"), 7, raws[6:])
    report = audit([list_source(changing.blocks, "true"), bare], changing.genesis, Level.CERTIFICATES)
    assert (report.last, finding(report).source) == (20, "late")
    assert "nothing at hand leads" in finding(report).reason


def test_two_certified_handovers_to_one_epoch_end_an_audit_of_a_range(changing, make_chain, list_source):
    other = make_chain(changing.genesis).grow(6)
    other.change(add=seat("institute-a", "institute")).grow(13)
    sources = [
        list_source(changing.blocks, "one", handovers=changing.handovers),
        list_source(other.blocks, "two", handovers=other.handovers),
    ]
    report = audit(sources, changing.genesis, Level.MERKLE, first=12)
    assert (report.verdict, finding(report).height) == (Verdict.BAD, 5)
    assert "two certified handovers to epoch 1" in finding(report).reason
    assert len(finding(report).members) == 3
    pin = (11, changing.blocks[10].block.hash)
    pinned = audit(sources, changing.genesis, Level.MERKLE, first=12, pin=pin)
    assert (pinned.last, [item.source for item in pinned.findings]) == (20, ["two"])


class _PrunedAt:
    """A source that has pruned what is below a height, and shows ``raws`` from there on."""

    def __init__(self, source, height, raws):
        self.name, self._source, self._height, self._raws = source.name, source, height, raws

    def tip(self):
        return self._height + len(self._raws) - 1

    def blocks(self, first, last):
        from coseal.audit.sources import Pruned

        if first < self._height:
            raise Pruned(self._height)
        yield from self._raws[first - self._height : last - self._height + 1]

    def handovers(self):
        return self._source.handovers()


# Epochs and handovers by themselves


def test_epochs_go_from_one_set_to_the_next(changing):
    epochs = Epochs(changing.genesis)
    tip = changing.blocks[-1]
    with pytest.raises(UnknownValidators):
        epochs.verify(tip.block.header, tip.certificate)
    epochs.take_all(changing.handovers)
    epochs.take(changing.handovers[1])  # again is no harm
    assert (len(epochs), epochs.last.epoch) == (4, 3)
    assert epochs.verify(tip.block.header, tip.certificate) == changing.executor.validators
    assert epochs.up_to(2) == tuple(changing.handovers[:2])
    for committed in changing.blocks:
        assert epochs.verify(committed.block.header, committed.certificate).epoch == committed.block.header.epoch


def test_a_handover_is_refused_out_of_turn_of_another_chain_or_for_another_set(changing, make_chain):
    first, second, _ = changing.handovers
    epochs = Epochs(changing.genesis)
    with pytest.raises(UnknownValidators):
        epochs.take(second)
    for wrong in (first.validators.validators[:4], second.validators.validators):
        with pytest.raises(BadProof):
            epochs.take(replace(first, validators=ValidatorSet(1, wrong)))
    with pytest.raises(BadProof):
        epochs.take(replace(first, validators=replace(first.validators, epoch=2)))
    with pytest.raises(BadCertificate):
        epochs.take(replace(first, header=replace(first.header, chain_id=bytes(32))))
    ordinary = changing.blocks[2]
    with pytest.raises(BadProof, match="no change"):
        epochs.take(Handover(ordinary.block.header, ordinary.certificate, first.validators))
    assert len(epochs) == 1


def test_a_second_handover_to_an_epoch_is_kept_as_a_fork(changing, make_chain):
    other = make_chain(changing.genesis).grow(5).change(add=seat("institute-a", "institute"))
    epochs = Epochs(changing.genesis)
    epochs.take(changing.handovers[0])
    with pytest.raises(ForkedEpochs) as fork:
        epochs.take(other.handovers[0])
    assert {fork.value.one, fork.value.other} == {changing.handovers[0], other.handovers[0]}
    assert epochs.last == changing.handovers[0].validators


def test_a_handover_reads_back_from_its_bytes_and_from_json(changing):
    for handover in changing.handovers:
        assert Handover.decode(handover.encode()) == handover
    document = with_handovers({"a": 1}, changing.handovers)
    assert split_handovers(document) == ({"a": 1}, tuple(changing.handovers))
    assert with_handovers({"a": 1}, []) == {"a": 1}
    for wrong in ([], {}, [None], [{"header": 1}], [{**handover_json(changing.handovers[0]), "validators": "AA"}]):
        with pytest.raises(Malformed):
            split_handovers({"handovers": wrong})


def test_the_head_of_a_handover_keeps_the_set(changing):
    head = Head.decode(Head.of(changing.blocks[4]).encode())
    assert head.next_validators == changing.handovers[0].validators
    assert Head.of(changing.blocks[3]).next_validators is None


# Where handovers are found


def test_block_files_hold_their_handovers(changing, tmp_path):
    source = FileSource(changing.write(tmp_path / "node", per_file=6))
    assert [Handover.decode(raw) for raw in source.handovers()] == changing.handovers
    report = audit([source], changing.genesis, Level.MERKLE, first=17)
    assert (report.verdict, report.last) == (Verdict.OK, 20)


def test_the_heads_of_pruned_blocks_hold_theirs(changing, tmp_path):
    kept = changing.blocks[11:]
    folder = tmp_path / "node"
    for name, kind, items in (
        ("heads", 2, [(block.block.header.height, Head.of(block).encode()) for block in changing.blocks[:11]]),
        ("blocks", 1, [(block.block.header.height, block.encode()) for block in kept]),
    ):
        (folder / name).mkdir(parents=True)
        raw = b"".join(framing.frame(height, kind, data) for height, data in items)
        (folder / name / "00000001.log").write_bytes(raw)
    source = FileSource(folder)
    assert [Handover.decode(raw) for raw in source.handovers()] == changing.handovers
    assert audit([source], changing.genesis, Level.MERKLE, first=17).verdict is Verdict.OK


def test_damage_ends_what_files_tell_of_handovers(changing, tmp_path):
    folder = changing.write(tmp_path / "node", per_file=6)
    path = folder / "blocks" / "00000002.log"
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    found = [Handover.decode(raw) for raw in FileSource(folder).handovers()]
    assert changing.handovers[0] in found


# Documents


@pytest.mark.parametrize("height", [3, 5, 6, 10, 11, 20])
def test_a_receipt_of_any_epoch_verifies_with_the_genesis_alone(changing, height):
    epoch = changing.blocks[height - 1].block.header.epoch
    document = with_handovers(receipt_at(changing, height), changing.handovers[:epoch])
    result = verify_document(document, changing.genesis)
    assert (result.verdict, result.facts["epoch"]) == (Verdict.OK, epoch)
    # more than is needed does no harm
    assert verify_document(with_handovers(receipt_at(changing, height), changing.handovers), changing.genesis).ok


def test_a_receipt_of_a_later_epoch_without_its_handovers_is_not_judged(changing):
    document = receipt_at(changing, 20)
    assert verify_document(document, changing.genesis).verdict is Verdict.UNKNOWN
    partial = with_handovers(document, changing.handovers[:2])
    assert verify_document(partial, changing.genesis).verdict is Verdict.UNKNOWN


def test_false_handovers_make_a_document_bad(changing, make_chain):
    document = receipt_at(changing, 20)
    for one, other in pairwise(changing.handovers):
        swapped = with_handovers(document, [replace(one, validators=other.validators), other])
        assert verify_document(swapped, changing.genesis).verdict is not Verdict.OK
    forged = replace(changing.handovers[0], certificate=changing.blocks[3].certificate)
    assert verify_document(with_handovers(document, [forged]), changing.genesis).verdict is Verdict.BAD
    assert verify_document({**document, "handovers": "x"}, changing.genesis).verdict is Verdict.BAD


def test_a_header_of_the_wrong_epoch_is_refused_by_the_light_client(changing):
    anchor = genesis_anchor(changing.genesis)
    for committed in changing.blocks[:5]:
        anchor = follow(anchor, committed.block.header, lambda wanted, epoch, block=committed: announced(block))
    header = changing.blocks[5].block.header
    with pytest.raises(BadHeader, match="epoch 0, expected 1"):
        follow(anchor, replace(header, epoch=0))
    with pytest.raises(BadHeader, match="announced"):
        follow(anchor, replace(header, validators_hash=changing.genesis.validators.hash))
