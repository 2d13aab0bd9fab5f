"""Commands about credentials: a certified project shows to others' wallets what it chooses to.

Law: keys sign here; a node only shows what the ledger has, and that is verified before anything is written.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.shared import JsonOption, SenderOption, print_facts, print_json, reaching, save_document
from coseal.errors import CosealError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coseal.audit.verify import Verification
    from coseal.ledger.genesis import Genesis
    from coseal.network.access import Access

OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write, for `coseal verify`.")]
TextOption = Annotated[
    Path | None, typer.Option("--sd-jwt", metavar="FILE", help="Also write the bare SD-JWT there, for a wallet.")
]
UriOption = "Where the issuer publishes its status list."


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("credential")(credential)
    app.command("present")(present)
    app.command("status-list")(status_list)


@reaching
def credential(
    access: Access,
    certificate: Annotated[str, typer.Argument(metavar="CERTIFICATE", help="The certificate, such as C1.")],
    sender: SenderOption,
    out: OutOption,
    holder: Annotated[
        str | None,
        typer.Option(
            "--holder", metavar="MEMBER/USER", help="Whose key it is bound to; default: the applicant's admin."
        ),
    ] = None,
    status_uri: Annotated[str | None, typer.Option("--status-uri", metavar="URI", help=UriOption)] = None,
    text: TextOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a certificate in force as a credential for wallets (SD-JWT VC), as a body of its scheme.

    The file has the credential and beside it what the ledger proves of the certificate, the issuer's and the holder's
    key: `coseal verify` needs no node. It is for the holder, who discloses of it what it chooses to (`present`).

    Examples:

      coseal certification credential C1 --as regulator --out credential.json

      coseal verify credential.json --genesis genesis.json
    """
    from coseal.client.credentials import Issuer, issue
    from coseal.contracts.membership.state import operator_key

    with access.client() as client:
        found = client.certificate(certificate)
        who, signer = access.identity(sender, client.genesis)
        bound = holder or f"{found.facts['applicant']}/admin"
        proofs = [client.state_document(operator_key(each)) for each in (who, bound)]
        issuer = Issuer(who, signer, proofs[0])
        made = issue(issuer, proofs[1], found.document, found.facts, client.genesis, status_uri=status_uri)
        _save(made, client.genesis, out, text, as_json=as_json)


@reaching
def present(
    access: Access,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The credential, as its issuer wrote it.")],
    out: OutOption,
    disclose: Annotated[
        list[str] | None, typer.Option("--disclose", metavar="CLAIM", help="A claim to disclose; may be repeated.")
    ] = None,
    audience: Annotated[str, typer.Option("--audience", metavar="URI", help="For whom it is, as they said it.")] = "",
    nonce: Annotated[str, typer.Option("--nonce", metavar="TEXT", help="What they gave to be signed.")] = "",
    sender: Annotated[
        str | None, typer.Option("--as", metavar="MEMBER[/USER]", help="Its holder, whose key signs the nonce.")
    ] = None,
    word_alone: Annotated[
        bool, typer.Option("--word-alone", help="Leave out what the ledger proves, which shows all of the certificate.")
    ] = False,
    text: TextOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a credential that discloses the claims of --disclose and no others, signed for one reader if asked.

    Asks no node. Beside the credential is the ledger's proof, which shows the whole certificate; --word-alone leaves it
    out, and what remains is the issuer's word.

    Examples:

      coseal certification present credential.json --disclose title --disclose score --word-alone --out shown.json

      coseal certification present credential.json --disclose score --audience https://bank.example --nonce n-0S6
      --as enterprise-a --out shown.json
    """
    from coseal.client.credentials import present as presented

    genesis = access.load_genesis()
    document = _read(file, genesis)
    binding = None
    if sender is not None or audience or nonce:
        if sender is None or not audience or not nonce:
            raise CosealError("a signed presentation needs all three", "give --audience, --nonce and --as")
        binding = (access.identity(sender, genesis)[1], audience, nonce, time.time_ns() // 10**9)
    made = presented(document, disclose or (), binding=binding, with_proof=not word_alone)
    _save(made, genesis, out, text, as_json=as_json)


@reaching
def status_list(
    access: Access,
    sender: SenderOption,
    uri: Annotated[str, typer.Option("--uri", metavar="URI", help=UriOption)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Sign which certificates are valid, ended or suspended, each proven, as a token status list for wallets.

    Publish the file at the URI that credentials name, and write it again when a certificate changes, or daily.

    Example:

      coseal certification status-list --as regulator --uri https://regulator.example/status --out status.jwt
    """
    from coseal.client.credentials import status_list as listed

    with access.client() as client:
        identity = access.identity(sender, client.genesis)
        token = client.run(listed(client.session, identity, uri))
        height = client.session.height
    _write(out, token)
    if as_json:
        print_json({"ok": True, "file": str(out), "bytes": len(token), "height": height})
        return
    typer.secho(f"{out}: the statuses as of block {height}, signed by {identity[0]}", fg="green")


def _read(file: Path, genesis: Genesis) -> Mapping[str, Any]:
    """Return the document of a credential that verifies; raise ``CosealError`` for any other."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CosealError(f"{file}: {error.strerror}") from None
    found = _verified(raw, genesis)
    if found.kind != "credential" or not found.ok:
        raise CosealError(f"{file}: {found.reason}", "give the file that `coseal certification credential` wrote")
    document: dict[str, Any] = json.loads(raw)
    return document


def _save(made: Mapping[str, Any], genesis: Genesis, out: Path, text: Path | None, *, as_json: bool) -> None:
    found = _verified(json.dumps(made).encode(), genesis)
    if not found.ok:
        raise CosealError(f"nothing is written: {found.reason}")
    if text is not None:
        _write(text, made["credential"])

    def show() -> None:
        typer.echo(f"  {found.reason}")
        claims = found.facts.get("claims")
        print_facts({"disclosed": found.facts["disclosed"]} if claims is None else {"claims": list(claims)})

    save_document(out, made, found.facts, show, as_json=as_json)


def _verified(raw: bytes, genesis: Genesis) -> Verification:
    from coseal.audit.verify import verify_bytes

    return verify_bytes(raw, genesis)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise CosealError(f"{file}: {error.strerror}") from None
