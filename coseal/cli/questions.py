"""Commands of the service side of supervision: questions, answers, guidance, and how long both sides take.

Law: a question is public and answered once; a late answer is a fact on the ledger like any other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.sending import act
from coseal.cli.shared import (
    Commands,
    JsonOption,
    SenderOption,
    acting,
    plain_table,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.network.access import Access

questions_app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Ask the government, answer, and publish guidance; see who takes how long."
)

AboutOption = Annotated[
    list[str] | None, typer.Option("--about", metavar="ID", help="A rule or policy it is about; again for more.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    questions_app.command("list")(list_questions)
    questions_app.command("ask")(ask)
    questions_app.command("answer")(answer)
    questions_app.command("guide")(guide)
    questions_app.command("guidance")(list_guidance)
    questions_app.command("times")(times)
    app.add_typer(questions_app, name="questions")


@acting
def ask(
    access: Access,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="A few words.")],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Up to 4,000 characters.")],
    sender: SenderOption,
    about: AboutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the government a question; its answer is due in time.

    Example:

      coseal questions ask "Terms" "Does the term count from acceptance?" --about RC-TERM-MAX --as enterprise-a
    """
    args = {"topic": topic, "question": question, **({"about": about} if about else {})}
    _submit("ask", args, sender, access, as_json)


@acting
def answer(
    access: Access,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="For example Q3.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Up to 4,000 characters.")],
    sender: SenderOption,
    about: AboutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a member's question, as a supervisor.

    Example:

      coseal questions answer Q3 "From the day of issue" --as regulator
    """
    args = {"question": question, "answer": text, **({"about": about} if about else {})}
    _submit("answer", args, sender, access, as_json)


@acting
def guide(
    access: Access,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text, UTF-8, up to 16,000 characters.")],
    sender: SenderOption,
    about: AboutOption = None,
    replaces: Annotated[str | None, typer.Option("--replaces", metavar="ID", help="Guidance that it replaces.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Publish guidance, as a supervisor.

    Example:

      coseal questions guide "Terms of receivables" terms.txt --as regulator
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CosealError(f"{file}: {error}") from None
    args: dict[str, Any] = {"title": title, "text": text, **({"about": about} if about else {})}
    if replaces is not None:
        args["replaces"] = replaces
    _submit("guide", args, sender, access, as_json)


@reaching
def list_questions(
    access: Access,
    status: Annotated[str | None, typer.Option("--status", help="open or answered.")] = None,
    member: Annotated[str | None, typer.Option("--member", metavar="MEMBER", help="Who asked.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List questions with their answers.

    Example:

      coseal questions list --status open
    """
    found = _list(
        "/v1/questions",
        "questions",
        {"status": status, "member": member},
        limit,
        access,
    )
    if as_json:
        print_json(found)
        return
    for row in found:
        late = ", late" if row["overdue"] else ""
        typer.secho(f"{row['id']}  {row['topic']}  ({row['member']}, {row['status']}{late})", bold=True)
        typer.echo(f"    {row['question']}")
        if "answer" in row:
            typer.echo(f"    {row['answered_by']}: {row['answer']}")


@reaching
def list_guidance(
    access: Access,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List what the government published.

    Example:

      coseal questions guidance
    """
    found = _list("/v1/guidance", "guidance", {}, limit, access)
    if as_json:
        print_json(found)
        return
    for row in found:
        replaced = f", replaced by {row['replaced_by']}" if row["replaced_by"] else ""
        typer.secho(f"{row['id']}  {row['title']}  ({row['member']}{replaced})", bold=True)
        typer.echo(f"    {row['text']}")


@reaching
def times(
    access: Access,
    member: Annotated[str | None, typer.Option("--member", metavar="MEMBER", help="Only this member's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how long each step of either side took, and how often it was late.

    Example:

      coseal questions times --member regulator
    """

    with access.client() as client:
        found = client.get("/v1/supervision/times", member=member)["steps"]
    if as_json:
        print_json(found)
        return
    table = plain_table("step", "side", "allowed", "done", "mean", "longest", "overdue")
    for row in found:
        spans = (_span(row["term_ms"]), str(row["done"]), _span(row["mean_ms"]), _span(row["max_ms"]))
        table.add_row(row["step"], row["side"], *spans, str(row["overdue"]))
    table.print()


def _span(ms: int | None) -> str:
    """Return a length of time in its largest whole unit."""
    if ms is None:
        return "-"
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if ms >= size:
            return f"{ms / size:.1f} {unit}"
    return f"{ms} ms"


def _list(path: str, name: str, filters: dict[str, Any], limit: int, access: Access) -> list[dict[str, Any]]:
    with access.client() as client:
        return list(client.pages(path, name, limit=limit, **filters))


def _submit(action: str, args: dict[str, Any], sender: str, access: Access, as_json: bool) -> None:
    from coseal.cli.transactions import print_committed

    with access.client(sender) as client:
        committed = act(access, client, "supervision", action, args, as_json=as_json)
    if as_json or not committed.ok:
        print_committed(committed, as_json=as_json)
    else:
        typer.secho(f"{committed.receipt.data['id']} (block {committed.height}, verified)", fg="green")
    if not committed.ok:
        raise typer.Exit(EXIT_BAD)
