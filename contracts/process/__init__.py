"""Sources record process data in a gapless sequence, and every object keeps its chain."""

from coseal.contracts.process.actions import CONTRACT

__all__ = ["CONTRACT"]
