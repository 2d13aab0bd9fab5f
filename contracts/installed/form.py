"""What form a contract of others has: hooks that the frame runs, and names that are its own.

Law: what has this form meets no other contract's keys, tables, lists and kinds of events, and the index can make its
tables: their names, columns and indexes are plain words, so no SQL of it can fail there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.lists import List
from coseal.contracts.kernel.rows.schema import Kind, Table
from coseal.contracts.registry import CAPABILITIES, TAKEN
from coseal.ledger.genesis import CONTRACT_NAME_RULE, is_contract_name

MAX_SQL_NAME: Final = 63
"""Characters of a name that PostgreSQL keeps apart."""
LIST_PATH: Final = "/v1/lists/"
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_COLUMNS: Final = re.compile(r"\(([a-z][a-z0-9_]*(?:, [a-z][a-z0-9_]*)*)\)")
_RUN: Final = ("actions", "fire", "holds", "tables", "rows", "events", "lists", "keys", "open_keys")
_NOT_RUN: Final = (
    "install",
    "begin",
    "waits",
    "due",
    "observe",
    "observe_due",
    "capabilities",
    "proposals",
    "decisions",
    "views",
    "sidecars",
)  # W10
_SQL_TEXT: Final = """
    abort add all alter always analyse analyze and any array as asc asymmetric authorization autoincrement begin
    between binary both by case cast check cmax cmin collate collation column commit concurrently constraint create
    cross ctid current_catalog current_date current_role current_schema current_time current_timestamp current_user
    database default deferrable delete desc distinct do drop each else end escape except exists explain false fetch
    filter for foreign freeze from full glob grant group having if ilike in index indexed initially inner insert
    intersect into is isnull join lateral leading left like limit localtime localtimestamp match natural not nothing
    notnull null offset on only or order outer over overlaps placing primary references regexp returning right rollback
    rowid select session_user set similar some symmetric system_user table tableoid tablesample then to trailing
    transaction true union unique update user using values variadic verbose view virtual when where window with xmax
    xmin
"""
_SQL_WORDS: Final = frozenset(_SQL_TEXT.split())
"""Words that SQLite or PostgreSQL take for something else than a column's name."""


def form_of(contract: Contract) -> str | None:
    """Say why the frame cannot run a contract of others of this form, or None."""
    return next(_faults(contract), None)


def _faults(contract: Contract) -> Iterator[str]:
    name = contract.name
    if not is_contract_name(name):
        yield f"its name {name!r} is not {CONTRACT_NAME_RULE}"
    elif name in TAKEN:  # W1
        yield f"its name {name} is taken; taken are {', '.join(sorted(TAKEN))}"
    if type(contract.version) is not int or contract.version < 1:
        yield f"its version {contract.version!r} is no integer from 1 on"
    given = [hook for hook in _NOT_RUN if getattr(contract, hook)]
    if given:  # W10
        yield f"{', '.join(given)}: not for contracts of others, which have {', '.join(_RUN)}"
    if any(not key.startswith(f"{name}/") for key in (*contract.keys, *contract.open_keys)):
        yield f"keys and open_keys begin with {name}/"
    for action, entry in contract.actions.items():
        if entry.capability and entry.capability not in CAPABILITIES:
            yield f"{action} asks for the capability {entry.capability}; there are {', '.join(CAPABILITIES)}"
        if entry.arguments.sidecar is not None:  # W10
            yield f"{action} names a sidecar: not for contracts of others, which do not say which are kept"
    yield from _names(contract)
    for table in contract.tables:
        yield from _of_table(table)
    for listed in contract.lists:
        yield from _of_list(contract, listed)


def _names(contract: Contract) -> Iterator[str]:
    """Each name begins with the contract's, and stands for one thing."""  # W13
    groups = (
        ("table", "__", [table.name for table in contract.tables]),
        ("index", "__", [name for table in contract.tables for name, _ in table.indexes]),
        ("list", ".", [listed.name for listed in contract.lists]),
        ("kind of event", ".", list(contract.events)),
    )
    for what, mark, names in groups:
        prefix = contract.name + mark
        for name in names:
            rest = name.removeprefix(prefix)
            if rest == name or _WORD.fullmatch(rest) is None or len(name) > MAX_SQL_NAME:
                yield f"{what} {name!r}: expected {prefix}NAME of a-z, 0-9 and '_', at most {MAX_SQL_NAME} characters"
    for kind in contract.events:
        if kind.removeprefix(f"{contract.name}.") in {*contract.actions, "due"}:
            yield f"kind of event {kind!r} is the name of an action, or of what is due"
    for names in ([*groups[0][2], *groups[1][2]], groups[2][2]):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"the name {name} is given twice"


def _of_table(table: Table) -> Iterator[str]:
    where = f"table {table.name}"
    if not table.columns or not table.key:
        yield f"{where} has no columns, or no key"
    for name in table.names:
        if _WORD.fullmatch(name) is None or name in _SQL_WORDS or len(name) > MAX_SQL_NAME:
            yield f"{where}: {name!r} is no name of a column, which is of a-z, 0-9 and '_', and no word of SQL"
        if table.names.count(name) > 1:
            yield f"{where}: the column {name} is given twice"
    plain = {one.name for one in table.columns if one.kind is not Kind.JSON}
    for name in (*table.key, *table.unique):
        if name not in plain:
            yield f"{where}: {name} is in its key, and is no column, or one of documents"
    if any(one.null for one in table.columns if one.name in table.key):
        yield f"{where}: a column of its key may be null"
    for name, columns in table.indexes:
        found = _COLUMNS.fullmatch(columns)
        if found is None or not plain.issuperset(found[1].split(", ")):
            yield f"{where}: index {name} is of {columns!r}, expected columns as in (bank, receipt), none of documents"


def _of_list(contract: Contract, listed: List) -> Iterator[str]:
    where = f"list {listed.name}"
    if listed.path != LIST_PATH + listed.name:
        yield f"{where}: its path is {LIST_PATH}{listed.name}"
    if listed.table not in contract.tables:
        yield f"{where}: its table {listed.table.name} is none of the contract's"
    elif listed.table.detail:
        yield f"{where}: nodes do not keep a table of details"
    if any(column not in listed.table.names for order in listed.orders for column in order.by):
        yield f"{where}: an order is by what is no column of {listed.table.name}"
    if any(_WORD.fullmatch(one.name) is None for one in listed.filters):
        yield f"{where}: a filter's name is of a-z, 0-9 and '_'"
    if any(one.name in ("order", "limit", "cursor", "min_height") for one in listed.filters):
        yield f"{where}: order, limit, cursor and min_height are no names of filters"
