"""The pages: one module each, with the navigation entry ``NAV`` and the ``ROUTES`` it serves.

Law: a page reads through ``page.data``, takes its words from the catalogue, and seals what it shows.
"""

from __future__ import annotations

from typing import Final

from coseal.console.page import Entry, Route
from coseal.console.pages import audit, blocks, board, evidence, governance, members, network, policies, processes

_MODULES: Final = (network, blocks, policies, processes, board, members, governance, evidence, audit)

NAVIGATION: Final[tuple[Entry, ...]] = tuple(module.NAV for module in _MODULES)
ROUTES: Final[tuple[Route, ...]] = tuple(route for module in _MODULES for route in module.ROUTES)
