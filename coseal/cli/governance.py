"""Commands about what concerns all members: governance propose, vote, list, show, ...

Law: on a network's folder the members whose keys are in it vote; elsewhere each member votes for itself with --as.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.ballot_lines import Choice, because, print_standing, stands
from coseal.cli.sending import act
from coseal.cli.shared import (
    Commands,
    JsonOption,
    SenderOption,
    acting,
    plain_table,
    print_json,
    progress_lines,
    reaching,
    save_document,
)
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.client.blocking import Client
    from coseal.network.access import Access

governance_app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Propose and vote on validators, members and rules of the chain."
)


class ProposalKind(StrEnum):
    """What can be proposed."""

    add_validator = "add_validator"
    remove_validator = "remove_validator"
    rotate_validator_key = "rotate_validator_key"
    add_member = "add_member"
    suspend_member = "suspend_member"
    reinstate_member = "reinstate_member"
    remove_member = "remove_member"
    protocol_version = "protocol_version"
    withdraw_version = "withdraw_version"
    add_contract = "add_contract"
    withdraw_contract = "withdraw_contract"
    amend_constitution = "amend_constitution"
    recognise_standard = "recognise_standard"
    settle_dispute = "settle_dispute"
    retry_due = "retry_due"
    measure = "measure"
    emergency_measure = "emergency_measure"
    end_measure = "end_measure"
    credit_formula = "credit_formula"
    custody_plan = "custody_plan"
    disclosure_policy = "disclosure_policy"
    adopt_scheme = "adopt_scheme"
    retire_scheme = "retire_scheme"
    revoke_certificate = "revoke_certificate"
    open_mission = "open_mission"
    currency_class = "currency_class"
    currency_regime = "currency_regime"
    currency_correction = "currency_correction"


class ProposalStatus(StrEnum):
    """How a proposal stands."""

    open = "open"
    passed = "passed"
    accepted = "accepted"
    rejected = "rejected"
    expired = "expired"
    withdrawn = "withdrawn"
    void = "void"
    failed = "failed"


ProposalArgument = Annotated[str, typer.Argument(metavar="ID", help="A proposal's id.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; recorded.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    governance_app.command("propose")(propose)
    governance_app.command("vote")(vote)
    governance_app.command("withdraw")(withdraw)
    governance_app.command("appeal")(appeal)
    governance_app.command("list")(list_proposals)
    governance_app.command("show")(show_proposal)
    governance_app.command("decision")(decision)
    app.add_typer(governance_app, name="governance")


@acting
def propose(
    access: Access,
    kind: Annotated[ProposalKind, typer.Argument(help="What.")],
    sender: SenderOption,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="key=value", help="The subject; key:=JSON for numbers and lists.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FILE", help="A JSON object of the subject.")] = None,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="A name of its own.", show_default="made up")
    ] = None,
    reason: ReasonOption = None,
    open_for: Annotated[
        str | None,
        typer.Option("--open", metavar="TIME", help="How long votes count, e.g. 24h.", show_default="its track's"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a change; the proposer's yes is counted if its member has a vote. Prints the proposal's id.

    Examples:

      coseal governance propose remove_validator node=bank-a --reason "Leaves the network" --as regulator

      coseal governance propose protocol_version version=2 height=120000 --as central-bank

      coseal governance propose withdraw_version proposal=protocol-version.2.1f2e3d4c --as central-bank
    """
    from coseal.client.arguments import parse_subject
    from coseal.client.supervision import duration_ms

    subject = parse_subject(kind.value, words or [], data)
    closes_ms = None if open_for is None else time.time_ns() // 1_000_000 + duration_ms(open_for)
    put_to_vote(access, sender, kind, subject, reason, identifier, closes_ms, as_json=as_json)


def put_to_vote(
    access: Access,
    sender: str,
    kind: ProposalKind,
    subject: Mapping[str, Any],
    reason: str | None,
    identifier: str | None = None,
    closes_ms: int | None = None,
    *,
    as_json: bool,
) -> None:
    """Make a proposal and print how it stands; exit with 1 if it was refused."""
    from coseal.client import governance

    given = {"reason": reason, "closes_ms": closes_ms}
    more = {name: value for name, value in given.items() if value is not None}
    chosen = identifier or governance.new_id(kind.value, _about(subject))
    args = {"id": chosen, "kind": kind.value, "subject": dict(subject), **more}
    with access.client(sender) as client:
        committed = act(access, client, "governance", "propose", args, as_json=as_json)
        end(client, chosen, committed, as_json=as_json)


@acting
def vote(
    access: Access,
    proposal: ProposalArgument,
    choice: Annotated[Choice, typer.Argument(help="A vote is final.")],
    sender: Annotated[
        str | None,
        typer.Option("--as", metavar="MEMBER[/USER]", help="Who votes.", show_default="all members of the folder"),
    ] = None,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vote on a proposal for a member; without --as, for every member with a vote whose key is in the folder.

    Examples:

      coseal governance vote add-validator.bank-b.1f2e3d4c yes --as regulator --reason "Caught up since Monday"

      coseal governance vote add-validator.bank-b.1f2e3d4c yes
    """
    from coseal.client import governance

    if sender is not None:
        args = {"ballot": proposal, "choice": choice.value} | ({} if reason is None else {"reason": reason})
        with access.client(sender) as client:
            committed = act(access, client, "governance", "vote", args, as_json=as_json)
            end(client, proposal, committed, as_json=as_json)
        return
    if access.dry_run:
        raise CosealError("--dry-run is about one vote", "give --as MEMBER")
    from coseal.network.member_clients import MemberClients

    with MemberClients(access.network(), progress_lines(quiet=as_json), timeout_s=60.0) as clients:
        found = governance.proposal(clients.reader, proposal)
        voted = {row["member"] for row in found["votes"]}
        for member in found["electorate"]:
            acting = None if member in voted else clients.acting(member)
            if acting is None or found["status"] != "open":
                continue
            governance.vote(acting, proposal, choice.value, reason).require_ok()
            found = governance.proposal(clients.reader, proposal)
        _print_proposal(found, as_json=as_json)


@acting
def withdraw(
    access: Access,
    proposal: ProposalArgument,
    sender: SenderOption,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a proposal of your member that is open.

    Example:

      coseal governance withdraw add-validator.bank-b.1f2e3d4c --as bank-b --reason "The machine is not ready"
    """
    args = {"proposal": proposal} | ({} if reason is None else {"reason": reason})
    with access.client(sender) as client:
        end(client, proposal, act(access, client, "governance", "withdraw", args, as_json=as_json), as_json=as_json)


@acting
def appeal(
    access: Access,
    proposal: ProposalArgument,
    sender: SenderOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded.")],
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence", metavar="FILE|SHA256", help="What shows it: its SHA-256 is recorded; again for more."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Appeal against what passed about your member, before it takes effect: all vote a second time.

    Example:

      coseal governance appeal suspend-member.bank-a.1f2e3d4c --as bank-a --reason "The finding was withdrawn"
    """
    from coseal.client.supervision import evidence_of

    args = {"proposal": proposal, "reason": reason, **evidence_of(evidence or [])}
    with access.client(sender) as client:
        end(client, proposal, act(access, client, "governance", "appeal", args, as_json=as_json), as_json=as_json)


@reaching
def list_proposals(
    access: Access,
    status: Annotated[ProposalStatus | None, typer.Option("--status", help="Only those that are so.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List proposals, newest first, as the node says; `show` proves one.

    Example:

      coseal governance list --status open
    """
    from coseal.client import governance

    with access.client() as client:
        found = governance.proposals(client, None if status is None else status.value, limit=limit)
    if as_json:
        print_json(found)
        return
    table = plain_table("id", "kind", "about", "by", "track", "status", "yes", "no", "abstain", "needed", "block")
    for row in found:
        about = _about(row["subject"])
        counts = (str(row[name]) for name in ("yes", "no", "abstain", "needed", "height"))
        table.add_row(row["id"], row["kind"], about, row["proposer"], row["track"], row["status"], *counts)
    table.print()


@reaching
def show_proposal(
    access: Access,
    proposal: ProposalArgument,
    as_json: JsonOption = False,
) -> None:
    """Show a proposal with its votes and its outcome, proven against the certified state.

    Example:

      coseal governance show add-validator.bank-b.1f2e3d4c
    """
    from coseal.client import governance

    with access.client() as client:
        _print_proposal(governance.proposal(client, proposal), as_json=as_json)


@reaching
def decision(
    access: Access,
    ballot: Annotated[str, typer.Argument(metavar="ID", help="A proposal's id, or a ballot about rules, such as B1.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Write how a ballot was decided into one file, which `coseal verify` checks without any node.

    It holds all votes with their reasons, each member's proven to be there or absent, the constitution by which it was
    decided, and the validators' signatures; `coseal verify` works out again what the votes come to.

    Examples:

      coseal governance decision suspend-member.bank-a.1f2e3d4c --out decision.json

      coseal verify decision.json --genesis genesis.json
    """
    with access.client() as client:
        found = client.decision(ballot)
    save_document(out, found.document, found.facts, lambda: typer.echo(f"  {found.reason}"), as_json=as_json)


def end(client: Client, proposal: str, committed: Any, *, as_json: bool) -> None:
    """Print how a proposal stands after a transaction about it; exit with 1 if that was refused."""
    from coseal.cli.transactions import print_committed
    from coseal.client import governance

    if committed.ok:
        _print_proposal(governance.proposal(client, proposal), as_json=as_json)
        return
    print_committed(committed, as_json=as_json)
    raise typer.Exit(EXIT_BAD)


def _about(subject: Mapping[str, Any]) -> str:
    """Return what a proposal is about in a word: a node, a member, a version, a measure, or another proposal."""
    names = ("node", "member", "version", "proposal", "measure")
    return next((str(subject[name]) for name in names if name in subject), "")


def _print_proposal(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    colour = {"open": "yellow", "passed": "yellow", "accepted": "green"}.get(found["status"], "red")
    typer.secho(f"{found['id']}: {stands(found)}", fg=colour)
    typer.echo(f"  {found['kind']} {_words(found['subject'])}")
    typer.echo(f"  proposed by {found['proposer']} in block {found['height']}{because(found['reason'])}")
    if found["appeal"] is not None:
        typer.echo(
            f"  appeal by {found['concerned']} in block {found['appeal']['height']}: {found['appeal']['reason']}"
        )
    print_standing(found)
    if found["outcome"]:
        typer.echo(f"  outcome: {_words(found['outcome'])}")
    if "software" in found:
        _print_support(found)


def _print_support(found: Mapping[str, Any]) -> None:
    """Say which validators have what is not in force yet, with a warning where too few of them do."""
    from coseal.client import versions

    subject, support = found["subject"], found["software"]
    name = f"contract {subject['name']} " if found["kind"] == ProposalKind.add_contract else ""
    text = f"{name}version {subject['version']}: {versions.shortage(support)}"
    if versions.suffices(support):
        typer.echo(f"  {text}")
        return
    missing = support["needed"] - len(support["having"])
    waits = f"it takes effect only when a release that has it is installed on {missing} more"
    if name:
        waits = f"it is void at block {subject['height']} unless it is installed on {missing} more by then"
    typer.secho(f"  warning: {text}; {waits}", fg="yellow")


def _words(fields: dict[str, Any]) -> str:
    shown = {name: value for name, value in fields.items() if name not in ("proof", "document")}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in shown.items()}
    return " ".join(f"{name}={text}" for name, text in texts.items() if text)
