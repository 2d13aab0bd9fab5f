"""What has to be on this machine for the engine of a chain.

Law: nothing is downloaded or built; what is missing is said in one line, with what to install.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from coseal.errors import CosealError
from coseal.ledger.engines import COMETBFT_INSTALL, COMETBFT_VERSION, is_cometbft
from coseal.ledger.genesis import COMETBFT_NAME


def engine_trouble(name: str, given: Path | None = None) -> tuple[str, str] | None:
    """Return what is missing for an engine and what to do about it; None if nothing is. ``given``: not on the PATH."""
    if name != COMETBFT_NAME:
        return None
    found = shutil.which("cometbft") if given is None else str(given)
    todo = f"install it: `{COMETBFT_INSTALL}`"
    if found is None or not Path(found).is_file():
        return f"CometBFT {COMETBFT_VERSION} is not {'on the PATH' if given is None else f'at {given}'}", todo
    if not is_cometbft(Path(found).read_bytes()):
        return f"{found} is not CometBFT {COMETBFT_VERSION} as released", todo
    return None


def require_engine(name: str) -> None:
    """Raise ``CosealError`` unless the nodes of a chain with this engine can run here."""
    trouble = engine_trouble(name)
    if trouble is not None:
        raise CosealError(*trouble)
