"""Keys of the state are spelt in one place of each contract, which says what is kept there.

Law: outside of ``state.py`` no source of the product has a text that begins as a key does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.contracts.kernel.state import KEYS as SYSTEM_KEYS
from coseal.contracts.kernel.state import SYSTEM
from coseal.contracts.registry import CONTRACTS, KEYS
from docs.site import state
from tests.support.specifications import FOLDER, section, specification
from tests.support.state_keys import families_of

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("ledger", "consensus", "contracts", "node", "audit", "coseal", "console", "simulation", "bench")
BEGINNINGS = tuple(f"{name}/" for name in (SYSTEM, *CONTRACTS))
FILES = sorted(
    path for package in PRODUCT for path in (ROOT / package).rglob("*.py") if not path.match("contracts/*/state.py")
)


def keys_spelt(source: str) -> Iterator[str]:
    """Yield each text and f-string of a source that begins as a key does; docstrings are prose."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in prose:
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if text.startswith(BEGINNINGS):
                yield f"line {node.lineno}: {text!r}"


def test_there_is_a_place_for_keys_in_each_contract() -> None:
    found = {path.parent.name for path in (ROOT / "contracts").glob("*/state.py")}
    assert found == {"kernel", *CONTRACTS}
    assert len(FILES) > 400


def test_no_key_is_spelt_elsewhere() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {place}" for path in FILES for place in keys_spelt(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "view.get('membership/members')",
        "view.get(f'supervision/finding/{name}')",
        "state.get(b'system/window')",
        "view.get('policy/instrument/' + name)",
        "OPEN = ('process/type/',)",
    ],
)
def test_a_key_that_is_spelt_is_found(source: str) -> None:
    assert list(keys_spelt(source))


def test_what_only_looks_like_a_key_is_none() -> None:
    assert not list(
        keys_spelt('"""membership/members"""\nf"{name}/deadline/at"\n"/v1/policy/x"\n"contracts/process/x"')
    )


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_keys_of_a_contract_begin_with_its_name_and_open_ones_are_among_them(name: str) -> None:
    contract = CONTRACTS[name]
    assert contract.keys
    assert [family for family in contract.keys if not family.startswith(f"{name}/")] == []
    assert [one for one in contract.open_keys if not any(family.startswith(one) for family in contract.keys)] == []


def test_the_keys_of_the_registry_are_those_of_execution_and_of_every_contract() -> None:
    assert list(KEYS) == [*SYSTEM_KEYS, *(family for contract in CONTRACTS.values() for family in contract.keys)]


def test_no_key_of_one_family_is_of_another() -> None:
    """A placeholder filled in with the shortest text, a number, gives a key of that family alone."""
    keys = {re.sub("<[^<>]+>", "1", family): family for family in KEYS}
    assert families_of(keys, KEYS) == {key: [family] for key, family in keys.items()}


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_specification_of_a_contract_says_what_is_under_each_of_its_keys(name: str) -> None:
    rows = re.findall(r"^\|([^|]*)\|", section(specification(name), "State"), re.MULTILINE)
    documented = [family for cell in rows for family in re.findall(r"`([^`]+)`", cell)]
    assert sorted(documented) == sorted(CONTRACTS[name].keys)


def test_the_specifications_name_the_keys_of_execution() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md")))
    assert set(re.findall(r"`(system/[^`]+)`", text)) - {"system/..."} == set(SYSTEM_KEYS)


def test_the_reference_has_every_family_under_its_contract() -> None:
    parts = re.split("^## ", state.page(), flags=re.MULTILINE)[1:]
    shown = {part[1:].partition("]")[0]: re.findall(r"^\| `([^`]+)` \| (.+) \|$", part, re.MULTILINE) for part in parts}
    assert list(shown) == [SYSTEM, *CONTRACTS]
    assert [row for rows in shown.values() for row in rows] == [(family, kept) for family, kept in KEYS.items()]
