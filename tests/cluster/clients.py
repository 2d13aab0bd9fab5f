"""Clients that write and read through any node while faults strike, and note what they asked, when, and the answer.

Law: an operation is in the history before it is sent; what was never answered stays there as never answered. A
client only says what HTTP said.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from coseal.client import blocking as signing
from coseal.client import keys
from coseal.ledger.transaction import Transaction
from tests.cluster.histories import Add, Look, Read, Write
from tests.cluster.network import Cluster

REGISTERS = ("bank-a", "enterprise-a")
WORKLOADS = ("register", "set", "mixed", "soak")
_PATIENCE_S = 3.0
_PAUSE_S = 0.05
_AVOID_S = 5.0
_PER_COLLECTION = 25
_BATCH = 50
_PROCESS_TYPE = "drill"
_DEFINITION = {
    "id": _PROCESS_TYPE,
    "version": 1,
    "title": "Load of a drill",
    "object_types": {"box": {}},
    "event_types": {"put": {}},
}


@dataclass(slots=True)
class Sent:
    """A transaction that was sent; ``place`` is the (height, index) at which a node said it is committed."""

    transaction: Transaction
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Plain:
    """An ordinary read: what ``node``, in its ``life``-th since it last lost its disk, said was there at ``height``."""

    node: str
    life: int
    height: int
    register: str
    value: str
    invoked_s: float
    returned_s: float


class Clients:
    """Threads that write and read until ``stop``; all they saw is in the lists."""

    def __init__(self, cluster: Cluster, workload: str, seed: int) -> None:
        self.sent: list[Sent] = []
        self.writes: list[Write] = []
        self.reads: list[Read] = []
        self.adds: list[Add] = []
        self.looks: list[Look] = []
        self.plain: list[Plain] = []
        self.commits: list[float] = []
        self.anomalies: Counter[str] = Counter()
        self.lives: Counter[str] = Counter()
        self._silent: dict[str, float] = {}
        self._cluster, self._seed = cluster, seed
        self._stopped = threading.Event()
        self._writing = threading.Lock()
        self._signers = {m: keys.read_signer(cluster.net.key_path(f"{m}/admin")) for m in (*REGISTERS, "regulator")}
        works: list[Callable[[str, Random], None]] = []
        if workload in ("register", "mixed", "soak"):
            works += [self._write_registers, self._write_registers, self._read_registers]
        if workload in ("set", "mixed", "soak"):
            self._commit(self._sign("regulator", "process", "define_type", _DEFINITION))
            works += [self._add, self._add, self._look]
        if workload == "soak":
            works += [self._record_batches, self._record_batches]
        self._threads = [
            threading.Thread(target=work, args=(f"c{number}", Random(f"{seed} {number}")))
            for number, work in enumerate(works)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every client finish what it is at."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        """How many transactions a client saw committed."""
        return len(self.commits)

    # Work, each in a thread of its own

    def _write_registers(self, name: str, random: Random) -> None:
        number = 0
        while self._pause(random):
            number += 1
            register, value = random.choice(REGISTERS), f"{name}-{number}"
            transaction = self._sign(register, "membership", "set_profile", {"description": value})
            write = Write(register, value, time.monotonic())
            with self._writing:
                at = len(self.writes)
                self.writes.append(write)
            if self._submit(transaction, random, resolute=random.random() < 0.7):
                self.writes[at] = replace(write, returned_s=time.monotonic())

    def _read_registers(self, _: str, random: Random) -> None:
        while self._pause(random):
            node, register = random.choice(self._cluster.names), random.choice(REGISTERS)
            consistent = random.random() < 0.6
            life, invoked_s = self.lives[node], time.monotonic()
            query = "?consistent=true" if consistent else ""
            status, document = self._ask(node, f"/v1/state/membership/member/{register}{query}")
            if status != 200 or self.lives[node] != life:
                continue
            value, returned_s = document["value"]["profile"].get("description", ""), time.monotonic()
            if consistent:
                self.reads.append(Read(register, value, invoked_s, returned_s))
            self.plain.append(Plain(node, life, document["height"], register, value, invoked_s, returned_s))

    def _add(self, name: str, random: Random) -> None:
        source = {"id": f"drill-{name}", "process_type": _PROCESS_TYPE, "mode": "historical"}
        self._submit(self._sign("regulator", "process", "register_source", source), random, resolute=True)
        number = 0
        while self._pause(random):
            number += 1
            element, box = f"{name}-{number}", f"box-{number // _PER_COLLECTION}"
            item = {"event": element, "type": "put", "time": "2026-01-01T00:00:00Z", "objects": [["box", box]]}
            record = {"source": source["id"], "sequence": number, "items": [item]}
            transaction = self._sign("regulator", "process", "record", record)
            add = Add(box, element, time.monotonic())
            with self._writing:
                at = len(self.adds)
                self.adds.append(add)
            if self._submit(transaction, random, resolute=True):
                self.adds[at] = replace(add, returned_s=time.monotonic())

    def _look(self, _: str, random: Random) -> None:
        while self._pause(random):
            newest = len(self.adds) // 2 // _PER_COLLECTION
            node, box = random.choice(self._cluster.names), f"box-{random.randint(max(0, newest - 1), newest)}"
            invoked_s = time.monotonic()
            status, document = self._ask(node, f"/v1/objects/{box}/events?consistent=true&limit=1000")
            if status == 404 and document.get("code") == "unknown_object":
                self.looks.append(Look(box, frozenset(), invoked_s, time.monotonic()))
            elif status == 200:
                elements = [row["item"]["event"] for row in document["items"]]
                if len(set(elements)) != len(elements):
                    self.anomalies[f"{box} held an element twice"] += 1
                self.looks.append(Look(box, frozenset(elements), invoked_s, time.monotonic()))

    def _record_batches(self, name: str, random: Random) -> None:
        """Make the chain and its state grow: batches of events of ever new objects."""
        source = {"id": f"drill-{name}", "process_type": _PROCESS_TYPE, "mode": "historical"}
        self._submit(self._sign("regulator", "process", "register_source", source), random, resolute=True)
        sequence = 1
        while self._pause(random):
            items = [
                {
                    "event": f"{name}-{at}",
                    "type": "put",
                    "time": "2026-01-01T00:00:00Z",
                    "objects": [["box", f"{name}-{at}"]],
                }
                for at in range(sequence, sequence + _BATCH)
            ]
            record = {"source": source["id"], "sequence": sequence, "items": items}
            if not self._submit(self._sign("regulator", "process", "record", record), random, resolute=True):
                return
            sequence += _BATCH

    # One request

    def _pause(self, random: Random) -> bool:
        """Wait a little; say whether to go on."""
        return not self._stopped.wait(random.random() * _PAUSE_S)

    def _sign(self, member: str, contract: str, action: str, args: dict[str, Any]) -> Transaction:
        sender, signer = f"{member}/admin", self._signers[member]
        return signing.sign_as(self._cluster.genesis, sender, signer, contract, action, args)

    def _commit(self, transaction: Transaction) -> None:
        if not self._submit(transaction, Random(self._seed), resolute=True):
            raise AssertionError(
                f"a first transaction was not committed: {dict(self.anomalies)}\n{self._cluster.logs()}"
            )

    def _submit(self, transaction: Transaction, random: Random, *, resolute: bool) -> bool:
        """Send until a node says committed; a client that is not ``resolute`` gives up when a node does not answer."""
        sent = Sent(transaction)
        self.sent.append(sent)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            node = self._choose(random)
            status, document = self._ask(node, "/v1/transactions?wait=commit", transaction.raw)
            if not status:
                self._silent[node] = time.monotonic()
            if status == 200 and document["status"] == "committed":
                sent.place = (document["height"], document["index"])
                self.commits.append(time.monotonic())
                return True
            if status == 200 or (400 <= status < 500 and status != 429):
                self.anomalies[f"{status} {document.get('code') or document.get('receipt')}"] += 1
                return False
            if self._stopped.is_set() or not (resolute or status in (429, 503)):
                return False
            time.sleep(_PAUSE_S)
        return False

    def _choose(self, random: Random) -> str:
        """Return a node to write through; one that was silent a moment ago is chosen less often."""
        names, recently = self._cluster.names, time.monotonic() - _AVOID_S
        heard = [name for name in names if self._silent.get(name, 0.0) < recently]
        return random.choice(heard if heard and random.random() < 0.8 else names)

    def _ask(self, node: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Return status and document of one request; status 0 when no answer came."""
        host, _, port = self._cluster.entry(node).http.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=_PATIENCE_S)
        try:
            headers = {} if body is None else {"Content-Type": "application/msgpack"}
            connection.request("GET" if body is None else "POST", path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()
