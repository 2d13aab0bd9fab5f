"""Routes of contracts that are no plain lists, a module for each contract; the only place that names them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from coseal.node.http.context import Context
from coseal.node.http.contracts import (
    certification,
    credit,
    currency,
    evidence,
    governance,
    mission,
    policy,
    process,
    process_flows,
    supervision,
    trade,
)

ROUTERS: Final[tuple[Callable[[Context], APIRouter], ...]] = (
    policy.router,
    process.router,
    process_flows.router,
    supervision.router,
    governance.router,
    evidence.router,
    currency.router,
    trade.router,
    certification.router,
    mission.router,
    credit.router,
)
"""What returns the routes of each."""
