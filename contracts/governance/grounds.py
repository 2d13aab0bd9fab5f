"""Why a member or an action should be treated otherwise: what is on record, or is known elsewhere.

Law: a ground that names something of the ledger is refused unless the ledger has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from coseal.contracts.kernel.action import Rejected, View
from coseal.contracts.kernel.fields import Label, Many, OneOf, Record
from coseal.contracts.kernel.proposals import Subject

EXTERNAL: Final = "external"
"""The kind of a ground that is not on the ledger: a judgment, an act."""
KINDS: Final = ("finding", "evidence", "policy", EXTERNAL)
MAX_GROUNDS: Final = 16
GROUNDS: Final = Many(Record({"kind": OneOf(*KINDS), "id": Label()}), low=1, high=MAX_GROUNDS)
"""The field of grounds."""
EXAMPLE: Final = ({"kind": EXTERNAL, "id": "Judgment 7/2026"},)

Keys: TypeAlias = Mapping[str, Callable[[str], str]]
"""Of each kind but ``external`` the state key of the thing with an id."""


def check(keys: Keys, view: View, subject: Subject) -> Rejected | None:
    """Refuse grounds that name what is not on the ledger."""
    for ground in subject["grounds"]:
        kind, name = ground["kind"], ground["id"]
        if kind != EXTERNAL and view.get(keys[kind](name)) is None:  # S9
            return Rejected("unknown_ground", f"there is no {kind} {name}; name what is on the ledger, or {EXTERNAL}")
    return None
