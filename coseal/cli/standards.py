"""Commands about standards: list, show, adopters, domain; those that act are the contract's own (``coseal.cli.verbs``).

Law: what `show`, `adopters` and `domain` print is proven against the certified state; `list` is as a node's index says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.beside import beside
from coseal.cli.shared import JsonOption, plain_table, print_facts, print_json, reaching

if TYPE_CHECKING:
    from coseal.network.access import Access

_CONTRACT: Final = "standards"


standards_app = typer.Typer(
    cls=beside(_CONTRACT, {"list": _CONTRACT}),
    no_args_is_help=True,
    help="Standards that grow from use: propose, try and adopt them; see which are de facto, and why.",
)

StandardArgument = Annotated[str, typer.Argument(metavar="STANDARD", help="Its id.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", min=1, help="Which version.", show_default="the latest")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    standards_app.command("show")(show)
    standards_app.command("adopters")(adopters)
    standards_app.command("domain")(domain)
    app.add_typer(standards_app, name=_CONTRACT)


@reaching
def show(
    access: Access,
    standard: StandardArgument,
    version: VersionOption = None,
    member: Annotated[
        str | None, typer.Option("--as", metavar="MEMBER", help="Say also what this member may do next.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a standard: its status and what that rests on, who uses it by constituency, what it says. All is proven.

    Examples:

      coseal standards show lending-events --as bank-a

      coseal standards show lending-events --version 1 --json
    """
    with access.client() as client:
        found = client.standards.show(standard, version, member=member and member.partition("/")[0])
    if as_json:
        print_json(found)
        return
    typer.secho(f"{standard} {found['version']}: {_title(found['title'])}", bold=True)
    print_facts(_facts(found))
    _print_conditions(found)
    _print_constituencies(found["review"])
    typer.echo(f"proven as of block {found['height']}")


@reaching
def adopters(
    access: Access, standard: StandardArgument, version: VersionOption = None, as_json: JsonOption = False
) -> None:
    """List who tries or has adopted a standard, or did: proven to be all, in the order in which they took it up.

    Example:

      coseal standards adopters lending-events
    """
    from coseal.ledger.render import time_text

    with access.client() as client:
        found = client.standards.adopters(standard, version)
    if as_json:
        print_json(found)
        return
    table = plain_table("member", "mode", "sources", "since", "until")
    for one in found:
        times = (one["from_ms"], one["until_ms"])
        since, until = ("-" if at is None else time_text(at)[:19] for at in times)
        table.add_row(one["member"], one["mode"], ", ".join(one["sources"]) or "all", since, until)
    table.print()
    typer.echo(f"{len(found)} in all, proven to be all")


@reaching
def domain(
    access: Access,
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="What standards compete in, e.g. lending.")],
    as_json: JsonOption = False,
) -> None:
    """Show what competes in a domain, and how each stands: the mean of the constituencies' shares, users, adopters.

    Example:

      coseal standards domain lending
    """
    with access.client() as client:
        found = client.standards.domain(name)
    if as_json:
        print_json(found)
        return
    active = sum(found["active"].values())
    reviewed = "not reviewed yet" if found["period"] is None else f"period {found['period']}"
    count = len(found["versions"])
    competing = f"{count} standard{'' if count == 1 else 's'}"
    typer.secho(f"{name}: {competing}, {active} active members, {found['items']} items, {reviewed}")
    table = plain_table("standard", "title", "kind", "status", "share", "users", "adopters", "recognised")
    for one in found["versions"]:
        review = one["review"] or {"users": {}, "adopters": {}}
        users, adopted = (str(sum(review[figure].values())) for figure in ("users", "adopters"))
        share = _share(one["mean"]) if one["review"] else "-"
        level = one.get("recognition", {}).get("level", "-")
        title = _title(one["title"])
        table.add_row(
            f"{one['standard']} {one['version']}", title, one["kind"], one["status"], share, users, adopted, level
        )
    table.print()
    typer.echo(f"proven as of block {found['height']}; `coseal standards show STANDARD` says why")


def _title(title: Any) -> str:
    from coseal.client.languages import reader_language
    from coseal.contracts.kernel.wording import in_language

    return in_language(title, reader_language())


def _facts(found: Mapping[str, Any]) -> dict[str, str]:
    """Return what is said of a version beside its figures."""
    from coseal.ledger.render import time_text

    facts = {"status": found["status"], "kind": found["kind"], "domain": found["domain"], "by": found["member"]}
    facts["content"] = ", ".join(f"{name} {_part(value)}" for name, value in found["content"].items())
    if found["patents"]:
        facts["patents"] = ", ".join(found["patents"])
    if "recognition" in found:
        by = found["recognition"]
        facts["recognised"] = f"{by['level']}, by {by['member']} in {by['instrument']}"
    if "sunset_ms" in found:
        after = " {} {}".format(*found["successor"]) if "successor" in found else ""
        facts["ends"] = f"{time_text(found['sunset_ms'])}{', followed by' + after if after else ''}: {found['reason']}"
    if "acts" in found:
        own = found["adoption"]
        facts["member is"] = "not on it" if own is None else own["mode"]
        facts["may now"] = ", ".join(name.replace("_", "-") for name in found["acts"]) or "nothing"
    return facts


def _part(value: Any) -> str:
    if isinstance(value, list):
        return f"({len(value)}): {', '.join(map(str, value[:4]))}{', ..' if len(value) > 4 else ''}"
    return str(value)


_CONDITIONS: Final = {
    "mean": "mean of the constituencies' shares, more than",
    "carried": "constituencies with a share of more than 1/3, at least",
    "users": "members that use it, at least",
    "kept": "mean of the constituencies' shares, at least (below, it is lost)",
}


def _print_conditions(found: Mapping[str, Any]) -> None:
    from coseal.ledger.render import time_text

    if not found["measured"]:
        typer.echo("its use is not measured, so it is never de facto")
        return
    if found["review"] is None:
        typer.echo(f"not reviewed yet; the period closes at {time_text(found['next_review_ms'])[:19]}Z")
        return
    closed = time_text(found["review"]["closed_ms"])[:19]
    following = time_text(found["next_review_ms"])[:19]
    typer.echo(f"review of period {found['review']['period']}, closed {closed}Z; the next closes {following}Z")
    table = plain_table("", "condition", "needs", "has")
    for one in found["conditions"]:
        sign = "met" if one["met"] else "not met"
        table.add_row(sign, _CONDITIONS[one["condition"]], _figure(one["needs"]), _figure(one["has"]))
    table.print()


def _figure(value: Any) -> str:
    return _share(value) if isinstance(value, list) else str(value)


def _share(quota: list[int]) -> str:
    """Return a fraction; one of large numbers as a percentage, rounded down."""
    numerator, denominator = quota
    exact = f"{numerator}/{denominator}" if denominator > 1 else str(numerator)
    return exact if denominator < 1_000 else f"{numerator * 1_000 // denominator / 10}%"


def _print_constituencies(review: Mapping[str, Any] | None) -> None:
    if review is None:
        return
    table = plain_table("constituency", "active", "use it", "have adopted it")
    for name, active in review["active"].items():
        if active or review["adopters"][name]:
            table.add_row(name, str(active), str(review["users"][name]), str(review["adopters"][name]))
    table.print()
