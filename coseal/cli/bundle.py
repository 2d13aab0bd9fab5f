"""The command that puts the evidence of one case into one file: bundle.

Law: what is written was verified first, as its receiver will.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli.shared import (
    JsonOption,
    reaching,
    save_document,
)

if TYPE_CHECKING:
    from coseal.network.access import Access


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("bundle")(bundle)


@reaching
def bundle(
    access: Access,
    case: Annotated[
        str, typer.Argument(metavar="OBJECT|FINDING", help="PROCESSTYPE/OBJECTTYPE/ID, or a finding such as F12.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Write the evidence of one case into one file, which `coseal verify` checks without any node.

    It holds all items of the object with the proof that they are all, the signed transactions that recorded them, the
    rules in force with their legal basis and the policies' text digests, every finding with its whole trail, and the
    validators' signatures over all of it.

    Examples:

      coseal bundle traffic-fines/fine/A100 --out a100.json

      coseal bundle F12 --out f12.json --node regulator

      coseal verify f12.json --genesis genesis.json
    """
    from coseal.audit.bundle import verify_bundle
    from coseal.cli.audit import print_steps
    from coseal.client import bundle as bundles

    bundles.require_object(case)
    with access.client() as client:
        document = bundles.collect(client, bundles.name_of(client, case))
        report = verify_bundle(document, client.genesis)
    save_document(out, document, report.facts, lambda: print_steps(report.steps), as_json=as_json)
