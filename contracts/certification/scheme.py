"""What a scheme of certification asks: criteria with weight and floor, the mix of a panel, the threshold.

Law: every sector has a seat on every panel, so that none certifies alone.

contracts/certification/README.md, S1 to S4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.fields import Identifier, Integer, Label, Many, Record, Text, Translatable

SECTORS: Final = ("government", "industry", "academia", "humanities")
"""Of whom every panel has one at least; humanities is a discipline, which a reviewer of any sector may have."""
MAX_SCORE: Final = 4
_DAY_MS: Final = 86_400_000
_MAX_VALIDITY_MS: Final = 3 * 366 * _DAY_MS

TERMS: Final[Mapping[str, int]] = {
    "admit_ms": 15 * _DAY_MS,
    "seed_ms": 3 * _DAY_MS,
    "declare_ms": 7 * _DAY_MS,
    "commit_ms": 30 * _DAY_MS,
    "reveal_ms": 5 * _DAY_MS,
    "decide_ms": 15 * _DAY_MS,
    "appeal_ms": 15 * _DAY_MS,
}
"""How long each step takes at most, in ms, where a scheme says nothing else."""
_MIN_TERM_MS: Final = 1_000
_MAX_TERM_MS: Final = 366 * _DAY_MS

CRITERION: Final = Record(
    {
        "id": Identifier(slash=False),
        "title": Translatable(),
        "weight": Integer(1, 100),
        "floor": Integer(0, MAX_SCORE),
        "asks": Many(Text(high=512), low=1, high=16),
    },
    {"applies": Many(Label(), low=1, high=16, unique=True)},
)
SCHEME: Final = Record(
    {
        "title": Translatable(),
        "criteria": Many(CRITERION, low=1, high=32),
        "panel": Record({"size": Integer(5, 9), "least": Record({sector: Integer(1, 6) for sector in SECTORS})}),
        "threshold": Many(Integer(1, 1_000), low=2, high=2),
        "validity_ms": Integer(_DAY_MS, _MAX_VALIDITY_MS),
    },
    {"terms": Record({}, {term: Integer(_MIN_TERM_MS, _MAX_TERM_MS) for term in TERMS})},
)
"""A scheme, without the bodies that act under it: who they are, its adoption says."""


def faults_of(data: Any) -> Iterator[str]:
    """Yield what is wrong with a scheme; each begins with the path of a field."""
    found = list(SCHEME.faults(data))
    if found:
        yield from found
        return
    ids = [criterion["id"] for criterion in data["criteria"]]
    for index, name in enumerate(ids):
        if name in ids[:index]:  # S1
            yield f".criteria[{index}].id: {name} stands twice"
    least = data["panel"]["least"]
    seats = sum(least[sector] for sector in ("government", "industry", "academia"))
    if seats > data["panel"]["size"] or least["humanities"] > data["panel"]["size"]:  # S2
        yield f".panel.size: {data['panel']['size']} seats are too few for the least of each sector"
    if data["threshold"][0] > data["threshold"][1]:  # S3
        yield ".threshold: more than the greatest score cannot be reached"


def kinds_of(scheme: Mapping[str, Any]) -> Sequence[str]:
    """Return the kinds of project that criteria of a scheme name."""
    return sorted({kind for criterion in scheme["criteria"] for kind in criterion.get("applies", ())})


def applying(scheme: Mapping[str, Any], kind: str | None) -> Sequence[str]:
    """Return the criteria that a project of a kind must meet; with None those of every project."""  # S4
    return [
        criterion["id"]
        for criterion in scheme["criteria"]
        if "applies" not in criterion or kind in criterion["applies"]
    ]


def term_ms(scheme: Mapping[str, Any], term: str) -> int:
    """Return how long a step takes at most under a scheme, in ms."""  # S8
    found: int = scheme.get("terms", TERMS).get(term, TERMS[term])
    return found
