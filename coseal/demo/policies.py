"""The example policies as arguments of ``policy.record``: Table 1 and the corpus of Chinese legal instruments.

Law: facts go over as the files state them; what they leave out stays out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.policy.instrument import UNNAMED_ISSUERS
from coseal.demo.examples import example
from coseal.errors import CosealError
from coseal.ledger import codec

TABLE1: Final = "policies/table1.json"
CORPUS: Final = "policies/china-instruments.jsonl.gz"
BATCH_INSTRUMENTS: Final = 200
_BATCH_BYTES: Final = 200 * 1024  # of a transaction's 256 KiB
_COPIED: Final = ("id", "title", "level", "type_document", "date_publication", "first_date_entry_in_force")
_JOINT: Final = ", etc."


def table1() -> dict[str, Any]:
    """Return Table 1 of the source paper as the arguments of one ``policy.record``.

    The table tells no acts, only who published in which month. "etc." marks a joint issue whose other issuers it does
    not name.
    """
    raw = _read(TABLE1)
    document = json.loads(raw)
    return {
        "source": document["source"][:256],
        "source_sha256": sha256(raw).hexdigest(),
        "instruments": [_table_row(index, row) for index, row in enumerate(document["policies"], start=1)],
    }


def _table_row(index: int, row: dict[str, str]) -> dict[str, Any]:
    issuer = row["publishing_unit"].removesuffix(_JOINT)
    joint = {"countersigned_by": [UNNAMED_ISSUERS]} if issuer != row["publishing_unit"] else {}
    return {
        "id": f"table1/{index:02}",
        "title": row["title"],
        "title_language": "en",
        "level": "central",
        "passed_by": [issuer],
        "date_publication": row["month"],
        "is_about": ["virtual currency"],
        "events": [],
        **joint,
    }


def corpus() -> tuple[str, list[dict[str, Any]]]:
    """Return (SHA-256 of the unpacked file, instruments as ``policy.record`` takes them)."""
    raw = gzip.decompress(_read(CORPUS))
    return sha256(raw).hexdigest(), [_instrument(json.loads(line)) for line in raw.splitlines()]


def corpus_batches() -> list[dict[str, Any]]:
    """Return the corpus as arguments of ``policy.record``, each within the bounds of one transaction."""
    digest, instruments = corpus()
    head = {"source": "Legal instruments of China, a selection (examples/policies)", "source_sha256": digest}
    return [{**head, "instruments": batch} for batch in batches(instruments)]


def batches(instruments: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut instruments into batches of at most ``BATCH_INSTRUMENTS`` that fit a transaction."""
    batch: list[dict[str, Any]] = []
    total = 0
    for instrument in instruments:
        size = len(codec.encode(instrument))
        if batch and (len(batch) == BATCH_INSTRUMENTS or total + size > _BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(instrument)
        total += size
    if batch:
        yield batch


def _instrument(row: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the corpus in the register's terms; ``expired`` has no date and so is no event."""
    names = ("date", "action", "issuer", "number", "text")
    events = [{name: value for name, value in zip(names, event, strict=True) if value} for event in row["events"]]
    result: dict[str, Any] = {name: row[name] for name in _COPIED if name in row}
    result["is_about"] = [row["area"]]
    result["text_sha256"] = row["text_sha256"]
    result["text_ref"] = row["text_ref"]
    result["events"] = events
    return result


def _read(name: str) -> bytes:
    path = example(name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None
