"""What a process makes of seeds, of rules and of bad input, to be compared; TIMES as many inputs of other types."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench import rules
from coseal.contracts.rules.cel.compile import compile_expression
from coseal.contracts.rules.errors import RuleError
from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.node.core import wire
from simulation.run import run_seed
from tests.supply import disturbed

SEEDS = range(30)
TIMES = int(os.environ.get("TIMES", "1"))
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**63,
    2**64 - 1,
    "",
    "a",
    b"",
    bytes(32),
    [],
    {},
    [True],
    {"a": 1},
)
FRAMES = sorted(wire._PARSERS)


def seeds() -> Iterator[str]:
    """Run the simulator: all decisions of four nodes and more, under faults."""
    for kind in ("random", "twins"):
        for seed in SEEDS:
            verdict = run_seed(kind, seed)
            yield f"{kind} {seed}: {verdict.digest}, {verdict.height} blocks, {verdict.failure}"


def chain() -> Iterator[str]:
    """Execute blocks of events under rules of all kinds."""
    chain = rules.Chain(state_bits=8)
    chain.prepare(30)
    for _ in range(4):
        chain.block(chain.batches())
        yield f"{chain.executor.state.root.hex()}, {chain.findings} findings"


def bounds() -> Iterator[str]:
    """Give bad input: nested too deep, of other types, cut off, an integer where a bool is meant."""
    for depth in (1, 15, 16, 17, 100, 1_000, 100_000):
        for head in (b"\x91", b"\x81\xa1a"):
            yield _refused(lambda data=head * depth + b"\x00": codec.decode(data))  # type: ignore[misc]
        nested: Any = 0
        for _ in range(min(depth, 900)):
            nested = [nested]
        yield _refused(lambda value=nested: codec.encode(value))  # type: ignore[misc]
        for left, right in (("(", ")"), ("[", "]"), ("!", ""), ("-", ""), ("size([", "])")):
            text = left * depth + "true" + right * depth
            yield _refused(lambda text=text: compile_expression(text, {}))  # type: ignore[misc]
    for value in VALUES:
        raw = codec.encode(value)
        yield f"{raw.hex()} {type(codec.decode(raw)).__name__}"
        for take in (codec.integer, codec.octets, codec.text, codec.mapping):
            yield _refused(lambda take=take, value=value: take(value, "it"))  # type: ignore[misc]
        for tag in FRAMES:
            for fields in range(1, 7):
                data = codec.encode([tag, 1, *[value] * fields])
                yield _refused(lambda data=data: wire.decode(data))  # type: ignore[misc]
        for place in range(8):
            body = [bytes(32), "a/b", bytes(32), "c", "d", {}, 1, bytes(16)]
            body[place] = value
            data = codec.encode(["signed", 1, codec.encode(["transaction", 1, *body]), bytes(64)])
            yield _refused(lambda data=data: Transaction.decode(data).id.hex())  # type: ignore[misc]


def _refused(act: Callable[[], Any]) -> str:
    """Return what an act comes to; text of a refusal is part of it."""
    try:
        return f"{act()!r:.200}"
    except (LedgerError, RuleError, ValueError) as error:
        return f"{type(error).__name__}: {error!s:.200}"


TOPICS: dict[str, Callable[[], Iterator[str]]] = {
    "seeds": seeds,
    "chain": chain,
    "bounds": bounds,
    **{name: partial(topic, TIMES) for name, topic in disturbed.TOPICS.items()},
}
