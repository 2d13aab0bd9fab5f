"""The reference of the keys of the state, made from what the contracts say of theirs."""

from __future__ import annotations

from coseal.contracts.kernel.state import SYSTEM
from coseal.contracts.registry import KEYS
from docs.site.markdown import code, table


def page() -> str:
    """Return every family of keys, by contract, with what is kept there."""
    parts = []
    for name in dict.fromkeys(family.partition("/")[0] for family in KEYS):
        where = "../spec/contracts.md" if name == SYSTEM else f"../../contracts/{name}/README.md#state"
        rows = [(code(family), kept) for family, kept in KEYS.items() if family.startswith(f"{name}/")]
        parts += [f"## [{name}]({where})\n", table(("key", "what is kept there"), rows)]
    return "\n".join(parts)
