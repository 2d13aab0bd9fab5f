"""No contract reads a fact or a score: only the registry knows this contract, and the state has no score."""

from __future__ import annotations

import ast
from pathlib import Path

from coseal.contracts.credit.state import KEYS

CONTRACTS = Path(__file__).parents[3] / "contracts"


def test_no_contract_imports_credit() -> None:
    importers = {
        path.relative_to(CONTRACTS).as_posix()
        for path in CONTRACTS.rglob("*.py")
        if path.parent.name != "credit"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("coseal.contracts.credit")
    }
    assert importers == {"registry.py"}


def test_the_state_has_figures_and_formulas_and_no_score() -> None:
    families = {family.split("/")[1] for family in KEYS} - {"deadline"}
    assert families == {"fact", "entries", "month", "origin", "formula", "formulas", "consulted"}
