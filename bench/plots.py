"""``python -m bench.plots``: draw what ``bench.full`` measured, as one SVG (needs the extra ``bench``)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.document import FIGURES
from bench.figures import Figure

OUT = FIGURES / "growth.svg"
PANELS = {
    "validators": ("validators", "transactions/s"),
    "block size": ("transactions a block, at most", "transactions/s"),
    "history": ("transactions before", "transactions/s"),
    "state": ("objects in the state", "ratio"),
    "rules": ("rules in force", "CPU us an event"),
}


def points(measured: Mapping[str, Any], curve: str, name: str) -> list[tuple[float, Figure]]:
    """Return (x, figure) of a curve, by x."""
    found = []
    for key, value in measured.items():
        of, _, x = key.rpartition("/")
        if of == curve and name in value["figures"]:
            found.append((float(x), Figure.read(value["figures"][name])))
    return sorted(found, key=lambda point: point[0])


def main() -> int:
    """Draw the curves that were measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.plots", description=__doc__)
    parser.add_argument("--json", type=Path, nargs="+", default=[FIGURES / "full.json", FIGURES / "large.json"])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    try:
        import matplotlib
    except ImportError:
        print("this needs matplotlib: pip install -e '.[bench]'", file=sys.stderr)
        return 2
    matplotlib.use("svg")
    from matplotlib import pyplot

    documents = [json.loads(path.read_text("utf-8")) for path in options.json if path.exists()]
    measured = {key: value for document in documents for key, value in document["measured"].items()}
    drawn = {curve: found for curve, (_, name) in PANELS.items() if (found := points(measured, curve, name))}
    if not drawn:
        print(
            f"nothing was measured in {', '.join(map(str, options.json))}; run `make bench-full` first", file=sys.stderr
        )
        return 1
    # Text stays text, and the same figures give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "coseal", "font.size": 8})
    figure, axes = pyplot.subplots(1, len(drawn), figsize=(2.6 * len(drawn), 2.4), layout="constrained", squeeze=False)
    for axis, (curve, found) in zip(axes[0], drawn.items(), strict=True):
        places, figures = [x for x, _ in found], [one for _, one in found]
        middle = [one.median for one in figures]
        below = [one.median - one.low for one in figures]
        above = [one.high - one.median for one in figures]
        axis.errorbar(places, middle, yerr=(below, above), marker="o", markersize=3, capsize=2, linewidth=1)
        if curve in ("history", "state", "block size"):
            axis.set_xscale("log")
        if curve == "validators":
            axis.set_xticks(places)
        axis.set_ylim(bottom=0)
        axis.set_xlabel(PANELS[curve][0])
        axis.set_ylabel(PANELS[curve][1])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, metadata={"Date": None, "Title": "; ".join(each["identity"] for each in documents)})
    print(f"drawn to {options.out}: {', '.join(drawn)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
