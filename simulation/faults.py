"""What goes wrong: each kind of fault as a function that breaks something now, and mends it later.

Law: a fault that can make a node forget or fall silent for good needs room below f; all others may strike anyone,
and everyone at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from coseal.ledger import framing
from simulation.byzantine import twins
from simulation.disk import SECTOR
from simulation.reading import COMMIT, PREPARE
from simulation.swarm import FRAGILE

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World

Fault = Callable[["World"], str]


def strike(world: World) -> None:
    """Let one of the drawn kinds of faults happen now; one that has no room does not."""
    kind = world.rng.choice(world.options.faults)
    if kind in FRAGILE and not world.has_room():
        return
    what = FAULTS[kind](world)
    if what:
        world.faults[kind] += 1
        world.say(f"fault: {kind}: {what}")


def steady(world: World) -> None:
    """Set up the faults that last for the whole first phase."""
    rng, options = world.rng, world.options
    rates: dict[str, tuple[str, tuple[int, ...]]] = {
        "loss": ("loss", (5, 30, 120)),
        "duplication": ("duplication", (20, 150)),
        "slow links": ("delay_ms", (20, 80, 200)),
    }
    for kind, (name, values) in rates.items():
        if kind in options.faults:
            for line in world.network.lines.values():
                if rng.randrange(2):
                    setattr(line, name, rng.choice(values))
            world.faults[kind] += 1
    for line in world.network.lines.values():
        line.reorders = "reordering" in options.faults
    world.faults["reordering"] += "reordering" in options.faults
    for node in world.nodes:
        if "slow disk" in options.faults and rng.randrange(2):
            node.sync_ms = rng.choice((20, 60, 250))
        if "slow node" in options.faults and rng.randrange(3) == 0:
            node.step_ms = rng.choice((1, 3))
        if "clock skew" in options.faults:
            node.clock.offset_ms = rng.choice((0, 0, 40, -40, 400, -400, 5_000, -5_000, 90_000))
        if "clock drift" in options.faults:
            node.clock.drift_ppm = rng.choice((0, 200, -200, 20_000))
    for kind in ("slow disk", "slow node", "clock skew", "clock drift"):
        world.faults[kind] += kind in options.faults


def _partition(world: World) -> str:
    """Divide the endpoints in two; both sides notice, and after a while are one again."""
    side = [world.rng.randrange(2) for _ in world.nodes]
    pairs = [(a, b) for a in range(len(side)) for b in range(a) if side[a] != side[b]]
    for a, b in pairs:
        world.network.cut(a, b)
        world.break_link(a, b)

    def mend() -> None:
        for a, b in pairs:
            world.network.mend(a, b)
            world.connect_soon(a, b, 50)

    world.act(world.rng.randint(300, 4_000), "mend partition", mend)
    return "".join("AB"[s] for s in side)


def _one_way(world: World) -> str:
    """Frames of one direction vanish, and nobody is told."""
    a, b = world.rng.sample(range(len(world.nodes)), 2)
    line = world.network.lines[a, b]
    line.blocked = True

    def mend() -> None:
        line.blocked = False

    world.act(world.rng.randint(300, 5_000), "mend line", mend)
    return f"{a} to {b}"


def _clog(world: World) -> str:
    a, b = world.rng.sample(range(len(world.nodes)), 2)
    until_ms = world.now_ms + world.rng.randint(200, 4_000)
    world.network.lines[a, b].clogged_until_ms = until_ms
    return f"{a} to {b} until {until_ms - world.start_ms}"


def _reset(world: World) -> str:
    a, b = world.rng.sample(range(len(world.nodes)), 2)
    world.break_link(a, b)
    world.connect_soon(a, b, world.rng.randint(1, 400))
    return f"{a} and {b}"


def _kill(world: World) -> str:
    """kill -9: what was written stays in the page cache, a write may be half done."""
    return _fell(world, "kill")


def _power(world: World) -> str:
    return _fell(world, "power")


def _fell(world: World, how: str) -> str:
    """Crash some node now, or right after its next vote."""
    node = world.any_running()
    if node is None:
        return ""

    def crash() -> None:
        world.crash(node, how)
        world.boot_later(node, world.rng.randint(20, 3_000))

    if world.rng.randrange(2):
        world.ambush(node, crash, PREPARE if world.rng.randrange(2) else COMMIT)
    else:
        crash()
    return node.id


def _all_down(world: World) -> str:
    """The whole network loses power at once, a few times at most."""
    if world.faults["all down"] >= 2:
        return ""
    for node in world.nodes:
        if node.machine is not None:
            world.crash(node, "power")
        world.boot_later(node, world.rng.randint(50, 2_000))
    world.goals["all_down"] += 1
    return "everyone"


def _pause(world: World) -> str:
    """SIGSTOP: nothing is handled for a while, then everything at once; timers are late."""
    node = world.any_running()
    if node is None:
        return ""
    node.paused_until_ms = world.now_ms + world.rng.randint(200, 5_000)
    return f"{node.id} until {node.paused_until_ms - world.start_ms}"


def _jump(world: World) -> str:
    node = world.nodes[world.rng.randrange(len(world.nodes))]
    by_ms = world.rng.choice((-60_000, -3_000, -300, 300, 3_000, 60_000))
    node.clock.jump(by_ms)
    return f"{node.id} by {by_ms} ms"


def _disk_error(world: World) -> str:
    node = world.any_running()
    if node is None:
        return ""
    node.disk.failing = world.rng.choice(("write", "sync"))
    return f"{node.id}: {node.disk.failing}"


def _fragile(break_it: Callable[[World, SimulatedNode], str], *, crash: str = "power", forgets: bool = False) -> Fault:
    """A fault of a crashed node's files, within the room below f; ``forgets``: it may sign what it denied before."""

    def fault(world: World) -> str:
        node = world.any_running(voter=True)
        if node is None or node.index in world.fragile or not node.honest:
            return ""
        world.fragile[node.index] = None

        def strike_it() -> None:
            if forgets:
                world.honest.pop(node.index, None)
            world.crash(node, crash)
            world.say(f"broken: {node.id}: {break_it(world, node) or 'nothing to break'}")
            world.boot_later(node, world.rng.randint(20, 2_000))

        world.ambush(node, strike_it, PREPARE if world.rng.randrange(3) == 0 else COMMIT)
        return node.id

    return fault


def _hole(world: World, node: SimulatedNode) -> str:
    """Later sectors of what was not synced survive, earlier ones do not."""
    journal = node.disk.journal
    if journal is None or len(journal) < 3 * SECTOR:
        return ""
    start = len(journal) - world.rng.randint(2 * SECTOR, 3 * SECTOR)
    damaged = bytearray(journal)
    damaged[start : start + SECTOR] = bytes(SECTOR)
    if not framing.scan(bytes(damaged)).damaged:  # nothing good after it: that is the lost sector's case
        return ""
    node.disk.journal = damaged
    return f"{SECTOR} bytes at {start}"


def _flip_end(world: World, node: SimulatedNode) -> str:
    """One bit of the journal's last record; its twin stays."""
    journal = node.disk.journal
    if not journal:
        return ""
    at = len(journal) - 1 - world.rng.randrange(40)
    journal[at] ^= 1 << world.rng.randrange(8)
    return f"byte {at}"


def _flip_middle(world: World, node: SimulatedNode) -> str:
    journal = node.disk.journal
    if not journal:
        return ""
    at = world.rng.randrange(len(journal))
    journal[at] ^= 1 << world.rng.randrange(8)
    return f"byte {at} of {len(journal)}"


def _lost_sector(world: World, node: SimulatedNode) -> str:
    """A sector of the journal reads as zeros, perhaps the last one, with what it promised."""
    journal = node.disk.journal
    if not journal:
        return ""
    sectors = len(journal) // SECTOR + 1
    at = world.rng.choice((world.rng.randrange(sectors), sectors - 1, max(0, sectors - 2))) * SECTOR
    journal[at : at + SECTOR] = bytes(len(journal[at : at + SECTOR]))
    return f"at {at} of {len(journal)}"


def _lose_journal(world: World, node: SimulatedNode) -> str:
    node.disk.journal = None
    return "no journal"


def _old_journal(world: World, node: SimulatedNode) -> str:
    """An old copy is restored: the node may sign again what it signed otherwise."""
    old = world.backups.get(node.index)
    if old is None:
        return ""
    node.disk.journal = bytearray(old)
    return f"{len(old)} bytes of it"


def _wipe(world: World, node: SimulatedNode) -> str:
    node.disk.journal = None
    node.disk.lose_blocks()
    world.rebuilt[node.index] = None
    return "everything"


def _damage_log(world: World, node: SimulatedNode) -> str:
    log = node.disk.log
    if not log:
        return ""
    at = world.rng.randrange(len(log))
    log[at] ^= 1 << world.rng.randrange(8)
    world.rebuilt[node.index] = None
    node.disk.store, node.disk.store_height = None, 0
    return f"byte {at} of {len(log)}"


def _twin_worlds(world: World) -> str:
    pair = world.twin_pairs[world.rng.randrange(len(world.twin_pairs))]
    twins.redraw(world, *pair)
    return f"{pair}"


def _nothing(world: World) -> str:
    return ""


FAULTS: Final[dict[str, Fault]] = {
    "loss": _reset,
    "duplication": _nothing,
    "reordering": _nothing,
    "slow links": _nothing,
    "partition": _partition,
    "one-way block": _one_way,
    "clog": _clog,
    "link reset": _reset,
    "kill": _kill,
    "power failure": _power,
    "pause": _pause,
    "slow node": _nothing,
    "all down": _all_down,
    "clock skew": _nothing,
    "clock jump": _jump,
    "clock drift": _nothing,
    "slow disk": _nothing,
    "write error": _disk_error,
    "hole": _fragile(_hole, crash="holes"),
    "bit flip at the end": _fragile(_flip_end),
    "bit flip in the middle": _fragile(_flip_middle),
    "lost sector": _fragile(_lost_sector, forgets=True),
    "journal lost": _fragile(_lose_journal),
    "old journal": _fragile(_old_journal, forgets=True),
    "disk wiped": _fragile(_wipe),
    "block log damaged": _fragile(_damage_log),
    "twin worlds": _twin_worlds,
}
