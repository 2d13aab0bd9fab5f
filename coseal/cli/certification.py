"""Commands about certification that need no network: check an argument, write it in another form.

Law: what these say of an argument is what the ledger's own functions say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.shared import Commands, JsonOption, plain_table, print_json, visible
from coseal.errors import EXIT_BAD, EXIT_OK

if TYPE_CHECKING:
    from coseal.client.certification import Checked
    from coseal.contracts.certification.argument import Fault

certification_app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Check the argument that a project is rational, before it is certified."
)

ArgumentFile = Annotated[Path, typer.Argument(metavar="FILE", help="An argument: LTAC text, or nodes as JSON.")]
_SHIPPED: Final = ("rationality",)
_SHOWN: Final = 12


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    certification_app.command("check")(check)
    certification_app.command("convert")(convert)
    app.add_typer(certification_app, name="certification")


def check(
    file: ArgumentFile,
    scheme: Annotated[
        str | None, typer.Option("--scheme", metavar="NAME", help="Whose criteria: rationality, or a file.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="The project's, as criteria name it: public_chain.")
    ] = None,
    refute: Annotated[
        list[str] | None, typer.Option("--refute", metavar="ID", help="A leaf taken as refuted; may be repeated.")
    ] = None,
    no_files: Annotated[
        bool, typer.Option("--no-files", help="Check the structure alone: evidence needs no digest.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check that an argument is well formed and has a bottom under every claim, and say what is open in it.

    Evidence counts by the SHA-256 of the file that it names, beside FILE, or by one written down. Then what stands is
    worked out as if all evidence were accepted: with --refute it is shown which claims fall with a leaf.
    Exit code 0: it may be sealed, and no claim falls; 1: it has faults, or a claim falls; 2: it cannot be read.

    Examples:

      coseal certification check examples/certification/clearing.ltac --scheme rationality --kind public_chain

      coseal certification check clearing.ltac --refute Default-Test --json
    """
    from coseal.client import certification
    from coseal.formats.ltac import BadText

    criteria = _criteria(scheme, kind)
    try:
        written = certification.read_argument(file)
    except BadText as error:
        if not as_json:
            raise
        faults = [{"line": line, "node": "", "code": "malformed", "detail": detail} for line, detail in error.faults]
        print_json({"ok": False, "faults": faults})
        raise typer.Exit(EXIT_BAD) from None
    wrong: Sequence[Fault] = ()
    if not no_files:
        written, wrong = certification.grounded(written, file.parent)
    found = certification.check_argument(written, criteria, refute or (), ungrounded=no_files)
    faults = [
        {"line": written.lines.get(each.node), "node": each.node, "code": each.code, "detail": each.detail}
        for each in (*found.faults, *wrong)
    ]
    if as_json:
        print_json(_document(found, faults))
    else:
        _print(file, found, faults)
    raise typer.Exit(EXIT_OK if found.consistent and not wrong else EXIT_BAD)


def convert(
    file: ArgumentFile,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; JSON if the name ends in .json.")],
) -> None:
    """Write an argument in the other form: LTAC text as nodes in JSON, or the other way. Nothing is lost but comments.

    Evidence keeps the places and digests that are written down; no file is hashed.

    Example:

      coseal certification convert case.ltac --out case.json
    """
    from coseal.client import certification

    written = certification.read_argument(file)
    text = certification.write_argument(written, as_json=out.suffix == certification.JSON)
    out.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(f"{out}: {len(written.nodes)} nodes")


def _criteria(name: str | None, kind: str | None) -> list[str]:
    """Return the criteria of a shipped scheme or of one in a file that a project of a kind must meet."""
    if name is None:
        if kind is not None:
            raise typer.BadParameter("it needs --scheme", param_hint="--kind")
        return []
    from coseal.client.certification import read_scheme
    from coseal.contracts.certification.scheme import applying, kinds_of
    from coseal.demo.examples import example

    found = read_scheme(example(f"certification/{name}.json") if name in _SHIPPED else Path(name))
    if kind is not None and kind not in kinds_of(found):
        raise typer.BadParameter(f"the scheme knows {', '.join(kinds_of(found)) or 'none'}", param_hint="--kind")
    return list(applying(found, kind))


def _document(found: Checked, faults: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ok": found.consistent and not faults,
        "nodes": len(found.argument.nodes),
        "trees": len(found.argument.tops),
        "kinds": _kinds(found),
        "faults": faults,
        "undeveloped": list(found.undeveloped),
        "open": list(found.open),
        "fallen": list(found.fallen),
        "unresolved": found.unresolved,
    }


def _kinds(found: Checked) -> dict[str, int]:
    return dict(sorted(Counter(node.kind for node in found.argument.nodes.values()).items()))


def _print(file: Path, found: Checked, faults: list[dict[str, Any]]) -> None:
    if faults:
        table = plain_table("line", "node", "fault", "")
        for fault in faults:
            table.add_row(str(fault["line"] or ""), fault["node"], fault["code"], fault["detail"])
        table.print()
    kinds = ", ".join(f"{count} {kind}" for kind, count in _kinds(found).items())
    trees = f"{len(found.argument.tops)} tree{'s' if len(found.argument.tops) != 1 else ''}"
    typer.echo(f"{file}: {len(found.argument.nodes)} nodes in {trees} ({kinds}); {len(faults)} faults")
    rows: Mapping[str, tuple[str, ...]] = {
        "undeveloped": found.undeveloped,
        "open": found.open,
        "fallen": found.fallen,
    }
    for name, ids in rows.items():
        if ids:
            more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
            typer.echo(visible(f"{name:<12}{len(ids)}: {', '.join(ids[:_SHOWN])}{more}"))
    if found.unresolved:
        typer.echo(f"not checked: {found.unresolved} evidence on a ledger, which takes a network")
