"""Proofs that a validator contradicted itself, on record for everyone and for ever."""

from coseal.contracts.evidence.actions import CONTRACT

__all__ = ["CONTRACT"]
