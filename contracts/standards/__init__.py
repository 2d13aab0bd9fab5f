"""Standards that grow from use: proposed by anybody, adopted one by one, measured, and only then recognised."""

from coseal.contracts.standards.actions import CONTRACT

__all__ = ["CONTRACT"]
