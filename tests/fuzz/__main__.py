"""``python -m tests.fuzz``: fuzz every decoder for a while and add what is found to the corpus; or write the corpus.

``--minutes N`` (default 1) with ``--seed``; ``--only NAME``; ``--corpus`` rewrites ``tests/fuzz/corpus`` and keeps the
findings in it. The exit status is 1 if something was found.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time

from tests.fuzz.decoders import CORPUS, DECODERS, Decoder
from tests.fuzz.run import INPUT_BYTES_MAX, corpus_of, corpus_text, entry_of, fuzz, read_corpus, shrink

ROUND = 500


def write_corpus(decoder: Decoder, data: bytes | None = None) -> None:
    """Write a decoder's file; with ``data``, a finding more."""
    path = CORPUS / f"{decoder.name}.json"
    found = read_corpus(decoder)["found"] if path.exists() else []
    if data is not None and entry_of(data) not in found:
        found.append(entry_of(data))
    path.write_text(corpus_text(decoder, found), "utf-8")


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--corpus", action="store_true")
    given = parser.parse_args()
    chosen = [decoder for decoder in DECODERS if given.only in ("", decoder.name)]
    if given.corpus:
        CORPUS.mkdir(exist_ok=True)
        for decoder in chosen:
            write_corpus(decoder)
        return 0
    end, seed, judged, shown = time.monotonic() + 60 * given.minutes, given.seed, 0, set()
    corpora = {decoder.name: corpus_of(decoder) for decoder in chosen}
    while time.monotonic() < end:
        for decoder in chosen:
            if time.monotonic() > end:
                break
            mutants = int(ROUND * decoder.share)
            for finding in fuzz(decoder, seed, mutants, corpora[decoder.name]):
                kind = (decoder.name, re.sub("[0-9]+", "", finding.what)[:40])
                if kind in shown:
                    continue
                shown.add(kind)
                data = shrink(decoder, finding.data)
                print(
                    json.dumps({"decoder": decoder.name, "what": finding.what, "input": data[:4_096].hex()}), flush=True
                )
                if len(data) <= INPUT_BYTES_MAX:
                    write_corpus(decoder, data)
            judged += mutants
        seed += 1
    print(f"{judged} mutants of {len(chosen)} decoders, seeds {given.seed} to {seed - 1}: {len(shown)} findings")
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
