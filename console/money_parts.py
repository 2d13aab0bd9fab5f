"""How pages write money, and where the pages of what holds it are."""

from __future__ import annotations

from urllib.parse import quote

from coseal.console.html import Child, el


def yuan(fen: int) -> str:
    """Return an amount in fen as yuan, thousands separated."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def wallet_path(wallet: str) -> str:
    """Return the path of a wallet's page."""
    institution, _, name = wallet.partition("/")
    return f"/currency/{quote(institution, safe='')}/{quote(name, safe='')}"


def receivable_link(receivable: str) -> Child:
    """Return a link to the page of a receivable; of no name, nothing."""
    return el("a", {"href": f"/trade/receivables/{quote(receivable, safe='')}"}, receivable) if receivable else ""
