"""Rules that judge process data, findings with a life, holds, questions and guidance."""

from coseal.contracts.supervision.actions import CONTRACT

__all__ = ["CONTRACT"]
