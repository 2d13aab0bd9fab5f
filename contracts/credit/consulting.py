"""A member records that it reads the dossier of another, and why; whom it is about sees who did.

Law: what a node shows of another member's dossier was recorded before it was shown.

contracts/credit/README.md, C10.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.credit.state import consulted_key
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Name, Text
from coseal.contracts.membership.state import member_key

CONSULTED_MS: Final = 30 * DAY_MS
"""How long a member may read a dossier after it recorded why."""


def _consult(view: View, context: Context, args: Args) -> Result | Rejected:
    member = args["member"]
    if member == context.member:
        return Rejected("same_party", "the own dossier is read without this")
    if view.get(member_key(member)) is None:
        return Rejected("unknown_member", f"{member} is no member of this chain")
    view.put(consulted_key(member, context.member), context.time_ms)
    return {"member": member, "until_ms": context.time_ms + CONSULTED_MS}


def may_read(reader: Reader, member: str, by: str, time_ms: int) -> bool:
    """Say whether a member may be shown the dossier of another, or its own."""  # C10
    if member == by:
        return True
    consulted_ms: Any = reader.get(consulted_key(member, by))
    return consulted_ms is not None and time_ms < consulted_ms + CONSULTED_MS


ACTIONS: Final[dict[str, Action]] = {
    "consult": Action(
        arguments=Arguments({"member": Name(), "purpose": Text(high=1_000), "legal_basis": Text()}),
        apply=_consult,
        title="Record that the dossier of a member is read, and why",
        example={"member": "enterprise-a", "purpose": "A loan on R1", "legal_basis": "external: consent of 3 March"},
    ),
}
