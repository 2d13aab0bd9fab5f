"""The command that records a log: import.

Law: a log with a fault is not recorded at all; a log that is recorded already is not recorded twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import (
    JsonOption,
    SenderOption,
    plain_table,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.client.log_recording import Progress, Recorded
    from coseal.formats.importers.log import BadLog, Log
    from coseal.network.access import Access


class Format(StrEnum):
    """The formats that can be read."""

    ocel_json = "ocel-json"
    ocel_sqlite = "ocel-sqlite"
    ocel_xml = "ocel-xml"
    ocel1_json = "ocel1-json"
    ocel1_xml = "ocel1-xml"
    xes = "xes"
    cloudevents = "cloudevents"
    ubl = "ubl"
    cii = "cii"
    pain_001 = "pain.001"
    pacs_008 = "pacs.008"
    pacs_009 = "pacs.009"
    csv = "csv"


class Ambiguous(StrEnum):
    """What to do with a local time that came twice."""

    refuse = "refuse"
    earlier = "earlier"
    later = "later"


class LogAttributes(StrEnum):
    """What to do with the attributes of an XES log itself."""

    keep = "keep"
    leave_out = "leave-out"


FormatOption = Annotated[
    Format | None, typer.Option("--format", help="The log's format.", show_default="by its content")
]
MapOption = Annotated[Path | None, typer.Option("--map", metavar="FILE.toml", help="How a CSV log's columns are read.")]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone",
        metavar="ZONE",
        help="The zone of times without an offset: an offset as +08:00, or a region as Europe/Rome.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import")(import_log)


@reaching
def import_log(
    access: Access,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The log; .gz is unpacked.")],
    sender: SenderOption,
    format: Annotated[
        Format | None, typer.Option("--format", help="The file's format.", show_default="by its content")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", metavar="FILE.toml", help="What it is called, and how columns are read.")
    ] = None,
    zone: ZoneOption = None,
    ambiguous: Annotated[
        Ambiguous | None,
        typer.Option(
            "--ambiguous",
            help="With a region as zone: which one is meant of a local time that came twice.",
            show_default="refuse",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", metavar="NAME", help="CSV: how its text is encoded.", show_default="utf-8"),
    ] = None,
    timestamp_format: Annotated[
        str | None,
        typer.Option("--timestamp-format", metavar="FORMAT", help='CSV: how times are written, as "%d/%m/%Y %H:%M".'),
    ] = None,
    decimal: Annotated[
        str | None,
        typer.Option("--decimal", metavar="MARK", help="CSV: the decimal mark, . or a comma.", show_default="."),
    ] = None,
    log_attributes: Annotated[
        LogAttributes | None,
        typer.Option("--log-attributes", help="XES: what the log says of itself.", show_default="keep"),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1_000, help="Items under one signature.")] = 500,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and check the file.")] = False,
    print_type: Annotated[
        bool, typer.Option("--print-type", help="Only read and check the file, and print its process type.")
    ] = False,
    define_only: Annotated[
        bool, typer.Option("--define-only", help="Define the process type and register the source; record nothing yet.")
    ] = False,
    seal: Annotated[
        str | None,
        typer.Option(
            "--seal",
            metavar="VAULT",
            help="Seal into this vault what the map's table [seal] names; see docs/vaults.md.",
        ),
    ] = None,
    linked: Annotated[
        bool, typer.Option("--linked", help="pain.001, pacs.008: pay all of a group, or none of it.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="pain.001, pacs.008: write a pain.002 there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Record an event log as a source of a member, strictly; or pay what a file of payments asks for.

    The file is read whole and checked first: dangling references, undeclared types, duplicate ids, values that do not
    fit, times without an offset are reported by path and count, with exit code 1 and nothing recorded. A second run
    records nothing twice, an interrupted one continues where it stopped.

    Payments (pain.001, pacs.008) become a batch for each group; what the wallet's statement shows as paid already is
    not paid again. A reserve instruction (pacs.009) is recorded as a log is.

    With --seal the values of sealed attributes leave this machine encrypted, and the chain has commitments to them;
    what is recorded already is then counted, not compared.

    With --define-only rules for its process type can be in force before the first item is recorded. --print-type
    prints the definition as `coseal submit process.define_type --data` takes it.

    A CSV file needs a map, e.g.

      process_type = "fines"

      case = "case_id"

      activity = "activity"

      timestamp = "timestamp"

      attributes = { amount = "decimal" }

      ignore = ["row"]

    Examples:

      coseal import log.jsonocel --as enterprise-a

      coseal import fines.csv.gz --map fines.toml --as enterprise-a --zone Europe/Rome

      coseal import log.xes.gz --as enterprise-a --define-only

      coseal import loans.csv --map loans.toml --seal loans --as bank-a

      coseal import salaries.xml --format pain.001 --report report.xml --as enterprise-a
    """
    if format in (Format.pain_001, Format.pacs_008):
        if seal is not None:
            raise CosealError("--seal is for logs", "payments are recorded in the clear")
        from coseal.cli.payments import import_payments

        with printed_findings(as_json=as_json):
            import_payments(
                access, file, format.value, sender, linked=linked, report=report, dry_run=dry_run, as_json=as_json
            )
        return
    from coseal.formats.importers.log import BadLog
    from coseal.formats.importers.mapping import Options, load_mapping
    from coseal.formats.importers.reader import read_log

    if dry_run + print_type + define_only > 1:
        raise CosealError("--dry-run, --print-type and --define-only are one choice", "give one of them")
    kept = log_attributes.value if log_attributes else None
    options = Options(zone, ambiguous.value if ambiguous else None, encoding, timestamp_format, decimal, kept)
    try:
        named = format.value if format else None
        log = read_log(file, load_mapping(mapping, file, options=options), named, sealing=seal is not None)
    except BadLog as error:
        print_findings(error, as_json=as_json)
        raise typer.Exit(EXIT_BAD) from None
    if dry_run:
        _print_counts(log, as_json=as_json)
        return
    if print_type:
        print_json(log.definition)
        return
    from coseal.client.log_recording import Recorder
    from coseal.sealing.secrets import beside

    with access.client(sender) as client:
        if define_only:
            Recorder(client, log).prepare()
            _print_defined(log, sender, as_json=as_json)
            return
        recorder = Recorder(client, log, batch_items=batch)
        sealing = partial(recorder.seal, beside(access.key_path(str(client.sender))), seal or "")
        run = recorder.run if seal is None else sealing
        recorded = run_with_bar(run, len(log.items), file.name, quiet=as_json)
    _print_recorded(recorded, log, seal, as_json=as_json)


def run_with_bar(run: Callable[[Progress | None], Recorded], total: int, title: str, *, quiet: bool) -> Recorded:
    """Record under a progress bar on stderr, if a person is looking."""
    if quiet or not sys.stderr.isatty():
        return run(None)
    from coseal.cli.shared import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(title, total=total)
        return run(lambda done, _: bar.update(task, completed=done))


def read_given(log: Path, format: Format | None, mapping: Path | None, zone: str | None) -> Log:
    """Return the log that the options of a command name; raise ``BadLog`` with what is wrong with it."""
    from coseal.formats.importers.mapping import load_mapping
    from coseal.formats.importers.reader import read_log

    return read_log(log, load_mapping(mapping, log, zone), format.value if format else None)


@contextmanager
def printed_findings(*, as_json: bool) -> Iterator[None]:
    """Print what is wrong with a file that is not imported, and end the command."""
    from coseal.formats.importers.log import BadLog

    try:
        yield
    except BadLog as error:
        print_findings(error, as_json=as_json)
        raise typer.Exit(EXIT_BAD) from None


def print_findings(error: BadLog, *, as_json: bool) -> None:
    """Print why a log is not read."""
    if as_json:
        findings = [
            {
                "code": finding.code,
                "count": finding.count,
                "examples": [{"path": path, "detail": detail} for path, detail in finding.examples],
                **({"advice": finding.advice} if finding.advice else {}),
            }
            for finding in error.findings
        ]
        print_json({"ok": False, "recorded": 0, "findings": findings})
        return
    table = plain_table("finding", "count", "first ones")
    table.set_title(error.detail)
    for finding in error.findings:
        table.add_row(
            finding.code, str(finding.count), "\n".join(f"{path}: {detail}" for path, detail in finding.examples)
        )
    table.print()
    for advice in dict.fromkeys(finding.advice for finding in error.findings if finding.advice):
        codes = ", ".join(finding.code for finding in error.findings if finding.advice == advice)
        typer.echo(f"  {codes}: {advice}")


def _print_counts(log: Log, *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": True, "recorded": 0, "items": len(log.items), **log.counts(), "notes": list(log.notes)})
    else:
        typer.echo(f"the file is good: {_items(len(log.items))}, {_words(log)}")
        _print_notes(log)


def _print_defined(log: Log, sender: str, *, as_json: bool) -> None:
    source, process_type = f"{sender.partition('/')[0]}/{log.source['id']}", log.definition["id"]
    if as_json:
        print_json(
            {"ok": True, "recorded": 0, "process_type": process_type, "source": source, "notes": list(log.notes)}
        )
        return
    typer.secho(f"process type {process_type} is defined, source {source} registered; nothing is recorded", fg="green")
    typer.echo(f"  {_items(len(log.items))} to record, {_words(log)}: the same command without --define-only")
    _print_notes(log)


def _print_recorded(recorded: Recorded, log: Log, vault: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "ok": True,
                "source": recorded.source,
                "process_type": recorded.process_type,
                "recorded": recorded.added,
                "before": recorded.before,
                "sequence": recorded.sequence,
                "head": recorded.head.hex(),
                "height": recorded.height,
                "items": len(log.items),
                **log.counts(),
                **({} if vault is None else {"vault": vault}),
                "notes": list(log.notes),
            }
        )
        return
    typer.secho(f"recorded {_items(recorded.added)} as {recorded.source} ({_words(log)})", fg="green")
    if recorded.before:
        compared = "are the file's" if vault is None else "were not compared: what is sealed has salts of its own"
        typer.echo(f"  {recorded.before} were there already and {compared}")
    typer.echo(f"  sequence {recorded.sequence} at height {recorded.height}, chain head {recorded.head.hex()}")
    if vault is None:
        typer.echo("  verified here: the certified head covers exactly the file's items")
    else:
        typer.echo(
            f"  sealed into {vault}; `coseal disclosure read PROCESSTYPE/OBJECTTYPE/ID` opens an object's values"
        )
    _print_notes(log)


def _print_notes(log: Log) -> None:
    for note in log.notes:
        typer.echo(f"  note: {note}")


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _words(log: Log) -> str:
    counts = {name: count for name, count in log.counts().items() if count}
    named = (f"1 {name.removesuffix('s')}" if count == 1 else f"{count} {name}" for name, count in counts.items())
    return ", ".join(named) or "nothing to record"
