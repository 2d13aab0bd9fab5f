"""Supervision over HTTP beside its lists: one rule, ballot, finding with its trail or question; obligations and times.

Law: a single thing is read from the certified state, with its proof if wanted, and the texts around it from the index
at the same height or later.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.governance import described
from coseal.contracts.governance.ballot import shown
from coseal.contracts.supervision.actions import ballot_of
from coseal.contracts.supervision.findings import open_of, raised_of
from coseal.contracts.supervision.lists import FINDINGS, QUESTIONS
from coseal.contracts.supervision.state import (
    NAME,
    ballot_key,
    finding_key,
    findings_key,
    head_key,
    hold_key,
    obligation_key,
    rule_key,
    rule_statistics_key,
    trial_key,
)
from coseal.contracts.supervision.terms import SIDES, terms, times
from coseal.ledger.render import plain
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.contracts.governance import decision_document
from coseal.node.http.lists import filters_of
from coseal.node.http.problems import Problem, too_wide
from coseal.node.index import lists
from coseal.node.index.contracts import supervision as queries
from coseal.node.index.queries import TooWide

Text = Annotated[str | None, Query(max_length=256)]
Status = Annotated[str | None, Query(max_length=32)]
Id = Annotated[str, Path(max_length=128)]
Numbered = Annotated[
    str, Path(pattern="^[A-Z][1-9][0-9]{0,17}$", description="A capital letter and a number without leading zeros.")
]
Named = Annotated[str, Query(min_length=1, max_length=128)]
Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="Default: the one in force, else the newest.")]
Filters = Annotated[dict[str, str], filters_of(FINDINGS)]

Weeks = Annotated[int, Query(ge=1, le=53, description="So many weeks back, the present one included.")]
_MAX_OBLIGATIONS: Final = 1_000


def router(context: Context) -> APIRouter:
    """Return the routes of supervision."""
    routes = APIRouter(prefix="/v1", tags=["supervision"])
    _add_rules(routes, context)
    _add_ballots(routes, context)
    _add_findings(routes, context)
    _add_obligations(routes, context)
    _add_service(routes, context)
    _add_times(routes, context)
    return routes


def _add_rules(routes: APIRouter, context: Context) -> None:
    index = context.services.index

    @routes.get("/rules/{id:rest}", summary="One rule, its versions and figures", dependencies=[Depends(context.fresh)])
    async def rule(id: Id, version: Version = None, proof: KeyProof = False) -> Response:
        reader, height = context.reader(), context.services.height
        head: Any = reader.get(head_key(id))
        chosen = version or (head and (head["active"] or head["latest"])) or 0
        key = rule_key(id, chosen)
        found: Any = reader.get(key) if chosen else None
        if found is None:
            raise Problem(404, "unknown_rule", "no rule has this id and version", more={"height": height})
        statistics: Any = reader.get(rule_statistics_key(found["process_type"], id))
        trial: Any = reader.get(trial_key(found["set"]))
        document = {
            "rule": plain(found),
            "latest": head["latest"],
            "active": head["active"],
            "findings": dict(statistics or {}),
            "trial": dict((trial or {}).get(id, {})),
        }
        await context.index_reaches(height)
        indexed_height, versions = await index.query(queries.versions, id)
        document["versions"] = {"height": indexed_height, "versions": versions}
        return await _with_proof(context, height, document, key, proof)


def _add_ballots(routes: APIRouter, context: Context) -> None:
    @routes.get("/ballots/{id:part}", summary="One ballot with its votes", dependencies=[Depends(context.fresh)])
    async def ballot(id: Numbered, proof: KeyProof = False) -> Response:
        height, key, reader = context.services.height, ballot_key(id), context.reader()
        found: Any = ballot_of(reader, id)
        if found is None:
            raise Problem(404, "unknown_ballot", "no ballot has this id", more={"height": height})
        stands = {**shown(reader, NAME, id, found), "rule": described.rule(reader, NAME, found)}
        document = {"ballot": {"id": id, **plain(found), **stands}}
        return await _with_proof(context, height, document, key, proof)

    @routes.get(
        "/ballots/{id:part}/decision",
        summary="How a ballot was decided, as a document",
        dependencies=[Depends(context.fresh)],
    )
    async def decided(id: Numbered, handovers: WithHandovers = True) -> Response:
        return await decision_document(context, NAME, id, handovers=handovers)


def _add_findings(routes: APIRouter, context: Context) -> None:
    index, fresh_index = context.services.index, [Depends(context.fresh_index)]

    @routes.get("/findings/statistics", summary="Findings by rule and status", dependencies=fresh_index)
    async def statistics(filters: Filters) -> Response:
        height, counts = await index.query(queries.finding_counts, filters)
        return answer({"height": height, "counts": counts}, height=height)

    @routes.get(
        "/findings/figures", summary="Findings by week, rule and subject; ages; steps in time", dependencies=fresh_index
    )
    async def figures(filters: Filters, weeks: Weeks = 12) -> Response:
        try:
            height, found = await index.query(queries.figures, filters, weeks)
        except TooWide:
            raise too_wide() from None
        return answer({"height": height, **found}, height=height)

    @routes.get("/findings/open", summary="Open findings about an object", dependencies=[Depends(context.fresh)])
    async def open_findings(
        process_type: Named, object_type: Named, object: Named, proof: KeyProof = False
    ) -> Response:
        height, key = context.services.height, findings_key(process_type, object_type, object)
        count: Any = context.reader().get(key)
        document = {
            "process_type": process_type,
            "object_type": object_type,
            "object": object,
            "raised": raised_of(count),
            "open": open_of(count),
        }
        return await _with_proof(context, height, document, key, proof)

    @routes.get("/findings/{id:part}", summary="One finding, its whole trail", dependencies=[Depends(context.fresh)])
    async def finding(id: Numbered, proof: KeyProof = False) -> Response:
        reader, height = context.reader(), context.services.height
        key = finding_key(id)
        found: Any = reader.get(key)
        if found is None:
            raise Problem(404, "unknown_finding", "no finding has this id", more={"height": height})
        rule: Any = reader.get(rule_key(found["rule"], found["version"]))
        hold: Any = reader.get(hold_key(found["process_type"], found["object_type"], found["object"]))
        document = {
            "finding": plain(found),
            "rule": None if rule is None else plain(rule["rule"]),
            "hold": plain(hold) if hold is not None and hold["finding"] == id else None,
        }
        await context.index_reaches(height)
        _, document["trail"] = await index.query(queries.trail, int(id[1:]))
        return await _with_proof(context, height, document, key, proof)


def _add_obligations(routes: APIRouter, context: Context) -> None:
    @routes.get("/obligations", summary="Who owes which report by when", dependencies=[Depends(context.fresh_index)])
    async def obligations(
        process_type: Text = None,
        party: Annotated[str | None, Query(max_length=64, description="The member that owes.")] = None,
        status: Status = None,
    ) -> Response:
        _, pairs = await context.services.index.query(queries.obliged, process_type, _MAX_OBLIGATIONS)
        reader, height = context.reader(), context.services.height
        found = []
        for rule, source in pairs:
            record: Any = reader.get(obligation_key(rule, source))
            if record is None or (party and source.partition("/")[0] != party):
                continue
            if status is None or record.get("status") == status:
                found.append({"rule": rule, "source": source, **plain(record)})
        return answer({"height": height, "obligations": found}, height=height)


def _add_service(routes: APIRouter, context: Context) -> None:
    index, fresh_index = context.services.index, [Depends(context.fresh_index)]

    @routes.get("/questions/{id:part}", summary="One question with its answer", dependencies=fresh_index)
    async def question(id: Numbered) -> Response:
        await context.index_reaches(context.services.height)
        height, found = await index.query(lists.one, QUESTIONS, id)
        if found is None:
            raise Problem(404, "unknown_question", "no question has this id", more={"height": height})
        return answer({"height": height, "question": found}, height=height)


def _add_times(routes: APIRouter, context: Context) -> None:
    @routes.get("/supervision/times", summary="How long both sides' steps took", dependencies=[Depends(context.fresh)])
    async def both_sides(member: Annotated[str, Query(max_length=64)] = "") -> Response:
        reader, height = context.reader(), context.services.height
        allowed = terms(reader)
        steps = [{"step": step, "term_ms": allowed[step], **_times(times(reader, step, member))} for step in SIDES]
        return answer({"height": height, "member": member or None, "steps": steps}, height=height)


def _times(record: dict[str, Any]) -> dict[str, Any]:
    done = record["done"]
    return {**record, "mean_ms": record["total_ms"] // done if done else None}


async def _with_proof(context: Context, height: int, document: dict[str, Any], key: str, proof: bool) -> Response:
    if proof:
        certified = await prove_key(context, key)
        document["proof"] = await proof_document(context, certified)
    return answer({"height": height, **document}, height=height)
