"""Which build this is: the sources, or with modules compiled by ``hatch_build.py``; both give the same results."""

from __future__ import annotations

from typing import Final

from coseal.ledger import codec

BUILD: Final = "sources" if codec.__file__.endswith(".py") else "compiled"
