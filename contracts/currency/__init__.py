"""The yuan in two layers: issued by the central bank, passed on by institutions, held by legal entities."""

from coseal.contracts.currency.actions import CONTRACT

__all__ = ["CONTRACT"]
