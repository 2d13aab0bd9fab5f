"""Commands that bring rules into force: propose, vote, adopt, retire, list, show, ballots.

Law: nobody adopts a rule alone: a command only proposes, or votes for the members whose keys it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.ballot_lines import Choice, because, figures, moment, print_standing, stands
from coseal.cli.rules import RuleFile, rules_app
from coseal.cli.sending import act
from coseal.cli.shared import (
    DirectoryOption,
    JsonOption,
    NodeOption,
    SenderOption,
    acting,
    folder,
    plain_table,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.client.blocking import Committed
    from coseal.network.access import Access


_RULE_COLUMNS: Final = ("rule", "version", "status", "process type", "kind", "severity", "effect", "title")
_BALLOT_COLUMNS: Final = ("ballot", "about", "status", "yes", "no", "abstain", "proposer", "closes", "title")


BallotArgument = Annotated[str, typer.Argument(metavar="BALLOT", help="For example B3; see `coseal rules ballots`.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]
OpenOption = Annotated[
    str | None,
    typer.Option("--open-for", metavar="TIME", help="How long the ballot is open.", show_default="its track's"),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to those about rules."""
    rules_app.command("propose")(propose)
    rules_app.command("vote")(vote)
    rules_app.command("adopt")(adopt)
    rules_app.command("retire")(retire)
    rules_app.command("list")(list_rules)
    rules_app.command("show")(show)
    rules_app.command("ballots")(ballots)


@acting
def propose(
    access: Access,
    file: RuleFile,
    sender: SenderOption,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What the set is about.")] = None,
    reason: ReasonOption = None,
    trial: Annotated[
        str | None, typer.Option("--trial", metavar="TIME", help="First try it without effect, for so long, e.g. 14d.")
    ] = None,
    open_for: OpenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose the rules of a file as one set, and open the ballot about it.

    Every node checks the rules and runs their tests. With --trial the members vote a second time, on what it found.

    Examples:

      coseal rules propose fines.json --as regulator --title "Deadlines of fines"

      coseal rules propose fines.json --as regulator --trial 14d
    """
    from coseal.client import supervision
    from coseal.client.rules import read_json

    rules = read_json(file)
    more: dict[str, Any] = {"title": title, "reason": reason}
    more |= {"trial_ms": trial and supervision.duration_ms(trial)}
    more |= {"open_ms": open_for and supervision.duration_ms(open_for)}
    given = {name: value for name, value in more.items() if value is not None}
    with access.client(sender) as client:
        args = {"rules": rules, **given}
        committed = act(access, client, "supervision", "propose_rules", args, as_json=as_json)
    _print(committed, as_json=as_json)


@acting
def vote(
    access: Access,
    ballot: BallotArgument,
    choice: Annotated[Choice, typer.Argument(help="A vote is final.")],
    sender: SenderOption,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vote on a ballot for your member; a vote is final.

    Example:

      coseal rules vote B1 yes --as bank-a --reason "it says what the law says"
    """
    args = {"ballot": ballot, "choice": choice.value} | ({} if reason is None else {"reason": reason})
    with access.client(sender) as client:
        committed = act(access, client, "supervision", "vote", args, as_json=as_json)
    _print(committed, as_json=as_json)


def adopt(
    ballot: BallotArgument,
    senders: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="MEMBER[/USER]", help="Who votes; again for more.", show_default="the electorate"),
    ] = None,
    reason: ReasonOption = None,
    directory: DirectoryOption = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vote yes for several members whose keys are in the network's folder, until the ballot is decided.

    For networks on one machine. On a real one each member runs `coseal rules vote`.

    Examples:

      coseal rules adopt B1

      coseal rules adopt B1 --as regulator --as central-bank --as bank-a
    """
    from coseal.client import supervision
    from coseal.network.access import Access

    committed = None
    access = Access(folder(directory), node)
    with ExitStack() as stack:
        if not senders:
            reader = stack.enter_context(access.client())
            found = supervision.ballot(reader, ballot)
            voted = {vote["member"] for vote in found["votes"]}
            senders = [member for member in found["electorate"] if member not in voted]
        for sender in senders:
            client = stack.enter_context(access.client(sender))
            committed = supervision.vote(client, ballot, "yes", reason).require_ok()
            if committed.receipt.data["status"] != "open":
                break
    if committed is None:
        raise CosealError(f"every member has voted on {ballot}", f"see `coseal rules ballots --id {ballot}`")
    _print(committed, as_json=as_json)


@acting
def retire(
    access: Access,
    process_type: Annotated[str, typer.Argument(metavar="PROCESSTYPE", help="Whose rules.")],
    rules: Annotated[list[str], typer.Argument(metavar="RULE...", help="Ids of rules in force.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    sender: SenderOption,
    open_for: OpenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to end rules that are in force, and open the ballot about it.

    Example:

      coseal rules retire traffic-fines TF-GAP --reason "the source is closed" --as regulator
    """
    from coseal.client import supervision

    args: dict[str, Any] = {"process_type": process_type, "rules": rules, "reason": reason}
    if open_for is not None:
        args["open_ms"] = supervision.duration_ms(open_for)
    with access.client(sender) as client:
        committed = act(access, client, "supervision", "propose_retirement", args, as_json=as_json)
    _print(committed, as_json=as_json)


@reaching
def list_rules(
    access: Access,
    process_type: Annotated[str | None, typer.Option("--process-type", metavar="TYPE", help="Only of this.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="proposed, trial, tried, adopted, superseded, retired or rejected.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.")] = 1_000,
    as_json: JsonOption = False,
) -> None:
    """List the rules on the ledger, in all their versions.

    Example:

      coseal rules list --status adopted
    """
    from coseal.client.languages import reader_language, title_of

    filters = {"process_type": process_type, "status": status}
    with access.client() as client:
        found = list(client.pages("/v1/rules", "rules", limit=limit, **filters))
    if as_json:
        print_json(found)
        return
    table, language = plain_table(*_RULE_COLUMNS), reader_language()
    for row in found:
        names = ("id", "version", "status", "process_type", "kind", "severity", "effect")
        table.add_row(*(str(row[name]) for name in names), title_of(row, language))
    table.print()


@reaching
def show(
    access: Access,
    identifier: Annotated[str, typer.Argument(metavar="ID[@VERSION]", help="A rule; by default the one in force.")],
    as_json: JsonOption = False,
) -> None:
    """Show a rule with its legal basis, status and history; verified.

    Example:

      coseal rules show TF-NOTIFIED
    """
    from coseal.client import supervision

    with access.client() as client:
        document = supervision.rule(client, identifier)
    if as_json:
        print_json(document)
    else:
        print_rule(document)


@reaching
def ballots(
    access: Access,
    identifier: Annotated[str | None, typer.Option("--id", metavar="BALLOT", help="One, with its votes.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="open, passed, accepted, rejected, expired or failed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.")] = 1_000,
    as_json: JsonOption = False,
) -> None:
    """List the ballots, or show one with its votes, verified.

    Examples:

      coseal rules ballots --status open

      coseal rules ballots --id B1
    """
    from coseal.client import supervision
    from coseal.client.languages import reader_language, title_of

    with access.client() as client:
        if identifier is not None:
            document = supervision.ballot(client, identifier)
            print_json(document) if as_json else _print_ballot(document)
            return
        found = list(client.pages("/v1/ballots", "ballots", limit=limit, status=status))
    if as_json:
        print_json(found)
        return
    table, language = plain_table(*_BALLOT_COLUMNS), reader_language()
    for row in found:
        figures = tuple(str(row[name]) for name in ("yes", "no", "abstain"))
        title = title_of(row, language, _named(row))
        table.add_row(row["id"], row["kind"], row["status"], *figures, row["proposer"], moment(row["closes_ms"]), title)
    table.print()


def print_rule(document: dict[str, Any]) -> None:
    """Print one version of a rule."""
    import json

    from coseal.client.languages import reader_language, title_of

    rule = document["rule"]
    typer.secho(f"{document['id']} version {rule['version']}: {document['status']}", bold=True)
    typer.echo(f"  {title_of(rule, reader_language())}")
    rows = {
        "basis": "\n              ".join(rule["legal_basis"]),
        "scope": document["process_type"] + "/" + rule["scope"].get("object_type", "source"),
        "severity": f"{rule.get('severity', 'violation')}, effect {rule.get('effect', 'flag')}",
        "proposer": f"{document['proposer']}, in set {document['set']}",
        "cost": f"{document['cost']} steps an event at most",
        "digest": document["digest"],
        "in force": f"version {document['active']}" if document["active"] else "no version",
    }
    for name, value in rows.items():
        typer.echo(f"  {name:<11} {value}")
    head = {"id", "version", "title", "legal_basis", "scope", "severity", "effect", "tests", "description"}
    typer.echo(f"  rule        {json.dumps({k: v for k, v in rule.items() if k not in head}, ensure_ascii=False)}")
    for name, counted in (("on trial", document["trial"]), ("findings", document["findings"])):
        if counted is not None:
            shown = ", ".join(f"{count} {what}" for what, count in counted.items() if count)
            typer.echo(f"  {name:<11} {shown or 'none'}")
    for status, height, time_ms in document["history"]:
        typer.echo(f"  {moment(time_ms)}  {status} in block {height}")
    typer.echo("  proven here")


def _print_ballot(document: dict[str, Any]) -> None:
    from coseal.client.languages import reader_language, title_of

    about = document["set"]
    title = title_of(document, reader_language()) or title_of(about, reader_language())
    typer.secho(f"{document['id']} ({document['kind']}): {stands(document)}", bold=True)
    rows = [("title", title)] if title else []
    rows += [("about", "\n              ".join(_about(document, about)))]
    rows.append(("proposed by", f"{document['proposer']}{because(document.get('reason'))}"))
    for name, value in rows:
        typer.echo(f"  {name:<11} {value}")
    print_standing(document)
    typer.echo("  proven here")


def _named(row: Mapping[str, Any]) -> str:
    """Return the rules or terms that a ballot of a list is about, cut short."""
    names = [name if isinstance(name, str) else name[0] for name in row.get("rules", ())] or list(row.get("terms", ()))
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _about(document: Mapping[str, Any], about: Mapping[str, Any] | None) -> list[str]:
    """Return what a ballot is about, a line each: rules with their versions, or terms."""
    subject = document["subject"]
    if about is not None:
        rules = [f"{rule} version {version}" for rule, version in about["rules"]]
        return [f"{about['process_type']}, a set of {len(rules)}: {about['status']}", *rules]
    if document["kind"] == "retire":
        return [f"{subject['process_type']}, to be ended", *subject["rules"]]
    from coseal.contracts.kernel.wording import duration_text

    return [f"{step}: {duration_text(ms)}" for step, ms in subject["terms"].items()]


def _print(committed: Committed, *, as_json: bool) -> None:
    """Print the outcome of a proposal or vote."""
    from coseal.cli.transactions import print_committed

    data = committed.receipt.data
    if as_json or not committed.ok:
        print_committed(committed, as_json=as_json)
    elif "choice" in data:
        block = f"(block {committed.height}, verified)"
        typer.secho(f"{data['ballot']} is {data['status']}: {figures(data)} {block}", fg="green")
        if "effect_ms" in data:
            typer.echo(f"  takes effect at {moment(data['effect_ms'])} UTC")
        for effect in data.get("effects", ()):
            for rule, version in effect.get("rules", ()):
                typer.echo(f"  {rule} version {version}: {effect['status']}")
            if "detail" in effect:
                typer.secho(f"  accepted, but the rules cannot judge now: {effect['detail']}", fg="yellow")
            if "ballot" in effect:
                typer.echo(f"  {effect['ballot']} decides after the trial: `coseal rules adopt {effect['ballot']}`")
    else:
        typer.secho(f"{data['ballot']} is open until {moment(data['closes_ms'])} UTC", fg="green")
        typer.echo(
            f"  {data['needed']} of {data['of']} have to say yes: `coseal rules vote {data['ballot']} yes --as ..`"
        )
    if not committed.ok:
        raise typer.Exit(EXIT_BAD)
