"""How a ballot was decided, as one file that anybody can verify offline: ``coseal verify FILE``.

Law: the file is asked of one node and verified as a whole before it is given out; where no node proves all votes, no
file is given.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.console.document_file import document_file
from coseal.console.html import Html, el
from coseal.console.page import Page, Route, View


async def decision(page: Page) -> View:
    """Build the file of a ballot that was decided."""
    name = page.part("id")
    return await document_file(page, f"coseal-decision-{name}.json", lambda client: client.decision(name).document)


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
