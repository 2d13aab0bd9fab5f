"""Every decoder against some thousand mutants of its corpus (row K1 and all that reads bytes of others)."""

from __future__ import annotations

import pytest

from tests.fuzz.decoders import CORPUS, DECODERS, Decoder
from tests.fuzz.run import INPUT_BYTES_MAX, corpus_of, corpus_text, fuzz, judge, read_corpus, read_entry, shrink

MUTANTS = 2_000
CORPUS_BYTES_MAX = 200_000


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_a_decoder_refuses_in_its_own_words_or_reads_exactly_these_bytes(decoder: Decoder) -> None:
    found = fuzz(decoder, seed=1, mutants=int(MUTANTS * decoder.share))
    assert not found, "\n".join(map(str, found[:5]))


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_the_corpus_is_what_the_seeds_make_and_every_decoder_accepts_some_of_it(decoder: Decoder) -> None:
    found = read_corpus(decoder)["found"]
    assert (CORPUS / f"{decoder.name}.json").read_text("utf-8") == corpus_text(decoder, found), (
        "a seed changed: run `python -m tests.fuzz --corpus`"
    )
    accepted = 0
    for data in corpus_of(decoder):
        try:
            decoder.roundtrip(data)
        except decoder.refusals:
            continue
        accepted += 1
    assert accepted


def test_the_corpus_is_small() -> None:
    files = list(CORPUS.iterdir())
    assert {path.stem for path in files} == {decoder.name for decoder in DECODERS}
    assert sum(path.stat().st_size for path in files) < CORPUS_BYTES_MAX
    entries = [read_entry(entry) for decoder in DECODERS for part in read_corpus(decoder).values() for entry in part]
    assert max(map(len, entries)) <= INPUT_BYTES_MAX


# The fuzzer itself


def _broken(data: bytes) -> bytes:
    if b"\xff" in data:
        raise KeyError("x")
    if b"\xc0" in data:
        return b"other"
    return data


BROKEN = Decoder("broken", "text", _broken, lambda: [b"abc" * 10])


def test_a_mistake_of_a_decoder_is_found_made_again_from_its_seed_and_shrunk() -> None:
    found = fuzz(BROKEN, 1, 1_000, [b"abc" * 10])
    assert {finding.what.split(":")[0] for finding in found} == {"raised KeyError", "stands for other bytes"}
    assert fuzz(BROKEN, 1, 1_000, [b"abc" * 10]) == found
    assert {shrink(BROKEN, finding.data) for finding in found} == {b"\xff", b"\xc0"}


def test_time_and_memory_out_of_proportion_are_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = Decoder("greedy", "text", lambda data: bytes(bytearray(16 << 20)[:0]) or data, list)
    assert judge(greedy, b"x") is None
    assert "bytes of memory" in str(judge(greedy, b"x", measured=True))
    monkeypatch.setattr("tests.fuzz.run.SECONDS_MAX", -1.0)
    assert "took" in str(judge(greedy, b"x"))
