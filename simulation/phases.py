"""The course of a run: what clients, faults and Byzantine nodes do in the first phase, and how all is healed.

Law: after ``heal`` nothing goes wrong any more but what at most f nodes suffer, so the demand for progress is fair.
"""

from __future__ import annotations

from typing import Final

from coseal.node.core import journal
from simulation import faults
from simulation.node import SimulatedNode
from simulation.world import World

QUIET_MS: Final = 3_000
"""How long an idle network is watched at the end."""


class Course:
    """Drives one world through its two phases."""

    def __init__(self, world: World) -> None:
        self.world = world

    def start(self) -> None:
        """Boot all nodes and set the clients, the faults and the behaviours going."""
        for line in self.world.network.lines.values():
            line.delay_ms, line.jitter_ms = self.world.options.delay_ms, self.world.options.jitter_ms
        faults.steady(self.world)
        for node in self.world.nodes:
            self.world.boot(node)
        self.world.act(20, "write", self._write)
        self.world.act(40, "look", self._look)
        self.world.act(150, "misbehave", self._misbehave)
        self.world.act(self.world.options.fault_every_ms, "fault", self._fault)
        self.world.changes.start()

    def _write(self) -> None:
        running = self.world.serving()
        if running and (not self.world.healed or self.world.highest < self.world.height_min):
            for _ in range(self.world.rng.randint(1, self.world.options.burst)):
                self.world.guarded(lambda: self.world.clients.write(running[self.world.rng.randrange(len(running))]))
            if self.world.options.sidecars and self.world.rng.randrange(3) == 0:
                self.world.guarded(lambda: self.world.clients.seal(running[self.world.rng.randrange(len(running))]))
            if self.world.options.pays:
                self.world.guarded(lambda: self.world.clients.pay(running[0]))
            if self.world.options.walks:
                self.world.guarded(lambda: self.world.clients.stroll(running[0]))
            if self.world.rng.randrange(3) == 0:
                self.world.guarded(lambda: self.world.clients.read(running[self.world.rng.randrange(len(running))]))
        self.world.act(self.world.rng.randint(20, 2 * self.world.options.write_every_ms), "write", self._write)

    def _look(self) -> None:
        for node in self.world.nodes:
            if node.machine is None or node.paused_until_ms > self.world.now_ms:
                continue
            if node.honest:
                self.world.invariants.look(node)
            if not node.behaviours:
                self.world.goals["status_lie"] += node.machine.counters["refused_BadCertificate"] > 0
        self.world.act(700, "look", self._look)

    def _guarded(self, node: SimulatedNode) -> None:
        """Note that unmodified code, a twin's too, was shown a signature of its own that its journal lacks."""
        if node.machine is not None and all(behaviour.name == "twins" for behaviour in node.behaviours):
            self.world.goals["guard_stopped"] += node.machine.replica.fired.get("G4", 0) > 0

    def _misbehave(self) -> None:
        for node in self.world.nodes:
            if node.machine is not None:
                self._guarded(node)
                if node.behaviours and node.machine.replica.standing().silence is not None:
                    self.world.reboot_afresh(node, journal.initial)  # whoever misbehaves does not mind its guard
                for behaviour in node.behaviours:
                    behaviour.tick()
        self.world.act(150, "misbehave", self._misbehave)

    def _fault(self) -> None:
        if not self.world.healed:
            faults.strike(self.world)
            self.world.act(self.world.rng.randint(50, 2 * self.world.options.fault_every_ms), "fault", self._fault)

    def heal(self) -> None:
        """Mend everything but what at most f nodes suffer, and let clients ask again."""
        self.world.healed = True
        self.world.say("healed")
        self.world.network.heal()
        spare = self._left_down()
        for node in self.world.nodes:
            node.paused_until_ms = min(node.paused_until_ms, self.world.now_ms)
            node.step_ms, node.sync_ms = 0, min(node.sync_ms, 20)
            node.disk.failing = None
            node.clock.repair()
            self.world.upgrade(node)
            if node.id in self.world.changes.rotating:
                self.world.give_key([node])
            if node.machine is None and node is not spare:
                self.world.boot(node)
        for a in range(len(self.world.nodes)):
            for b in range(a):
                self.world.connect_soon(a, b, 30)
        self.ask_again()

    def _left_down(self) -> SimulatedNode | None:
        """Return the node that stays down for good, if the seed wants one and there is room."""
        down = [
            node
            for node in self.world.nodes
            if node.machine is None and node.honest and self.world.seat(node) is not None
        ]
        if not (self.world.options.leave_one_down and down and self.world.has_room()):
            return None
        self.world.honest.pop(down[0].index)
        self.world.fragile[down[0].index] = None
        self.world.say(f"{down[0].id} stays down")
        return down[0]

    def ask_again(self) -> None:
        """Let clients ask again, every two seconds, for what no node knows any more."""
        self.world.act(100, "again", self._again)

    def _again(self) -> None:
        if self.world.serving():
            self.world.guarded(self.world.clients.again)
        self.world.act(2_000, "again", self._again)

    def settled(self) -> bool:
        """Say whether every transaction is committed, all evidence too, and all honest nodes stand at one height."""
        if self.world.clients.open or not self.world.changes.over:
            return False
        if self.world.highest < self.world.height_min:
            return False
        if self.world.epochs.decisions.brings_until(self.world.now_ms + QUIET_MS + 2_000):
            return False
        if self.world.options.sidecars and self.world.invariants.sidecars.missing():
            return False
        running = self.world.running_honest()
        if any(node.machine is not None and len(node.machine._pending.reporter) for node in running):
            return False
        return len(running) == len(self.world.honest) and all(node.height == self.world.highest for node in running)
