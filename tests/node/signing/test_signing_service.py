from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import signing
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import Ed25519Signer, body_preimage
from coseal.node.core import journal
from coseal.node.signing import signer_wire
from coseal.node.signing.signer_wire import Is, Refused, Sign, Signed, Who
from coseal.node.signing.signing_service import SigningService
from coseal.node.storage import journal_file
from coseal.node.storage.journal_file import JournalFile

CHAIN, NODE = bytes(range(32)), "bank-a"
KEY = Ed25519Signer(b"k" * 32)
TAGS = {name: tag for name, tag in vars(signing).items() if name.startswith("TAG_")}


def vote(height: int = 5, round: int = 0, phase: Phase = Phase.PREPARE, block: bytes = b"a" * 32, **other) -> bytes:
    return vote_preimage(other.get("chain", CHAIN), other.get("epoch", 0), height, round, phase, block)


def make(folder: Path) -> Path:
    journal_file.create(folder, journal.initial(CHAIN, NODE))
    return folder


def opened(folder: Path) -> SigningService:
    """A service on what the disk holds, as after any restart."""
    file = JournalFile(folder)
    data = file.read()
    assert data is not None
    assert journal.origin(data) == (CHAIN, NODE)
    loaded = journal.load(data, CHAIN, NODE)
    assert loaded.entitles
    return SigningService(KEY, CHAIN, NODE, loaded.journal, file)


@pytest.fixture
def service(tmp_path: Path) -> SigningService:
    return opened(make(tmp_path / "guard"))


def signed(service: SigningService, preimage: bytes) -> bool:
    """Whether it signs this; whatever it signs verifies."""
    answer = service.answer(Sign(preimage))
    if isinstance(answer, Signed):
        assert signing.verify(KEY.public_key, preimage, answer.signature)
    return isinstance(answer, Signed)


def test_it_says_whose_key_it_holds(service: SigningService) -> None:
    assert service.answer(Who()) == Is(KEY.public_key, CHAIN, NODE)


def test_equal_bytes_get_the_same_signature_and_other_bytes_of_a_step_none(service: SigningService) -> None:
    first = service.answer(Sign(vote()))
    assert isinstance(first, Signed)
    assert service.answer(Sign(vote())) == first
    for other in (vote(block=b"b" * 32), vote(epoch=1)):
        answer = service.answer(Sign(other))
        assert isinstance(answer, Refused)
        assert "height 5 round 0 step 2" in answer.reason
    assert signed(service, vote(phase=Phase.COMMIT))
    assert service.answer(Sign(vote())) == first


def test_height_round_and_step_only_rise(service: SigningService) -> None:
    assert signed(service, vote(5, 1, Phase.PREPARE))
    for place in ((4, 9, Phase.COMMIT), (5, 0, Phase.COMMIT), (5, 1, Phase.PROPOSAL), (5, 1, Phase.ROUND_CHANGE)):
        assert not signed(service, vote(*place)), place
    assert signed(service, vote(5, 2, Phase.ROUND_CHANGE))
    assert signed(service, vote(6, 0, Phase.PROPOSAL))


@pytest.mark.parametrize("tag", sorted(TAGS))
def test_of_all_tags_only_votes_and_transactions_of_this_chain_are_signed(service: SigningService, tag: str) -> None:
    """Every tag there is, also one that is added later, in the two forms of preimages and as a bare digest."""
    votes = {f"TAG_{phase.name}": phase for phase in Phase}
    for phase in Phase:
        preimage = TAGS[tag] + vote(phase=phase)[24:]
        assert signed(service, preimage) == (votes.get(tag) is phase), phase
    assert signed(service, body_preimage(TAGS[tag], CHAIN, b"body")) == (tag == "TAG_TRANSACTION")
    assert not signed(service, body_preimage(TAGS[tag], bytes(32), b"body"))
    assert not signed(service, signing.digest(TAGS[tag], b"data"))


def test_another_chain_height_zero_and_the_last_height_are_refused(service: SigningService) -> None:
    assert not signed(service, vote(chain=bytes(32)))
    for height in (0, 2**63 - 1, 2**63, 2**64 - 1):
        assert not signed(service, vote(height)), height
    assert signed(service, vote(2**63 - 2))


@pytest.mark.parametrize("length", [0, 1, 24, 87, 89, 108, 110, 256])
def test_a_preimage_of_another_length_is_refused(service: SigningService, length: int) -> None:
    for start in (vote(), body_preimage(signing.TAG_TRANSACTION, CHAIN, b"body")):
        assert not signed(service, start.ljust(256, b"\0")[:length])


def test_nothing_is_forgotten_by_a_restart_or_a_rewrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 4_000)
    folder = make(tmp_path / "guard")
    service = opened(folder)
    sizes = []
    for height in range(1, 100):
        for phase in (Phase.PREPARE, Phase.COMMIT):
            assert signed(service, vote(height, 0, phase))
        sizes.append((folder / "journal.log").stat().st_size)
    assert max(sizes) < 6_000
    service = opened(folder)
    assert service.place == (99, 0)
    assert signed(service, vote(99, 0, Phase.COMMIT))
    assert not signed(service, vote(99, 0, Phase.COMMIT, b"b" * 32))
    assert not signed(service, vote(98, 0, Phase.PREPARE))


def test_very_many_rounds_of_one_height_take_neither_memory_nor_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 4_000)
    folder = make(tmp_path / "guard")
    service = opened(folder)
    for round in range(1, 300):
        assert signed(service, vote(1, round, Phase.ROUND_CHANGE))
    assert (folder / "journal.log").stat().st_size < 6_000
    assert len(service._journal._records) <= 4


def test_the_record_is_durable_before_the_signature_leaves(tmp_path: Path) -> None:
    """The order of calls; and when the disk refuses, no answer comes out."""

    class Recorded:
        def __init__(self) -> None:
            self.calls: list[str] = []
            self.full = False

        def append(self, data: bytes) -> None:
            assert data
            self.calls.append("append")

        def sync(self) -> None:
            if self.full:
                raise OSError("no space")
            self.calls.append("sync")

        def replace(self, data: bytes) -> None:
            self.calls.append("replace")

    file, made = Recorded(), journal.Journal(CHAIN, NODE)
    made.raise_floor(0)
    service = SigningService(KEY, CHAIN, NODE, made, file)
    assert signed(service, vote(1))
    assert file.calls == ["append", "sync"]
    assert signed(service, vote(1))
    assert file.calls == ["append", "sync"]  # durable already
    file.full = True
    with pytest.raises(OSError, match="no space"):
        service.answer(Sign(vote(2)))


Places = st.tuples(st.integers(1, 3), st.integers(0, 2), st.sampled_from(list(Phase)), st.sampled_from([b"a", b"b"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(Places, st.just("restart")), max_size=40))
def test_whatever_is_asked_no_place_gets_two_signatures(tmp_path_factory: pytest.TempPathFactory, asked: list) -> None:
    folder = make(tmp_path_factory.mktemp("guard") / "guard")
    service, given_out = opened(folder), {}
    for question in asked:
        if question == "restart":
            service = opened(folder)
            continue
        height, round, phase, block = question
        if signed(service, vote(height, round, phase, block * 32)):
            assert given_out.setdefault((height, round, phase), block) == block
            assert (height, round) >= max((place[:2] for place in given_out), default=(0, 0))


@pytest.mark.parametrize(
    "message",
    [Who(), Sign(b"p" * 109), Is(b"k" * 32, b"c" * 32, "bank-a"), Signed(b"s" * 64), Refused("no")],
    ids=lambda message: type(message).__name__,
)
def test_a_message_is_read_as_it_was_written(message: signer_wire.Question | signer_wire.Answer) -> None:
    packet = signer_wire.encode(message)
    assert len(packet) <= signer_wire.MAX_PACKET_BYTES
    question = isinstance(message, Who | Sign)
    assert (signer_wire.decode_question if question else signer_wire.decode_answer)(packet) == message
    with pytest.raises(Malformed):
        (signer_wire.decode_answer if question else signer_wire.decode_question)(packet)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=600), st.binary(max_size=40).map(lambda tail: signer_wire.encode(Who())[:-1] + tail))
)
def test_anything_else_is_malformed_and_nothing_worse(packet: bytes) -> None:
    for decode in (signer_wire.decode_question, signer_wire.decode_answer):
        try:
            message = decode(packet)
        except Malformed:
            continue
        assert signer_wire.encode(message) == packet
