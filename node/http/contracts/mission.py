"""Missions over HTTP beside their lists: the four failures of a mission, from the certified state.

Law: only reads; what is found is as of the certified height that it names, so anybody finds the same from proofs.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from coseal.contracts.mission.described import checked
from coseal.node.http.bodies import answer
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem


def router(context: Context) -> APIRouter:
    """Return the routes of missions."""
    routes = APIRouter(prefix="/v1", tags=["mission"], dependencies=[Depends(context.fresh)])

    @routes.get("/missions/{id:part}/failures", summary="The four failures of a mission, each with its evidence")
    async def failures(id: Annotated[str, Path(max_length=128)]) -> Response:
        height, reader = context.services.height, context.reader()
        header, _ = await context.certified(height)
        found = checked(reader, id, height, header.time_ms)
        if found is None:
            raise Problem(404, "unknown_mission", "no mission has this id", more={"height": height})
        return answer(found, height=height)

    return routes
