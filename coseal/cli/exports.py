"""The command that writes what is recorded into a file others read: export.

Law: the file holds what the validators certified and nothing else; what its format cannot hold is said.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import (
    JsonOption,
    SenderOption,
    print_json,
    reaching,
)
from coseal.errors import CosealError

if TYPE_CHECKING:
    from coseal.audit.sources import Source
    from coseal.formats.exporters.chain import ProcessRecord
    from coseal.formats.exporters.export import Export
    from coseal.ledger.genesis import Genesis
    from coseal.network.access import Access


class ExportFormat(StrEnum):
    """The formats that can be written."""

    ocel_json = "ocel-json"
    ocel_sqlite = "ocel-sqlite"
    ocel_xml = "ocel-xml"
    xes = "xes"
    csv = "csv"
    parquet = "parquet"
    camt_053 = "camt.053"
    camt_054 = "camt.054"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("export")(export_log)


@reaching
def export_log(
    access: Access,
    format: Annotated[
        ExportFormat,
        typer.Argument(metavar="FORMAT", help="ocel-json|ocel-sqlite|ocel-xml|xes|csv|parquet|camt.053|camt.054"),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file; FILE.manifest.json is written beside.")],
    sender: SenderOption,
    process_type: Annotated[
        str | None,
        typer.Option("--process-type", metavar="T", help="Which process.", show_default="the only one there is"),
    ] = None,
    object_type: Annotated[
        str | None,
        typer.Option("--object-type", metavar="T", help="XES, CSV: whose cases.", show_default="the only one there is"),
    ] = None,
    height: Annotated[
        int | None, typer.Option("--height", min=1, metavar="H", help="Up to this block.", show_default="the tip")
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Every item as it was recorded: corrections are items of their own.")
    ] = False,
    wallet: Annotated[
        str | None, typer.Option("--wallet", metavar="WALLET", help="camt.053, camt.054: whose statement.")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="camt.053, camt.054: of this month alone.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that is recorded of a process as an event log, with a signed manifest; or a wallet's statement.

    Every block is checked from the genesis on, so the file holds what was certified. The same process up to the same
    height gives the same bytes; `coseal verify FILE.manifest.json` checks them offline. XES and CSV hold the cases of
    one object type, Parquet all events; what a format cannot hold is counted under `leaves_out`. A correction stands
    in the place of what it corrects, as rules judge it; with --recorded every item stands as it was recorded.

    camt.053 and camt.054 are of a wallet, with the document beside them that proves them complete; nothing is signed.

    Examples:

      coseal export ocel-json --out fines.json --process-type traffic-fines --as regulator

      coseal export xes --out fines.xes --object-type case --height 1200 --as regulator

      coseal export camt.053 --wallet bank-a/enterprise-a --month 2026-03 --out march.xml --as enterprise-a
    """
    if format in (ExportFormat.camt_053, ExportFormat.camt_054):
        from coseal.cli.payments import export_account

        export_account(access, format.value, wallet, month, month, out, as_json=as_json)
        return
    from coseal.audit.sources import UrlSource
    from coseal.contracts.membership.state import operator_key
    from coseal.formats.exporters.export import export, manifest

    trusted = access.load_genesis()
    full_sender, signer = access.identity(sender, trusted)
    url, token = access.find(trusted, full_sender.partition("/")[0])
    source = UrlSource(url, token=token)
    record = _read_with_bar(source, trusted, process_type, height, quiet=as_json)
    made = export(record, format.value, object_type, recorded=recorded)
    registration = None
    if not _is_founder(trusted, full_sender, signer.public_key):
        with access.client() as client:
            registration = client.state_document(operator_key(full_sender))
    signed = manifest(made, out.name, trusted.chain_id, full_sender, signer, registration)
    beside = out.with_name(out.name + ".manifest.json")
    try:
        out.write_bytes(made.data)
        beside.write_bytes(signed)
        if made.map_text is not None:
            out.with_name(out.name + ".map.toml").write_text(made.map_text, encoding="utf-8")
    except OSError as error:
        raise CosealError(f"{error.filename}: {error.strerror}") from None
    _print(made, out, beside, full_sender, as_json=as_json)


def _is_founder(genesis: Genesis, sender: str, key: bytes) -> bool:
    """Say whether the genesis gives the sender this key."""
    operators = ((f"{member.id}/{one.user}", one.key) for member in genesis.members for one in member.operators)
    return (sender, key) in operators


def _read_with_bar(
    source: Source, genesis: Genesis, process_type: str | None, height: int | None, *, quiet: bool
) -> ProcessRecord:
    """Read the process under a progress bar on stderr, if a person is looking."""
    from coseal.formats.exporters.chain import read_process

    if quiet or not sys.stderr.isatty():
        return read_process(source, genesis, process_type, height)
    from coseal.cli.shared import progress_bar

    with progress_bar() as bar:
        task = bar.add_task("blocks", total=None)
        return read_process(
            source, genesis, process_type, height, lambda done, goal: bar.update(task, completed=done, total=goal)
        )


def _print(made: Export, out: Path, beside: Path, sender: str, *, as_json: bool) -> None:
    facts = made.facts
    if as_json:
        names = ("format", "view", "process_type", "heights", "items", "counts", "leaves_out")
        shown = {name: facts[name] for name in names}
        print_json({"ok": True, "file": str(out), "manifest": str(beside), "bytes": len(made.data), **shown})
        return
    first, last = facts["heights"]
    typer.secho(f"{out}: {facts['items']} items of {facts['process_type']}, blocks {first} to {last}", fg="green")
    typer.echo(f"  {len(made.data)} bytes; {beside.name} signed by {sender}")
    for name, count in facts["leaves_out"].items():
        typer.echo(f"  left out by the format: {count} {name.replace('_', ' ')}")
