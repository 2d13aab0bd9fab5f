"""How a ballot was decided, as one file that anybody can verify offline: ``coseal verify FILE``.

Law: the file is asked of one node and verified as a whole before it is given out; where no node proves all votes, no
file is given.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from coseal.client.blocking import Client
from coseal.console.html import Html, el
from coseal.console.nodes import Address, NoAnswer
from coseal.console.page import Page, Route, View
from coseal.errors import CosealError


async def decision(page: Page) -> View:
    """Build the file of a ballot that was decided."""
    name, reasons = page.part("id"), []
    for address in page.data.nodes.order():
        try:
            document = await asyncio.to_thread(_proven, page, address, name)
        except CosealError as error:
            reasons.append((address.name, str(error)))
        else:
            return page.file(f"coseal-decision-{name}.json", json.dumps(document, ensure_ascii=False) + "\n")
    raise NoAnswer(reasons)


def _proven(page: Page, address: Address, name: str) -> dict[str, Any]:
    token = address.token or page.data.nodes.token
    with Client(address.url, page.console.genesis, token=token) as client:
        return client.decision(name).document


def link(page: Page, path: str, record: dict[str, Any]) -> Html | None:
    """Return the link to the file of a ballot, if it was decided; ``path`` is that of its page."""
    if "decided" not in record:
        return None
    there: dict[str, str | int | bool | None] = {"href": f"{path}/decision", "download": True}
    return el("p", None, el("a", there, page.t("governance.decision.link")))


ROUTES: Final = (
    Route("/governance/{id}/decision", decision, "governance.nav"),
    Route("/ballots/{id}/decision", decision, "governance.nav"),
)
