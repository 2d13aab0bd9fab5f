"""The pages: one module each, with the navigation entry ``NAV`` and the ``ROUTES`` it serves.

Law: a page reads through ``page.data``, takes its words from the catalogue, and seals what it shows.
"""

from __future__ import annotations

from typing import Final

from coseal.console.page import Entry, Route
from coseal.console.pages import (
    audit,
    blocks,
    board,
    currency,
    disclosure,
    dossier,
    evidence,
    governance,
    lists,
    members,
    missions,
    network,
    policies,
    processes,
    projects,
    search,
    standards,
    trade,
)

_MODULES: Final = (
    network,
    blocks,
    policies,
    processes,
    board,
    members,
    governance,
    standards,
    projects,
    missions,
    currency,
    trade,
    disclosure,
    evidence,
    audit,
)

_ROUTES: Final = tuple(route for module in (*_MODULES, dossier, search) for route in module.ROUTES)

NAVIGATION: Final[tuple[Entry, ...]] = (*(module.NAV for module in _MODULES), lists.NAV)
ROUTES: Final[tuple[Route, ...]] = (*_ROUTES, *lists.routes_beside(_ROUTES))
