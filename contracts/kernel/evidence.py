"""Evidence that an act names: the digests of documents, which stay with those who hold them."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.fields import Hexadecimal, Many

EVIDENCE: Final = Many(Hexadecimal(), high=16, low=1, unique=True)
"""SHA-256 of 1 to 16 documents, each once."""
