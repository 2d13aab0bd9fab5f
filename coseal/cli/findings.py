"""Commands about findings: who does what next, and each step of their life.

Law: a step is signed by who takes it; what is shown of a finding was proven here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.sending import act
from coseal.cli.shared import (
    Commands,
    JsonOption,
    SenderOption,
    acting,
    as_it_is,
    plain_table,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD

if TYPE_CHECKING:
    from coseal.client.blocking import Committed
    from coseal.network.access import Access

findings_app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="What rules found or a person opened, and its life: raised, acknowledged, inquiry, response, decided, closed.",
)

FindingArgument = Annotated[str, typer.Argument(metavar="FINDING", help="For example F12.")]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="What you say; it stays on the ledger.")]
EvidenceOption = Annotated[
    list[str] | None,
    typer.Option("--evidence", metavar="FILE", help="A file, of which the SHA-256 is recorded, or such a digest."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    findings_app.command("list")(list_findings)
    findings_app.command("show")(show)
    findings_app.command("open")(open_case)
    findings_app.command("acknowledge")(acknowledge)
    findings_app.command("inquire")(inquire)
    _plain(findings_app, "respond", "respond", "response", "Respond to an inquiry, for the member it concerns.")
    _plain(findings_app, "dismiss", "decide", "reason", "Decide that nothing was wrong; it closes.", "dismissed")
    _plain(findings_app, "rectify", "decide", "reason", "Decide that it was wrong and is put right.", "rectified")
    findings_app.command("sanction")(sanction)
    _plain(findings_app, "appeal", "appeal", "reason", "Appeal against a decision about your member.")
    _plain(findings_app, "uphold", "decide_appeal", "reason", "Decide an appeal: the decision stands.", "upheld")
    _plain(findings_app, "overturn", "decide_appeal", "reason", "Decide an appeal: it does not stand.", "overturned")
    findings_app.command("hold")(hold)
    _plain(findings_app, "lift-hold", "lift_hold", "reason", "Lift the hold of a finding.")
    _plain(findings_app, "contest-hold", "contest_hold", "reason", "Contest a hold on your member's object.")
    _plain(findings_app, "confirm-hold", "confirm_hold", "reason", "Confirm a hold that was contested.")
    app.add_typer(findings_app, name="findings")
    app.command("obligations")(obligations)


@reaching
def list_findings(
    access: Access,
    status: Annotated[str | None, typer.Option("--status", help="raised, acknowledged, inquiry, .., closed.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="ID", help="Of this rule.")] = None,
    process_type: Annotated[str | None, typer.Option("--process-type", metavar="TYPE", help="Of this.")] = None,
    object_id: Annotated[str | None, typer.Option("--object", metavar="ID", help="About this object.")] = None,
    severity: Annotated[str | None, typer.Option("--severity", help="notice, warning or violation.")] = None,
    party: Annotated[str | None, typer.Option("--party", metavar="MEMBER", help="As subject or supervisor.")] = None,
    awaits: Annotated[str | None, typer.Option("--awaits", help="supervisor or subject: whose turn it is.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only where a step is late.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List findings, oldest first, as a node's index has them.

    Examples:

      coseal findings list --awaits supervisor

      coseal findings list --party enterprise-a --overdue --json
    """
    from coseal.client.languages import reader_language, why

    filters: dict[str, Any] = {"status": status, "rule": rule, "process_type": process_type, "object": object_id}
    filters |= {"severity": severity, "party": party, "awaits": awaits, "overdue": "true" if overdue else None}
    with access.client() as client:
        found = list(client.findings(limit=limit, **filters))
    if as_json:
        print_json(found)
        return
    language = reader_language()
    table = plain_table("finding", "rule", "object", "severity", "status", "next", "due (UTC)", "detail")
    for row in found:
        turn = f"{row['side']}: {row['step']}" if row["step"] else (row["outcome"] or "-")
        late = " late" if row["overdue"] else ""
        names = (row["id"], row["rule"], f"{row['object_type']} {row['object']}", row["severity"], row["status"])
        table.add_row(
            *names, turn, as_it_is(_time(row["deadline_ms"]) + late, "red" if late else ""), why(row, language)
        )
    table.print()
    typer.echo(f"{len(found)} findings")


@reaching
def show(
    access: Access,
    finding: FindingArgument,
    as_json: JsonOption = False,
) -> None:
    """Show a finding, the rule it rests on, and every step with what was said; all proven.

    Example:

      coseal findings show F12
    """
    from coseal.client import supervision

    with access.client() as client:
        document = supervision.finding(client, finding)
    if as_json:
        print_json(document)
    else:
        print_finding(document)


@acting
def open_case(
    access: Access,
    about: Annotated[str, typer.Argument(metavar="TYPE/OBJECTTYPE/ID", help="The object it is about.")],
    reason: TextArgument,
    sender: SenderOption,
    subject: Annotated[str, typer.Option("--subject", metavar="MEMBER", help="Who has to answer.")],
    basis: Annotated[
        list[str], typer.Option("--basis", metavar="POLICY", help="A policy of the register, or 'external: ...'.")
    ],
    severity: Annotated[str, typer.Option("--severity", help="notice, warning or violation.")] = "warning",
    evidence: EvidenceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a finding by hand, where no rule found anything.

    Example:

      coseal findings open traffic-fines/fine/A100 "The file on paper names another amount" --subject enterprise-a
      --basis "external: complaint 17/2026" --as regulator
    """
    from coseal.client.history import parse_object

    process_type, object_type, object_id = parse_object(about)
    args: dict[str, Any] = {"process_type": process_type, "object_type": object_type, "object": object_id}
    args |= {"subject": subject, "severity": severity, "reason": reason, "legal_basis": basis, **_evidence(evidence)}
    with access.client(sender) as client:
        committed = act(access, client, "supervision", "open_case", args, as_json=as_json)
    print_step(committed, as_json=as_json)


@acting
def acknowledge(
    access: Access,
    finding: FindingArgument,
    sender: SenderOption,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Said with it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take up a finding as its supervisor.

    Example:

      coseal findings acknowledge F12 --as regulator
    """
    args = {} if note is None else {"note": note}
    _submit("acknowledge", finding, args, sender, access, as_json)


@acting
def inquire(
    access: Access,
    finding: FindingArgument,
    question: TextArgument,
    sender: SenderOption,
    evidence: EvidenceOption = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="TIME", help="When the response is due, e.g. 20d.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the member a finding concerns to respond.

    Example:

      coseal findings inquire F12 "Why was the fine sent after 163 days?" --as regulator
    """
    from coseal.client.supervision import duration_ms

    args: dict[str, Any] = {"question": question, **_evidence(evidence)}
    if within is not None:
        args["within_ms"] = duration_ms(within)
    _submit("inquire", finding, args, sender, access, as_json)


@acting
def sanction(
    access: Access,
    finding: FindingArgument,
    reason: TextArgument,
    sender: SenderOption,
    measure: Annotated[str, typer.Option("--measure", metavar="TEXT", help="What the sanction is.")],
    evidence: EvidenceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that it was wrong, with a measure.

    Example:

      coseal findings sanction F12 "Sent too late, again" --measure "Warning" --as regulator
    """
    args = {"outcome": "sanctioned", "reason": reason, "measure": measure, **_evidence(evidence)}
    _submit("decide", finding, args, sender, access, as_json)


@acting
def hold(
    access: Access,
    finding: FindingArgument,
    reason: TextArgument,
    sender: SenderOption,
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, at most 30d.")],
    amount: Annotated[
        int | None,
        typer.Option("--amount", min=1, metavar="N", help="Only so much of it, in the smallest unit (fen)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put the object of a finding on hold, for a time that ends by itself.

    Example:

      coseal findings hold F12 "It may have been financed twice" --for 24h --as regulator
    """
    from coseal.client.supervision import duration_ms

    args: dict[str, Any] = {"reason": reason, "hold_ms": duration_ms(lasting)}
    if amount is not None:
        args["amount"] = amount
    _submit("hold", finding, args, sender, access, as_json)


def _plain(group: typer.Typer, name: str, action: str, said: str, text: str, outcome: str | None = None) -> None:
    """Add a command for a step that takes a text, and perhaps evidence."""

    @acting
    def command(
        access: Access,
        finding: FindingArgument,
        text: TextArgument,
        sender: SenderOption,
        evidence: EvidenceOption = None,
        as_json: JsonOption = False,
    ) -> None:
        args = {said: text, **_evidence(evidence)} | ({} if outcome is None else {"outcome": outcome})
        _submit(action, finding, args, sender, access, as_json)

    command.__doc__ = text
    group.command(name)(command)


@reaching
def obligations(
    access: Access,
    process_type: Annotated[str | None, typer.Option("--process-type", metavar="TYPE", help="Only of this.")] = None,
    party: Annotated[str | None, typer.Option("--party", metavar="MEMBER", help="Who owes.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="running or ended.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List who owes which reports by when.

    Example:

      coseal obligations --party enterprise-a
    """

    with access.client() as client:
        found = client.get("/v1/obligations", process_type=process_type, party=party, status=status)["obligations"]
    if as_json:
        print_json(found)
        return
    table = plain_table("rule", "source", "owes", "due (UTC)", "met", "missed", "status")
    for row in found:
        owed = f"{row['n']} of {', '.join(row['event_types'])}"
        figures = (_time(row["due_ms"]), str(row["met"]), str(row["missed"]), row["status"])
        table.add_row(row["rule"], row["source"], owed, *figures)
    table.print()


def _evidence(given: list[str] | None) -> dict[str, list[str]]:
    from coseal.client.supervision import evidence_of

    return evidence_of(given or [])


def _submit(action: str, finding: str, args: dict[str, Any], sender: str, access: Access, as_json: bool) -> None:
    """Take a step and say what is due next, and of whom."""
    with access.client(sender) as client:
        committed = act(access, client, "supervision", action, {"finding": finding, **args}, as_json=as_json)
    print_step(committed, as_json=as_json)


def print_step(committed: Committed, *, as_json: bool) -> None:
    """Print the outcome of a step; exit with 1 if it was refused."""
    from coseal.cli.transactions import print_committed

    data = committed.receipt.data
    if as_json or not committed.ok:
        print_committed(committed, as_json=as_json)
    elif "until_ms" in data:
        until = f"until {_time(data['until_ms'])} UTC" + ("" if data["amount"] is None else f": {data['amount']} of it")
        typer.secho(f"{data['object_type']} {data['object']} is {data['status']} {until}", fg="green")
    else:
        typer.secho(f"{data['id']} is {where_it_stands(data)} (block {committed.height}, verified)", fg="green")
        if data.get("step"):
            who = data["subject"] if data["side"] == "subject" else data["supervisor"] or "the supervisor"
            typer.echo(f"  next: {data['step']}, by {who}, due {_time(data['deadline_ms'])} UTC")
    if not committed.ok:
        raise typer.Exit(EXIT_BAD)


def where_it_stands(finding: Mapping[str, Any]) -> str:
    """Return a finding's status, with its outcome where that says more: ``closed (rectified)``, ``rectified``."""
    status, outcome = finding["status"], finding.get("outcome")
    return f"{status} ({outcome})" if outcome and outcome != status else str(status)


def print_finding(document: dict[str, Any]) -> None:
    """Print a finding with its rule and its trail."""
    from coseal.client.languages import reader_language, title_of, why

    finding, rule, language = document["finding"], document["rule"], reader_language()
    by_hand = "opened_by" in finding
    typer.secho(f"{finding['id']}  {finding['severity']}: {where_it_stands(finding)}", bold=True)
    rows = [
        ("object", f"{finding['process_type']}/{finding['object_type']}/{finding['object']}"),
        ("found", f"{why(finding, language)} ({finding['verdict']}), block {finding['height']}"),
        ("event", finding["event"] or ("none: a person opened it" if by_hand else "none: a deadline passed")),
        ("subject", finding["subject"]),
        ("supervisor", finding["supervisor"] or "none yet"),
        ("basis", "\n              ".join((finding if by_hand else rule or {}).get("legal_basis", ()))),
    ]
    if not by_hand:
        said = f"{finding['rule']} version {finding['version']}: {title_of(rule, language)}"
        rows.insert(-1, ("rule", said))
    if finding["due"]:
        rows.append(
            ("next", f"{finding['due'][0]}, by the {finding['due'][1]}, due {_time(finding['deadline_ms'])} UTC")
        )
    for name, value in rows:
        typer.echo(f"  {name:<11} {value}")
    for step in document["trail"]:
        _print_step_of(step)
    typer.echo("  proven here: the finding, its rule, and the signed transaction of each step")


def _print_step_of(step: dict[str, Any]) -> None:
    if step["step"] == "overdue":
        typer.secho(
            f"  {step['deadline'][:16]}  {step['awaited']} of the {step['of']} did not come in time", fg="yellow"
        )
        return
    typer.echo(f"  {step['time'][:16]}  {step['step']}  {step['by']}")
    for name in ("note", "question", "response", "reason", "measure"):
        if name in step:
            typer.echo(f"      {step[name]}")
    for digest in step.get("evidence", ()):
        typer.echo(f"      evidence {digest}")


def _time(time_ms: int | None) -> str:
    from coseal.ledger.render import time_text

    return "-" if time_ms is None else time_text(time_ms)[:16].replace("T", " ")
