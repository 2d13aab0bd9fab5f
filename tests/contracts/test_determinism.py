"""Row D1: nothing in the code that decides can differ between two machines.

Two halves: a reading of the sources for what differs by process, place or version, and a replay of one chain in
processes that differ in hash seed, time zone and locale.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coseal.contracts.registry import CONTRACTS
from coseal.ledger import codec

ROOT = Path(__file__).resolve().parent.parent.parent
LOADER = ROOT / "contracts" / "installed"  # reads sources before any block, and decides none
DECIDING = [
    path
    for package in ("ledger", "consensus", "contracts")
    for path in sorted((ROOT / package).rglob("*.py"))
    if not path.is_relative_to(LOADER)
]

BANNED_CALLS = {"float", "complex", "hash", "id", "open", "input", "eval", "exec", "__import__", "globals", "vars"}
# Asking a table of Unicode properties, which differs between releases of Python, unless the text is known as ASCII.
UNICODE_METHODS = {
    *("isalpha", "isalnum", "isdigit", "isdecimal", "isnumeric", "isspace", "isprintable", "isidentifier"),
    *("isupper", "islower", "istitle", "lower", "upper", "casefold", "title", "capitalize", "swapcase", "splitlines"),
}
# (file, function): the text is ASCII there, as a line above makes sure
KNOWN_ASCII = {
    ("contracts/kernel/names.py", "is_visible"),
    ("contracts/kernel/dates.py", "parse_date"),
    ("contracts/kernel/dates.py", "parse_time"),
    ("contracts/kernel/dates.py", "_offset_ms"),
    ("contracts/kernel/dates.py", "_millisecond"),
    ("ledger/genesis.py", "_small_integer"),
    ("ledger/genesis.py", "hex"),
    ("ledger/render.py", "_hex"),
    ("ledger/render.py", "_pbft_certificate_json"),
    ("contracts/process/items.py", "is_decimal"),
    ("contracts/process/tally.py", "_of_text"),
    ("contracts/currency/statement.py", "month_from"),
    ("contracts/process/cloudevents.py", "_sequence"),
    ("contracts/rules/cel/decimals.py", "read"),
}
# int() of these has never been of a text; of a text it takes the digits of any script
NUMBERS = ast.Attribute | ast.Subscript | ast.Name | ast.Compare
ORDERED = {"list", "tuple", "enumerate", "iter", "next", "zip", "map", "filter"}
ORDERLESS = {"sorted", "any", "all", "sum", "min", "max", "set", "frozenset", "len"}


class Findings(ast.NodeVisitor):
    """Collects what must not be there as ``line: reason``."""

    def __init__(self, file: str, tree: ast.AST) -> None:
        self.file, self.found, self.function = file, [], ""
        self.parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
        self.sets = set_names(tree)
        self.visit(tree)

    def note(self, node, reason):
        self.found.append(f"{self.file}:{node.lineno}: {reason}")

    def visit_FunctionDef(self, node):
        outer, self.function = self.function, node.name
        self.generic_visit(node)
        self.function = outer

    def visit_Constant(self, node):
        if isinstance(node.value, float | complex):
            self.note(node, "a float")

    def visit_BinOp(self, node):
        if isinstance(node.op, ast.Div):
            self.note(node, "true division gives a float")
        self.generic_visit(node)

    def visit_Call(self, node):
        ascii_known = (self.file, self.function) in KNOWN_ASCII
        first = node.args[0] if node.args else None
        if isinstance(node.func, ast.Name):
            name = node.func.id
            if name in BANNED_CALLS:
                self.note(node, f"{name}()")
            if name == "int" and not (ascii_known or isinstance(first, NUMBERS)):
                self.note(node, "int() of something computed")
            if name in ORDERED and any(self.is_set(argument) for argument in node.args):
                self.note(node, "the order of a set")
        elif isinstance(node.func, ast.Attribute):
            name, owner = node.func.attr, node.func.value
            blank = name in ("strip", "lstrip", "rstrip", "split", "rsplit") and first is None
            blank = blank and self.function != ""  # a constant of the module is as it was written
            if (name in UNICODE_METHODS or blank) and not ascii_known:
                self.note(node, f".{name}() asks a Unicode table")
            if name in ("join", "extend") and self.is_set(first):
                self.note(node, "the order of a set")
            if name == "pop" and first is None and self.is_set(owner):
                self.note(node, "some item of a set")
        self.generic_visit(node)

    def visit_Name(self, node):
        if node.id == "repr":
            self.note(node, "repr asks a Unicode table")

    def visit_FormattedValue(self, node):
        if node.conversion == ord("r"):
            self.note(node, "!r asks a Unicode table, and texts of refusals are part of receipts")
        self.generic_visit(node)

    def visit_For(self, node):
        if self.is_set(node.iter):
            self.note(node, "the order of a set")
        self.generic_visit(node)

    def visit_comprehension_of(self, node):
        parent = self.parents.get(node)
        ordered = not (
            isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ORDERLESS
        )
        if ordered and any(self.is_set(part.iter) for part in node.generators):
            self.note(node, "the order of a set")
        self.generic_visit(node)

    visit_ListComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of

    def is_set(self, node):
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in ("set", "frozenset")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor):
            return self.is_set(node.left) or self.is_set(node.right)
        return (node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)) in self.sets


def set_names(tree):
    """Names and attributes of a file that hold a set, by annotation or by what is assigned to them."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            kind = ast.unparse(node.annotation).removeprefix("Final[")
            target = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target).removeprefix("self.")
            assigned = isinstance(node, ast.AnnAssign) and is_set_text(node.value)
            if assigned or kind.startswith(("set", "frozenset", "Set", "AbstractSet")):
                names.add(target)
        elif isinstance(node, ast.Assign) and is_set_text(node.value):
            names.update(ast.unparse(target) for target in node.targets)
    return names


def is_set_text(value):
    if isinstance(value, ast.Set | ast.SetComp):
        return True
    return value is not None and ast.unparse(value).startswith(("set(", "frozenset("))


def findings_in(source, file="x.py"):
    return Findings(file, ast.parse(source)).found


def test_the_sources_that_decide_hold_nothing_that_differs_between_machines():
    found = [
        finding
        for path in DECIDING
        for finding in findings_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "x = 1.5",
        "x = a / b",
        "x = float(a)",
        "x = hash(a)",
        "x = int(a + b)",
        "x = int(read())",
        "x = a.isdigit()",
        "x = a.lower()",
        "def f(a): return a.strip()",
        "def f(a): return a.split()",
        "for x in {1, 2}: pass",
        "x = [i for i in set(a)]",
        "x = list({i for i in a})",
        "x = tuple(a & set(b))",
        "x = ','.join(frozenset(a))",
        "x = f'{a!r}'",
        "x = ', '.join(map(repr, a))",
        "names: set[str] = set()\nfor x in names: pass",
        "def f(names: frozenset[str]): return [x for x in names]",
        "class A:\n  def f(self):\n    self.ids: set[int] = set()\n    for x in self.ids: pass",
        "seen = set()\nx = seen.pop()",
        "x = next(iter({1}))",
    ],
)
def test_the_reading_finds(source):
    assert findings_in(source)


@pytest.mark.parametrize(
    "source", ["for x in sorted({1}): pass", "x = any(i for i in {1})", "x = a // b", "x = 1 in {1}"]
)
def test_the_reading_lets_pass(source):
    assert not findings_in(source)


# A replay in other processes

REPLAY = """
import sys
from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.ledger import codec
from coseal.ledger.block import Block
from coseal.ledger.genesis import Genesis

genesis_raw, *blocks = codec.decode(sys.stdin.buffer.read())
genesis = Genesis.decode(genesis_raw)
executor = Executor(genesis, new_state(genesis))
for raw in blocks:
    outcome = executor.execute_block(Block.decode(raw))
    if not isinstance(outcome, Outcome):
        raise SystemExit(outcome.detail)
    executor.commit(outcome)
    print(executor.height, outcome.receipts_root.hex(), executor.state.root.hex())
"""

PLACES = [
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LANG": "C"},
    {"PYTHONHASHSEED": "4242", "TZ": "Asia/Shanghai", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "77", "TZ": "America/St_Johns", "LANG": "C", "PYTHONOPTIMIZE": "1"},
]


def replay_in(place, document):
    environment = {**os.environ, **place, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", REPLAY], input=document, capture_output=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split()


def fixed_chain(chain, signer_of):
    """A chain on which every action of every contract was tried by members of several roles."""
    senders = ("regulator/admin", "city/admin", "bank-a/admin", "enterprise-a/admin")
    for turn in range(3):
        for contract in CONTRACTS.values():
            chain.block(
                *(
                    chain.sign(sender, f"{contract.name}.{action}", dict(contract.actions[action].example))
                    for action in sorted(contract.actions)
                    for sender in senders
                )
            )
        for sender in senders:
            new = signer_of(f"{sender} {turn}")
            receipt = chain.submit(sender, "membership.rotate_operator_key", key=new.public_key.hex())
            assert receipt.ok, receipt
            chain.keys[sender] = new
        chain.block(time_ms=chain.now_ms + 700_000)
    return chain


def test_d1_a_replay_elsewhere_gives_the_same_roots(chain, signer_of):
    fixed_chain(chain, signer_of)
    document = codec.encode([chain.genesis.raw, *(committed.block.raw for committed in chain.blocks)])
    outputs = [replay_in(place, document) for place in PLACES]
    assert outputs[0][-1] == chain.root.hex()
    assert outputs[0] == outputs[1] == outputs[2]
