"""The tables of the currency: wallets, movements, pending transfers, institutions, classes, supply."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, View, document, integer, text

_AMOUNT: Final = integer("amount", "fen")

WALLETS: Final = Table(
    "wallets",
    "one row a wallet, in its present state",
    ("wallet",),
    (
        text("wallet", "`institution/id`"),
        text("institution", "the institution that it is at"),
        text("holder", "`member:`, `uscc:` or `lei:` and a code, or `commitment:` and a hash"),
        text("authority", "who disposes of it: `member`, `key` or `hosted`"),
        text("class", "its class"),
        text("status", "`open` or `closed`"),
        integer("balance", "fen that it has, without what is pending"),
        integer("reserved", "fen of that which are reserved for others"),
        integer("incoming", "fen that are reserved for it"),
        text("debits", "fen that it ever paid, as text: more than 64 bit"),
        text("credits", "fen that it ever received, as text"),
        *WRITTEN,
        document("its own `limits`, its `key`"),
    ),
    indexes=(("wallets_by_institution", "(institution, wallet)"),),
)
MOVEMENTS: Final = Table(
    "movements",
    "one row a movement",
    ("number",),
    (
        integer("number", "its number on this chain"),
        integer("time_ms", "block time"),
        text("kind", "`posted`, `pending`, `post` or `void`"),
        text("debit", "the wallet that pays, or `issuance`"),
        text("credit", "the wallet that is paid, or `issuance`"),
        _AMOUNT,
        integer("reserved", "fen that a post or void frees"),
        text("code", "what it is for"),
        text("reference", "its reference, or empty"),
        text("end_to_end", "the payer's own id of it, or empty"),
        integer("pending", "number of its pending transfer; 0: none"),
        text("tx", "the transaction, zeros for what fell due"),
        *MADE,
        document("`about`: process type, object type, object; or empty"),
    ),
    indexes=(
        ("movements_by_debit", "(debit, number)"),
        ("movements_by_credit", "(credit, number)"),
    ),
)
PENDINGS: Final = Table(
    "pendings",
    "one row a pending transfer",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "`P` and its number"),
        text("debit", "the wallet that pays"),
        text("credit", "the wallet that is paid, or `issuance` for a redemption"),
        _AMOUNT,
        text("code", "what it is for"),
        text("status", "`open`, `posted`, `voided` or `expired`"),
        integer("posted", "fen that were posted"),
        integer("expires_ms", "when it ends"),
        *MADE,
        document("`release`, `reference`, `end_to_end`, `about`"),
    ),
    indexes=(("pendings_by_debit", "(debit, number)"), ("pendings_by_credit", "(credit, number)")),
)
INSTITUTIONS: Final = Table(
    "institutions",
    "one row an institution",
    ("member",),
    (
        text("member", "the bank"),
        text("successor", "who runs its wallets since it was dismissed, or empty"),
        *MADE,
    ),
)
CLASSES: Final = Table(
    "wallet_classes",
    "one row a version of a class of wallets that a ballot decided",
    ("class", "version"),
    (
        text("class", "its id"),
        integer("version", "its version"),
        *MADE,
        document("`limits` and `holders`"),
    ),
)
SUPPLY: Final = Table(
    "supply",
    "one row an issue or a settled redemption",
    ("number",),
    (
        integer("number", "its movement"),
        text("institution", "the institution"),
        integer("amount", "fen; negative if redeemed"),
        text("instruction", "the reserve instruction, or the redemption"),
        integer("time_ms", "block time"),
        *MADE,
    ),
)
TABLES: Final = (WALLETS, MOVEMENTS, PENDINGS, INSTITUTIONS, CLASSES, SUPPLY)

VIEWS: Final = (
    View(
        "balances",
        "one row a wallet whose balance is not 0, in yuan",
        (
            ("wallet", "`institution/id`"),
            ("holder", "whose it is"),
            ("yuan", "its balance, with two decimals"),
            ("reserved", "yuan of that which are reserved for others"),
        ),
        "SELECT wallet, holder, balance / 100.0 AS yuan, reserved / 100.0 AS reserved FROM wallets WHERE balance <> 0",
    ),
)
