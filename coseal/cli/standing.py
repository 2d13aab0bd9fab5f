"""Commands about the standing of members and about measures: member suspend, reinstate, remove, leave, stay; governance
measures.

Law: nobody's standing changes by a command: it proposes, and members vote; a member alone only leaves.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.governance import ProposalKind, ReasonOption, governance_app, put_to_vote
from coseal.cli.members import member_app
from coseal.cli.sending import act
from coseal.cli.shared import JsonOption, SenderOption, acting, plain_table, print_json, reaching
from coseal.errors import CosealError

if TYPE_CHECKING:
    from coseal.network.access import Access

ConcernedArgument = Annotated[str, typer.Argument(metavar="MEMBER", help="The member concerned.")]
GroundOption = Annotated[
    list[str],
    typer.Option("--ground", metavar="KIND:ID", help="finding:F7, policy:ID, evidence:NODE or external:TEXT; again."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the groups of ``coseal member`` and ``coseal governance``."""
    for name, command in (("suspend", suspend), ("reinstate", reinstate), ("remove", remove)):
        member_app.command(name)(command)
    member_app.command("leave")(leave)
    member_app.command("stay")(stay)
    governance_app.command("measures")(list_measures)


@acting
def suspend(
    access: Access,
    member: ConcernedArgument,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="How long from now, e.g. 30d; at most 366d.")],
    ground: GroundOption,
    sender: SenderOption,
    seats: Annotated[bool, typer.Option("--seats", help="Its validators step down as well.")] = False,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to take the voice of a member for a time: its votes, proposals and offices.

    It still records process data, answers and appeals. The suspension ends by itself.

    Example:

      coseal member suspend bank-a --for 30d --ground finding:F7 --ground "external:Judgment 7/2026" --as regulator
    """
    from coseal.client.supervision import duration_ms

    until_ms = time.time_ns() // 1_000_000 + duration_ms(duration)
    subject = {"member": member, "until_ms": until_ms, "seats": seats, "grounds": _grounds(ground)}
    put_to_vote(access, sender, ProposalKind.suspend_member, subject, reason, as_json=as_json)


@acting
def reinstate(
    access: Access,
    member: ConcernedArgument,
    ground: GroundOption,
    sender: SenderOption,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to end the suspension of a member before its time. Seats that its validators left do not come back.

    Example:

      coseal member reinstate bank-a --ground "external:Judgment 9/2026" --as regulator
    """
    subject = {"member": member, "grounds": _grounds(ground)}
    put_to_vote(access, sender, ProposalKind.reinstate_member, subject, reason, as_json=as_json)


@acting
def remove(
    access: Access,
    member: ConcernedArgument,
    ground: GroundOption,
    sender: SenderOption,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to end the membership of a member that runs no validator. Its id, records and findings stay for ever.

    Example:

      coseal member remove bank-a --ground finding:F7 --as regulator
    """
    subject = {"member": member, "grounds": _grounds(ground)}
    put_to_vote(access, sender, ProposalKind.remove_member, subject, reason, as_json=as_json)


@acting
def leave(access: Access, sender: SenderOption, reason: ReasonOption = None, as_json: JsonOption = False) -> None:
    """Give notice that the own member leaves in 14 days, if it runs no validator then; `stay` takes it back.

    Example:

      coseal member leave --as bank-a --reason "We merge with bank-b"
    """
    _send(access, sender, "leave", {"member": sender.partition("/")[0]}, reason, as_json=as_json)


@acting
def stay(access: Access, sender: SenderOption, reason: ReasonOption = None, as_json: JsonOption = False) -> None:
    """Take back the notice that the own member leaves.

    Example:

      coseal member stay --as bank-a
    """
    _send(access, sender, "stay", {}, reason, as_json=as_json)


@reaching
def list_measures(access: Access, as_json: JsonOption = False) -> None:
    """List the measures in force, proven against the certified state: what each pauses, for whom and until when.

    `coseal list measures` has those that ended as well. One is proposed with `coseal governance propose measure`.

    Example:

      coseal governance measures
    """
    from coseal.client.governance import ProvenState
    from coseal.contracts.governance.measures import measures
    from coseal.ledger.render import time_text

    with access.client() as client:
        found = measures(ProvenState(client))
    if as_json:
        print_json(found)
        return
    table = plain_table("id", "title", "until", "pauses", "for")
    for one in found:
        rows = list(one["pause"].items()) or [("", "")]
        for number, (action, members) in enumerate(rows):
            first = (one["id"], one["title"], time_text(one["until_ms"])) if number == 0 else ("", "", "")
            table.add_row(*first, action, members if isinstance(members, str) else ", ".join(members))
    table.print()


def _grounds(given: list[str]) -> list[dict[str, str]]:
    pairs = [text.partition(":") for text in given]
    for text, (kind, _, name) in zip(given, pairs, strict=True):
        if not kind or not name:
            raise CosealError(f"--ground {text}: expected KIND:ID, such as finding:F7 or external:TEXT")
    return [{"kind": kind, "id": name} for kind, _, name in pairs]


def _send(access: Access, sender: str, action: str, args: dict[str, Any], reason: str | None, *, as_json: bool) -> None:
    from coseal.cli.transactions import print_committed

    more = {} if reason is None else {"reason": reason}
    with access.client(sender) as client:
        committed = act(access, client, "governance", action, {**args, **more}, as_json=as_json)
    print_committed(committed, as_json=as_json)
