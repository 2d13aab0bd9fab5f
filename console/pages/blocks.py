"""Blocks and transactions, down to their raw fields.

Law: what is listed is read from verified blocks; a transaction stands with its receipt and the proof of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Entry, Page, Route, View
from coseal.console.parts import (
    empty,
    facts,
    height_link,
    hexadecimal,
    lead,
    member_link,
    moment,
    outcome,
    pager,
    raw,
    section,
    table,
    tag,
    tree,
)
from coseal.console.rows import TransactionRow, action_words, transaction_table
from coseal.console.shown import Shown
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.render import block_json, plain
from coseal.ledger.transaction import Transaction

NAV: Final = Entry("blocks.nav", "/blocks")
_PAGE_BLOCKS: Final = 25
_PAGE_TRANSACTIONS: Final = 50


async def blocks(page: Page) -> View:
    """Build the list of blocks: newest first, paged by height."""
    tip = page.console.light.height
    upper = page.query_integer("to", low=1, high=max(1, tip)) or tip
    head = lead(page, page.t("blocks.nav"), "blocks.lead")
    if not tip:
        return page.view(page.t("blocks.nav"), head, empty(page, "network.no_block"))
    first = max(1, upper - _PAGE_BLOCKS + 1)
    shown = await page.data.blocks(first, upper - first + 1)
    last = shown.value[-1].block.header.height
    rows = [_block_row(page, committed) for committed in reversed(shown.value)]
    columns = ("row.block", "row.when", "blocks.transactions", "blocks.proposer", "blocks.signers", "blocks.hash")
    newer = page.link("/blocks", to=min(tip, upper + _PAGE_BLOCKS)) if upper < tip else None
    older = page.link("/blocks", to=first - 1) if first > 1 else None
    # A page bounded by bytes may end early: then the rest follows under "newer".
    newer = page.link("/blocks", to=min(upper, last + _PAGE_BLOCKS)) if last < upper else newer
    middle = page.t("blocks.range", first=page.number(first), last=page.number(last), tip=page.number(tip))
    links = pager(page, newer=newer, older=older, middle=middle)
    body = section(page, "blocks.list", table(page, "blocks.list", columns, rows, numeric="2"), links, shown=shown)
    return page.view(page.t("blocks.nav"), head, body, live=page.query("to") is None)


def _block_row(page: Page, committed: CommittedBlock) -> list[Child]:
    header, certificate = committed.block.header, committed.certificate
    validators = page.console.light.validators(header.epoch)
    signed = f"{len(certificate.signers())}/{validators.n}"
    late = tag(page.t("network.round", round=header.created_round), "wait") if header.created_round else None
    return [
        height_link(page, header.height),
        moment(page, header.time_ms),
        page.number(header.tx_count),
        join(header.proposer, " ", late),
        signed,
        hexadecimal(page, header.hash.hex(), href=f"/blocks/{header.height}"),
    ]


async def block(page: Page) -> View:
    """Build the page of one block."""
    height = int(page.part("height"))
    shown = await page.data.block(height)
    committed = shown.value
    header, certificate = committed.block.header, committed.certificate
    validators = page.console.light.validators(header.epoch)
    tip = max(page.console.light.height, height)
    title = page.t("blocks.one", height=page.number(height))
    steps = pager(
        page,
        newer=f"/blocks/{height + 1}" if height < tip else None,
        older=f"/blocks/{height - 1}" if height > 1 else None,
    )
    signers = [validators[index].id for index in certificate.signers()]
    absent = [seat.id for seat in validators.validators if seat.id not in signers]
    about = facts(
        [
            (page.t("row.when"), moment(page, header.time_ms)),
            (page.t("blocks.proposer"), header.proposer),
            (page.t("blocks.round"), page.number(header.created_round)),
            (page.t("blocks.transactions"), page.number(header.tx_count)),
            (page.t("blocks.epoch"), page.number(header.epoch)),
            (page.t("blocks.hash"), hexadecimal(page, header.hash.hex(), whole=True)),
            (page.t("blocks.parent"), hexadecimal(page, header.parent_hash.hex(), href=_parent(height))),
            (page.t("blocks.state_root"), hexadecimal(page, header.state_root.hex())),
            (page.t("blocks.tx_root"), hexadecimal(page, header.tx_root.hex())),
            (page.t("blocks.receipts_root"), hexadecimal(page, header.receipts_root.hex())),
        ]
    )
    seats = [el("li", None, tag(join("✓ ", name), "good")) for name in signers] + [
        el("li", None, tag(name)) for name in absent
    ]
    certified = join(
        el(
            "p",
            {"class": "note"},
            page.t("blocks.certificate", signed=len(signers), all=validators.n, quorum=validators.quorum),
        ),
        el("ul", {"class": "tags"}, seats),
    )
    return page.view(
        title,
        lead(page, title, "blocks.one.lead", steps),
        section(page, "blocks.header", about, shown=shown),
        section(page, "blocks.signers", certified, shown=shown),
        _due(page, committed, shown),
        _transactions(page, committed, shown),
        section(page, "blocks.raw", raw(page, _rendered(committed)), shown=shown),
        live=False,
    )


def _parent(height: int) -> str | None:
    return f"/blocks/{height - 1}" if height > 1 else None


def _rendered(committed: CommittedBlock) -> dict[str, Any]:
    """Return the block as JSON; of a large one the head alone, its transactions have pages of their own."""
    if committed.block.header.tx_count <= _PAGE_TRANSACTIONS:
        return block_json(committed)
    head = replace(committed, block=replace(committed.block, transactions=()), receipts=committed.receipts[:1])
    return block_json(head)


def _due(page: Page, committed: CommittedBlock, shown: Shown[CommittedBlock]) -> Html | None:
    """Return what fell due at the start of the block, if anything did."""
    due = {name: held for name, held in plain(Receipt.decode(committed.receipts[0]).data).items() if held}
    return section(page, "blocks.due", tree(due), shown=shown, note="blocks.due.note") if due else None


def _transactions(page: Page, committed: CommittedBlock, shown: Shown[CommittedBlock]) -> Html:
    count, height = committed.block.header.tx_count, committed.block.header.height
    first = page.query_integer("from", high=count) or 0
    rows = [
        TransactionRow(
            height,
            index,
            committed.block.header.time_ms,
            Transaction.decode(committed.block.transactions[index]),
            Receipt.decode(committed.receipts[index + 1]),
        )
        for index in range(first, min(count, first + _PAGE_TRANSACTIONS))
    ]
    following = first + _PAGE_TRANSACTIONS
    links = (
        pager(
            page,
            newer=page.link(None, **{"from": max(0, first - _PAGE_TRANSACTIONS) or None}) if first else None,
            older=page.link(None, **{"from": following}) if following < count else None,
            middle=page.t(
                "blocks.transactions_range", first=first + 1, last=min(count, following), all=page.number(count)
            ),
        )
        if count > _PAGE_TRANSACTIONS
        else None
    )
    return section(page, "blocks.transactions", transaction_table(page, rows, of_one_block=True), links, shown=shown)


async def transaction(page: Page) -> View:
    """Build the page of one transaction."""
    tx_id = page.part("id").lower()
    shown = await page.data.transaction(tx_id)
    found = shown.value
    signed, receipt = found["transaction"], found["receipt"]
    words = action_words(page, signed["contract"], signed["action"])
    about = facts(
        [
            (page.t("row.action"), f"{signed['contract']}.{signed['action']}"),
            (page.t("row.sender"), member_link(signed["sender"])),
            (page.t("row.block"), height_link(page, found["height"])),
            (page.t("row.place"), page.number(found["index"])),
            (page.t("row.when"), moment(page, found["time_ms"])),
            (page.t("blocks.valid_until"), moment(page, signed["valid_until_ms"])),
            (page.t("row.id"), hexadecimal(page, signed["id"], whole=True)),
            (page.t("blocks.public_key"), hexadecimal(page, signed["public_key"])),
            (page.t("blocks.signature"), hexadecimal(page, signed["signature"])),
        ]
    )
    came_to = join(
        el("p", None, outcome(page, ok=receipt["ok"], code=receipt["code"]), " ", receipt["detail"]),
        tree(receipt["data"]) if receipt["data"] else None,
    )
    title = join(words, " · ", el("span", {"class": "faint"}, signed["sender"]))
    return page.view(
        words,
        lead(page, title, "blocks.transaction.lead"),
        section(page, "row.outcome", came_to, shown=shown),
        section(page, "blocks.signed", about, shown=shown),
        section(page, "blocks.args", tree(signed["args"]) if signed["args"] else empty(page), shown=shown),
        section(page, "blocks.proof", _proof(page, found), raw(page, found), shown=shown, note="blocks.proof.note"),
        live=False,
    )


def _proof(page: Page, found: dict[str, Any]) -> Html:
    header, certificate = found["header"], found["certificate"]
    validators = page.console.light.validators(header["epoch"])
    signers = ", ".join(validators[index].id for index in certificate["signers"])
    return facts(
        [
            (page.t("blocks.hash"), hexadecimal(page, header["hash"], href=f"/blocks/{header['height']}")),
            (page.t("blocks.tx_root"), hexadecimal(page, header["tx_root"])),
            (page.t("blocks.receipts_root"), hexadecimal(page, header["receipts_root"])),
            (page.t("blocks.signers"), signers),
        ]
    )


ROUTES: Final = (
    Route("/blocks", blocks, "blocks.nav"),
    Route("/blocks/{height:int}", block, "blocks.nav"),
    Route("/transactions/{id}", transaction, "blocks.nav"),
)
