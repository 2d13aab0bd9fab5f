"""What a process makes of values of other types than are meant, wherever bytes of others come in, to be compared.

Law: every line follows from the code and ``times`` alone, which says how many inputs there are. An exception that is no
refusal, which would stop a node, is told as a line with ``RAISED`` in it.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any

from bench import rules as bench
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.registry import CONTRACTS, KINDS
from coseal.contracts.rows.blocks import BlockRows
from coseal.contracts.rows.tables import TABLES
from coseal.ledger import codec, signing
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from coseal.ledger.signing import Verify
from coseal.ledger.transaction import Transaction
from coseal.node.index.database import Writer
from tests.coseal.sql.conftest import tell
from tests.fuzz.decoders import DECODERS, Decoder
from tests.fuzz.mutate import LEAVES, OCTETS, change, mutant, unpack
from tests.fuzz.run import corpus_of
from tests.support.chain import Chain
from tests.support.cluster import Cluster
from tests.support.genesis import START_MS, VALIDATORS, make_genesis
from tests.support.supervised import Story
from tests.support.transactions import signed

OTHERS: tuple[Any, ...] = (None, True, False, 0, 1, 2**64 - 1, "", "a", b"", bytes(32), [], [True], {}, {"a": 1})
"""One value of every type at least, those above all that compare as equal and are not."""
TEXT_MAX = 400
STRAYS = 0.25
"""How often a story goes by a variant, where one would take effect."""
RAISED = "raised, and is no refusal:"
_FOLDER = re.compile(re.escape(tempfile.gettempdir()) + r"/\w+")


def swapped(value: Any, others: Iterable[Any] = OTHERS) -> Iterator[Any]:
    """Return ``value`` with one place in it exchanged for each of ``others``, encodings inside of it included."""
    yield from others
    if isinstance(value, dict):
        for key in value:
            yield from ({**value, key: other} for other in swapped(value[key], others))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in swapped(item, others))
    elif isinstance(value, bytes) and isinstance(inside := unpack(value), list | dict):
        yield from (codec.encode(other) for other in swapped(inside, others) if isinstance(other, list | dict))


def said(act: Callable[[], Any], refusals: tuple[type[Exception], ...]) -> str:
    """Return what an act comes to in words, a refusal's type and text among them."""
    try:
        text = repr(act())
    except refusals as error:
        text = f"{type(error).__name__}: {error}"
    except Exception as error:
        text = f"{RAISED} {type(error).__name__}: {error}"
    text = _FOLDER.sub("FOLDER", text)  # its name is a chance
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]} {sha256(text.encode()).hexdigest()[:8]}"


ATTRIBUTES: dict[str, Any] = {
    "amount": "integer",
    "by": "string",
    "paid": "boolean",
    "price": "decimal",
    "fee": {"type": "scaled", "scale": 2},
    "at": "time",
}
VALUES: dict[str, Any] = {"by": "p", "paid": True, "price": "1.50", "fee": 150, "at": time_text(START_MS)}
PROCESS: dict[str, Any] = {
    "id": "t",
    "version": 1,
    "title": "T",
    "object_types": {"case": {}},
    "event_types": {name: {"attributes": ATTRIBUTES} for name in bench.TYPES},
    "gaps": "record",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "by"],
    "properties": {
        "amount": {"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 2_000},
        "by": {"type": "string", "minLength": 1, "maxLength": 3, "enum": ["p", "q", 1, True, None]},
        "paid": {"const": True},
        "fee": {"$ref": "#/$defs/fee"},
    },
    "$defs": {"fee": {"type": "integer", "maximum": 100}},
}
GUARD = "e.attributes.paid && e.attributes.amount / (e.attributes.fee - 150) > 0 && e.attributes.price != '1.5'"
MORE_RULES: list[dict[str, Any]] = [
    {"version": 1, "legal_basis": ["external: a law"], "scope": {"process_type": "t"}, **body}
    for body in (
        {"kind": "shape", "on": bench.TYPES, "schema": SCHEMA},
        {"kind": "guard", "on": bench.TYPES, "assert": GUARD},
        {"kind": "periodic", "on": [bench.TYPES[0]], "source": "enterprise-a/live", "every": {"days": 30}},
        {"kind": "declare", "template": "response", "a": bench.TYPES[0], "b": bench.TYPES[1], "correlation": "amount"},
    )
]

# Decoders


def decoders(times: int) -> Iterator[str]:
    """Read inputs of every decoder with one place exchanged, and mutants of them."""
    for decoder in DECODERS:
        if decoder.name.startswith("log-"):  # files of other systems, which no node reads
            continue
        random = Random(f"disturbed {decoder.name}")
        for data in _inputs(decoder, random, int(400 * times * decoder.share)):
            yield f"{decoder.name} {data[:80].hex()}: {said(partial(decoder.roundtrip, data), decoder.refusals)}"


def _inputs(decoder: Decoder, random: Random, count: int) -> Iterator[bytes]:
    corpus = corpus_of(decoder)
    if decoder.form == "msgpack":
        exchanged = [other for data in corpus for other in swapped(unpack(data))]
        for value in random.sample(exchanged, min(count, len(exchanged))):
            yield codec.encode(value)
    for _ in range(count):
        yield mutant(random, corpus, decoder.form)


# Execution


class _Disturbed(Story):
    """Tells a story, tries at every act what variants of its arguments would come to, and now and then goes by one."""

    def __init__(self, seed: int) -> None:
        super().__init__(Chain(make_genesis(name="disturbed")))
        self.random = Random(f"disturbed acts {seed}")
        self.lines: list[str] = []
        self.tried: list[Transaction] = []

    def do(self, name: str, sender: str = "regulator", **args: Any) -> Any:
        accepted = self.disturb(name, sender, args, 24)
        if accepted and self.random.random() < STRAYS:
            self.chain.extend([self.random.choice(accepted)])
        return super().do(name, sender, **args)

    def propose(self, rule: Any) -> None:
        """Propose a rule, and adopt it if it is one."""
        block = self.chain.extend([self.sign("supervision.propose_rules", {"rules": [rule]}, "regulator")])
        receipt = Receipt.decode(block.receipts[1])
        self.lines.append(f"{rule!r:.200}: {receipt.code} {receipt.detail}")
        if receipt.ok:
            self.vote(receipt.data["ballot"])

    def decide(self, ballot: str, kind: str, subject: Any) -> None:
        """Propose something and vote for it; without certificates, for the keys of validators may become others."""
        proposal = {"id": ballot, "kind": kind, "subject": subject}
        acts = [(self.random.choice(sorted(VALIDATORS)), "governance.propose", proposal)]
        acts += [(member, "governance.vote", {"ballot": ballot, "choice": "yes"}) for member in sorted(VALIDATORS)]
        executor = self.chain.executor
        for member, name, args in acts:
            outcome = executor.run(executor.height + 1, executor.time_ms + 1, [self.sign(name, args, member)])
            executor.commit(outcome)
            receipt = Receipt.decode(outcome.receipts[1])
            self.lines.append(f"{kind} {subject!r:.200}: {receipt.code} {receipt.detail} {receipt.data}")

    def vote(self, ballot: str) -> None:
        for member in ("regulator", "central-bank", "bank-a"):
            super().do("supervision.vote", member, ballot=ballot, choice="yes")

    def changed(self, args: dict[str, Any]) -> Any:
        """Return the arguments with something in them changed."""
        return change(self.random, args, (*LEAVES, *OCTETS))

    def disturb(self, name: str, sender: str, args: dict[str, Any], count: int) -> list[Transaction]:
        """Try variants; return those that would take effect."""
        accepted: list[Transaction] = []
        variants = [other for other in swapped(args) if isinstance(other, dict)]
        chosen = self.random.sample(variants, min(count, len(variants)))
        chosen += [changed for _ in range(count) if type(changed := self.changed(args)) is dict]
        for variant in chosen:
            try:
                tx = self.sign(name, variant, sender)
            except (TypeError, ValueError):  # has no encoding, e.g. two keys that are one
                continue
            words = said(partial(self.outcome, tx), ())
            self.lines.append(f"{name} {sha256(tx.raw).hexdigest()[:8]}: {words}")
            self.tried.append(tx)
            if words.startswith("'ok "):
                accepted.append(tx)
        return accepted

    def outcome(self, tx: Transaction) -> str:
        executor = self.chain.executor
        found = executor.run(executor.height + 1, executor.time_ms + 1, [tx])
        receipt = Receipt.decode(found.receipts[1])
        return (
            f"{receipt.code} {receipt.detail} {sha256(found.receipts[1]).hexdigest()[:8]} {found.state_root.hex()[:8]}"
        )


def acts(times: int) -> Iterator[str]:
    """Execute every act of a long story, and the example of every action, with arguments of other types."""
    for seed in range(times):
        story = _Disturbed(seed)
        tell(story)
        for contract in CONTRACTS.values():
            for action, about in sorted(contract.actions.items()):
                for member in sorted(VALIDATORS):
                    story.disturb(f"{contract.name}.{action}", member, dict(about.example), 8)
        yield from story.lines
        yield from _rows(story)


def rules(times: int) -> Iterator[str]:
    """Propose rules of every kind with something changed, adopt what is a rule, and have it judge events as changed."""
    kinds = [{**one, "scope": {"process_type": "t"}} for one in bench.rules(10)] + MORE_RULES
    for seed in range(times):
        story = _Disturbed(seed)
        story.do("process.define_type", "enterprise-a", **PROCESS)
        story.do("process.register_source", "enterprise-a", id="live", process_type="t", mode="live")
        for number in range(60):
            rule = {**story.random.choice(kinds), "id": f"R{number}"}
            story.propose(rule if number < len(kinds) else story.changed(rule))
            steps = [(bench.TYPES[(number + step) % 10], f"c{number % 3}") for step in range(2)]
            story.record(*steps, gap=number % 7 == 6, amount=number * 50, **VALUES)
        yield from story.lines
        yield story.chain.executor.state.root.hex()


def ballots(times: int) -> Iterator[str]:
    """Propose changes of members, validators and rules with something changed, and decide for all that is taken."""
    for seed in range(times):
        story = _Disturbed(seed)
        story.chain.executor._verify = lambda key, message, signature: True  # a changed proof is none
        for number in range(60):
            kind = story.random.choice(sorted(KINDS))
            subject = dict(KINDS[kind].example)
            if number % 4:
                subject = story.changed(subject)
            story.decide(f"p{number}", kind, subject)
        yield from story.lines
        yield story.chain.executor.state.root.hex()


def _rows(story: _Disturbed) -> Iterator[str]:
    """Put the story's blocks into tables, and a block of all that was tried: most of it refused."""
    chain = story.chain
    time_ms = chain.executor.time_ms
    for at in range(0, len(story.tried), 500):
        chain.extend([tx for tx in story.tried[at : at + 500] if tx.valid_until_ms > time_ms + 1_000])
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in definitions(TABLES, (), SQLITE):
            connection.execute(statement)
        rows = Rows(Writer(connection), TABLES)
        writer = BlockRows(rows)
        for block in chain.blocks:
            writer.write(block)
        rows.flush()
        for table in TABLES:
            for row in connection.execute(f"SELECT * FROM {table.name}"):
                yield f"{table.name} {sha256(repr(row).encode()).hexdigest()}"


# Frames


def frames(times: int) -> Iterator[str]:
    """Let nodes hear, besides what is said, variants of it; in every second run no signature is looked at."""
    for seed in range(8 * times):
        yield from _run(seed, signing.verify if seed % 2 else lambda key, message, signature: True)


def _run(seed: int, verify: Verify) -> Iterator[str]:
    random = Random(f"disturbed frames {seed}")
    heard: list[bytes] = []

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        heard.append(data)
        frame = mutant(random, heard[-20:], "msgpack") if random.random() < 0.5 else _exchanged(random, data)
        return [frame, data]

    cluster = Cluster(seed=seed, snapshot_blocks=4, join_gap_blocks=2, verify=verify)
    cluster.tamper = tamper
    cluster.start()
    for number in range(8):
        if number == 2:
            cluster.kill("bank-a")
        if number == 6:
            cluster.start("bank-a")
        cluster.submit("regulator", signed(cluster.genesis, number))
        try:
            cluster.run(1_500)
        except AssertionError as error:  # without signatures others may decide for us
            yield f"frames {seed}: {error}"
    for name, host in cluster.hosts.items():
        counters = {} if host.machine is None else sorted(host.machine.counters.items())
        disk = sha256(repr(host.disk).encode()).hexdigest()
        yield f"frames {seed} {name}: {host.height} {host.halted} {host.accused} {counters} {disk}"


def _exchanged(random: Random, data: bytes) -> bytes:
    return codec.encode(random.choice(list(swapped(codec.decode(data), random.sample(OTHERS, 2)))))


TOPICS: dict[str, Callable[[int], Iterator[str]]] = {
    "decoders": decoders,
    "acts": acts,
    "rules": rules,
    "ballots": ballots,
    "frames": frames,
}
