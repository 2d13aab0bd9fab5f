"""Commands that hold a log against a process model, and open findings about the cases that deviate.

Law: the report says with which model, log and release it was made; a finding names the report by its digest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.findings import findings_app, print_step
from coseal.cli.imports import FormatOption, MapOption, ZoneOption, printed_findings, read_given
from coseal.cli.rules import rules_app
from coseal.cli.sending import act
from coseal.cli.shared import JsonOption, SenderOption, acting, plain_table, print_json, progress_bar
from coseal.errors import EXIT_BAD, EXIT_OK

if TYPE_CHECKING:
    from coseal.client.conformance import Conformance, Report
    from coseal.network.access import Access

_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the groups that they belong to."""
    rules_app.command("conform")(conform)
    findings_app.command("open-reported")(open_reported)


def conform(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The log; .gz is unpacked.")],
    model: Annotated[
        Path, typer.Option("--model", metavar="FILE", help="A Petri net in PNML, or a process in BPMN 2.0.")
    ],
    format: FormatOption = None,
    mapping: MapOption = None,
    zone: ZoneOption = None,
    object_type: Annotated[
        str | None,
        typer.Option("--object-type", metavar="TYPE", help="Whose events to align.", show_default="the only one"),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.json", help="Write what was found, for open-reported.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a log against a process model: which cases fit, and where the others deviate.

    Each case is aligned with the model at least cost: an event that the model does not have there is extra, an activity
    that did not happen is missing. Exit code 1 if a case deviates or could not be decided.

    Examples:

      coseal rules conform receipt.xes.gz --model receipt.pnml

      coseal rules conform orders.jsonocel --model order.bpmn --object-type orders --report deviations.json
    """
    from coseal.client import conformance
    from coseal.formats.importers.model import read_model

    with printed_findings(as_json=as_json):
        net = read_model(model)
        read = read_given(log, format, mapping, zone)
    kind = conformance.only_type(read, object_type)
    with progress_bar() as bar:
        task = bar.add_task("variants", total=None)
        found = conformance.conform(net, read, kind, lambda done, total: bar.update(task, completed=done, total=total))
    document = conformance.report(found, model, log)
    if report is not None:
        report.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        _print_found(found)
        if report is not None:
            typer.echo(
                f"{report}: written; `coseal findings open-reported {report} ..` opens findings about these cases"
            )
    raise typer.Exit(EXIT_BAD if found.deviating or found.undetermined else EXIT_OK)


def _print_found(found: Conformance) -> None:
    table = plain_table(found.object_type, "deviations", "")
    for one in found.deviating[:_SHOWN]:
        texts = one.deviations
        table.add_row(one.case, str(len(texts)), "\n".join(texts))
    if found.deviating:
        table.print()
    if len(found.deviating) > _SHOWN:
        typer.echo(f"and {len(found.deviating) - _SHOWN} more: --json or --report has all")
    fitting = len(found.cases) - len(found.deviating) - len(found.undetermined)
    typer.echo(
        f"{len(found.cases)} cases: {fitting} fit, {len(found.deviating)} deviate{_undecided(found)}{_fitness(found)}"
    )
    if found.unknown:
        typer.echo(f"the model has no activity {', '.join(found.unknown)}")


def _undecided(found: Conformance) -> str:
    return f", {len(found.undetermined)} could not be decided" if found.undetermined else ""


def _fitness(found: Conformance) -> str:
    fitness = found.fitness
    if fitness is None or not fitness[1]:
        return ""
    return f"; fitness {1 - fitness[0] / fitness[1]:.4f}"


@acting
def open_reported(
    access: Access,
    file: Annotated[Path, typer.Argument(metavar="REPORT.json", help="What `rules conform --report` wrote.")],
    sender: SenderOption,
    process_type: Annotated[str, typer.Option("--process-type", metavar="TYPE", help="Where the cases are recorded.")],
    subject: Annotated[str, typer.Option("--subject", metavar="MEMBER", help="Who has to answer.")],
    basis: Annotated[
        list[str], typer.Option("--basis", metavar="POLICY", help="A policy of the register, or 'external: ...'.")
    ],
    severity: Annotated[str, typer.Option("--severity", help="notice, warning or violation.")] = "notice",
    as_json: JsonOption = False,
) -> None:
    """Open a finding about each case that deviates by a report; its digest is the evidence.

    Resumes where it stopped: a case with an open finding from the same report is skipped. A supervising member
    has at most 100 findings open that it opened by hand.

    Example:

      coseal findings open-reported deviations.json --process-type orders --subject enterprise-a
      --basis "external: procedure 4.2" --as regulator
    """
    from coseal.client.conformance import opened_by, read_report

    read: Report = read_report(file)
    opened, passed = 0, 0
    with access.client(sender) as client:
        for case in read.cases:
            if opened_by(client, read, process_type, case.case):
                passed += 1
                continue
            args = read.arguments(case, process_type, subject, severity, basis)
            if not as_json:
                typer.echo(f"{read.object_type} {case.case}")
            committed = act(access, client, "supervision", "open_case", args, as_json=as_json)
            print_step(committed, as_json=as_json)
            opened += 1
    if not as_json:
        typer.echo(f"{opened} opened, {passed} open already")
