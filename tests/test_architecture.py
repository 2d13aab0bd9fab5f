"""Who may import whom: the table of ARCHITECTURE.md, enforced on every import statement of the sources.

Law: the packages that decide (ledger, consensus, contracts, node/core) can reach no clock, no chance,
no disk and no socket, because nothing they may import has one.
"""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("ledger", "consensus", "contracts", "node", "audit", "coseal", "console")
LINKED = tuple(name for name in SHIPPED if name != "coseal")  # imported as coseal.<name>, through a link in coseal/
TOP_LEVEL = {*SHIPPED, "simulation", "bench", "examples", "tests", "docs"}
BANNED = {"utils", "common", "types", "crypto"}

PURE = {
    *("__future__", "abc", "bisect", "collections", "dataclasses", "enum", "functools"),
    *("hashlib", "heapq", "hmac", "itertools", "math", "operator", "typing"),
}
STANDARD = set(sys.stdlib_module_names)

# package -> the modules its code may import; a package may always import itself
MAY_IMPORT = {
    "ledger": PURE | {"json", "base64", "binascii", "ormsgpack", "nacl", "cryptography", "coseal_native"},
    "consensus": PURE | {"ledger"},
    "contracts": PURE | {"ledger"},
    "contracts, installed": STANDARD | {"ledger", "contracts"},
    "audit": STANDARD | {"ledger", "contracts"},
    "node, core": PURE | {"ledger", "consensus", "contracts"},
    "simulation": STANDARD | {"ledger", "consensus", "contracts", "audit"},
}
OF_NODE = {  # part -> what of ``node`` it may import
    "node, core": [["core"]],
    "simulation": [["core"], ["index", "database"]],
}
MAY_NOT_IMPORT = {  # these use third-party packages freely
    "node, shell": {"audit", "coseal", "console", "simulation", "bench", "tests"},
    "coseal": {"node", "consensus", "console", "simulation", "bench", "tests"},
    "console": {"node", "consensus", "simulation", "bench", "tests"},
}

# package of coseal/ -> the other packages of coseal/ that it may import; all may import coseal.errors
COSEAL_MAY_IMPORT: dict[str, set[str]] = {
    "formats": set(),
    "client": {"formats", "sealing"},
    "network": {"client"},
    "sql": set(),
    "kit": {"sql"},
    "sealing": set(),
    "streams": {"client"},
    "doctor": {"client", "network"},
    "demo": {"formats", "client", "network"},
    "cli": {"formats", "client", "network", "sql", "streams", "doctor", "demo", "kit", "sealing"},
}


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of all that a file imports, nested or not; ``coseal.ledger`` as ``ledger``."""
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found = []
        if isinstance(statement, ast.Import):
            found = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{path}:{statement.lineno}: relative import"
            found = [f"{statement.module}.{alias.name}" for alias in statement.names]
        for name in found:
            top, _, rest = name.partition(".")
            assert top not in LINKED, f"{path}:{statement.lineno}: import coseal.{name}: nobody but us has that name"
            yield statement.lineno, rest if top == "coseal" and rest.partition(".")[0] in LINKED else name


def part_of(path: Path) -> str:
    """Return the row of the table a source file belongs to."""
    package, *rest = path.relative_to(ROOT).parts
    if package == "contracts" and rest[0] == "installed":
        return "contracts, installed"
    if package != "node":
        return package
    return "node, core" if rest[0] == "core" else "node, shell"


def forbidden(part: str, name: str) -> bool:
    """Say whether code of ``part`` may not import the dotted ``name``."""
    top, *rest = name.split(".")
    if part == "contracts" and rest[:1] == ["installed"]:
        return True
    if top == "node" and part in OF_NODE:
        return not any(rest[: len(room)] == room for room in OF_NODE[part])
    if part in MAY_IMPORT:
        return top != part and top not in MAY_IMPORT[part]
    return top in MAY_NOT_IMPORT[part]


SOURCES = [path for package in (*SHIPPED, "simulation") for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("package", [*SHIPPED, "simulation"])
def test_a_package_imports_only_what_the_table_allows(package):
    sources = [path for path in SOURCES if path.relative_to(ROOT).parts[0] == package]
    assert sources
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {part_of(path)} may not import {name}"
        for path in sources
        for line, name in imports_of(path)
        if forbidden(part_of(path), name)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("ledger", "time"),
        ("ledger", "consensus.replica"),
        ("consensus", "asyncio"),
        ("consensus", "contracts.execution"),
        ("contracts", "random"),
        ("contracts", "datetime.datetime"),
        ("contracts", "node.wire"),
        ("contracts", "contracts.installed.installed"),
        ("contracts, installed", "node.wire"),
        ("audit", "node.wire"),
        ("audit", "httpx"),
        ("node, core", "node.storage.block_log"),
        ("node, core", "node.config"),
        ("node, core", "os"),
        ("node, shell", "audit.audit"),
        ("coseal", "node.config"),
        ("coseal", "console.app"),
        ("console", "node.wire"),
        ("simulation", "node.runtime"),
        ("simulation", "node.index.index"),
        ("simulation", "coseal.cli"),
        ("simulation", "ormsgpack"),
    ],
)
def test_the_table_forbids_what_it_should(part, name):
    assert forbidden(part, name)


CONTRACTS_MAY_IMPORT = {  # folder of contracts/ -> the folders that it may import, besides itself
    "kernel": set(),
    "membership": {"kernel"},
    "governance": {"kernel", "membership"},
    "policy": {"kernel", "membership"},
    "process": {"kernel", "membership", "policy"},
    "rules": {"kernel", "process"},  # they judge its items
    "supervision": {"kernel", "membership", "governance", "policy", "process", "rules"},
    "certification": {"kernel", "membership", "policy", "process", "supervision", "standards", "currency"},
    "mission": {
        "kernel",
        "membership",
        "policy",
        "process",
        "supervision",
        "standards",
        "certification",
        "participation",
    },
    "disclosure": {"kernel", "membership", "process", "rules", "supervision"},
    "participation": {"kernel", "membership", "governance", "policy", "standards", "supervision", "certification"},
    "credit": {"kernel", "currency", "governance", "membership", "process", "supervision", "trade"},
    "evidence": {"kernel", "membership"},
    "standards": {"kernel", "membership", "governance", "policy", "process", "rules", "supervision"},
    "currency": {"kernel", "membership", "governance", "policy", "process", "rules", "supervision"},
    "trade": {"kernel", "membership", "currency", "process", "rules", "supervision"},
    "rows": {"kernel", "registry"},
    "installed": {"kernel", "registry"},
}


def test_a_contract_imports_only_the_contracts_of_its_row():
    folders = {path.parent.name for path in (ROOT / "contracts").glob("*/*.py")}
    assert folders == set(CONTRACTS_MAY_IMPORT), "a folder of contracts/ has a row in this table"
    found = {
        folder: {
            name.split(".")[1]
            for path in (ROOT / "contracts" / folder).rglob("*.py")
            for _, name in imports_of(path)
            if name.startswith("contracts.")
        }
        - {folder}
        for folder in folders
    }
    assert found == CONTRACTS_MAY_IMPORT


def test_contracts_do_not_import_one_another_in_a_circle():
    left = {name: {row for row in rows if row != "registry"} for name, rows in CONTRACTS_MAY_IMPORT.items()}
    while left:
        free = [name for name, rows in left.items() if not rows & left.keys()]
        assert free, f"a circle among {sorted(left)}"
        for name in free:
            del left[name]


def test_coseal_is_what_its_table_names_and_the_table_has_no_cycle():
    folders = {path.parent.name for path in (ROOT / "coseal").glob("*/__init__.py")} - set(LINKED)
    assert folders == set(COSEAL_MAY_IMPORT)
    modules = {path.name for path in (ROOT / "coseal").glob("*.py")}
    assert modules == {"__init__.py", "__main__.py", "errors.py"}
    assert len(tuple(TopologicalSorter(COSEAL_MAY_IMPORT).static_order())) == len(folders)  # CycleError for a cycle


@pytest.mark.parametrize("package", COSEAL_MAY_IMPORT)
def test_a_package_of_coseal_imports_only_the_others_that_its_table_allows(package):
    allowed = {package, "errors", "__version__", *COSEAL_MAY_IMPORT[package]}
    names = {
        (path.name, line, name)
        for path in sorted((ROOT / "coseal" / package).rglob("*.py"))
        for line, name in imports_of(path)
        if name.partition(".")[0] == "coseal"
    }
    assert names
    wrong = [f"{path}:{line}: {name}" for path, line, name in names if name.split(".")[1] not in allowed]
    assert not wrong, "\n".join(sorted(wrong))


def test_the_core_of_the_node_is_a_folder_and_all_around_it_is_its_shell():
    assert part_of(ROOT / "node" / "core" / "machine.py") == "node, core"
    assert part_of(ROOT / "node" / "runtime.py") == part_of(ROOT / "node" / "storage" / "writer.py") == "node, shell"


def test_the_set_of_top_level_packages_is_closed():
    found = {path.parent.name for path in ROOT.glob("*/*.py") if not path.parent.name.startswith(".")}
    assert found <= TOP_LEVEL
    assert not [name for name in BANNED if (ROOT / name).exists() or (ROOT / f"{name}.py").exists()]


def test_the_package_holds_a_link_to_the_folder_of_each_part():
    found = {path.name: path.readlink().as_posix() for path in (ROOT / "coseal").iterdir() if path.is_symlink()}
    assert found == {name: f"../{name}" for name in LINKED}


def test_the_installed_distribution_has_one_name_that_no_other_has():
    providers = importlib.metadata.packages_distributions()
    assert set(providers.get("coseal", ())) <= {"coseal"}
    assert [name for name in LINKED if "coseal" in providers.get(name, ())] == []
