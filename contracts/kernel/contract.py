"""What a contract is to everything that is generic: a name, a table of actions, and hooks.

Law: generic code (execution, rows, events, lists, pages) asks these hooks and names no contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from coseal.contracts.kernel.action import Accepted, Action, Args, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.lists import List
from coseal.contracts.kernel.proposals import ProposalKind
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import Table
from coseal.contracts.kernel.rows.schema import View as SqlView
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.kernel.sidecars import Sidecars
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import ZERO_HASH


class Moment(NamedTuple):
    """The start of a block: its height, block time in ms, and how many bytes its first receipt has left."""

    height: int
    time_ms: int
    room_bytes: int = 0

    def context(self) -> Context:
        """Return the context of what fell due, which nobody sends."""
        return Context(self.height, self.time_ms, ZERO_HASH, "", "", "", "", (), 0)


Entry: TypeAlias = list[Any]
"""``[kind, ...]``: what is due, as texts and integers (``kernel.deadlines``)."""
Fire: TypeAlias = Callable[[View, Moment, Entry], Result | Accepted]


@dataclass(slots=True)
class Observed:
    """What a contract accepted: ``name`` is ``contract.action``; ``facts`` are what it says beyond its result."""

    name: str
    args: Args
    result: Result
    facts: Any = None


class DueThing(NamedTuple):
    """What a contract did at the start of a block: its name, the entry of its index, and the lists that it returned."""

    contract: str
    entry: Entry
    result: Result


Raised: TypeAlias = Callable[[str, Mapping[str, Any]], Iterable[Mapping[str, Any]]]
"""What an accepted act raised, as maps: of ``contract.action`` and its data, or of ``begin`` and the contract's.

Of each contract that appended something when it fell due it is asked once more, with ``APPENDED`` and that one's data.
"""
Observe: TypeAlias = Callable[[View, Context, Observed], Result | Rejected]
ObserveDue: TypeAlias = Callable[[View, Moment, DueThing], Result]


@dataclass(frozen=True, slots=True)
class Contract:
    """A named table of actions, and what it does at the start of each block, if anything.

    ``capabilities`` are what its actions ask of an operator, besides those of membership; ``proposals`` what governance
    can decide about it by ballot.

    ``install(view, genesis)`` writes what the contract begins with on a new chain; it raises ``Malformed`` for a
    genesis that it cannot begin with.

    ``begin(view, moment)`` is what a block cannot begin without: small, never contained, outside of the shares;
    ``waits(reader)`` says whether it has something to do, so that an idle chain makes the next block at once.
    ``fire(view, moment, entry)`` does what ``kernel.due`` took out of the contract's index (``kernel.deadlines``) and
    returns lists for the block's first receipt; with facts, as an action may, others observe them and add to the
    lists. ``due(view, time_ms)`` takes the next thing out, where entries of the index lead to others.

    ``observe`` is asked in the transaction in which another contract accepted something: what it returns joins the
    receipt, its refusal refuses the transaction. Of what fell due (``begin``) it is asked where there are facts, and
    refuses nothing. ``observe_due`` is asked of each due thing that another contract did: it returns lists for the
    block's first receipt, under its own name; where it fails, the due thing is set aside.

    ``process_types`` are the definitions of those that are its own, on which it appends what it does.

    ``holds`` is asked at the end of each block whether what the contract promises of its state still holds, in a few
    reads: None, or what is broken, which stops the node before it votes for that block. Of a contract of others it is
    asked after each of its own transactions and due things, and refuses those (W14).

    ``tables`` and ``views`` are those of the index, ``rows`` makes what writes them. ``events`` are the kinds of
    things that its acts, or those that it observes, raise in a block, for streams.

    ``keys`` are the families of its keys in the state, such as ``contract/thing/<id>``, with what is kept there;
    ``open_keys`` are the prefixes of those whose values grow.

    ``sidecars`` says which sidecars the state lists as live, and who may read them; a contract whose actions name some
    has it.

    ``decisions`` are the kinds of due things that decide a ballot, ``lists`` what a node lists of the contract's rows.

    ``version`` and ``writes`` are for contracts that the software does not ship: the former rises with each change of
    their sources, the latter is the prefix outside of which their writes are refused, set where they are composed.
    Which hooks they have: docs/spec/contracts-of-others.md, W10.
    """

    name: str
    actions: Mapping[str, Action]
    capabilities: tuple[str, ...] = ()
    proposals: Mapping[str, ProposalKind] = field(default_factory=dict)
    install: Callable[[View, Genesis], None] | None = None
    begin: Callable[[View, Moment], Result] | None = None
    due: Callable[[View, int], Entry | None] | None = None
    fire: Fire | None = None
    waits: Callable[[Reader], bool] | None = None
    observe: Observe | None = None
    observe_due: ObserveDue | None = None
    holds: Callable[[Reader], str | None] | None = None
    tables: tuple[Table, ...] = ()
    views: tuple[SqlView, ...] = ()
    rows: Callable[[Rows], Writer] | None = None
    events: Mapping[str, Raised] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    open_keys: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    lists: tuple[List, ...] = ()
    sidecars: Sidecars | None = None
    process_types: tuple[Mapping[str, Any], ...] = ()
    version: int = 1
    writes: str = ""
