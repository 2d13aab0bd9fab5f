"""The specification and the code point at each other: whoever reads a rule finds the line that keeps it, and back.

A rule is what begins a row, an item or a paragraph of a specification (docs/spec, a contract's README) with its id
(``N12``). It is cited by its own id in a comment or docstring; a range (``N1 to N9``) says where to look, and cites
none.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KEPT_IN = {  # page -> the folders whose code keeps its rules; ids are unique within a folder
    "docs/spec/api.md": ("node/http", "node"),
    "docs/spec/audit.md": ("audit",),
    "docs/spec/budget.md": ("contracts", "contracts/governance", "contracts/supervision", "node"),
    "docs/spec/comet.md": ("ledger", "node/core/comet", "node/comet"),
    "docs/spec/consensus.md": ("consensus",),
    "docs/spec/contracts.md": ("contracts", "contracts/policy"),
    "contracts/certification/README.md": ("contracts/certification",),
    "contracts/credit/README.md": ("contracts/credit",),
    "contracts/disclosure/README.md": ("contracts/disclosure",),
    "contracts/evidence/README.md": ("contracts/evidence",),
    "contracts/governance/README.md": ("contracts/governance",),
    "contracts/mission/README.md": ("contracts/mission",),
    "contracts/membership/README.md": ("contracts/membership", "contracts"),
    "contracts/participation/README.md": ("contracts/participation",),
    "contracts/policy/README.md": ("contracts/policy",),
    "contracts/process/README.md": ("contracts/process", "contracts/supervision"),
    "contracts/standards/README.md": ("contracts/standards",),
    "contracts/currency/README.md": ("contracts/currency",),
    "contracts/trade/README.md": ("contracts/trade",),
    "contracts/supervision/README.md": ("contracts/supervision", "contracts/governance"),
    "docs/spec/constitution.md": ("contracts/governance",),
    "docs/spec/contracts-of-others.md": ("contracts", "contracts/governance", "ledger"),
    "docs/spec/disclosure.md": ("ledger", "coseal/sealing"),
    "docs/spec/encoding.md": ("ledger", "audit"),
    "docs/spec/node.md": ("node",),
    "docs/spec/rules.md": ("contracts/rules",),
    "docs/spec/sidecars.md": ("contracts", "node"),
    "docs/spec/signer.md": ("node",),
    "docs/spec/snapshot.md": ("ledger", "node"),
    "docs/spec/standing.md": ("contracts", "contracts/governance", "contracts/membership"),
}
PAGES = [page for page, folders in KEPT_IN.items() if folders]
RULE = re.compile(r"^(?:\| |- )?(?:\*\*)?([A-Z][1-9]\d*)(?:\*\*| )", re.MULTILINE)
CITED = re.compile(r"\b[A-Z][1-9]\d*\b(?! to [A-Z]?\d)(?<! to ..)(?<! to ...)")


def rules_of(page: str) -> list[str]:
    return RULE.findall((ROOT / page).read_text(encoding="utf-8"))


def words_of(path: Path) -> Iterator[str]:
    """Yield the comments and docstrings of a source file."""
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        match node:  # a text that stands alone documents what is before it or around it
            case ast.Expr(ast.Constant(str(text))):
                yield text


@cache
def cited_in(folder: str) -> set[str]:
    """Return the rules that the code of a folder cites, without the folders in it that have a page of their own."""
    others = [ROOT / name for folders in KEPT_IN.values() for name in folders if name.startswith(f"{folder}/")]
    paths = [path for path in (ROOT / folder).rglob("*.py") if not any(path.is_relative_to(other) for other in others)]
    return {rule for path in paths for text in words_of(path) for rule in CITED.findall(text)}


def test_every_page_of_the_specification_says_where_its_rules_are_kept() -> None:
    pages = [*ROOT.glob("docs/spec/*.md"), *ROOT.glob("contracts/*/README.md")]
    assert sorted(path.relative_to(ROOT).as_posix() for path in pages) == sorted(KEPT_IN)
    assert [page for page, folders in KEPT_IN.items() if bool(rules_of(page)) != bool(folders)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_rule_has_an_id_of_its_own_and_is_cited_in_the_code_that_keeps_it(page: str) -> None:
    rules = rules_of(page)
    assert [rule for rule, times in Counter(rules).items() if times > 1] == []
    cited = set().union(*(cited_in(folder) for folder in KEPT_IN[page]))
    assert [rule for rule in rules if rule not in cited] == []


@pytest.mark.parametrize("folder", sorted({folder for folders in KEPT_IN.values() for folder in folders}))
def test_no_code_cites_a_rule_that_does_not_exist(folder: str) -> None:
    rules = {rule for page, folders in KEPT_IN.items() if folder in folders for rule in rules_of(page)}
    letters = {rule[0] for rule in rules}
    assert sorted(rule for rule in cited_in(folder) if rule[0] in letters and rule not in rules) == []


@pytest.mark.parametrize("page", sorted(KEPT_IN))
def test_a_page_of_the_specification_names_files_that_exist(page: str) -> None:
    named = re.findall(r"`([a-z_/]+/[a-z_]+\.py)`", (ROOT / page).read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
