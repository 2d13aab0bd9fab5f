"""``python -m bench.document``: put what was measured into docs/performance.md.

The results are copied to docs/figures, and each block of the page between ``<!-- NAME: begin -->`` and
``<!-- NAME: end -->`` is written from its copy. Only results that are there are taken; the other blocks stay.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import tables
from bench.machine import ROOT
from bench.results import FOLDER

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "figures"
_CPU = "CPU ms a transaction and node"
_GROWTH = {
    "validators": ("transactions/s", "transactions/s by CPU", _CPU, "p50 ms", "blocks in a later round", "overtaken"),
    "block size": ("transactions/s", _CPU, "p50 ms", "blocks in a later round"),
    "history": ("transactions/s", _CPU, "p50 ms", "MB, the largest node"),
    "state": ("ratio", "transactions/s, full", "transactions/s, empty"),
    "rules": ("CPU us an event", "events/s"),
    "overload": ("share of the peak", "times the peak offered", "p99 ms of the admitted", "p99 ms to refuse"),
}


def growth(document: Mapping[str, Any]) -> str:
    """Return the curves, a table each."""
    parts = [tables.ran_on(document)]
    for curve, names in _GROWTH.items():
        if any(key.startswith(f"{curve}/") for key in document["measured"]):
            parts.append(tables.keyed(document, curve, names, f"{curve}/").rstrip("\n"))
    return "\n\n".join(parts) + "\n"


def wan(document: Mapping[str, Any]) -> str:
    """Return the figures by delay."""
    line = ("ping ms", "MB/s of a connection")
    network = ("p50 ms", "p99 ms", "transactions/s", "transactions a block", "events/s", "blocks in a later round")
    return f"{tables.ran_on(document)}\n\n{tables.keyed(document, 'round trip, ms', line + network)}"


def peer(document: Mapping[str, Any]) -> str:
    """Return the peer beside the product."""
    names = ("transactions/s", _CPU, "p50 ms", "p99 ms")
    return f"CometBFT {document['about']['cometbft']}. {tables.ran_on(document)}\n\n{tables.keyed(document, '', names)}"


BLOCKS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "bench": ("bench.json", tables.markdown),
    "growth": ("full.json", growth),
    "large": ("large.json", growth),
    "wan": ("wan.json", wan),
    "peer": ("cometbft.json", peer),
}


def block(name: str, text: str) -> re.Match[str]:
    """Return where a block stands in the page; raise ``ValueError`` if it has none."""
    found = re.search(rf"(?s)(<!-- {name}: begin -->\n)(.*?)(<!-- {name}: end -->)", text)
    if found is None:
        raise ValueError(f"{PAGE} has no block {name}")
    return found


def rendered(name: str, folder: Path = FIGURES) -> str | None:
    """Return what a block should hold, None if nothing was measured for it."""
    file, render = BLOCKS[name]
    path = folder / file
    return render(json.loads(path.read_text("utf-8"))) if path.exists() else None


def main() -> int:
    """Write the page."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    text = PAGE.read_text("utf-8")
    for name, (file, _) in BLOCKS.items():
        if (FOLDER / file).exists():
            shutil.copyfile(FOLDER / file, FIGURES / file)
            found = block(name, text)
            text = text[: found.start(2)] + (rendered(name) or "") + text[found.end(2) :]
            print(f"{name}: from {FOLDER / file}")
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
