"""The frame every contract fits: a table of actions, each a description of its arguments and a pure function.

Law: the fields of an action see its arguments only; ``apply`` sees a view, a context and valid arguments, and either
returns its result or a ``Rejected`` value, in which case nothing it wrote remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from coseal.contracts.kernel import sidecars
from coseal.contracts.kernel.fields import Dependent, Field, JsonSchema, Record
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger import signing
from coseal.ledger.codec import Value
from coseal.ledger.signing import Verify

Args: TypeAlias = Mapping[str, Any]
Result: TypeAlias = dict[str, Any]

"""Where the state holds the version of the rules under which the next block runs."""

APPENDED: Final = "appended"
"""Where the data of a receipt lists what the contract appended to process data: ``[[source, sequence, item], ...]``."""
TOO_COSTLY: Final = "too_costly"
INTERNAL_ERROR: Final = "internal_error"
VALUE_TOO_LARGE: Final = "value_too_large"
"""Codes with which any action may be refused."""

GOOD: Final = "good"
SUSPENDED: Final = "suspended"
FORMER: Final = "former"
STANDINGS: Final = (FORMER, SUSPENDED, GOOD)
"""The standings of a member, the least first: removed or gone, without a voice for a time, or neither."""

INVALID: Final = "invalid_argument"
"""The code of arguments that are not what the fields of the action want."""


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
        """Carry out an effect in at most ``steps`` steps; if it fails, undo what it wrote and say why."""
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


@dataclass(slots=True)
class Accepted:
    """A result, with facts that other contracts observe and the receipt does not show."""

    result: Result
    facts: Any


Apply: TypeAlias = Callable[[View, Context, Args], Result | Accepted | Rejected]


class Arguments:
    """What an action takes: all of ``required``, any of ``optional``, nothing else.

    ``further`` yields what else is wrong with arguments that fit so far. ``sidecar`` is the path of the one field that
    names a sidecar, or None; ``ValueError`` if there are two.
    """

    def __init__(
        self,
        required: Mapping[str, Field],
        optional: Mapping[str, Field] | None = None,
        further: Further | None = None,
    ) -> None:
        self.record = Record(required, optional)
        self.sidecar = sidecars.path_of(self.record)
        self._further = further
        self._dependent = {name: part for name, part in self.record.fields.items() if isinstance(part, Dependent)}

    def check(self, args: Args) -> Rejected | None:
        """Return the first refusal of ``args``, or None."""
        return next(self.refusals(args), None)

    def names(self, args: Args) -> Named | None:
        """Return the sidecar that arguments name; those that are refused name none."""
        given = None if self.sidecar is None else sidecars.found(args, self.sidecar)
        if given is None or self.check(args) is not None:
            return None
        return sidecars.named(given)  # N40

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
    node may send it, signed with its own key. With ``capability`` None only a node may. ``standing`` is the least
    standing of a member that may still send it; ``pausable`` says whether a measure may pause it for a time.
    """

    arguments: Arguments
    apply: Apply
    title: str
    example: Mapping[str, Any] = field(default_factory=dict)
    capability: str | None = "submit"
    by_node: bool = False
    standing: str = GOOD  # S1
    pausable: bool = True
