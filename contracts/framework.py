"""The frame every contract fits: a table of actions, each a pair of pure functions.

Law: ``validate`` sees the arguments only; ``apply`` sees a view, a context and valid arguments, and either returns
its result or a ``Rejected`` value, in which case nothing it wrote remains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from ledger import codec, signing
from ledger.codec import Value
from ledger.signing import Verify

Args: TypeAlias = Mapping[str, Any]
Result: TypeAlias = dict[str, Any]

PROTOCOL_VERSION_KEY: Final = "system/protocol_version"
"""Where the state holds the version of the rules under which the next block runs."""

MAX_DUE: Final = 1_000
"""How many due things all contracts together do at the start of one block; the rest is done in the next."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A typed refusal, the same on every node, recorded in the receipt.

    ``code`` is one of the contract's documented codes, ``detail`` says what to do about it.
    """

    code: str
    detail: str


@dataclass(slots=True)
class Context:
    """Who acts and when: everything ``apply`` may know besides state and arguments. Times in ms (block time).

    Nobody changes it; it is not declared frozen because making one would then take three times as long.

    ``node`` is the id of the node that speaks for itself, empty if an operator does; a node has no capabilities, and
    ``member``, ``role`` and ``level`` are those of who runs it. ``chain_id`` and ``verify`` are for
    proofs that bind to a chain: the check of signatures is the chain's (a simulated network has a cheaper one).
    """

    height: int
    time_ms: int
    tx_id: bytes
    sender: str
    member: str
    role: str
    level: str
    capabilities: tuple[str, ...]
    protocol_version: int
    node: str = ""
    chain_id: bytes = b""
    verify: Verify = signing.verify


class Reader(Protocol):
    """Read access to the state by key text (``contract/...``)."""

    def get(self, key: str) -> Value:
        """Return the decoded value of ``key``, or None if it is absent."""
        ...


class View(Reader, Protocol):
    """Read and write access; writes are visible to later reads of the same block, and undone on rejection."""

    def put(self, key: str, value: Value) -> None:
        """Set ``key``. ``value`` is not None and is not changed afterwards by the caller."""
        ...

    def delete(self, key: str) -> None:
        """Remove ``key`` if it is there."""
        ...


Validate: TypeAlias = Callable[[Args], Rejected | None]
Apply: TypeAlias = Callable[[View, Context, Args], Result | Rejected]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a contract. ``title`` is one line for people; ``example`` are arguments that validate.

    ``capability`` is what the sending operator must have, empty for none; ``apply`` may ask for more. ``by_node``: a
    node may send it, signed with its own key. With ``capability`` None only a node may.
    """

    validate: Validate
    apply: Apply
    title: str
    example: Mapping[str, Any] = field(default_factory=dict)
    capability: str | None = "submit"
    by_node: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """What a ``begin_block`` did: how many due things, and the result that goes into the block's first receipt."""

    done: int = 0
    data: Result = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contract:
    """A named table of actions, and what it does at the start of each block, if anything.

    ``begin_block(view, height, time_ms, limit)`` does at most ``limit`` things that are due at ``time_ms``.
    ``next_deadline_ms(reader)`` is the block time at which ``begin_block`` has something to do, or None; it is in
    the past while due things are left.
    """

    name: str
    actions: Mapping[str, Action]
    begin_block: Callable[[View, int, int, int], Due] | None = None
    next_deadline_ms: Callable[[Reader], int | None] | None = None


_MEMO_MAX: Final = 64


def remember(memo: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep the newest of what was compiled: what is forgotten is compiled again from the state."""
    if len(memo) >= _MEMO_MAX:
        del memo[next(iter(memo))]
    memo[key] = value


class CommittedReader:
    """A ``Reader`` of committed bytes, e.g. of ``State.get``; always the newest, nothing is cached."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        """``read`` returns committed bytes by key bytes."""
        self._read = read

    def get(self, key: str) -> Value:
        """See ``Reader``."""
        raw = self._read(key.encode())
        return None if raw is None else codec.decode_own(raw)


class Overlay:
    """A ``View`` over committed bytes: collects writes, and forgets those since the last ``mark`` on ``rollback``."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        """``read`` returns committed bytes by key bytes, e.g. ``State.get``."""
        self._read = read
        self._cache: dict[str, Any] = {}
        self._written: dict[str, Value] = {}
        self._undo: list[tuple[str, bool, Any]] = []

    def get(self, key: str) -> Value:
        """See ``Reader``. The returned value must not be changed; copy it first."""
        if key in self._written:
            return self._written[key]
        if key not in self._cache:
            raw = self._read(key.encode())
            self._cache[key] = None if raw is None else codec.decode_own(raw)
        return self._cache[key]  # type: ignore[no-any-return]

    def put(self, key: str, value: Value) -> None:
        """See ``View``."""
        if value is None:
            raise ValueError("None means absent; delete the key")
        self._write(key, value)

    def delete(self, key: str) -> None:
        """See ``View``."""
        self._write(key, None)

    def mark(self) -> None:
        """Keep everything written so far."""
        self._undo.clear()

    def rollback(self) -> None:
        """Forget everything written since ``mark``."""
        for key, existed, before in self._undo[::-1]:
            if existed:
                self._written[key] = before
            else:
                del self._written[key]
        self._undo.clear()

    def wrote(self, prefix: str) -> bool:
        """Say whether any key that begins with ``prefix`` was written."""
        return any(key.startswith(prefix) for key in self._written)

    def updates(self) -> dict[bytes, bytes | None]:
        """Return what was written, for ``State.derive``: key bytes -> canonical value bytes, None for deleted."""
        return {key.encode(): None if value is None else codec.encode(value) for key, value in self._written.items()}

    def _write(self, key: str, value: Value) -> None:
        existed = key in self._written
        self._undo.append((key, existed, self._written.get(key)))
        self._written[key] = value
