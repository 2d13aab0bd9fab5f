"""``python -m tests.liar``: lie to the SDK, its bundles, ``coseal verify`` and the audit, and count about what.

``--count N`` (default 12000) lies in all, ``--seed N``, ``--only NAME`` of a question. The exit status is 1 if a lie
was taken for more than holds, was answered with an error of no kind of ours, or took too long.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.liar.judge import Judge, Score, without_waiting
from tests.liar.lies import KINDS
from tests.liar.questions import questions
from tests.liar.scene import scene_in

_SHOWN = 20
_SLOW = 4
"""A bundle asks some thirty times: a lie about it costs as much as many others."""


def lie(judge: Judge, count: int, seed: int, only: str = "") -> Score:
    """Lie ``count`` times in all: three in five to clients, the rest in documents and to auditors."""
    score = Score()
    names = [name for name in judge.questions if only in name]
    weights = {name: 1 if name.startswith("bundle") else _SLOW for name in names}
    clients, auditors = (count * 12 // 20, count // 20) if not only else (count, 0)
    for name in names:
        score.add(judge.lie_about(name, clients * weights[name] // sum(weights.values()), seed))
    if not only:
        score.add(judge.lie_to_auditor(auditors, seed))
        score.add(judge.lie_in(judge.documents, count - score.count, seed))
    return score


def table(score: Score) -> str:
    """Return how many lies of each kind there were about each endpoint and document."""
    rows = sorted({endpoint for _, endpoint in score.told})
    width = max(map(len, rows)) + 2
    lines = [" " * width + "".join(f"{kind[:9]:>10}" for kind in KINDS) + f"{'all':>8}"]
    for row in rows:
        numbers = [score.told[kind, row] for kind in KINDS]
        lines.append(f"{row:{width}}" + "".join(f"{number or '':>10}" for number in numbers) + f"{sum(numbers):>8}")
    by_kind: Counter[str] = Counter()
    for (kind, _), number in score.told.items():
        by_kind[kind] += number
    lines.append(f"{'all':{width}}" + "".join(f"{by_kind[kind]:>10}" for kind in KINDS) + f"{score.count:>8}")
    return "\n".join(lines)


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.liar")
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, without_waiting(), scene_in(Path(folder)) as scene:
        score = lie(Judge(scene, questions), given.count, given.seed, given.only)
    print(table(score))
    print(f"{score.count} lies, seed {given.seed}: {score.refused} refused, {score.harmless} changed nothing shown")
    for one in score.broken[:_SHOWN]:
        print(f"BROKEN: {one}")
    print(f"{len(score.broken)} broke the law")
    return 1 if score.broken else 0


if __name__ == "__main__":
    sys.exit(main())
