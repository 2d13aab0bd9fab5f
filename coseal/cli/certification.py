"""Commands about certification: check an argument, write it in another form, put it on a ledger and seal it.

Law: what is said of an argument is what the ledger's own functions say; what is sealed is what the file has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli import credentials, panels
from coseal.cli.sending import act
from coseal.cli.shared import (
    Commands,
    JsonOption,
    SenderOption,
    acting,
    plain_table,
    print_json,
    reaching,
    save_document,
    visible,
)
from coseal.errors import EXIT_BAD, EXIT_OK, BadAnswer

if TYPE_CHECKING:
    from coseal.client.certification import Checked
    from coseal.contracts.certification.argument import Fault
    from coseal.network.access import Access

_CONTRACT: Final = "certification"


class _Certification(Commands):
    """The commands of this module, and those of the contract's actions behind them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all of them."""
        own = super().list_commands(ctx)
        return [*own, *(name for name in self._verbs().list_commands(ctx) if name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command of this module, or that of an action."""
        return super().get_command(ctx, cmd_name) or self._verbs().get_command(ctx, cmd_name)

    @staticmethod
    def _verbs() -> Any:
        from coseal.cli import verbs

        return verbs.group(_CONTRACT)


certification_app = typer.Typer(
    cls=_Certification,
    no_args_is_help=True,
    help="Argue that a project is rational, and judge it: arguments, panels, reviews, decisions.",
)

ArgumentFile = Annotated[Path, typer.Argument(metavar="FILE", help="An argument: LTAC text, or nodes as JSON.")]
ProjectOption = Annotated[str, typer.Option("--project", metavar="PROJECT", help="The id it was applied for under.")]
_SHIPPED: Final = ("rationality",)
_SHOWN: Final = 12


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    certification_app.command("check")(check)
    certification_app.command("convert")(convert)
    certification_app.command("argue-file")(argue_file)
    certification_app.command("seal-file")(seal_file)
    certification_app.command("export")(export)
    credentials.register(certification_app)
    panels.register(certification_app)
    app.add_typer(certification_app, name=_CONTRACT)


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


@reaching
def argue_file(
    access: Access, file: ArgumentFile, project: ProjectOption, sender: SenderOption, as_json: JsonOption = False
) -> None:
    """Make a project's argument on the ledger that of a file: add, replace and drop nodes, as far as they differ.

    Evidence gets the SHA-256 of its file, as `check` computes it. A run that was interrupted continues where it
    stopped.

    Example:

      coseal certification argue-file clearing.ltac --project clearing --as enterprise-a
    """
    from coseal.client import certification

    written, wrong = certification.grounded(certification.read_argument(file), file.parent)
    _require(wrong)
    with access.client(sender) as client:
        parts = certification.differences(client, project, written)
        for part in parts:
            client.submit_any(_CONTRACT, "argue", part).require_ok()
    sent, dropped = (sum(len(part[name]) for part in parts) for name in ("nodes", "drop"))
    if as_json:
        print_json({"project": project, "nodes": len(written.nodes), "sent": sent, "dropped": dropped})
    else:
        typer.echo(f"{project}: {len(written.nodes)} nodes; {sent} sent, {dropped} dropped")


@acting
def seal_file(
    access: Access, file: ArgumentFile, project: ProjectOption, sender: SenderOption, as_json: JsonOption = False
) -> None:
    """Seal a project's argument, if the one on the ledger is that of a file; it changes no more.

    Example:

      coseal certification seal-file clearing.ltac --project clearing --as enterprise-a
    """
    from coseal.client import certification
    from coseal.contracts.certification.kept import root_of_written

    written, wrong = certification.grounded(certification.read_argument(file), file.parent)
    _require(wrong)
    args = {"project": project, "count": len(written.nodes), "root": root_of_written(written.nodes)}
    with access.client(sender) as client:
        committed = act(access, client, _CONTRACT, "seal", args, as_json=as_json).require_ok()
    if as_json:
        print_json({**committed.receipt.data, "height": committed.height})
    else:
        typer.echo(f"{project}: {len(written.nodes)} nodes sealed in block {committed.height}, root {args['root']}")


def _require(wrong: Sequence[Fault]) -> None:
    """Refuse evidence whose files are not those that were written down."""
    if wrong:
        raise BadAnswer("\n".join(f"{fault.node}: {fault.detail}" for fault in wrong), "write down the present digest")


def _criteria(name: str | None, kind: str | None) -> list[str]:
    """Return the criteria of a shipped scheme or of one in a file that a project of a kind must meet."""
    if name is None:
        if kind is not None:
            raise typer.BadParameter("it needs --scheme", param_hint="--kind")
        return []
    from coseal.client.certification import read_scheme
    from coseal.contracts.certification.scheme import applying, kinds_of
    from coseal.demo.examples import example

    found = read_scheme(example(f"{_CONTRACT}/{name}.json") if name in _SHIPPED else Path(name))
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


@reaching
def export(
    access: Access,
    certificate: Annotated[str, typer.Argument(metavar="CERTIFICATE", help="The certificate, such as C1.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Write a certificate in force into one file, which `coseal verify` checks without any node.

    It holds the argument, who was drawn for the panel and by which seeds, all reviews and the validators' signatures;
    `coseal verify` works out again what they come to. It is of the newest block and says nothing of later ones.

    Examples:

      coseal certification export C1 --out certificate.json

      coseal verify certificate.json --genesis genesis.json
    """
    with access.client() as client:
        found = client.certificate(certificate)
    save_document(out, found.document, found.facts, lambda: typer.echo(f"  {found.reason}"), as_json=as_json)
