"""What a user touches: the ``coseal`` command, and the same as a library.

Law: the library is no node; nodes are processes it starts (``python -m coseal.node``), and their answers are verified.

    import coseal

    with coseal.connect("http://127.0.0.1:8600", key="regulator.pem", genesis="genesis.json") as client:
        committed = client.submit("policy", "publish", {"id": "notice/1", ...})
    coseal.verify(committed, genesis="genesis.json").ok

docs/sdk.md is the guide. Names are loaded when they are used, so that the command starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from coseal.audit.report import AuditReport
    from coseal.audit.verify import Verification
    from coseal.client.asynchronous import AsyncClient
    from coseal.client.blocking import Client
    from coseal.client.connection import connect, connect_async
    from coseal.client.offline import audit_chain, export, verify
    from coseal.client.recording import Recorded
    from coseal.client.stream import Event
    from coseal.client.transactions import Committed
    from coseal.errors import (
        BadAnswer,
        BadArguments,
        Busy,
        CosealError,
        FalseAnswer,
        NotCommitted,
        Refused,
        StaleAnswer,
        Unreachable,
        WrongChain,
        WrongKey,
    )
    from coseal.ledger.genesis import Genesis
    from coseal.ledger.transaction import Transaction

__version__: Final = "0.1.0"

_HOMES: Final = {
    "coseal.audit.report": ("AuditReport",),
    "coseal.audit.verify": ("Verification",),
    "coseal.client.asynchronous": ("AsyncClient",),
    "coseal.client.blocking": ("Client",),
    "coseal.client.connection": ("connect", "connect_async"),
    "coseal.client.transactions": ("Committed",),
    "coseal.errors": (
        "BadAnswer",
        "BadArguments",
        "Busy",
        "CosealError",
        "FalseAnswer",
        "NotCommitted",
        "Refused",
        "StaleAnswer",
        "Unreachable",
        "WrongChain",
        "WrongKey",
    ),
    "coseal.client.stream": ("Event",),
    "coseal.client.offline": ("audit_chain", "export", "verify"),
    "coseal.client.recording": ("Recorded",),
    "coseal.ledger.genesis": ("Genesis",),
    "coseal.ledger.transaction": ("Transaction",),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AsyncClient",
    "AuditReport",
    "BadAnswer",
    "BadArguments",
    "Busy",
    "Client",
    "Committed",
    "CosealError",
    "Event",
    "FalseAnswer",
    "Genesis",
    "NotCommitted",
    "Recorded",
    "Refused",
    "StaleAnswer",
    "Transaction",
    "Unreachable",
    "Verification",
    "WrongChain",
    "WrongKey",
    "audit_chain",
    "connect",
    "connect_async",
    "export",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'coseal' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """Return the names of the library, loaded or not."""
    return sorted({*globals(), *__all__})
