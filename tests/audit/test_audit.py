"""Audits of whole chains: what holds, and every kind of lie, damage and silence told apart."""

import json
from dataclasses import replace

import pytest

from coseal.audit import audit as audit_module
from coseal.audit.audit import audit, parse_pin
from coseal.audit.report import Level, Verdict
from coseal.audit.sources import FileSource, Pruned
from coseal.ledger.block import Block, CommittedBlock, Receipt
from coseal.ledger.signing import ZERO_HASH

LEVELS = list(Level)
CHECKING_EACH = [Level.CERTIFICATES, Level.MERKLE, Level.REPLAY]


def statuses(report):
    return [source.status for source in report.sources]


def only(report):
    (finding,) = report.findings
    return finding


def fork(make_chain, chain, height, **changed):
    """Return the blocks of ``chain`` with another certified block at ``height``, and nothing above it."""
    other = make_chain(chain.genesis).grow(height - 1)
    assert [b.block.hash for b in other.blocks] == [b.block.hash for b in chain.blocks[: height - 1]]
    other.add(**(changed or {"later_ms": 11}))
    return other.blocks


@pytest.mark.parametrize("level", LEVELS)
def test_an_honest_chain_passes_every_level(chain, list_source, level):
    told = []
    report = audit([list_source(chain.blocks)], chain.genesis, level, progress=lambda *at: told.append(at))
    assert (report.ok, report.findings) == (True, ())
    assert (report.first, report.last, report.blocks, report.transactions) == (1, 12, 12, 12)
    assert report.head_hash == chain.blocks[-1].block.hash.hex()
    assert report.state_root == chain.executor.state.root.hex()
    assert told[-1] == (12, 12)


def test_what_trust_remains_shrinks_with_the_level(chain, list_source):
    trust = [audit([list_source(chain.blocks)], chain.genesis, level).remaining_trust for level in LEVELS]
    assert [len(lines) for lines in trust] == sorted((len(lines) for lines in trust), reverse=True)
    assert len(trust[0]) > len(trust[-1])
    assert chain.chain_id.hex() in trust[0][0]


def test_an_empty_chain_is_not_wrong(make_chain, list_source):
    report = audit([list_source([])], make_chain().genesis, Level.REPLAY)
    assert (report.verdict, report.last, report.blocks, report.head_hash) == (Verdict.OK, 0, 0, None)


@pytest.mark.parametrize("level", LEVELS)
def test_a_block_without_a_quorum_is_refused(chain, list_source, level):
    blocks = list(chain.blocks)
    header = blocks[-1].block.header
    blocks[-1] = replace(blocks[-1], certificate=chain.certify(header, (0, 1)))
    report = audit([list_source(blocks)], chain.genesis, level)
    assert (report.verdict, report.last, only(report).height) == (Verdict.BAD, 11, 12)
    assert "quorum" in only(report).reason
    assert statuses(report) == ["refuted"]


@pytest.mark.parametrize("level", CHECKING_EACH)
def test_a_bad_certificate_in_the_middle_is_found_at_its_height(chain, list_source, level):
    blocks = list(chain.blocks)
    certificate = replace(blocks[4].certificate, signatures=(bytes(64), *blocks[4].certificate.signatures[1:]))
    blocks[4] = replace(blocks[4], certificate=certificate)
    report = audit([list_source(blocks)], chain.genesis, level)
    assert (report.verdict, report.last, only(report).height) == (Verdict.BAD, 4, 5)


@pytest.mark.parametrize("level", LEVELS)
def test_a_broken_link_is_found_at_every_level(chain, list_source, level):
    blocks = list(chain.blocks)
    del blocks[6]
    report = audit([list_source(blocks)], chain.genesis, level)
    assert (report.verdict, report.last, only(report).height) == (Verdict.BAD, 6, 7)


@pytest.mark.parametrize("level", [Level.MERKLE, Level.REPLAY])
@pytest.mark.parametrize("part", ["transactions", "receipts"])
def test_a_changed_body_is_found_from_level_merkle_up(chain, list_source, level, part):
    blocks = list(chain.blocks)
    committed = blocks[6]
    if part == "transactions":
        changed = replace(committed, block=Block(committed.block.header, (b"other",), committed.block.last_commit))
    else:
        receipt = Receipt.decode(committed.receipts[1])
        changed = replace(committed, receipts=(committed.receipts[0], replace(receipt, code="ok").encode()))
    blocks[6] = changed
    report = audit([list_source(blocks)], chain.genesis, level)
    assert (report.verdict, report.last, only(report).height) == (Verdict.BAD, 6, 7)
    assert part in only(report).reason
    assert audit([list_source(blocks)], chain.genesis, Level.CERTIFICATES).ok


def test_a_certified_lie_about_the_outcome_is_found_by_replay_and_names_who_signed(make_chain, list_source):
    chain = make_chain().grow(3)
    chain.add(state_root=b"\7" * 32)
    source = list_source(chain.blocks)
    assert audit([source], chain.genesis, Level.MERKLE).ok
    report = audit([source], chain.genesis, Level.REPLAY)
    assert (report.verdict, report.last, only(report).height) == (Verdict.BAD, 3, 4)
    assert only(report).members == ("bank-a", "central-bank", "enterprise-a")
    assert "diverged" in only(report).reason


def test_replay_refuses_a_transaction_whose_signature_does_not_verify(make_chain, list_source, monkeypatch):
    chain = make_chain().grow(2)
    honest = chain.transaction

    def forged(**arguments):
        raw = bytearray(honest(**arguments))
        raw[-1] ^= 1
        return bytes(raw)

    monkeypatch.setattr(chain, "transaction", forged)
    chain.add()
    assert audit([list_source(chain.blocks)], chain.genesis, Level.MERKLE).ok
    report = audit([list_source(chain.blocks)], chain.genesis, Level.REPLAY)
    assert (report.last, only(report).height) == (2, 3)
    assert "invalid_transaction" in only(report).reason


# Several sources


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("turn", [1, -1])
def test_two_certified_blocks_at_one_height_name_who_signed_both(chain, make_chain, list_source, level, turn):
    blocks = fork(make_chain, chain, 7)
    pair = [list_source(chain.blocks, "one"), list_source(blocks, "two")][::turn]
    report = audit(pair, chain.genesis, level)
    assert (report.verdict, report.last) == (Verdict.BAD, 6)
    assert only(report).height == 7
    assert only(report).members == ("bank-a", "central-bank", "enterprise-a")
    assert "one" in only(report).source
    assert "two" in only(report).source
    assert chain.blocks[6].block.hash.hex() in only(report).reason
    assert blocks[6].block.hash.hex() in only(report).reason


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_source_whose_other_block_has_no_quorum_is_refuted_and_the_rest_goes_on(
    chain, make_chain, list_source, level, turn
):
    blocks = fork(make_chain, chain, 7)
    blocks[6] = replace(blocks[6], certificate=chain.certify(blocks[6].block.header, (0,)))
    pair = [list_source(chain.blocks, "one"), list_source(blocks, "two")][::turn]
    report = audit(pair, chain.genesis, level)
    assert (report.verdict, report.last) == (Verdict.BAD, 12)
    assert (only(report).height, only(report).source) == (7, "two")
    assert sorted(statuses(report)) == ["ok", "refuted"]


@pytest.mark.parametrize("level", CHECKING_EACH)
@pytest.mark.parametrize("turn", [1, -1])
def test_the_same_block_with_a_bad_certificate_refutes_only_who_shows_it(chain, list_source, level, turn):
    blocks = list(chain.blocks)
    blocks[4] = replace(blocks[4], certificate=replace(blocks[4].certificate, signatures=(bytes(64),) * 3))
    pair = [list_source(chain.blocks, "one"), list_source(blocks, "two")][::turn]
    report = audit(pair, chain.genesis, level)
    assert (report.last, only(report).height, only(report).source) == (12, 5, "two")


@pytest.mark.parametrize("turn", [1, -1])
def test_the_same_header_with_another_body_refutes_only_who_shows_it(chain, list_source, turn):
    blocks = list(chain.blocks)
    block = blocks[4].block
    blocks[4] = replace(blocks[4], block=Block(block.header, (b"other",), block.last_commit))
    pair = [list_source(chain.blocks, "one"), list_source(blocks, "two")][::turn]
    report = audit(pair, chain.genesis, Level.MERKLE)
    assert (report.last, only(report).height, only(report).source) == (12, 5, "two")


def test_other_signers_of_the_same_block_are_no_disagreement(chain, list_source):
    blocks = [replace(b, certificate=chain.certify(b.block.header, (1, 2, 3))) for b in chain.blocks]
    report = audit([list_source(chain.blocks, "one"), list_source(blocks, "two")], chain.genesis, Level.REPLAY)
    assert (report.verdict, statuses(report)) == (Verdict.OK, ["ok", "ok"])


def test_a_source_that_is_behind_is_told_and_harms_nothing(chain, list_source):
    report = audit(
        [list_source(chain.blocks[:5], "slow"), list_source(chain.blocks, "fast")], chain.genesis, Level.MERKLE
    )
    assert (report.verdict, report.last) == (Verdict.OK, 12)
    assert statuses(report) == ["behind", "ok"]
    assert report.sources[0].agreed == 5


def test_a_source_that_claims_more_than_it_has_is_found_false(chain, list_source):
    report = audit([list_source(chain.blocks[:5], "liar", claims=12), list_source(chain.blocks)], chain.genesis)
    assert (report.verdict, report.last) == (Verdict.BAD, 12)
    assert statuses(report) == ["false_tip", "ok"]
    assert (only(report).height, only(report).source) == (6, "liar")


def test_a_source_of_another_chain_is_told(chain, make_chain, list_source):
    from_elsewhere = make_chain(type(chain.genesis).decode(chain.genesis.raw.replace(b'"test"', b'"other"'))).grow(3)
    for turn in (1, -1):
        pair = [list_source(from_elsewhere.blocks, "other"), list_source(chain.blocks, "ours")][::turn]
        report = audit(pair, chain.genesis, Level.MERKLE)
        assert (report.verdict, report.last) == (Verdict.BAD, 12)
        assert sorted(statuses(report)) == ["ok", "other_chain"]
        assert only(report).source == "other"


def test_an_unreachable_source_beside_a_good_one_is_told(chain, list_source, tmp_path):
    report = audit([FileSource(tmp_path / "absent"), list_source(chain.blocks)], chain.genesis, Level.MERKLE)
    assert (report.verdict, statuses(report)) == (Verdict.OK, ["unreachable", "ok"])


def test_no_reachable_source_means_could_not_tell(chain, tmp_path):
    report = audit([FileSource(tmp_path / "absent")], chain.genesis, Level.MERKLE)
    assert (report.verdict, report.last) == (Verdict.UNKNOWN, 0)
    assert "no source" in only(report).reason


@pytest.mark.parametrize("garbage", [b"", b"\x00", b"\xff" * 50, b"\x93" + b"\xa1x" * 3])
def test_a_source_of_garbage_is_refuted_wherever_it_stands(chain, list_source, garbage):
    for position in (0, 4, 11):
        raws = [block.encode() for block in chain.blocks]
        raws[position] = garbage
        alone = audit([list_source(raws)], chain.genesis, Level.MERKLE)
        assert (alone.verdict, alone.last, only(alone).height) == (Verdict.BAD, position, position + 1)
        for turn in (1, -1):
            pair = [list_source(raws, "bad"), list_source(chain.blocks, "good")][::turn]
            report = audit(pair, chain.genesis, Level.MERKLE)
            assert (report.last, only(report).height, only(report).source) == (12, position + 1, "bad")


# Files


def test_a_damaged_file_names_the_height_and_another_node_completes_the_audit(chain, tmp_path):
    damaged, whole = chain.write(tmp_path / "a"), chain.write(tmp_path / "b")
    path = damaged / "blocks" / "00000001.log"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    alone = audit([FileSource(damaged)], chain.genesis, Level.REPLAY)
    assert (alone.verdict, statuses(alone)) == (Verdict.BAD, ["damaged"])
    assert only(alone).height == alone.last + 1
    both = audit([FileSource(damaged, "a"), FileSource(whole, "b")], chain.genesis, Level.REPLAY)
    assert (both.verdict, both.last, statuses(both)) == (Verdict.BAD, 12, ["damaged", "ok"])
    assert (only(both).height, only(both).source) == (only(alone).height, "a")


def test_a_cut_last_record_is_told_and_is_no_finding(chain, tmp_path):
    folder = chain.write(tmp_path / "a")
    path = folder / "blocks" / "00000001.log"
    path.write_bytes(path.read_bytes()[:-9])
    report = audit([FileSource(folder)], chain.genesis, Level.REPLAY)
    assert (report.verdict, report.last, statuses(report)) == (Verdict.OK, 11, ["torn"])
    assert "block 12" in report.sources[0].note


# Ranges and pins


@pytest.mark.parametrize("level", LEVELS[:3])
@pytest.mark.parametrize(("first", "last"), [(1, 5), (2, 2), (5, 9), (12, 12)])
def test_a_range_is_audited_from_the_certified_block_below_it(chain, list_source, level, first, last):
    report = audit([list_source(chain.blocks)] * 2, chain.genesis, level, first=first, last=last)
    assert (report.verdict, report.first, report.last) == (Verdict.OK, first, last)
    assert report.transactions == report.blocks == last - first + 1


def test_a_range_does_not_begin_on_an_uncertified_block(chain, list_source):
    blocks = list(chain.blocks)
    blocks[3] = replace(blocks[3], certificate=chain.certify(blocks[3].block.header, (0, 1)))
    report = audit([list_source(blocks)], chain.genesis, Level.HEADERS, first=5)
    assert (report.verdict, report.blocks, only(report).height) == (Verdict.BAD, 0, 4)


def test_a_fork_right_below_the_range_is_found(chain, make_chain, list_source):
    blocks = fork(make_chain, chain, 7)
    report = audit([list_source(chain.blocks), list_source(blocks)], chain.genesis, Level.HEADERS, first=8)
    assert (report.verdict, only(report).height) == (Verdict.BAD, 7)
    assert only(report).members


@pytest.mark.parametrize(("first", "height", "agreed"), [(13, 13, 12), (14, 13, 0), (50, 49, 0)])
def test_a_range_above_the_tip_is_unknown_and_nothing_is_said_to_agree(chain, list_source, first, height, agreed):
    report = audit([list_source(chain.blocks)], chain.genesis, Level.MERKLE, first=first)
    assert (report.verdict, only(report).height, report.blocks) == (Verdict.UNKNOWN, height, 0)
    assert [source.agreed for source in report.sources] == [agreed]
    trust = " ".join(report.remaining_trust)
    assert ("believed because a quorum certified it" in trust) == (agreed > 0)
    assert "No source gave blocks of this range that hold" in trust


def test_a_source_that_does_not_reach_the_range_is_behind_at_what_it_has(chain, list_source):
    report = audit([list_source(chain.blocks)], chain.genesis, Level.MERKLE, first=50, last=60)
    assert report.verdict is Verdict.UNKNOWN
    assert (report.sources[0].status, report.sources[0].note) == ("behind", "it has blocks up to 12 only")


def test_a_pin_holds_or_refutes(chain, list_source):
    right = (7, chain.blocks[6].block.hash)
    for first in (1, 8):
        assert audit([list_source(chain.blocks)], chain.genesis, Level.HEADERS, first=first, pin=right).ok
        wrong = audit([list_source(chain.blocks)], chain.genesis, Level.HEADERS, first=first, pin=(7, ZERO_HASH))
        assert (wrong.verdict, only(wrong).height) == (Verdict.BAD, 7)
        assert "pinned" in only(wrong).reason


def test_a_pin_decides_between_two_certified_histories(chain, make_chain, list_source):
    blocks = fork(make_chain, chain, 7)
    pin = (7, chain.blocks[6].block.hash)
    report = audit([list_source(blocks, "two"), list_source(chain.blocks, "one")], chain.genesis, pin=pin)
    assert (report.verdict, report.last, only(report).source) == (Verdict.BAD, 12, "two")


def test_a_pin_that_was_not_reached_means_could_not_tell(chain, list_source):
    report = audit([list_source(chain.blocks)], chain.genesis, Level.HEADERS, pin=(13, ZERO_HASH))
    assert (report.verdict, only(report).height) == (Verdict.UNKNOWN, 13)


def test_the_genesis_can_be_pinned_too(chain, list_source):
    source = list_source(chain.blocks)
    assert audit([source], chain.genesis, Level.HEADERS, pin=(0, chain.chain_id)).ok
    assert not audit([source], chain.genesis, Level.HEADERS, pin=(0, ZERO_HASH)).ok


def test_heights_nobody_has_mean_could_not_tell(chain, list_source):
    report = audit([list_source(chain.blocks)], chain.genesis, Level.HEADERS, last=20)
    assert (report.verdict, report.last, only(report).height) == (Verdict.UNKNOWN, 12, 13)


def test_validators_of_an_unknown_epoch_mean_could_not_tell(make_chain, list_source):
    chain = make_chain().grow(3)
    chain.add(next_validators_hash=b"\5" * 32)
    report = audit([list_source(chain.blocks)], chain.genesis, Level.CERTIFICATES)
    assert (report.verdict, report.last, only(report).height) == (Verdict.UNKNOWN, 3, 4)
    replayed = audit([list_source(chain.blocks)], chain.genesis, Level.REPLAY)
    assert (replayed.verdict, replayed.last, only(replayed).height) == (Verdict.BAD, 3, 4)


def test_runs_longer_than_one_are_joined(make_chain, list_source, monkeypatch):
    monkeypatch.setattr(audit_module, "RUN_BLOCKS", 4)
    chain = make_chain().grow(11)
    assert audit([list_source(chain.blocks)] * 3, chain.genesis, Level.REPLAY).last == 11
    blocks = fork(make_chain, chain, 7)
    report = audit([list_source(chain.blocks), list_source(blocks)], chain.genesis, Level.REPLAY)
    assert (report.last, only(report).height) == (6, 7)


def test_questions_without_sense_are_refused(chain, list_source):
    source = list_source(chain.blocks)
    with pytest.raises(ValueError, match="source"):
        audit([], chain.genesis)
    with pytest.raises(ValueError, match="begins at height 1"):
        audit([source], chain.genesis, Level.REPLAY, first=2)
    for first, last in ((0, None), (5, 4)):
        with pytest.raises(ValueError, match="from <= to"):
            audit([source], chain.genesis, Level.HEADERS, first=first, last=last)
    with pytest.raises(ValueError, match="expected headers"):
        Level.of("deep")
    assert Level.of("merkle") is Level.MERKLE


@pytest.mark.parametrize("text", ["", "7", "7:", ":" + "0" * 64, "-1:" + "0" * 64, "7:" + "0" * 63, "７:" + "0" * 64])
def test_a_pin_is_a_height_and_a_hash(text):
    with pytest.raises(ValueError, match="HEIGHT:HASH"):
        parse_pin(text)


def test_a_good_pin_is_parsed():
    assert parse_pin("7:" + "ab" * 32) == (7, b"\xab" * 32)
    with pytest.raises(ValueError, match="hexadecimal"):
        parse_pin("7:" + "zz" * 32)


def test_a_report_is_plain_json(chain, make_chain, list_source):
    blocks = fork(make_chain, chain, 7)
    report = audit([list_source(chain.blocks), list_source(blocks)], chain.genesis, Level.HEADERS)
    document = json.loads(json.dumps(report.to_json()))
    assert document["ok"] is False
    assert document["verdict"] == "bad"
    assert document["findings"][0]["members"] == ["bank-a", "central-bank", "enterprise-a"]
    assert document["sources"][0]["status"] == "ok"


def test_a_committed_block_with_a_certificate_of_another_height_is_refuted(chain, list_source):
    blocks = list(chain.blocks)
    blocks[3] = CommittedBlock(blocks[3].block, blocks[2].certificate, blocks[3].receipts)
    report = audit([list_source(blocks)], chain.genesis, Level.HEADERS)
    assert (report.last, only(report).height) == (3, 4)


class PrunedSource:
    """A source that has no block below ``first`` any more."""

    def __init__(self, blocks: list[bytes], first: int, name: str = "pruned") -> None:
        self.name, self._blocks, self._first = name, blocks, first

    def tip(self) -> int:
        return len(self._blocks)

    def blocks(self, first: int, last: int):
        if first < self._first:
            raise Pruned(self._first)
        yield from self._blocks[first - 1 : last]


def test_a_pruned_source_alone_needs_an_archive(chain):
    source = PrunedSource([block.encode() for block in chain.blocks], 5)
    report = audit([source], chain.genesis)
    assert (report.verdict, report.sources[0].status) == (Verdict.UNKNOWN, "pruned")
    assert "archive" in report.sources[0].note
    assert "archive is needed" in only(report).reason


def test_what_a_pruned_source_still_has_is_audited(chain):
    source = PrunedSource([block.encode() for block in chain.blocks], 5)
    report = audit([source], chain.genesis, Level.MERKLE, first=6)
    assert (report.verdict, report.last) == (Verdict.OK, 12)


@pytest.mark.parametrize("first", [2, 5, 12, 40])
def test_a_pruned_source_is_compared_from_its_first_block_on(chain, list_source, first):
    raws = [block.encode() for block in chain.blocks]
    report = audit([PrunedSource(raws, first), list_source(chain.blocks)], chain.genesis)
    assert (report.verdict, report.last) == (Verdict.OK, 12)
    assert statuses(report) == ["pruned", "ok"]
    assert f"begin at height {first}" in report.sources[0].note


def test_a_pruned_source_that_shows_another_block_is_refuted(chain, list_source, monkeypatch):
    monkeypatch.setattr(audit_module, "RUN_BLOCKS", 2)
    raws = [block.encode() for block in chain.blocks]
    raws[8] = raws[7]
    report = audit([PrunedSource(raws, 5), list_source(chain.blocks)], chain.genesis, Level.MERKLE)
    assert (report.verdict, statuses(report)) == (Verdict.BAD, ["refuted", "ok"])
