"""A document that proves itself, as a file that anybody verifies offline: ``coseal verify FILE``.

Law: it is asked of one node and verified as a whole before it is given out; where no node proves it, no file is given.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeAlias

from coseal.client.blocking import Client
from coseal.console.nodes import Address, NoAnswer
from coseal.console.page import Page, View
from coseal.errors import CosealError

Ask: TypeAlias = Callable[[Client], dict[str, Any]]
"""Asks a node for a document, which the client verifies."""


async def document_file(page: Page, file: str, ask: Ask) -> View:
    """Build the file of a document, from the first node that proves it; raise ``NoAnswer`` if none does."""
    reasons = []
    for address in page.data.nodes.order():
        try:
            document = await asyncio.to_thread(proven, page, address, ask)
        except CosealError as error:
            reasons.append((address.name, str(error)))
        else:
            return page.file(file, json.dumps(document, ensure_ascii=False) + "\n")
    raise NoAnswer(reasons)


def proven(page: Page, address: Address, ask: Ask) -> dict[str, Any]:
    """Ask one node; raise ``CosealError`` if it does not prove the document."""
    token = address.token or page.data.nodes.token
    with Client(address.url, page.console.genesis, token=token) as client:
        return ask(client)
