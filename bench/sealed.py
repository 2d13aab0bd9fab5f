"""What sealing costs a network: ``python -m bench.sealed``: batches of 100 events, in the clear and sealed.

Law: both kinds are sent in turn to the same four nodes in one run, each at its best round, so the ratios are those of
the work and not of the machine. Exit status 1 if sealed events are recorded at less than ``LEAST_RATE`` of the rate of
the others, or one client waits more than ``MOST_WAIT`` times as long for a batch.

The batches are signed and sealed before they are sent; what the owner's own machine takes to seal a cell is measured
apart. Validators hold each sidecar durably before they vote.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.machine import about
from bench.network import Network, end_in_order, running_network
from coseal.client.blocking import Client
from coseal.contracts.process.cells import LABEL
from coseal.ledger import sealed
from coseal.ledger.transaction import Transaction
from coseal.sealing.cells import Vault, seal_batch

LEAST_RATE: Final = 0.5
MOST_WAIT: Final = 1.5
EVENTS: Final = 100
SENDERS: Final = 4
"""Sources that are recorded into at once."""
OWNER: Final = "bank-a"
CUSTODIANS: Final = ("regulator", "central-bank", "enterprise-a")
VAULT: Final = "loans"
PLAN: Final = {
    "id": "usual",
    "seats": list(CUSTODIANS),
    "substitutes": [],
    "threshold": 2,
    "retentions": {"loan": 30 * 86_400_000},
}
KINDS: Final = ("clear", "sealed")


@dataclass(frozen=True, slots=True)
class Batch:
    """A signed transaction with 100 events, and the sidecar that it names."""

    transaction: Transaction
    sidecar: bytes | None = None


class Sender:
    """One client and its own source of a kind, into which it records one batch after the other."""

    def __init__(self, client: Client, kind: str, number: int, vault: Vault) -> None:
        self.client, self.kind, self.source, self._vault = client, kind, f"{kind}-{number}", vault
        self.made = 0
        """Events so far, each with one cell if they are sealed."""
        self.sealing_s = 0.0
        args = {"id": self.source, "process_type": kind, "mode": "historical"}
        client.submit_any("process", "register_source", args).require_ok()

    def make(self) -> Batch:
        """Return the next batch, signed and sealed."""
        first, self.made = self.made + 1, self.made + EVENTS
        args: dict[str, Any] = {"source": self.source, "sequence": first}
        plain = [_event(first + at, {"rate": f"0.{first + at:07}", "fee": "12.50"}) for at in range(EVENTS)]
        if self.kind == "clear":
            return Batch(self.client.session.sign("process", "record", {**args, "items": plain}))
        began = time.perf_counter()
        values = {(first + at, LABEL): item["attributes"] for at, item in enumerate(plain)}
        made = seal_batch(self._vault, f"{OWNER}/{self.source}", values)
        self.sealing_s += time.perf_counter() - began
        items = [
            {**item, "attributes": {name: value.hex() for name, value in line[2]}}
            for item, line in zip(plain, made.lines, strict=True)
        ]
        said, raw = sealed.attached(made.sidecar)
        args |= {"items": items, "sealed": {"vault": VAULT, "sidecar": said, "cells": EVENTS}}
        return Batch(self.client.session.sign("process", "record", args), raw)

    def send(self, batch: Batch) -> float:
        """Send a batch, wait until it is committed, and return after how many seconds."""
        began = time.perf_counter()
        session = self.client.session
        deadline = time.monotonic() + 120
        exchange = session.send(batch.transaction, wait="commit", deadline=deadline, sidecar=batch.sidecar)
        answer = self.client.run(exchange)
        if answer.get("status") != "committed":
            raise SystemExit(f"a batch of {self.kind} events is not committed: {answer}")
        return time.perf_counter() - began


def _event(number: int, attributes: dict[str, str]) -> dict[str, Any]:
    named = {"event": f"e{number}", "type": "Grant", "time": "2026-01-05T10:00:00Z"}
    return {**named, "objects": [["loan", f"L{number // 10}"]], "attributes": attributes}


def prepare(network: Network) -> Vault:
    """Arm a vault and define a process type of each kind; return the vault as its owner has it."""
    folder = network.directory
    (folder / "plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    for member in CUSTODIANS:
        network.coseal("disclosure", "key", "set", "--use", "custody", "--as", member)
    words = ("--data", str(folder / "plan.json"), "--id", "plan", "--as", "regulator")
    said = json.loads(network.coseal("governance", "propose", "custody_plan", *words, "--json"))
    for member in ("central-bank", OWNER, "enterprise-a"):
        if said["status"] == "open":
            said = json.loads(network.coseal("governance", "vote", "plan", "yes", "--as", member, "--json"))
    network.coseal("disclosure", "vault", "open", VAULT, "--plan", "usual", "--retention", "loan", "--as", OWNER)
    for member in CUSTODIANS:
        network.coseal("disclosure", "custodian", "run", "--once", "--as", member)
    with _client(network) as client:
        for kind in KINDS:
            spec = {"type": "decimal", "class": "sealed" if kind == "sealed" else "public"}
            grant = {"attributes": {"rate": spec, "fee": spec}}
            types = {"object_types": {"loan": {}}, "event_types": {"Grant": grant}}
            args = {"id": kind, "version": 1, "title": kind, **types}
            client.submit_any("process", "define_type", args).require_ok()
        kept = client.vaults(folder / "members" / OWNER / "sealing").secrets.vault(VAULT)
    return Vault(kept.hash, kept.keys)


def _client(network: Network) -> Client:
    url = next(node.url for node in network.entries if node.member == OWNER)
    sender = f"{OWNER}/admin"
    return Client(url, network.genesis, signer=network.signer(OWNER), sender=sender)


def together(senders: Sequence[Sender], batches: Sequence[Sequence[Batch]]) -> float:
    """Send the batches of each sender one after the other, all senders at once; return events a second."""

    def run(pair: tuple[Sender, Sequence[Batch]]) -> None:
        for batch in pair[1]:
            pair[0].send(batch)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(run, zip(senders, batches, strict=True)))
    return EVENTS * sum(map(len, batches)) / (time.perf_counter() - began)


def measured(network: Network, rounds: int, batches: int) -> dict[str, Any]:
    """Return the figures of a network."""
    vault = prepare(network)
    senders = {kind: [Sender(_client(network), kind, number, vault) for number in range(SENDERS)] for kind in KINDS}
    rates, waits = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, float("inf"))

    def rate(kind: str) -> None:
        made = [[sender.make() for _ in range(batches)] for sender in senders[kind]]
        rates[kind] = max(rates[kind], together(senders[kind], made))

    def wait(kind: str) -> None:
        first = senders[kind][0]
        waits[kind] = min(waits[kind], median(first.send(first.make()) for _ in range(2 * batches)))

    for _ in range(rounds):
        for turn in (rate, wait):
            for kind in KINDS:
                turn(kind)
    cells = sum(sender.made for sender in senders["sealed"])
    sealing_s = sum(sender.sealing_s for sender in senders["sealed"])
    return {
        **{f"{kind}_events_per_s": round(rates[kind]) for kind in KINDS},
        **{f"{kind}_p50_ms": round(1_000 * waits[kind], 1) for kind in KINDS},
        "rate": round(rates["sealed"] / rates["clear"], 3),
        "wait": round(waits["sealed"] / waits["clear"], 3),
        "sealing_us_a_cell": round(1e6 * sealing_s / cells, 1),
    }


def main() -> int:
    """Measure, print the figures, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=10, help="of each sender in a round (10)")
    parser.add_argument("--out", type=Path, default=Path("bench/results/sealed.json"))
    options = parser.parse_args()
    end_in_order()
    with running_network(base_port=26300, constitution="founding") as network:
        figures = measured(network, options.rounds, options.batches)
    print(json.dumps(figures, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"about": about(), **figures}, indent=1) + "\n")
    return 0 if figures["rate"] >= LEAST_RATE and figures["wait"] <= MOST_WAIT else 1


if __name__ == "__main__":
    sys.exit(main())
