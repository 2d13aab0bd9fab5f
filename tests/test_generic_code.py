"""Code that serves every contract names none of them: a new contract needs no change there.

Law: what a generic file knows of a contract it asks its hooks, through ``coseal.contracts.registry``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.contracts.registry import CONTRACTS

ROOT = Path(__file__).resolve().parent.parent
GENERIC = (
    "contracts/block_events.py",  # what a block's event says
    "contracts/genesis_state.py",
    "contracts/kernel/**/*.py",
    "contracts/rows/*.py",  # blocks as rows, for a node's index and a user's
    "coseal/cli/actions.py",  # the frame of the command line, and what it makes of any action and list
    "coseal/cli/sending.py",
    "coseal/cli/lists.py",
    "coseal/cli/shared.py",
    "coseal/sql/*.py",
    "coseal/streams/[!o]*.py",  # but outgoing.py: an item of process data is an event of its own
    "console/app.py",  # the frame of the console, and what it makes of any list
    "console/console.py",
    "console/frame.py",
    "console/guard.py",
    "console/html.py",
    "console/light.py",
    "console/live.py",
    "console/nodes.py",
    "console/page.py",
    "console/pages/lists.py",
    "console/parts.py",
    "console/rows.py",
    "console/shapes.py",
    "console/shown.py",
    "node/http/action_schemas.py",
    "node/http/app.py",
    "node/http/gateway.py",
    "node/http/lists.py",
    "node/http/openapi.py",
    "node/http/paging.py",
    "node/http/reference.py",
    "node/http/simulation.py",
    "node/http/stream.py",
    "node/http/transactions.py",
    "node/index/*.py",
)
FILES = sorted({path for pattern in GENERIC for path in ROOT.glob(pattern)})


def contracts_named(source: str) -> Iterator[str]:
    """Yield each place at which a source names a contract: an import, its name, an action, a state key."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in names_of(node):
            if any(name == one or name.startswith(f"{one}.") for one in CONTRACTS):
                yield f"line {node.lineno}: imports {name}"  # type: ignore[attr-defined]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_of_a_contract(node.value):
            yield f"line {node.lineno}: {node.value!r}"


def names_of(node: ast.AST) -> list[str]:
    """Return what an import takes from ``coseal.contracts``, by its name in there."""
    given: list[str] = []
    if isinstance(node, ast.ImportFrom):
        given = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Import):
        given = [alias.name for alias in node.names]
    return [name.removeprefix("coseal.contracts.") for name in given if name.startswith("coseal.contracts.")]


def is_of_a_contract(text: str) -> bool:
    """Say whether a text is a contract's name, one of its actions, or begins as its state keys do."""
    contract, dot, action = text.partition(".")
    if contract in CONTRACTS and (not dot or action in CONTRACTS[contract].actions):
        return True
    return text.startswith(tuple(f"{name}/" for name in CONTRACTS))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_generic_code_names_no_contract(path: Path) -> None:
    assert not list(contracts_named(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("pattern", GENERIC)
def test_what_is_called_generic_is_there(pattern: str) -> None:
    assert list(ROOT.glob(pattern))


@pytest.mark.parametrize(
    "source",
    [
        "from coseal.contracts.policy import tables",
        "from coseal.contracts import supervision",
        "import coseal.contracts.process.chain",
        "if contract == 'governance': pass",
        "apply = {'process.record': record}",
        "view.get('membership/member/' + name)",
        "view.get(f'supervision/finding/{name}')",
    ],
)
def test_a_contract_that_is_named_is_found(source: str) -> None:
    assert list(contracts_named(source))


def test_what_only_looks_like_a_contract_is_none() -> None:
    assert not list(contracts_named("from coseal.contracts.kernel import lists\npage.t('evidence.nav')\n'policies'"))
