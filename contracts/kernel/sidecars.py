"""Sidecars: bytes beside a transaction, named by their hash and size in its arguments, that validators must hold.

Law: which sidecar a transaction names follows from its arguments alone (N40 of docs/spec/sidecars.md); which are
kept, and who may read them, follows from the state, as the contract that lists them says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.kernel.fields import Field, Hexadecimal, Integer, Nullable, Record
from coseal.ledger.sealed import SIDECAR_BYTES_MAX

BLOCK_SIDECARS_BYTES_MAX: Final = 4 * 1024 * 1024
"""All sidecars that the transactions of a block name, one named twice counted twice."""
MARK: Final = b"\xa5bytes"
"""What a transaction that names a sidecar has in its bytes: the field ``bytes``, encoded."""
NOT_ON_THIS_ENGINE: Final = "not_on_this_engine"
"""The code of an action with a sidecar on a chain whose engine has no links to carry one."""

Path: TypeAlias = tuple[str, ...]


class Named(NamedTuple):
    """A sidecar as a transaction or the state names it: the Merkle root of its lines (32 bytes), its size in bytes."""

    name: bytes
    size: int


class Sidecar(Record):
    """The argument that names a sidecar, ``{name, bytes}``; what it holds comes beside the transaction."""

    def __init__(self) -> None:
        super().__init__({"name": Hexadecimal(), "bytes": Integer(1, SIDECAR_BYTES_MAX)})


@dataclass(frozen=True, slots=True)
class Sidecars:
    """What a contract says of the sidecars that its state lists.

    ``live(reader)`` yields those that it lists as live, the newest first. ``find(reader, name)`` returns one of them,
    or None: it was never listed, or is erased. ``changed(act, data)`` yields the names whose listing an act may have
    begun or ended: ``act`` is ``contract.action`` with its result, of the contract or of another one that names a
    sidecar, or ``begin`` with what the contract's due things did. ``may_read(reader, name, member)`` says whether a
    member may read a live one.
    """

    live: Callable[[Any], Iterator[Named]]
    find: Callable[[Any, bytes], Named | None]
    changed: Callable[[str, Mapping[str, Any]], Iterable[bytes]]
    may_read: Callable[[Any, bytes, str], bool]


def path_of(record: Record) -> Path | None:
    """Return where arguments of this form name a sidecar, None if they name none; ``ValueError`` if two fields do."""
    paths = list(_paths(record, ()))
    if len(paths) > 1:  # N40
        raise ValueError(f"an action names at most one sidecar, not {len(paths)}")
    return paths[0] if paths else None


def _paths(field: Field, path: Path) -> Iterator[Path]:
    if isinstance(field, Sidecar):
        yield path
    elif isinstance(field, Record):
        for name, part in field.fields.items():
            yield from _paths(part, (*path, name))
    elif isinstance(field, Nullable):
        yield from _paths(field.item, path)


def found(args: Any, path: Path) -> Any:
    """Return what arguments have at a path, None if nothing."""
    for name in path:
        args = args.get(name) if type(args) is dict else None
    return args


def named(given: Mapping[str, Any]) -> Named:
    """Return what a value that passed ``Sidecar`` names."""
    return Named(bytes.fromhex(given["name"]), given["bytes"])


def total_bytes(sidecars: Iterable[Named | None]) -> int:
    """Return how many bytes sidecars have together; those that are None have none."""
    return sum(0 if one is None else one.size for one in sidecars)
