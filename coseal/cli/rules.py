"""Commands about rules that need no network: check a rule file, perhaps against one, try it on a log, discover rules.

Law: what these say of a rule is what the ledger would say, for the same modules say it.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.imports import FormatOption, MapOption, ZoneOption, printed_findings, read_given
from coseal.cli.shared import (
    Commands,
    DirectoryOption,
    GenesisOption,
    JsonOption,
    NodeOption,
    TokenOption,
    UrlOption,
    as_it_is,
    folder,
    plain_table,
    print_json,
)
from coseal.errors import EXIT_BAD, EXIT_OK

if TYPE_CHECKING:
    from coseal.client.rule_checks import RuleCheck
    from coseal.client.rules import Tried
    from coseal.client.suggestions import Suggestions

rules_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Write, check and try the rules of supervision.")

RuleFile = Annotated[Path, typer.Argument(metavar="RULES.json", help="A JSON list of rules.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    rules_app.command("check")(check)
    rules_app.command("test")(try_rules)
    rules_app.command("discover")(discover)
    app.add_typer(rules_app, name="rules")


def check(
    file: RuleFile,
    process_type: Annotated[
        Path | None,
        typer.Option("--type", metavar="FILE.json", help="The process type: arguments of process.define_type."),
    ] = None,
    directory: DirectoryOption = None,
    node: NodeOption = None,
    url: UrlOption = None,
    genesis: GenesisOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a rule file as the ledger will: fields, expressions, cost, tests, legal basis, versions, room.

    With --type against a process type in a file, with --dir, --node or --url against a running network: then what is
    accepted here is accepted there. What could not be checked is said. Exit code 1 if anything is refused.

    Examples:

      coseal rules check permit.json --type permit-type.json

      coseal rules check permit.json --dir coseal-net --json
    """
    from coseal.client.rules import check_against, check_file, read_definition

    if process_type is None and (directory or node or url):
        from coseal.network.access import Access

        with Access(folder(directory), node, url, genesis, token=token).client() as client:
            verdict = check_against(client, file)
    else:
        verdict = check_file(file, None if process_type is None else read_definition(process_type))
    if as_json:
        print_json(_check_json(verdict))
    else:
        _print_checked(verdict)
    raise typer.Exit(EXIT_OK if verdict.ok else EXIT_BAD)


def try_rules(
    file: RuleFile,
    log: Annotated[Path, typer.Option("--log", metavar="FILE", help="The log to try them on; .gz is unpacked.")],
    format: FormatOption = None,
    mapping: MapOption = None,
    zone: ZoneOption = None,
    object_type: Annotated[
        str | None,
        typer.Option("--object-type", metavar="TYPE", help="Whose traces to judge.", show_default="as the rules say"),
    ] = None,
    process_type: Annotated[
        Path | None,
        typer.Option("--type", metavar="TYPE.json", help="A process type that says what the log does not: tallies."),
    ] = None,
    cases: Annotated[bool, typer.Option("--cases", help="Add the ids of the cases, by verdict.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Try rules on a log of the past, with the ledger's own monitors and no network.

    Counts the cases by verdict at the end of the log. A rule is broken in a case that is violated or
    pending_violating (violated, unless something still comes). Dates of validity are set aside.

    Examples:

      coseal rules test permit.json --log receipt.xes.gz

      coseal rules test fines.json --log fines.csv.gz --map fines.toml --zone +01:00 --json --cases

      coseal rules test trade-match.json --log orders.jsonocel --type orders.type.json
    """
    from coseal.client.rules import read_definition, try_file

    with printed_findings(as_json=as_json):
        read = read_given(log, format, mapping, zone)
    tried = try_file(file, read, object_type, None if process_type is None else read_definition(process_type))
    if as_json:
        print_json({**tried.result.to_json(with_cases=cases), "warnings": list(tried.warnings)})
    else:
        _print_tried(tried, with_cases=cases)


def discover(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Any log that can be imported; .gz is unpacked.")],
    format: FormatOption = None,
    mapping: MapOption = None,
    zone: ZoneOption = None,
    object_type: Annotated[
        str | None,
        typer.Option("--object-type", metavar="TYPE", help="Whose traces.", show_default="that of most objects"),
    ] = None,
    support: Annotated[
        str, typer.Option("--support", metavar="PART", help="The least part of all cases that oblige a rule.")
    ] = "0.1",
    confidence: Annotated[
        str, typer.Option("--confidence", metavar="PART", help="The least part of these that hold it.")
    ] = "0.95",
    template: Annotated[
        list[str] | None,
        typer.Option("--template", help="Only this one; several times.", show_default="all that say what happens"),
    ] = None,
    sigma: Annotated[
        str,
        typer.Option(
            "--sigma", help="A window is the mean of its times plus this many standard deviations; 'none': no windows."
        ),
    ] = "3",
    limit: Annotated[int, typer.Option("--limit", min=1, max=300, help="The most rules, the surest first.")] = 50,
    weaker: Annotated[bool, typer.Option("--weaker", help="Also rules that another one implies.")] = False,
    basis: Annotated[
        str | None,
        typer.Option("--basis", metavar="TEXT", help="The legal basis to name.", show_default="external: the log"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="RULES.json", help="Write the rule file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Discover rules in a log: DECLARE candidates with support and confidence, and windows from its times.

    Needs no network. With --out the rules are a file to edit, check, test, and propose to be tried
    (`coseal rules propose RULES.json --trial 14d`). What never happens (absence, noncoexistence) is counted
    only if --template asks for it.

    Examples:

      coseal rules discover receipt.xes.gz --out rules.json

      coseal rules discover orders.sqlite --object-type orders --confidence 0.99 --sigma none --json
    """
    from coseal.cli.data import bar
    from coseal.client.discovery import DEFAULT_TEMPLATES, Wanted
    from coseal.client.suggestions import suggest
    from coseal.contracts.rules.declare import TEMPLATES

    for name in template or ():
        if name not in TEMPLATES:
            raise typer.BadParameter(f"'{name}' is none of {', '.join(TEMPLATES)}", param_hint="--template")
    wanted = Wanted(
        templates=tuple(template or DEFAULT_TEMPLATES),
        support=_part(support, "--support", 1),
        confidence=_part(confidence, "--confidence", 1),
        sigma=None if sigma == "none" else _part(sigma, "--sigma", 100),
        limit=limit,
        weaker=weaker,
    )
    with printed_findings(as_json=as_json), bar(quiet=as_json) as report:
        report("reading the log", 0, 1)
        read = read_given(log, format, mapping, zone)
        report("reading the log", 1, 1)
        found = suggest(read, log.name, wanted, report, object_type=object_type, basis=basis)
    if out is not None:
        out.write_text(json.dumps(found.rules(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(_suggested_json(found))
    else:
        _print_suggested(found, out)


def _part(text: str, option: str, most: int) -> Fraction:
    """Return a decimal text of 0 to ``most`` exactly."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    if not 0 <= value <= most:
        raise typer.BadParameter(f"expected a number from 0 to {most}", param_hint=option)
    return value


def _suggested_json(found: Suggestions) -> dict[str, Any]:
    return {
        "object_type": found.object_type,
        "cases": found.cases,
        "events": found.events,
        "found": found.found,
        "rules": [suggestion.to_json() for suggestion in found.suggestions],
    }


def _print_suggested(found: Suggestions, out: Path | None) -> None:
    table = plain_table("rule", "support", "confidence", "title")
    for suggestion in found.suggestions:
        counted = suggestion.candidate
        held = 100 * counted.confidence / counted.support
        share = f"{100 * counted.support / found.cases:.1f}%"
        table.add_row(suggestion.rule["id"], share, f"{held:.1f}%", suggestion.rule["title"])
    table.print()
    left = found.found - len(found.suggestions)
    more = f"; {left} more with a greater --limit" if left else ""
    typer.echo(
        f"{len(found.suggestions)} rules for {found.object_type}, {found.cases} cases, {found.events} events{more}"
    )
    if out is None:
        typer.echo("--out RULES.json writes them as a rule file")
    else:
        typer.echo(f"{out}: read and edit it, then `coseal rules propose {out} --trial 14d --as ..` tries it")


def _check_json(verdict: RuleCheck) -> dict[str, Any]:
    rows = []
    for entry in verdict.rules:
        row: dict[str, Any] = {"id": entry.id, "ok": not entry.errors}
        if entry.rule is not None:
            rule = entry.rule
            row |= {"version": rule.version, "kind": rule.kind, "cost": rule.cost, "tests": len(rule.tests)}
        row["errors"] = [
            {"path": error.path, "position": error.position, "reason": error.reason} for error in entry.errors
        ]
        rows.append(row)
    return {
        "ok": verdict.ok,
        "cost": sum(row.get("cost", 0) for row in rows),
        "rules": rows,
        "refused": [{"code": refusal.code, "detail": refusal.detail} for refusal in verdict.refused],
        "unchecked": list(verdict.unchecked),
    }


def _print_checked(verdict: RuleCheck) -> None:
    checked = verdict.rules
    table = plain_table("rule", "version", "kind", "effect", "cost", "tests", "")
    for entry in checked:
        rule, errors = entry.rule, "\n".join(map(str, entry.errors))
        words = as_it_is(errors, "red") if errors else as_it_is("ok", "green")
        if rule is None:
            table.add_row(entry.id, "", "", "", "", "", words)
        else:
            facts = (str(rule.version), rule.kind, rule.effect, str(rule.cost), str(len(rule.tests)))
            table.add_row(entry.id, *facts, words)
    table.print()
    refused = sum(entry.index in verdict.named or bool(entry.errors) for entry in checked)
    total = sum(entry.rule.cost for entry in checked if entry.rule is not None)
    typer.echo(f"{len(checked)} rules, {refused} refused; in the worst case an event takes {total} steps")
    for refusal in verdict.refused:
        typer.secho(f"refused  {refusal.code}: {refusal.detail}", fg="red")
    for text in verdict.unchecked:
        typer.echo(f"not checked: {text}")
    if not verdict.typed and any(entry.errors and entry.rule is not None for entry in checked):
        typer.echo("without --type every attribute is what JSON makes of it, a time a text; give the process type:")
        typer.echo("  coseal rules check RULES.json --type TYPE.json  (the arguments of process.define_type)")
    elif verdict.unchecked:
        typer.echo("--dir DIR or --url URL checks against a running network")


def _print_tried(tried: Tried, *, with_cases: bool) -> None:
    from coseal.client.languages import reader_language, title_of

    result, language = tried.result, reader_language()
    table = plain_table("rule", "satisfied", "pending", "pending violating", "violated", "undetermined", "title")
    for row in result.rules:
        counts = [len(ids) for ids in row.cases.values()]
        colours = ("", "", "yellow", "red", "magenta")
        cells = [as_it_is(str(count), colour if count else "") for colour, count in zip(colours, counts, strict=True)]
        table.add_row(row.rule.id, *cells, title_of(row.rule.data, language, row.rule.id))
    table.print()
    unseen = f" ({result.without_events} more objects have no event)" if result.without_events else ""
    typer.echo(f"{result.cases} cases{unseen}, {result.events} events")
    for warning in tried.warnings:
        typer.secho(f"warning: {warning}", fg="yellow")
    if with_cases:
        for row in result.rules:
            for verdict, ids in row.cases.items():
                if ids and verdict not in ("satisfied", "pending"):
                    typer.echo(f"{row.rule.id} {verdict}: {', '.join(ids)}")
