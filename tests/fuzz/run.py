"""One fuzz run: mutants of a decoder's corpus, and what must hold for each of them.

Law: a decoder refuses with an error of its own kind or returns a value that stands for exactly these bytes, in time
and memory that its input explains.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.fuzz.decoders import CORPUS, Decoder
from tests.fuzz.mutate import mutant

SECONDS_MAX = 2.0
"""Of processor time for one input; the slowest takes some milliseconds."""
MEMORY_FREE = 2 * 1024 * 1024
MEMORY_FACTOR = 64
MEASURED_EVERY = 16
INPUT_BYTES_MAX = 2_048


@dataclass(frozen=True)
class Finding:
    """An input that broke the law, and how."""

    decoder: str
    data: bytes
    what: str

    def __str__(self) -> str:
        return f"{self.decoder}: {self.what}\n  input: {self.data[:400].hex()}"


def corpus_of(decoder: Decoder) -> list[bytes]:
    """Return the committed inputs of a decoder, and those that are too large to be committed."""
    kept = read_corpus(decoder)
    committed = [read_entry(entry) for entry in (*kept["made"], *kept["found"])]
    return committed + [data for data in decoder.inputs() if len(data) > INPUT_BYTES_MAX]


def read_corpus(decoder: Decoder) -> dict[str, list[Any]]:
    """Return the entries of a decoder's file: what the seeds make, and what fuzzing found."""
    return dict(json.loads((CORPUS / f"{decoder.name}.json").read_text("utf-8")))


def corpus_text(decoder: Decoder, found: list[Any]) -> str:
    """Return the text of a decoder's file with these findings."""
    made = [entry_of(data) for data in decoder.inputs() if len(data) <= INPUT_BYTES_MAX]
    return json.dumps({"made": made, "found": found}, indent=1, ensure_ascii=False) + "\n"


def read_entry(entry: Any) -> bytes:
    """Return the bytes of an entry: a text stands for its UTF-8 form, {"hex": ..} for any bytes."""
    return entry.encode() if isinstance(entry, str) else bytes.fromhex(entry["hex"])


def entry_of(data: bytes) -> Any:
    """Return the form in which an input is committed."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    return text if text is not None and (text.isprintable() or text.isspace()) else {"hex": data.hex()}


def judge(decoder: Decoder, data: bytes, *, measured: bool = False) -> str | None:
    """Return what is wrong with how ``decoder`` takes ``data``, or None."""
    if measured:
        tracemalloc.start()
    started = time.process_time()
    try:
        problem = _taken(decoder, data)
        peak = tracemalloc.get_traced_memory()[1] if measured else 0
    finally:
        if measured:
            tracemalloc.stop()
    seconds = time.process_time() - started
    if problem is None and seconds > SECONDS_MAX:
        problem = f"took {seconds:.1f} s for {len(data)} bytes"
    if problem is None and peak > MEMORY_FREE + MEMORY_FACTOR * len(data):
        problem = f"took {peak} bytes of memory for {len(data)} bytes"
    return problem


def _taken(decoder: Decoder, data: bytes) -> str | None:
    try:
        again = decoder.roundtrip(data)
    except decoder.refusals:
        return None
    except Exception as error:
        return f"raised {type(error).__name__}: {str(error)[:200]}"
    return None if type(again) is not bytes or again == data else f"stands for other bytes: {again[:200].hex()}"


def fuzz(decoder: Decoder, seed: int, mutants: int, corpus: list[bytes] | None = None) -> list[Finding]:
    """Judge the corpus and ``mutants`` mutants of it; return the findings."""
    inputs = corpus or corpus_of(decoder)
    random = Random(f"{seed} {decoder.name}")
    found = [Finding(decoder.name, data, problem) for data in inputs if (problem := judge(decoder, data))]
    for number in range(mutants):
        data = mutant(random, inputs, decoder.form)
        problem = judge(decoder, data, measured=number % MEASURED_EVERY == 0)
        if problem:
            found.append(Finding(decoder.name, data, problem))
    return found


def shrink(decoder: Decoder, data: bytes, tries: int = 400) -> bytes:
    """Return a smaller input that still breaks the law, by leaving pieces out; as it is if it does not do so again."""
    size = len(data) // 2 if judge(decoder, data) else 0
    while size:
        at = 0
        while at < len(data) and tries:
            tries -= 1
            smaller = data[:at] + data[at + size :]
            if judge(decoder, smaller):
                data = smaller
            else:
                at += size
        size //= 2
    return data
