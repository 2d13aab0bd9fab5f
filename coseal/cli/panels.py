"""Commands about panels: how a project stands, seeds for the draw, and reviews, whose secrets stay in a file.

Law: what is said of a project is proven; a seed or review is sent only as its file has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.sending import act
from coseal.cli.shared import JsonOption, SenderOption, acting, plain_table, print_json, reaching, visible

if TYPE_CHECKING:
    from coseal.network.access import Access

_CONTRACT: Final = "certification"
ProjectArgument = Annotated[str, typer.Argument(metavar="PROJECT", help="The id it was applied for under.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("show")(show)
    app.command("give-seed")(give_seed)
    app.command("review-form")(review_form)
    app.command("review")(review)


@reaching
def show(access: Access, project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Show how a project stands, proven: its step and when that ends, its panel, who was late, and the verdict.

    Example:

      coseal certification show clearing
    """
    from coseal.client import panels

    with access.client() as client:
        record = panels.project_of(client, project)
        found = panels.round_of(client, project, record)
    if as_json:
        print_json({"project": record, "round": found or None})
        return
    from coseal.contracts.kernel.wording import moment_text

    due = f", until {moment_text(record['due_ms'])}" if record.get("due_ms") else ""
    typer.echo(visible(f"{project}: {record['status']}{due}; of {record['member']}, under {record['scheme']}"))
    if "certificate" in record:
        typer.echo(f"certificate {record['certificate']}")
    for step, who in (*record.get("late", ()), *found.get("late", ())):
        typer.echo(f"late        {who} ({step})")
    _print_seeds(found)
    _print_panel(found)
    _print_verdict(found.get("verdict"))


def _print_seeds(found: Mapping[str, Any]) -> None:
    if not found or found["panel"]:
        return
    for member in found["seeders"]:
        commitment, seed = found["seeds"].get(member, ("", ""))
        typer.echo(f"seed        {member}: {'shown' if seed else 'committed' if commitment else 'awaited'}")


def _print_panel(found: Mapping[str, Any]) -> None:
    if not found.get("panel"):
        return
    table = plain_table("reviewer", "sector", "humanities", "")
    for member, user, sector, humanities in found["panel"]:
        name = f"{member}/{user}"
        steps = [step for step in ("declared", "committed", "revealed") if name in found.get(step, ())]
        table.add_row(name, sector, "yes" if humanities else "", steps[-1] if steps else "drawn")
    table.print()


def _print_verdict(verdict: Mapping[str, Any] | None) -> None:
    if verdict is None:
        return
    table = plain_table("criterion", "its claims", "scores")
    for name, (state, score) in verdict["criteria"].items():
        table.add_row(name, state, f"{score} of {4 * verdict['reviews']}")
    table.print()
    reached, greatest = verdict["score"]
    typer.echo(f"verdict     {verdict['outcome']}: {reached} of {greatest} by {verdict['reviews']} reviews")


@acting
def give_seed(
    access: Access,
    project: ProjectArgument,
    keep: Annotated[Path, typer.Option("--keep", metavar="FILE", help="Where the seed is until it is shown.")],
    sender: SenderOption,
    as_json: JsonOption = False,
) -> None:
    """Commit to a new seed for the draw of a panel, or show it once all have committed.

    Example:

      coseal certification give-seed clearing --keep seed.json --as regulator
    """
    from coseal.client import panels

    with access.client(sender) as client:
        action, args = panels.next_seed(client, project, sender.partition("/")[0], keep)
        _send(access, client, action, args, as_json=as_json)


@reaching
def review_form(
    access: Access,
    project: ProjectArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to.")],
) -> None:
    """Write a review of a project in which a reviewer fills in what it finds of every leaf and criterion.

    An opinion is accepted, insufficient, refuted or unavailable; a score is 0 to 4.

    Example:

      coseal certification review-form clearing --out review.json
    """
    from coseal.client import panels

    with access.client() as client:
        form = panels.review_form(client, project)
    out.write_text(json.dumps(form, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
    typer.echo(f"{out}: {len(form['leaves'])} leaves, {len(form['scores'])} criteria")


@acting
def review(
    access: Access,
    project: ProjectArgument,
    keep: Annotated[Path, typer.Option("--keep", metavar="FILE", help="Where review and salt are until revealed.")],
    sender: SenderOption,
    written: Annotated[
        Path | None, typer.Option("--review", metavar="FILE", help="The review to commit to, as JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Commit to a review, or reveal it once all of the panel have committed.

    Example:

      coseal certification review clearing --review review.json --keep secret.json --as institute-a
    """
    from coseal.client import panels

    reviewer = sender if "/" in sender else f"{sender}/admin"
    with access.client(sender) as client:
        action, args = panels.next_review(client, project, reviewer, written, keep)
        _send(access, client, action, args, as_json=as_json)


def _send(access: Access, client: Any, action: str, args: Mapping[str, Any], *, as_json: bool) -> None:
    committed = act(access, client, _CONTRACT, action, args, as_json=as_json).require_ok()
    if as_json:
        print_json({**committed.data, "height": committed.height})
    else:
        data = committed.data
        typer.echo(f"{data['project']}: {action} in block {committed.height}; it is {data['status']}")
