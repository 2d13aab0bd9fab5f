"""Members, their operators and nodes, and the validators of every epoch."""

from coseal.contracts.membership.actions import contract

__all__ = ["contract"]
