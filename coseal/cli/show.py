"""What ``show`` prints for people: the facts of a verified document, without its wire forms and signatures.

Law: nothing is printed that the document does not hold; --json gives the whole of it.
"""

from __future__ import annotations

import json
from typing import Any

import typer

from coseal.cli.as_of import up_to
from coseal.cli.shared import console, plain_table, short


def print_object(history: dict[str, Any]) -> None:
    """Print an object's items, one a line."""
    name = f"{history['process_type']}/{history['type']}/{history['id']}"
    count = history["count"]
    items = "no item names it" if count == 0 else "its one item" if count == 1 else f"all its {count} items"
    typer.secho(f"{name}: {items}, {up_to(history['height'], history['record']['header']['time'])}", fg="green")
    if not count:
        return
    table = plain_table("time", "item", "details", "recorded by")
    for entry in history["items"]:
        item = entry["item"]
        recorded = f"{entry['source']} #{entry['sequence']}"
        table.add_row(item.get("time", ""), *_item(item), recorded)
    table.print()


def print_block(block: dict[str, Any]) -> None:
    """Print a block's header and its transactions, one a line with its outcome."""
    header, certificate = block["header"], block["certificate"]
    signers = len(certificate["signers"])
    typer.secho(
        f"block {header['height']}, {header['time']}, proposed by {header['proposer']}, committed by {signers} "
        f"validators in round {certificate['round']}",
        fg="green",
    )
    for name in ("hash", "parent_hash", "state_root"):
        typer.echo(f"  {name:<12} {header[name]}")
    typer.echo(f"  {'transactions':<12} {header['tx_count']}")
    if header["tx_count"]:
        table = plain_table("index", "transaction", "sender", "action", "outcome")
        for index, transaction in enumerate(block["transactions"]):
            action = f"{transaction['contract']}.{transaction['action']}"
            outcome = transaction["receipt"]["code"]
            table.add_row(str(index), transaction["id"], transaction["sender"], action, outcome)
        table.print()


def print_transaction(proof: dict[str, Any]) -> None:
    """Print a committed transaction and its receipt."""
    transaction, receipt = proof["transaction"], proof["receipt"]
    typer.secho(
        f"{'committed' if receipt['ok'] else 'rejected'} at height {proof['height']}, {proof['header']['time']}",
        fg="green" if receipt["ok"] else "red",
    )
    facts = {
        "id": transaction["id"],
        "sender": transaction["sender"],
        "action": f"{transaction['contract']}.{transaction['action']}",
        "index": proof["index"],
    }
    if not receipt["ok"]:
        facts["refused"] = f"{receipt['code']}: {receipt['detail']}"
    for name, value in facts.items():
        typer.echo(f"  {name:<8} {value}")
    _print_json("arguments", transaction["args"])
    if receipt["data"]:
        _print_json("result", receipt["data"])


def print_evidence(document: dict[str, Any]) -> None:
    """Print where a validator contradicted itself, one proof a line."""
    validator, proofs, height = document["validator"], document["proofs"], document["height"]
    if not proofs:
        typer.secho(f"{validator}: no evidence against it; proven as of height {height}", fg="green")
        return
    count = f"{len(proofs)} proof{'s' if len(proofs) > 1 else ''}"
    typer.secho(f"{validator} contradicted itself: {count}, verified; as of height {height}", fg="red")
    table = plain_table("height", "round", "phase", "it signed", "and", "member", "reported by", "at")
    for proof in proofs:
        hashes = (short(proof[half]["hash"]) for half in ("first", "second"))
        place = (str(proof["height"]), str(proof["round"]), proof["phase"])
        table.add_row(*place, *hashes, proof["member"], proof["reporter"], f"height {proof['reported_height']}")
    table.print()


def print_value(document: dict[str, Any]) -> None:
    """Print a value of the state."""
    typer.secho(f"{document['key']}, proven as of block {document['height']} ({document['time']})", fg="green")
    _print_json(None, document["value"])


def _item(item: dict[str, Any]) -> tuple[str, str]:
    """Return what an item is and what it says, each on one line."""
    if "event" in item:
        return f"event {item['event']}", _words(item["type"], item.get("attributes"))
    if "relation" in item:
        names = " - ".join("/".join(item[part]) for part in ("relation", "to"))
        return "relation", _words(names, item.get("qualifier"))
    kind = "object" if "object" in item else "change"
    values = {name: value for name, _, value in item.get("attributes", [])}
    return f"{kind} {short(item[kind], 40)}", _words(item["type"], values)


def _words(first: str, rest: Any) -> str:
    if isinstance(rest, dict):
        rest = ", ".join(f"{name}={value}" for name, value in rest.items())
    return f"{first}  {rest}" if rest else first


def _print_json(title: str | None, value: Any) -> None:
    from rich.json import JSON

    if title is not None:
        typer.echo(f"  {title}")
    text = json.dumps(value, ensure_ascii=False)
    console().print(JSON(text, ensure_ascii=False), soft_wrap=True)
