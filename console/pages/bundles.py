"""The evidence of a case as one file that anybody can verify offline: ``coseal verify FILE``.

Law: a bundle is collected from one node by the library and verified as a whole before it is given out; where no node
proves all that belongs to the case, no file is given.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from coseal.client import bundle as bundles
from coseal.client.blocking import Client
from coseal.console.nodes import Address, NoAnswer, Problem
from coseal.console.page import Page, Route, View
from coseal.contracts.supervision.state import finding_key
from coseal.errors import CosealError


async def of_case(page: Page) -> View:
    """Build the file of a case."""
    return await _file(page, (page.part("id"), page.part("type"), page.part("object")))


async def of_finding(page: Page) -> View:
    """Build the file of the case that a finding is about."""
    name = page.part("id")
    record = (await page.data.state(finding_key(name))).value
    if record is None:
        raise Problem(404, "unknown_finding", page.t("supervision.unknown", name=name), "")
    return await _file(page, (record["process_type"], record["object_type"], record["object"]))


async def _file(page: Page, place: bundles.ObjectName) -> View:
    reasons = []
    for address in page.data.nodes.order():
        try:
            document = await asyncio.to_thread(_collected, page, address, place)
        except CosealError as error:
            reasons.append((address.name, str(error)))
        else:
            return page.file(f"coseal-bundle-{place[2]}.json", json.dumps(document, ensure_ascii=False) + "\n")
    raise NoAnswer(reasons)


def _collected(page: Page, address: Address, place: bundles.ObjectName) -> dict[str, Any]:
    token = address.token or page.data.nodes.token
    with Client(address.url, page.console.genesis, token=token) as client:
        return bundles.collect(client, place)


ROUTES: Final = (
    Route("/processes/{id}/bundle/{type}/{object:path}", of_case, "processes.nav"),
    Route("/supervision/findings/{id}/bundle", of_finding, "supervision.nav"),
)
