"""What a contract writes into the index: for each accepted action a function, and what is due at the start of a block.

Law: the rows of an act depend on the rows before it, its transaction and its receipt alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]
Put: TypeAlias = Callable[[Transaction, Given, Act], None]
"""Puts the rows of an accepted transaction; the mapping is the data of its receipt."""
PutArguments: TypeAlias = Callable[[Rows, Given, Given, Act], None]
"""Does so with the arguments of the transaction, the first of the two mappings."""


@dataclass(frozen=True, slots=True)
class Writer:
    """The rows of one contract.

    ``accepted`` is by ``contract.action``, which may be another contract's that this one observes. ``due`` puts what
    the contract says in the first receipt of a block. ``finish`` is called after each block. ``elsewhere`` names
    arguments, by ``contract.action``, that have rows of their own, so that ``acts`` does not repeat them. ``appended``
    puts what a receipt, or what a contract says in a block's first one, lists as ``APPENDED``, and what rules found of
    it.
    """

    accepted: Mapping[str, Put]
    due: Callable[[Mapping[str, Any], Act], None] | None = None
    finish: Callable[[], None] | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    appended: Callable[[Mapping[str, Any], Act], None] | None = None


def by_action(contract: str, rows: Rows, puts: Mapping[str, PutArguments]) -> dict[str, Put]:
    """Return by ``contract.action`` what puts the rows of an action that needs no more than its arguments."""

    def accept(put: PutArguments) -> Put:
        return lambda tx, data, act: put(rows, tx.args, data, act)

    return {f"{contract}.{action}": accept(put) for action, put in puts.items()}


def together(*writers: Writer) -> Writer:
    """Return what several writers of one contract do, each in turn, without ``finish``."""

    def accept(puts: Sequence[Put]) -> Put:
        def put(tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
            for each in puts:
                each(tx, data, act)

        return put

    def due(data: Mapping[str, Any], act: Act) -> None:
        for writer in writers:
            if writer.due is not None:
                writer.due(data, act)

    puts: dict[str, list[Put]] = {}
    for writer in writers:
        for name, put in writer.accepted.items():
            puts.setdefault(name, []).append(put)
    return Writer({name: accept(found) for name, found in puts.items()}, due)
