"""What one seed draws: the size of the world, its faults, and who misbehaves how.

Law: everything follows from the seed alone, in one order of draws.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Final

from coseal.node.core.mempool import MempoolLimits
from simulation.byzantine.catalogue import BEHAVIOURS, WITH_SIDECARS

NETWORK = ("loss", "duplication", "reordering", "slow links", "partition", "one-way block", "clog", "link reset")
NODES = ("kill", "power failure", "pause", "slow node", "all down")
CLOCKS = ("clock skew", "clock jump", "clock drift")
DISKS = (
    "slow disk",
    "write error",
    "hole",
    "bit flip at the end",
    "bit flip in the middle",
    "lost sector",
    "journal lost",
    "old journal",
    "disk wiped",
    "block log damaged",
)
FAULTS = (*NETWORK, *NODES, *CLOCKS, *DISKS)
FRAGILE = DISKS[2:]
"""Faults after which a node may be silent, or forget: they count towards f like Byzantine nodes."""


@dataclass(frozen=True, slots=True)
class Options:
    """One world. Times in ms; ``behaviours`` maps a Byzantine validator's index to the names of what it does."""

    n: int = 4
    observers: int = 0
    real_signatures: bool = False
    tenure: int = 16
    round_timeout_ms: int = 500
    round_timeout_ms_max: int = 8_000
    heartbeat_ms: int = 0
    sync_ms: int = 2
    delay_ms: int = 2
    jitter_ms: int = 4
    write_every_ms: int = 300
    fault_every_ms: int = 800
    faults_ms: int = 15_000
    faults: tuple[str, ...] = ()
    behaviours: dict[int, tuple[str, ...]] = field(default_factory=dict)
    limits: MempoolLimits | None = None
    burst: int = 1
    heights_min: int = 20
    twins: bool = False
    leave_one_down: bool = False
    snapshot_blocks: int = 0  # a snapshot every so many blocks, and older blocks are pruned
    join_gap_blocks: int = 0
    changes: tuple[tuple[str, ...], ...] = ()  # groups, one after the other; those of a group at once
    joiners: int = 0  # nodes that are not there at genesis
    walks: bool = False  # clients send moves of a random walk, too
    sidecars: bool = field(default=False, repr=False)  # clients put and erase sidecars, too
    pays: bool = field(default=False, repr=False)  # clients issue money and pay with it

    @property
    def f(self) -> int:
        """How many may be faulty."""
        return (self.n - 1) // 3


GROUPS = (
    ("add",),
    ("add",),
    ("remove",),
    ("remove",),
    ("remove",),
    ("rotate",),
    ("rotate",),
    ("add", "remove"),
    ("rotate", "rotate"),
    ("remove", "rotate"),
)


GOVERNANCE_OF: Final = 3
"""In one of so many seeds members amend their constitution and suspend each other."""
DECISIONS: Final = (
    ("suspend",),
    ("suspend", "suspend"),
    ("suspend", "reinstate"),
    ("suspend", "reinstate"),
    ("suspend", "rotate"),
    ("suspend", "amend"),
    ("amend",),
    ("amend", "measure"),
    ("measure",),
    ("admit", "suspend"),
    ("admit", "dismiss"),
)


def _with_decisions(options: Options) -> Options:
    """Add to some worlds what members decide about each other, between their other changes.

    The chance is one of its own, so that all others remain as they were.
    """
    rng = random.Random(repr(options))
    if rng.randrange(GOVERNANCE_OF):
        return options
    first = rng.choices((("amend",), ("amend", "amend"), ("suspend",)), (3, 1, 1))
    changes = [*options.changes]
    for group in rng.choices(DECISIONS, k=1 if changes else rng.randint(1, 2)):
        changes.insert(rng.randint(0, len(changes)), group)
    changes = [*first, *changes]
    return replace(options, changes=tuple(changes))


def _draw_changes(rng: random.Random, n: int) -> tuple[tuple[str, ...], ...]:
    """Draw up to three groups of changes of the validators, and perhaps of the rules."""
    groups = rng.choices(GROUPS, k=rng.randint(1, 3))
    if n == 4 and "remove" in groups[0]:  # one that makes room comes first
        groups.insert(0, ("add",))
    if rng.randrange(3) == 0:
        at = rng.randrange(2)
        if rng.randrange(2) and at < len(groups):
            groups[at] = (*groups[at], "rules")
        else:
            groups.insert(at, ("rules",))
    return tuple(groups)


def draw(rng: random.Random) -> Options:
    """Draw the world of a seed."""
    n = rng.choices((4, 5, 6, 7), (60, 13, 13, 14))[0]
    byzantine = rng.choices(range((n - 1) // 3 + 1), (35, 65) if n < 7 else (25, 35, 40))[0]
    names = [name for name in BEHAVIOURS if name not in ("twins", *WITH_SIDECARS)]
    behaviours = {
        index: tuple(rng.sample(names, rng.choice((1, 1, 2, 3)))) for index in sorted(rng.sample(range(n), byzantine))
    }
    for index in behaviours:
        if rng.randrange(8) == 0:
            behaviours[index] = ("twins",)
    kinds = [
        *rng.sample(NETWORK, rng.randint(1, 4)),
        *rng.sample(NODES, rng.randint(1, 3)),
        *rng.sample(CLOCKS, rng.randint(0, 2)),
        *rng.sample(DISKS, rng.randint(0, 4)),
    ]
    if not behaviours and rng.randrange(2):  # there is room for a disk that fails
        rare = rng.choice(("block log damaged", "block log damaged", "old journal", "lost sector"))
        kinds += [rare] if rare not in kinds else []
    if behaviours and rng.randrange(6) == 0:  # somebody must catch up with a liar's help
        behaviours[min(behaviours)] = ("bad chunks",)
        kinds += [kind for kind in ("power failure", "disk wiped") if kind not in kinds]
    while len(kinds) < 3:
        kinds.append(rng.choice([kind for kind in FAULTS if kind not in kinds]))
    small = rng.randrange(8) == 0
    changes = _draw_changes(rng, n) if rng.randrange(3) == 0 else ()
    tenures = (4, 16, 16) if any("remove" in group for group in changes) else (1, 2, 4, 16)
    snapshots = (0, 4, 4) if changes else (0, 0, 4)
    if changes and rng.randrange(2) and "disk wiped" not in kinds:
        kinds.append("disk wiped")
    options = Options(
        n=n,
        observers=int(rng.randrange(6) == 0),
        real_signatures=rng.randrange(25) == 0,
        tenure=rng.choice(tenures),
        round_timeout_ms=rng.choice((200, 400, 800)),
        round_timeout_ms_max=rng.choice((2_000, 8_000)),
        heartbeat_ms=rng.choice((0, 0, 0, 3_000)),
        sync_ms=rng.choice((1, 2, 10)),
        delay_ms=rng.choice((1, 5, 25)),
        jitter_ms=rng.choice((0, 5, 40)),
        write_every_ms=rng.choice((150, 400, 800)),
        fault_every_ms=rng.choice((300, 700, 1_500)),
        faults_ms=rng.choice((6_000, 10_000, 16_000)),
        faults=tuple(kinds),
        behaviours=behaviours,
        limits=MempoolLimits(transactions_max=12, shares=2, entry_points=2) if small else None,
        burst=8 if small else rng.choice((1, 1, 3)),
        leave_one_down=rng.randrange(3) == 0,
        snapshot_blocks=rng.choice(snapshots),
        join_gap_blocks=rng.choice((0, 0, 6)),
        changes=changes,
        joiners=min(2, sum(group.count("add") for group in changes)),
    )
    return _with_sidecars(_with_decisions(options))


SIDECARS_OF: Final = 4
"""In one of so many seeds whose validators stay the same, clients put and erase sidecars."""


def _with_sidecars(options: Options) -> Options:
    """Add sidecars to some worlds, and Byzantine nodes that withhold, forge or name them; all others remain."""
    rng = random.Random(f"sidecars {options!r}")
    if options.changes or rng.randrange(SIDECARS_OF):
        return options
    behaviours = dict(options.behaviours)
    for index, kinds in behaviours.items():
        if kinds != ("twins",):
            behaviours[index] = (*kinds[:1], rng.choice(WITH_SIDECARS))
    return replace(options, sidecars=True, behaviours=behaviours)


def draw_twins(rng: random.Random) -> Options:
    """Draw a Twins scenario: four validators, one of them twice, partitions that change with the rounds."""
    return Options(
        twins=True,
        tenure=rng.choice((1, 1, 2, 16)),
        round_timeout_ms=rng.choice((200, 400)),
        round_timeout_ms_max=2_000,
        delay_ms=rng.choice((1, 10)),
        jitter_ms=rng.choice((0, 10, 60)),
        write_every_ms=rng.choice((150, 300)),
        fault_every_ms=rng.choice((100, 250, 600)),
        faults_ms=rng.choice((5_000, 9_000)),
        faults=("twin worlds", *rng.sample(("partition", "kill", "loss", "pause"), rng.randint(1, 3))),
        behaviours={rng.randrange(4): ("twins",)},
    )
