"""What is installed is read, digested, checked, and run from what was read; what cannot be offered is said."""

from __future__ import annotations

import py_compile
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from coseal.contracts.block_events import KINDS
from coseal.contracts.disclosure.actions import CONTRACT as DISCLOSURE
from coseal.contracts.installed import loading, sources
from coseal.contracts.installed.form import form_of
from coseal.contracts.installed.loading import load
from coseal.contracts.installed.sources import BadContract
from coseal.contracts.kernel.action import Arguments
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.lists import Filter, Order
from coseal.contracts.kernel.rows.schema import text
from coseal.contracts.kernel.sidecars import Sidecar
from coseal.contracts.registry import LISTS
from coseal.contracts.rows.tables import TABLES, VIEWS
from coseal.ledger.genesis import Sources
from tests.support.others import ADDED, LIST, tally

CODE = """\
from coseal.contracts.kernel.contract import Contract

from {package}.more import NAME

CONTRACT = Contract(NAME, {{}})
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that offers a contract, on the path."""
    folder = tmp_path / "tally_9"
    folder.mkdir()
    (folder / "__init__.py").write_text(CODE.format(package="tally_9"))
    (folder / "more.py").write_text("NAME = 'tally'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("tally_9")]:
        del sys.modules[name]


def test_a_digest_is_of_paths_and_bytes_in_one_order():
    files = {"b.py": b"2", "a/c.py": b"1", "__init__.py": b""}
    assert sources.digest(files) == sources.digest(dict(reversed(files.items())))
    by_hand = sources.TAG + b"".join(
        len(part).to_bytes(8, "big") + part for part in (b"__init__.py", b"", b"a/c.py", b"1", b"b.py", b"2")
    )
    assert sources.digest(files) == sha256(by_hand).hexdigest()
    others = ({**files, "b.py": b"3"}, {"b.p": b"y2", **files}, {"B.py": b"2", "a/c.py": b"1", "__init__.py": b""})
    assert len({sources.digest(each) for each in (files, *others)}) == 4


def test_a_package_is_loaded_with_its_digest(package):
    found, contract = load("tally_9", "CONTRACT", package)
    assert found == Sources("tally", 1, sources.digest(sources.read(package)))
    assert contract.name == "tally"


def test_what_runs_is_what_was_digested_whatever_bytecode_lies_beside_it(package):
    stale = package / "more.py"
    text = stale.read_text()
    stale.write_text("NAME = 'other'\n")
    py_compile.compile(str(stale), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    stale.write_text(text)
    assert load("tally_9", "CONTRACT", package)[1].name == "tally"


@pytest.mark.parametrize(
    "line",
    [
        "import time",
        "import os.path",
        "from random import random",
        "import coseal.ledger.codec",
        "from coseal.contracts import execution",
        "from coseal.contracts.process import CONTRACT",
        "import tally_8",
        "def late():\n    import socket",
        "eval('1')",
        "__import__('os')",
        "(",
    ],
)
def test_what_a_contract_may_not_import_is_refused_before_it_runs(package, line):
    (package / "more.py").write_text(f"{line}\nraise SystemExit('it ran')\n")
    with pytest.raises(BadContract, match=r"more.py"):
        load("tally_9", "CONTRACT", package)


@pytest.mark.parametrize(
    "line",
    [
        "import math",
        "from collections.abc import Mapping",
        "from . import state",
        "from coseal.contracts.rules import shape",
    ],
)
def test_what_a_contract_may_import_passes(package, line):
    (package / "state.py").write_text("")
    (package / "more.py").write_text(f"{line}\nNAME = 'tally'\n")
    assert load("tally_9", "CONTRACT", package)[0].name == "tally"


def test_a_package_has_sources_alone(package):
    (package / "fast.so").write_bytes(b"")
    with pytest.raises(BadContract, match=r"fast.so"):
        load("tally_9", "CONTRACT", package)


def test_a_package_that_raises_cannot_be_offered(package):
    (package / "more.py").write_text("NAME = 1 // 0\n")
    with pytest.raises(BadContract, match="ZeroDivisionError"):
        load("tally_9", "CONTRACT", package)


@pytest.mark.parametrize(
    ("contract", "why"),
    [
        (Contract("process", {}), "taken"),
        (Contract("kernel", {}), "taken"),
        (Contract("rules", {}), "taken"),
        (Contract("system", {}), "taken"),
        (Contract("a-b", {}), "is not a name"),
        (Contract("tally", {}, version=0), "version"),
        (Contract("tally", {}, begin=lambda view, moment: {}), "begin"),
        (Contract("tally", {}, install=lambda view, genesis: None), "install"),
        (Contract("tally", {}, due=lambda view, time_ms: None), "due"),
        (Contract("tally", {}, waits=lambda reader: True), "waits"),
        (Contract("tally", {}, observe=lambda view, context, what: {}), "observe"),
        (Contract("tally", {}, keys={"process/total": "the total"}), "keys and open_keys begin with tally/"),
        (Contract("tally", {}, open_keys=("process/",)), "keys and open_keys begin with tally/"),
    ],
)
def test_a_form_that_the_frame_does_not_run_is_refused(contract, why):
    assert why in str(form_of(contract))


def test_a_usual_form_is_run():
    assert form_of(Contract("tally", {}, fire=lambda view, moment, entry: {}, open_keys=("tally/x/",))) is None


def test_what_an_installed_distribution_offers_is_found_and_what_it_cannot_offer_said(package, monkeypatch):
    info = package.parent / "tally-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tally\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[coseal.contracts]\ngood = tally_9:CONTRACT\nbad = nowhere_9:CONTRACT\n")
    loading.installed.cache_clear()
    try:
        found = loading.installed()
    finally:
        loading.installed.cache_clear()
    assert "tally" in {each.name for each in found.contracts}
    assert [text for text in found.problems if "nowhere_9" in text] == [
        "bad: nowhere_9: there is no package of that name"
    ]
    assert Path(package).is_dir()


TALLY = tally(1)
COLUMNS = ADDED.columns


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"capabilities": ("tally",)}, "capabilities: not for contracts of others"),
        ({"proposals": {"more": None}}, "proposals: not for"),
        ({"decisions": ("close",)}, "decisions: not for"),
        ({"views": (None,)}, "views: not for"),
        ({"sidecars": DISCLOSURE.sidecars}, "sidecars: not for"),
        ({"actions": {"add": replace(TALLY.actions["add"], arguments=Arguments({"s": Sidecar()}))}}, "names a sidecar"),
        ({"actions": {"add": replace(TALLY.actions["add"], capability="tally")}}, "the capability tally"),
        ({"tables": (replace(ADDED, name="tally_added"),)}, "expected tally__NAME"),
        ({"tables": (replace(ADDED, name="items"),)}, "expected tally__NAME"),
        ({"tables": (replace(ADDED, name="tally__" + "a" * 60),)}, "at most 63"),
        ({"tables": (ADDED, ADDED)}, "given twice"),
        ({"tables": (replace(ADDED, columns=(*COLUMNS, text("order", ""))),)}, "'order' is no name"),
        ({"tables": (replace(ADDED, columns=(*COLUMNS, text("Name", ""))),)}, "'Name' is no name"),
        ({"tables": (replace(ADDED, columns=(*COLUMNS, COLUMNS[0])),)}, "given twice"),
        ({"tables": (replace(ADDED, key=("id",)),)}, "id is in its key"),
        ({"tables": (replace(ADDED, key=()),)}, "no key"),
        ({"tables": (replace(ADDED, indexes=(("tally__x", "(lower(member))"),)),)}, "index tally__x is of"),
        ({"tables": (replace(ADDED, indexes=(("acts_by_name", "(member)"),)),)}, "expected tally__NAME"),
        ({"lists": (replace(LIST, name="findings"),)}, "expected tally.NAME"),
        ({"lists": (replace(LIST, path="/v1/findings"),)}, "its path is /v1/lists/tally.added"),
        ({"lists": (replace(LIST, table=replace(ADDED, name="items")),)}, "none of the contract's"),
        ({"lists": (replace(LIST, orders=(Order("", ("amounts",)),)),)}, "an order is by what is no column"),
        ({"lists": (replace(LIST, filters=(Filter("cursor"),)),)}, "no names of filters"),
        ({"events": {"finding": TALLY.events["tally.large"]}}, "expected tally.NAME"),
        ({"events": {"tally.add": TALLY.events["tally.large"]}}, "the name of an action"),
    ],
)
def test_hooks_and_names_that_are_not_for_it_are_refused(changes, why):
    assert why in str(form_of(replace(TALLY, **changes)))


def test_a_contract_with_rows_events_lists_and_promises_is_run():
    assert form_of(replace(TALLY, holds=lambda reader: None)) is None


def test_no_shipped_name_has_the_form_of_one_of_others():
    names = [one.name for one in (*TABLES, *VIEWS)] + [name for table in TABLES for name, _ in table.indexes]
    assert not [name for name in names if "__" in name]
    assert not [name for name in (*LISTS, *KINDS) if "." in name]
