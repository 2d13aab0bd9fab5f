"""The frame every contract fits: a table of actions, each a description of its arguments and a pure function.

Law: the fields of an action see its arguments only; ``apply`` sees a view, a context and valid arguments, and either
returns its result or a ``Rejected`` value, in which case nothing it wrote remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from coseal.contracts.kernel.budget import READ_STEPS, VALUE_BYTES_A_STEP, WRITE_STEPS, Meter, Spent
from coseal.contracts.kernel.fields import Dependent, Field, JsonSchema, Record
from coseal.ledger import codec, signing
from coseal.ledger.codec import Value
from coseal.ledger.signing import Verify

Args: TypeAlias = Mapping[str, Any]
Result: TypeAlias = dict[str, Any]

PROTOCOL_VERSION_KEY: Final = "system/protocol_version"
"""Where the state holds the version of the rules under which the next block runs."""

TOO_COSTLY: Final = "too_costly"
INTERNAL_ERROR: Final = "internal_error"
VALUE_TOO_LARGE: Final = "value_too_large"
"""Codes with which any action may be refused."""

INVALID: Final = "invalid_argument"
"""The code of arguments that are not what the fields of the action want."""

MAX_VALUE_BYTES: Final = 256 * 1024
"""The most bytes of one state value: a part of what a chunk of a snapshot holds."""


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
    """Read and write access; writes are visible to later reads of the same block, and undone on rejection.

    A view counts the steps of what is done on it (docs/spec/budget.md): reading and writing by itself, other work by
    ``charge``.
    """

    def charge(self, steps: int) -> None:
        """Count steps before the work that takes them; ends the transaction where they are not left."""
        ...

    def attempt(self, name: str, steps: int, effect: Callable[[], Result]) -> Result | Rejected:
        """Carry out an effect with at most so many steps; undo what it wrote, and say why, if it fails."""
        ...

    def note(self, text: str) -> None:
        """Say what a refusal for its cost should add, such as how much one item took."""
        ...

    @property
    def spent(self) -> int:
        """The steps that the transaction took so far."""
        ...

    def put(self, key: str, value: Value) -> None:
        """Set ``key``. ``value`` is not None and is not changed afterwards by the caller."""
        ...

    def delete(self, key: str) -> None:
        """Remove ``key`` if it is there."""
        ...


Further: TypeAlias = Callable[[Args], Iterator[Rejected]]
Apply: TypeAlias = Callable[[View, Context, Args], Result | Rejected]


class Arguments:
    """What an action takes: all of ``required``, any of ``optional``, nothing else.

    ``further`` yields what else is wrong with arguments that fit so far.
    """

    def __init__(
        self,
        required: Mapping[str, Field],
        optional: Mapping[str, Field] | None = None,
        further: Further | None = None,
    ) -> None:
        self.record = Record(required, optional)
        self._further = further
        self._dependent = {name: part for name, part in self.record.fields.items() if isinstance(part, Dependent)}

    def check(self, args: Args) -> Rejected | None:
        """Return the first refusal of ``args``, or None."""
        return next(self.refusals(args), None)

    def refusals(self, args: Args) -> Iterator[Rejected]:
        """Yield all refusals; what depends on other arguments is asked of those of the right form only."""
        fits = True
        for error in self.record.faults(args):
            fits = False
            yield Rejected(INVALID, f"args{error}")
        if not fits:
            return
        for name, part in self._dependent.items():
            for error in part.cases[args[part.on]].faults(args[name]):
                fits = False
                yield Rejected(INVALID, f"args.{name}{error}")
        if fits and self._further is not None:
            yield from self._further(args)

    def json_schema(self) -> JsonSchema:
        """Return the narrowest JSON Schema (2020-12) that all arguments fit which are not refused."""
        schema = self.record.json_schema()
        cases = [
            {
                "if": {"properties": {part.on: {"const": choice}}},
                "then": {"properties": {name: case.json_schema()}},
            }
            for name, part in self._dependent.items()
            for choice, case in part.cases.items()
        ]
        return {**schema, "allOf": cases} if cases else schema


def refused(error: str | None) -> Iterator[Rejected]:
    """Yield what a field finds wrong with ``args`` as a refusal, for ``further``."""
    if error is not None:
        yield Rejected(INVALID, f"args{error}")


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a contract. ``title`` is one line for people; ``example`` are arguments that it takes.

    ``capability`` is what the sending operator must have, empty for none; ``apply`` may ask for more. ``by_node``: a
    node may send it, signed with its own key. With ``capability`` None only a node may.
    """

    arguments: Arguments
    apply: Apply
    title: str
    example: Mapping[str, Any] = field(default_factory=dict)
    capability: str | None = "submit"
    by_node: bool = False


class Moment(NamedTuple):
    """The start of a block: its height, block time in ms, and how many bytes its first receipt has left."""

    height: int
    time_ms: int
    room_bytes: int = 0


Entry: TypeAlias = list[Any]
"""``[kind, ...]``: what is due, as texts and integers (``kernel.deadlines``)."""
Fire: TypeAlias = Callable[[View, Moment, Entry], Result]


@dataclass(frozen=True, slots=True)
class Contract:
    """A named table of actions, and what it does at the start of each block, if anything.

    ``begin(view, moment)`` is what a block cannot begin without: small, never contained, outside of the shares.
    ``due(view, time_ms)`` takes the next thing that is due out of its index, or returns None; ``fire(view, moment,
    entry)`` does it and returns lists for the block's first receipt. Both are called by ``kernel.due``.
    ``next_deadline_ms(reader)`` is the block time at which one of them has something to do, or None; it is in
    the past while due things are left. ``open_keys`` are the prefixes of the keys whose values grow, ``decisions`` the
    kinds of due things that decide a ballot.
    """

    name: str
    actions: Mapping[str, Action]
    begin: Callable[[View, Moment], Result] | None = None
    due: Callable[[View, int], Entry | None] | None = None
    fire: Fire | None = None
    next_deadline_ms: Callable[[Reader], int | None] | None = None
    open_keys: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()


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


class Broken(Exception):
    """An invariant does not hold, or the store cannot be read: never contained, the node stops before it votes."""


class ValueTooLarge(Exception):
    """A state value is larger than ``MAX_VALUE_BYTES``; the text names its key."""


class Fault(NamedTuple):
    """An exception of a contract that was contained: ``name`` is its action or due thing, ``tx_id`` empty for one."""

    name: str
    tx_id: bytes
    error: Any  # a BaseException: mypyc looks for the type of a field among the module's own names


class Watcher(Protocol):
    """Looks at what a view gives, and at the end of each transaction whether that was changed: for tests."""

    def gave(self, key: str, value: Value) -> None:
        """Take the value of a key."""
        ...

    def compare(self) -> None:
        """Raise if a value that was given is another now."""
        ...


class _Undo(NamedTuple):
    """A key before it was written: whether that was in this block, the value and its bytes if they are known."""

    key: str
    existed: bool
    value: Any
    packed: bytes | None


class Overlay:
    """A ``View`` over committed bytes: collects writes, and forgets those since the last ``mark`` on ``rollback``."""

    def __init__(
        self,
        read: Callable[[bytes], bytes | None],
        open_keys: tuple[str, ...] = (),
        watcher: Watcher | None = None,
    ) -> None:
        """``read`` returns committed bytes by key bytes, e.g. ``State.get``; see ``Contract`` for ``open_keys``."""
        self._watcher = watcher
        self.meter = Meter.unlimited()
        self.faults: list[Fault] = []
        self._read = read
        self._open_keys = open_keys
        self._is_open: dict[str, bool] = {}
        self._cache: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}  # of committed values in open families, in bytes
        self._written: dict[str, Value] = {}
        self._packed: dict[str, bytes] = {}  # of what was written to open families, not yet looked at
        self._paid: set[str] = set()  # keys of open families whose size this transaction has paid, or will at its end
        self._unsettled: dict[str, None] = {}  # keys of open families that were written since the last ``settle``
        self._undo: list[_Undo] = []

    def get(self, key: str) -> Value:
        """See ``Reader``. The returned value must not be changed; copy it first."""
        meter = self.meter
        meter.left -= READ_STEPS
        if meter.left < 0:
            raise Spent
        value = self.peek(key)
        if self._is_open[key] and key not in self._paid:
            self._paid.add(key)
            packed = self._packed.get(key)
            size = self._sizes.get(key, 0) if packed is None else len(packed)
            meter.charge(size // VALUE_BYTES_A_STEP)
        return value

    def peek(self, key: str) -> Value:
        """Read without charge; see ``peek``."""
        if key in self._written:
            value = self._written[key]
        else:
            if key not in self._cache:
                self._cache[key] = self._load(key)
            value = self._cache[key]
        if self._watcher is not None:
            self._watcher.gave(key, value)
        return value

    def _load(self, key: str) -> Any:
        try:
            raw = self._read(key.encode())
            value = None if raw is None else codec.decode_own(raw)
        except MemoryError:
            raise
        except Exception as error:
            raise Broken(f"the state value of {key} cannot be read: {error}") from error
        self._is_open[key] = in_open = key.startswith(self._open_keys)
        if raw is not None and in_open:
            self._sizes[key] = len(raw)
        return value

    def put(self, key: str, value: Value) -> None:
        """See ``View``."""
        if value is None:
            raise ValueError("None means absent; delete the key")
        self._write(key, value)

    def delete(self, key: str) -> None:
        """See ``View``."""
        self._write(key, None)

    def charge(self, steps: int) -> None:
        """See ``View``."""
        meter = self.meter
        meter.left -= steps
        if meter.left < 0:
            raise Spent

    def note(self, text: str) -> None:
        """See ``View``."""
        self.meter.note = text

    @property
    def spent(self) -> int:
        """See ``View``."""
        return self.meter.spent

    def attempt(self, name: str, steps: int, effect: Callable[[], Result]) -> Result | Rejected:
        """See ``View`` (B11). An exception is contained as that of an action is."""
        outer, undone = self.meter, len(self._undo)
        self.meter = Meter(min(steps, outer.left))
        try:
            result = effect()
            codec.encode(result)
            self.settle()
            return result
        except Spent:
            refused = Rejected(TOO_COSTLY, f"{name} takes more than {self.meter.limit} steps")
        except (Broken, MemoryError):
            raise
        except ValueTooLarge as large:
            refused = Rejected(VALUE_TOO_LARGE, str(large))
        except Exception as error:
            self.faults.append(Fault(name, b"", error))
            refused = Rejected(INTERNAL_ERROR, name)
        finally:
            outer.left -= min(self.meter.spent, outer.left)
            self.meter = outer
        self._rollback_to(undone)
        return refused

    def settle(self, *, careful: bool = False) -> None:
        """Charge what was written to open families since the last call, by its encoded size.

        ``careful``: encode the values of all keys that were written since ``mark``, to find the one that has no
        encoding. Raises ``ValueTooLarge``, ``Spent``, and whatever encoding raises.
        """
        for key in self._unsettled:
            value = self._written[key]
            if value is not None:
                self._packed[key] = packed = _bounded(key, codec.encode_decoded(value))
                self.charge(len(packed) // VALUE_BYTES_A_STEP)
        self._unsettled.clear()
        for undo in self._undo if careful else ():
            value = self._written[undo.key]
            if value is not None:
                _bounded(undo.key, codec.encode(value))

    def mark(self) -> None:
        """Keep everything written so far."""
        if self._watcher is not None:
            self._watcher.compare()
        self._undo.clear()
        self._paid.clear()
        self._unsettled.clear()

    def rollback(self) -> None:
        """Forget everything written since ``mark``."""
        if self._watcher is not None:
            self._watcher.compare()
        self._rollback_to(0)
        self._paid.clear()

    def _rollback_to(self, position: int) -> None:
        while len(self._undo) > position:
            key, existed, value, packed = self._undo.pop()
            self._packed.pop(key, None)
            if not existed:
                del self._written[key]
                continue
            self._written[key] = value
            if packed is not None:
                self._packed[key] = packed
        self._unsettled = {
            undo.key: None for undo in self._undo if self._is_open[undo.key] and undo.key not in self._packed
        }

    def wrote(self, prefix: str) -> bool:
        """Say whether any key that begins with ``prefix`` was written."""
        return any(key.startswith(prefix) for key in self._written)

    def updates(self) -> dict[bytes, bytes | None]:
        """Return what was written, for ``State.derive``: key bytes -> canonical value bytes, None for deleted.

        Raises ``ValueTooLarge`` and whatever encoding raises.
        """
        return {
            key.encode(): None if value is None else self._encoded(key, value) for key, value in self._written.items()
        }

    def _encoded(self, key: str, value: Value) -> bytes:
        packed = self._packed.get(key)
        if packed is None:
            return _bounded(key, codec.encode(value))
        codec.require_encodable(value)
        return packed

    def _write(self, key: str, value: Value) -> None:
        meter = self.meter
        meter.left -= WRITE_STEPS
        if meter.left < 0:
            raise Spent
        in_open = self._is_open.get(key)
        if in_open is None:
            in_open = self._is_open[key] = key.startswith(self._open_keys)
        existed = key in self._written
        self._undo.append(_Undo(key, existed, self._written.get(key), self._packed.pop(key, None) if in_open else None))
        self._written[key] = value
        if in_open:
            self._paid.add(key)
            self._unsettled[key] = None


def _bounded(key: str, encoded: bytes) -> bytes:
    if len(encoded) > MAX_VALUE_BYTES:  # B6
        raise ValueTooLarge(f"the state value of {key} would take {len(encoded)} bytes, at most {MAX_VALUE_BYTES}")
    return encoded


def peek(reader: Reader, key: str) -> Value:
    """Read without charge, for what a node remembers between transactions: charges may not depend on that (B1)."""
    return reader.peek(key) if isinstance(reader, Overlay) else reader.get(key)
