"""What may go wrong for a user, and the exit code it means.

Law: every error a user can cause is one of these, says what to do about it, and is printed without a traceback.

    CosealError             2   could not tell: wrong usage, nothing there
    ├── Unreachable         2   no node answered
    │   ├── Busy            2   a node answered that it cannot now
    │   └── NotCommitted    2   a transaction was sent, and no commit was seen in time
    ├── WrongKey            2   a key that is not the sender's
    └── BadAnswer           1   the answer is bad: a file with findings, a document that is false
        ├── Refused         1   a node or the chain refused a request, and said why by a code
        │   └── BadArguments  1 the chain would refuse it whatever its state; nothing was signed
        └── FalseAnswer     1   what a node said does not hold
            ├── StaleAnswer 1   it holds of an older block than the node was asked for
            └── WrongChain  1   the node, or the genesis, is of another chain
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from coseal.ledger.transaction import Transaction

EXIT_OK: Final = 0
EXIT_BAD: Final = 1
EXIT_UNKNOWN: Final = 2


class CosealError(Exception):
    """Base: ``detail`` says what is wrong, ``hint`` what to do; the command exits with ``exit_code``."""

    exit_code = EXIT_UNKNOWN

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(f"{detail} ({hint})" if hint else detail)
        self.detail = detail
        self.hint = hint


class BadAnswer(CosealError):
    """The question was answered, and the answer is bad."""

    exit_code = EXIT_BAD


class Waiting(CosealError):
    """What was asked for is under way: it is decided, or will be by the votes there are, and takes effect later.

    ``until_ms`` is the block time of that; the same command continues then.
    """

    def __init__(self, detail: str, hint: str, *, until_ms: int) -> None:
        super().__init__(detail, hint)
        self.until_ms = until_ms


class FalseAnswer(BadAnswer):
    """What a node said does not hold: a proof is false, or of something else. Ask another node, and tell its member.

    ``node`` is its URL.
    """

    def __init__(self, detail: str, hint: str = "", *, node: str = "") -> None:
        super().__init__(detail, hint)
        self.node = node


class StaleAnswer(FalseAnswer):
    """What a node proved was so before a block that is known here or was asked for: it lags, or hides the rest."""


class WrongChain(FalseAnswer):
    """The node is not of the chain whose genesis is pinned: another URL, or a genesis that is old or was changed."""


class WrongKey(CosealError):
    """A key that does not open, or that is not the one registered for its sender."""


class Unreachable(CosealError):
    """No node answered. ``sent`` says whether the request may have reached one all the same."""

    def __init__(self, detail: str, hint: str = "", *, sent: bool = False) -> None:
        super().__init__(detail, hint)
        self.sent = sent


class Busy(Unreachable):
    """A node has no room now, or has not come as far as was asked for; try again in a moment, or another node.

    ``node`` is its URL.
    """

    def __init__(self, detail: str, hint: str = "", *, node: str = "") -> None:
        super().__init__(detail, hint)
        self.node = node


class NotCommitted(Unreachable):
    """A transaction was sent and may still be committed; committing ``transaction`` again never does it twice."""

    def __init__(self, transaction: Transaction, detail: str, hint: str = "") -> None:
        super().__init__(detail, hint, sent=True)
        self.transaction = transaction


class Refused(BadAnswer):
    """A node or the chain refused a request; ``code`` is its typed code."""

    def __init__(self, code: str, detail: str, hint: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code, hint)
        self.code = code


class BadArguments(Refused):
    """The chain would refuse these arguments whatever its state, so nothing was signed. ``faults`` names them all."""

    def __init__(self, code: str, faults: Sequence[str], hint: str = "") -> None:
        super().__init__(code, "\n".join(["", *(f"  {fault}" for fault in faults)]) if faults[1:] else faults[0], hint)
        self.faults = tuple(faults)
