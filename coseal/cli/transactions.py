"""Commands about single transactions and what they made: submit, sign, show.

Law: what is shown as committed was verified here, against the genesis of the network's folder or of --genesis.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.as_of import other_node
from coseal.cli.sending import act
from coseal.cli.shared import (
    DirectoryOption,
    GenesisOption,
    JsonOption,
    KeyOption,
    MinHeightOption,
    SenderOption,
    acting,
    folder,
    print_json,
    reaching,
)
from coseal.errors import EXIT_BAD, BadAnswer, CosealError

if TYPE_CHECKING:
    from coseal.client.blocking import Client
    from coseal.client.transactions import Committed
    from coseal.network.access import Access


class Form(StrEnum):
    """How ``sign`` writes a transaction."""

    json = "json"
    base64 = "base64"
    msgpack = "msgpack"


class DocumentKind(StrEnum):
    """What ``show`` shows."""

    block = "block"
    tx = "tx"
    object = "object"
    policy = "policy"
    member = "member"
    rule = "rule"
    finding = "finding"
    evidence = "evidence"


ActionArgument = Annotated[str, typer.Argument(metavar="CONTRACT.ACTION", help="For example policy.publish.")]
WordsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="key=value", help="Arguments; key:=JSON for lists and maps.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="FILE", help="A JSON object of arguments; - reads standard input.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("submit")(submit)
    app.command("sign")(sign)
    app.command("show")(show)


@acting
def submit(
    access: Access,
    action: ActionArgument,
    sender: SenderOption,
    words: WordsArgument = None,
    data: DataOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the receipt there, for `coseal verify`.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the commit.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for the commit.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Sign a transaction, send it, wait for the commit, and print the verified receipt.

    Exit code 1 when the chain or the node refuses it, 2 when no commit was seen.

    Examples:

      coseal submit policy.publish id=cn/2026-1 title="On X" type_document=notice date_document=2026-01 --as regulator

      coseal submit process.record --data batch.json --as enterprise-a --out receipt.json

      coseal submit policy.endorse id=cn/2026-1 --as central-bank --dry-run
    """
    from coseal.client.arguments import parse_action, parse_arguments, require_valid
    from coseal.client.corrections import completed

    contract, name = parse_action(action)
    args = parse_arguments(contract, name, words or [], data)
    require_valid(contract, name, args)
    with access.client(sender) as client:
        args = client.run(completed(client.session, contract, name, args))
        if (contract, name) == ("process", "record"):
            from coseal.client.item_checks import require_fit

            require_fit(client, args)
        if access.dry_run:
            act(access, client, contract, name, args, as_json=as_json)
        transaction = client.sign(contract, name, args)
        if not wait:
            _print_accepted(client.send(transaction), as_json=as_json)
            return
        committed = client.commit(transaction, timeout_s=timeout)
    if out is not None:  # before anything is printed: its reader may be gone
        write_receipt(committed, out)
    print_committed(committed, as_json=as_json)
    if out is not None and not as_json:
        typer.echo(f"  receipt  {out}; check it any time with `coseal verify {out}`")
    if not committed.ok:
        raise typer.Exit(EXIT_BAD)


def sign(
    action: ActionArgument,
    sender: SenderOption,
    words: WordsArgument = None,
    data: DataOption = None,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.json,
    valid_for: Annotated[
        int | None, typer.Option("--valid-for", min=1, metavar="SECONDS", help="When it expires.", show_default="300")
    ] = None,
    directory: DirectoryOption = None,
    genesis: GenesisOption = None,
    key: KeyOption = None,
) -> None:
    """Sign a transaction and print it without sending; no node is asked.

    Examples:

      coseal sign policy.endorse id=cn/2026-1 --as central-bank > tx.json

      curl -H 'Content-Type: application/json' --data-binary @tx.json 'http://127.0.0.1:8600/v1/transactions?wait=commit'
    """
    from coseal.client.arguments import parse_action, parse_arguments
    from coseal.client.blocking import sign_as
    from coseal.client.corrections import needs_history
    from coseal.ledger.render import raw_text, transaction_json
    from coseal.network.access import Access

    contract, name = parse_action(action)
    args = parse_arguments(contract, name, words or [], data)
    if needs_history(contract, name, args):
        what = "a correction shows what it corrects" if name == "record" else "a dispute shows the event"
        hint = "`coseal submit` gathers that from a node; or put it into the arguments: `coseal actions` says how"
        raise CosealError(f"{what}, and the history of its objects: signing alone asks no node", hint)
    access = Access(folder(directory), genesis=genesis, key=key)
    trusted = access.load_genesis()
    full, signer = access.identity(sender, trusted)
    transaction = sign_as(trusted, full, signer, contract, name, args, valid_for_ms=valid_for and valid_for * 1_000)
    if form is Form.msgpack:
        sys.stdout.buffer.write(transaction.raw)
        sys.stdout.buffer.flush()
    elif form is Form.base64:
        typer.echo(raw_text(transaction.raw))
    else:
        print_json(transaction_json(transaction))


@reaching
def show(
    access: Access,
    kind: Annotated[DocumentKind, typer.Argument(help="What to show.")],
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A height or 'latest', a transaction's id, TYPE/OBJECTTYPE/ID, or the id of what it is."
        ),
    ],
    min_height: MinHeightOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a block, transaction, object with all its items, policy, member, rule, finding, or evidence; each verified.

    An object is named by its process type, object type and id; its items are proven to be all up to one block, and
    another node of the folder is asked how high the chain is. --min-height H waits for block H, and refuses what is
    proven of an earlier one. Evidence is named by the validator it is against.

    Examples:

      coseal show block latest

      coseal show policy cn-a6b9ddc723d0

      coseal show object traffic-fines/fine/A100 --node regulator

      coseal show rule TF-NOTIFIED

      coseal show finding F12

      coseal show evidence bank-a
    """
    from coseal.cli import findings, rule_ballots, show
    from coseal.client import evidence, supervision

    get, tell = {
        DocumentKind.block: (_block, show.print_block),
        DocumentKind.tx: (_transaction, show.print_transaction),
        DocumentKind.object: (_object, show.print_object),
        DocumentKind.policy: (_policy, show.print_value),
        DocumentKind.member: (_member, show.print_value),
        DocumentKind.rule: (supervision.rule, rule_ballots.print_rule),
        DocumentKind.finding: (supervision.finding, findings.print_finding),
        DocumentKind.evidence: (evidence.against, show.print_evidence),
    }[kind]
    with access.client() as client:
        client.session.height = min_height or 0
        document = get(client, identifier)
        asked, genesis = client.session.urls, client.session.genesis
    if as_json:
        print_json(document)
        return
    tell(document)
    if kind is DocumentKind.object and (other := other_node(access.directory, genesis, asked)) is not None:
        typer.echo(f"  {other.against(document['height'])}")


def _block(client: Client, height: str) -> dict[str, Any]:
    from coseal.ledger.render import block_json

    if height != "latest" and not (height.isascii() and height.isdigit()):
        raise CosealError(f"{height!r} is not a height", "give a number, or latest")
    committed = client.block(height)
    return {"height": committed.block.header.height, **block_json(committed)}


def _transaction(client: Client, identifier: str) -> dict[str, Any]:
    return client.receipt(_tx_id(identifier), timeout_s=0).document()


def _object(client: Client, name: str) -> dict[str, Any]:
    from coseal.client.history import object_history, parse_object

    return object_history(client, *parse_object(name))[0]


def _policy(client: Client, name: str) -> dict[str, Any]:
    from coseal.contracts.policy.state import instrument_key

    return _value(client, instrument_key(name), f"policy {name}")


def _member(client: Client, name: str) -> dict[str, Any]:
    from coseal.contracts.membership.state import member_key

    return _value(client, member_key(name), f"member {name}")


def _value(client: Client, key: str, what: str) -> dict[str, Any]:
    from coseal.ledger import codec
    from coseal.ledger.render import plain, time_text

    certified = client.state(key)
    if certified.value is None:
        raise BadAnswer(f"there is no {what}: its absence is proven as of height {certified.header.height}")
    header = certified.header
    return {
        "height": header.height,
        "time": time_text(header.time_ms),
        "key": key,
        "value": plain(codec.decode(certified.value)),
    }


def _tx_id(text: str) -> bytes:
    try:
        tx_id = bytes.fromhex(text)
    except ValueError:
        tx_id = b""
    if len(tx_id) != 32 or text != text.lower():
        raise CosealError(f"{text!r} is no transaction id", "it has 64 lower-case hexadecimal digits")
    return tx_id


def _print_accepted(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer['status']}  {answer['id']}")


def print_committed(committed: Committed, *, as_json: bool) -> None:
    """Print the outcome of a committed transaction."""
    from coseal.ledger.render import receipt_json, time_text

    receipt = receipt_json(committed.receipt)
    document = {
        "id": committed.transaction.id.hex(),
        "status": "committed" if committed.ok else "rejected",
        "height": committed.height,
        "index": committed.proof.index,
        "time": time_text(committed.proof.header.time_ms),
        "receipt": receipt,
        "verified": True,
    }
    if as_json:
        print_json(document)
        return
    colour = "green" if committed.ok else "red"
    typer.secho(f"{document['status']} at height {committed.height}, {document['time']}", fg=colour)
    typer.echo(f"  tx       {document['id']}")  # receipts have ids too: of a policy, of a finding
    if not committed.ok:
        typer.echo(f"  refused  {receipt['code']}: {receipt['detail']}")
    if "steps" in receipt:
        typer.echo(f"  steps    {receipt['steps']}")
    print_data(receipt["data"])
    signers = len(committed.proof.certificate.signers())
    typer.echo(f"  verified here: inclusion, outcome, and the signatures of {signers} validators")


def print_data(data: Mapping[str, Any]) -> None:
    """Print what a receipt holds of its action."""
    width = max([8, *map(len, data)])
    for name, value in data.items():
        typer.echo(f"  {name:<{width}} {_in_words(name, value)}")


def _in_words(name: str, value: Any) -> str:
    """Return a field of a receipt in a line: of items that a contract appended, what they are."""
    if name == "appended" and isinstance(value, list):
        return ", ".join(str(item["type"]) for _, _, item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_receipt(committed: Committed, out: Path) -> None:
    """Write the receipt file of a committed transaction."""
    try:
        out.write_text(json.dumps(committed.document(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise CosealError(f"{out}: {error.strerror}") from None
