"""Receivables: rights about what one member owes another, from matched documents to their settlement in money."""

from coseal.contracts.trade.actions import CONTRACT

__all__ = ["CONTRACT"]
