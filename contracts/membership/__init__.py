"""Members, their operators and nodes, and the validators of every epoch."""

from coseal.contracts.membership.actions import CONTRACT

__all__ = ["CONTRACT"]
