"""A panel of reviewers, drawn by a seed out of those that may be drawn.

Law: a panel is found whenever there is one; a member has one seat at most, and no greater chance by having more
reviewers; who is drawn follows from the seed and the names alone, whatever order they are given in.

contracts/certification/README.md, D1 to D4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

ROLE_SECTORS: Final = ("government", "industry", "academia")
SECTOR_OF: Final[Mapping[str, str]] = {
    "government": "government",
    "bank": "industry",
    "enterprise": "industry",
    "institute": "academia",
    "public": "academia",
}
"""The sector of a reviewer, by the role of its member."""  # D1
HUMANITIES: Final = "6"
FIELDS: Final = tuple(
    code
    for major, count in (("1", 7), ("2", 11), ("3", 5), ("4", 5), ("5", 9), (HUMANITIES, 5))
    for code in (major, *(f"{major}.{minor}" for minor in range(1, count + 1)))
)
"""The fields of research and development of the OECD (FORD): six, and their parts."""
_SEED_TAG: Final = b"coseal/panel-seed/1".ljust(24, b"\0")


class Reviewer(NamedTuple):
    """A reviewer as far as a draw looks at it; ``humanities``: one of its fields is of the humanities."""

    member: str
    user: str
    sector: str
    humanities: bool

    @property
    def name(self) -> str:
        """The operator that it is, ``member/user``."""
        return f"{self.member}/{self.user}"


def is_humanities(fields: Iterable[str]) -> bool:
    """Say whether one of these fields is of the humanities."""
    return any(code.partition(".")[0] == HUMANITIES for code in fields)


def seed_commitment(project: str, number: int, member: str, seed: bytes) -> str:
    """Return what a member commits to before anybody shows a seed."""
    named = f"{project}\0{number}\0{member}\0".encode()
    return sha256(_SEED_TAG + named + seed).hexdigest()


def joined(seeds: Sequence[bytes]) -> bytes:
    """Return the seed that all of these make together."""  # D2
    return sha256(b"".join(seeds)).digest()


def draw(
    seed: bytes, eligible: Iterable[Reviewer], panel: Mapping[str, Any], seated: Sequence[Reviewer] = ()
) -> tuple[Reviewer, ...] | None:
    """Return a panel as a scheme wants it, or None if these reviewers make none.

    ``seated`` have their seats; the others are drawn for what is free.
    """
    return _Draw(seed, eligible, panel, seated).panel()


class _Draw:
    """One draw. Members stand in the order of their ranks, and so do the reviewers of each."""

    def __init__(
        self, seed: bytes, eligible: Iterable[Reviewer], panel: Mapping[str, Any], seated: Sequence[Reviewer]
    ) -> None:
        self.size: int = panel["size"]
        self.least: Mapping[str, int] = panel["least"]
        self.drawn = list(seated)
        sitting = frozenset(reviewer.member for reviewer in seated)
        of: dict[str, list[Reviewer]] = {}
        for reviewer in eligible:
            if reviewer.member not in sitting:
                of.setdefault(reviewer.member, []).append(reviewer)
        ranked = sorted(of, key=lambda member: (_rank(seed, member), member))
        self.free = {
            member: sorted(of[member], key=lambda each: (_rank(seed, each.name), each.name)) for member in ranked
        }

    def panel(self) -> tuple[Reviewer, ...] | None:
        for reviewers in tuple(self.free.values()):  # D3: the humanities first
            if sum(each.humanities for each in self.drawn) >= self.least["humanities"]:
                break
            found = next((each for each in reviewers if each.humanities), None)
            if found is not None and self._leaves_room(found):
                self._seat(found)
        for sector in ROLE_SECTORS:  # D3: then what each sector has at least
            for reviewers in tuple(self.free.values()):
                if self._of(sector) >= self.least[sector]:
                    break
                if reviewers[0].sector == sector:
                    self._seat(reviewers[0])
        for reviewers in tuple(self.free.values()):  # D3: then by rank
            if len(self.drawn) >= self.size:
                break
            self._seat(reviewers[0])
        return tuple(self.drawn) if self._is_whole() else None

    def _seat(self, reviewer: Reviewer) -> None:
        self.drawn.append(reviewer)
        del self.free[reviewer.member]  # D4

    def _of(self, sector: str) -> int:
        return sum(each.sector == sector for each in self.drawn)

    def _leaves_room(self, reviewer: Reviewer) -> bool:
        """Say whether with this one there are seats left for what every sector still lacks."""
        after = {sector: self._of(sector) + (sector == reviewer.sector) for sector in ROLE_SECTORS}
        return sum(max(after[sector], self.least[sector]) for sector in ROLE_SECTORS) <= self.size

    def _is_whole(self) -> bool:
        humanities = sum(each.humanities for each in self.drawn)
        enough = all(self._of(sector) >= self.least[sector] for sector in ROLE_SECTORS)
        return len(self.drawn) == self.size and enough and humanities >= self.least["humanities"]


def _rank(seed: bytes, name: str) -> bytes:
    return sha256(seed + name.encode()).digest()


def can_decide(panel: Mapping[str, Any], sitting: Sequence[Reviewer]) -> bool:
    """Say whether these are more than half of a panel, and still of every sector and the humanities."""  # V1
    sectors = {reviewer.sector for reviewer in sitting}
    mixed = all(sector in sectors for sector in ROLE_SECTORS) and any(each.humanities for each in sitting)
    return 2 * len(sitting) > panel["size"] and mixed


def lacking(eligible: Sequence[Reviewer], panel: Mapping[str, Any]) -> str:
    """Say how many members there are of each sector, and of the humanities, for how many seats."""
    found: dict[str, dict[str, None]] = {}
    for reviewer in eligible:
        found.setdefault(reviewer.sector, {})[reviewer.member] = None
        if reviewer.humanities:
            found.setdefault("humanities", {})[reviewer.member] = None
    parts = [
        f"{sector} {len(found.get(sector, ()))} of {panel['least'][sector]}" for sector in (*ROLE_SECTORS, "humanities")
    ]
    members = len({reviewer.member for reviewer in eligible})
    return f"{', '.join(parts)}; {members} members for {panel['size']} seats"
