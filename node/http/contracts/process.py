"""Process data over HTTP beside its lists: one type, one source, one object, and its items, proven to be all.

Law: a history given with a proof is complete as of the certified height it names, and says so only then: the state
fixes how many items there are and what chain they form, so neither this node nor its index can leave one out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.kernel.rows.place import BEGIN
from coseal.contracts.process import state as process
from coseal.contracts.process import types as process_types
from coseal.contracts.process.recorded import RecordedItem, recorded_items
from coseal.contracts.process.state import object_key, source_key, tally_key
from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.process.tally import tally_document, tally_from
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.handover import with_handovers
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import plain, state_proof_json
from coseal.ledger.transaction import Transaction
from coseal.node.http import paging
from coseal.node.http.bodies import answer, json_bytes
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.problems import Problem, unavailable
from coseal.node.index.contracts import process as queries
from coseal.node.index.contracts.process import ItemPlace

MAX_PROVEN_ITEMS: Final = 10_000

Id = Annotated[str, Path(max_length=256)]
ProcessType = Annotated[str | None, Query(max_length=128, description="Only of this process type.")]
ObjectType = Annotated[str | None, Query(alias="type", max_length=128, description="Only of this object type.")]
Number = Annotated[int, Path(ge=1, le=2**53, description="Its number in the source.")]
HistoryProof = Annotated[bool, Query(description="All items, with the proof that they are all; not paged.")]


def router(context: Context) -> APIRouter:
    """Return the routes of process data."""
    routes = APIRouter(prefix="/v1", tags=["process"])
    _add_types(routes, context)
    _add_sources(routes, context)
    _add_objects(routes, context)
    return routes


def _add_types(routes: APIRouter, context: Context) -> None:
    index = context.services.index

    @routes.get("/process-types/{id:part}", summary="One process type", dependencies=[Depends(context.fresh_index)])
    async def process_type(id: Id) -> Response:
        height, reader = context.services.height, context.reader()
        definition = process_types.process_type(reader, id)
        if definition is None:
            raise Problem(404, "unknown_process_type", "no process type has this id", more={"height": height})
        statistics = process.statistics(reader, id)
        indexed_height, indexed = await index.query(queries.process_type, id)
        document = {"height": height, "process_type": plain(definition), "statistics": statistics}
        return answer({**document, "indexed": {"height": indexed_height, **indexed}}, height=height)


def _add_sources(routes: APIRouter, context: Context) -> None:
    @routes.get(
        "/sources/{id:rest}/items/{sequence:part}",
        summary="One item of a source",
        dependencies=[Depends(context.fresh_index)],
    )
    async def item(id: Id, sequence: Number) -> Response:
        height, place = await context.services.index.query(queries.item_at, id, sequence)
        if place is None:
            raise Problem(404, "unknown_item", "this source has no item of this number", more={"height": height})
        (found,) = await _items(context, [place])
        return answer({"height": height, "item": found}, height=height)

    @routes.get(
        "/sources/{id:rest}", summary="One source: last sequence, gaps, lag", dependencies=[Depends(context.fresh)]
    )
    async def source(id: Id, proof: KeyProof = False) -> Response:
        height = context.services.height
        found = process.source(context.reader(), id)
        if found is None:
            raise Problem(404, "unknown_source", "expected MEMBER/SOURCE of a source", more={"height": height})
        certified = await prove_key(context, source_key(id)) if proof else None
        header, _ = await context.certified(height)
        latest_ms = found["latest_ms"]
        lag_ms = None if latest_ms is None else max(0, header.time_ms - latest_ms)
        document = {"height": height, "source": {"id": id, **plain(found), "lag_ms": lag_ms}}
        if certified is not None:
            document["proof"] = await proof_document(context, certified)
        return answer(document, height=height)


def _add_objects(routes: APIRouter, context: Context) -> None:
    fresh_index = [Depends(context.fresh_index)]
    index = context.services.index

    @routes.get("/objects/{id:rest}/events", summary="An object's items, provably all", dependencies=fresh_index)
    async def events(
        id: Id,
        process_type: ProcessType = None,
        object_type: ObjectType = None,
        proof: HistoryProof = False,
        handovers: WithHandovers = True,
        limit: paging.Limit = 100,
        cursor: paging.Cursor = None,
    ) -> Response:
        if proof:
            named = await _named_object(context, id, process_type, object_type)
            return await _proven_history(context, named, handovers=handovers)
        found = await _one_object(context, id, process_type, object_type)
        after, tip = paging.decode_number(cursor), context.services.height
        height, places = await index.query(
            queries.items_of, found["number"], after=after, limit=limit + 1, until_height=tip
        )
        items = await _items(context, places[:limit])
        following = str(places[limit - 1].number) if len(places) > limit else None
        document = {"height": height, "object": _name(found), "items": items, "next": paging.encode(following)}
        return answer(document, height=height)

    @routes.get("/objects/{id:rest}", summary="One object: how many items, chain head", dependencies=fresh_index)
    async def one(
        id: Id, process_type: ProcessType = None, object_type: ObjectType = None, proof: KeyProof = False
    ) -> Response:
        found = await _one_object(context, id, process_type, object_type)
        certified = await prove_key(context, _key(found))
        count, head = (0, b"") if certified.value is None else _record(certified)
        height = certified.header.height
        shown = {**_name(found), "items": count, "head": head.hex(), "first": found["first"]}
        document: dict[str, Any] = {"height": height, "object": shown}
        tallies = await _tallies(context, found)
        if tallies is not None:
            document["tallies"] = tallies
        if proof:
            document["proof"] = await proof_document(context, certified)
        return answer(document, height=height)


async def _tallies(context: Context, found: dict[str, Any]) -> dict[str, Any] | None:
    """Return the tallies of an object, if its type has some, with the height that certifies them."""
    place = (found["process_type"], found["type"], found["id"])
    declared = declared_tallies(process_types.process_type(context.reader(), place[0])).get(place[1])
    if declared is None:
        return None
    certified = await prove_key(context, tally_key(*place))
    tally = tally_from(None if certified.value is None else codec.decode(certified.value))
    return {"height": certified.header.height, **tally_document(declared, tally)}


async def _one_object(context: Context, name: str, process_type: str | None, object_type: str | None) -> dict[str, Any]:
    """Return the object of this id; raise the problem 404, or 409 when the types have to tell several apart."""
    query, index = queries.objects_named, context.services.index
    height, found = await index.query(query, name, object_type, process_type)
    if not found:  # not indexed yet, perhaps: "unknown" must be true at the tip
        await context.index_reaches(context.services.height)
        height, found = await index.query(query, name, object_type, process_type)
    if not found:
        raise Problem(404, "unknown_object", "no item names an object of this id", more={"height": height})
    if len(found) > 1:
        choices = [{"process_type": item["process_type"], "type": item["type"]} for item in found]
        detail = "several objects have this id; add process_type and type"
        raise Problem(409, "ambiguous_object", detail, more={"height": height, "objects": choices})
    return found[0]


async def _named_object(
    context: Context, name: str, process_type: str | None, object_type: str | None
) -> dict[str, Any]:
    """Return the object of this id, also one without items if both types are given: that can be proven too."""
    try:
        return await _one_object(context, name, process_type, object_type)
    except Problem as problem:
        if problem.status != 404 or process_type is None or object_type is None:
            raise
        return {"process_type": process_type, "type": object_type, "id": name, "number": 0}


async def _proven_history(context: Context, found: dict[str, Any], *, handovers: bool) -> Response:
    """Answer with all items of an object as of the newest certified state, and the proof of its record."""
    certified = await prove_key(context, _key(found))
    height = certified.header.height
    count = 0 if certified.value is None else _record(certified)[0]
    if count > MAX_PROVEN_ITEMS:
        raise _too_large(f"{count} items, at most {MAX_PROVEN_ITEMS}")
    await context.index_reaches(height)
    _, places = await context.services.index.query(
        queries.items_of, found["number"], after=0, limit=count + 1, until_height=height
    )
    if len(places) != count:  # Y27
        raise unavailable(f"the index holds {len(places)} items of this object, the state {count}")
    document = {
        "coseal": "object-history",
        "version": 1,
        "height": height,
        **_name(found),
        "count": count,
        "items": [_apart(row) for row in await _items(context, places)],
        "record": state_proof_json(certified),
    }
    if handovers:
        document = with_handovers(document, await context.handovers(certified.header.epoch))
    if len(json_bytes(document)) > context.limits.response_bytes:
        raise _too_large(f"more than {context.limits.response_bytes} bytes")
    return answer(document, height=height)


async def _items(context: Context, places: Sequence[ItemPlace]) -> list[dict[str, Any]]:
    """Return items with their content, read from the blocks that hold them; what fell due has no transaction."""
    batches: dict[tuple[int, int], tuple[str | None, dict[tuple[str, int], RecordedItem]]] = {}
    times: dict[int, int] = {}
    items = []
    for place in places:
        key = (place.height, place.position)
        if key not in batches:
            if batches and key[0] != next(reversed(batches))[0]:
                batches.clear()  # items come in ledger order, so an earlier block is not needed again
            committed = await context.block(place.height)
            if committed is None:
                raise LookupError(f"block {place.height} is not in the log")
            times[place.height] = committed.block.header.time_ms
            batches[key] = await asyncio.to_thread(_batch, committed, place.position)
        tx, recorded = batches[key]
        one = recorded[place.source, place.sequence]
        items.append(
            {
                "source": place.source,
                "sequence": place.sequence,
                "height": place.height,
                "time_ms": times[key[0]],
                "index": place.position,
                "tx": tx,
                "hash": one.hash.hex(),
                "item": one.item,
            }
        )
    return items


def _apart(row: dict[str, Any]) -> dict[str, Any]:
    """Return an item of a proven history: its place is no part of the proof, and stands where it says so."""
    proven = {name: row[name] for name in ("source", "sequence", "hash", "item")}
    return {**proven, "unproven": {name: row[name] for name in ("height", "index", "tx")}}


def _batch(committed: CommittedBlock, position: int) -> tuple[str | None, dict[tuple[str, int], RecordedItem]]:
    """Return the id of a transaction, None for what fell due, and the items that it recorded by source and number."""
    transaction = None if position == BEGIN else Transaction.decode(committed.block.transactions[position])
    receipt = Receipt.decode(committed.receipts[position + 1])
    recorded = {(one.source, one.sequence): one for one in recorded_items(transaction, receipt)}
    return None if transaction is None else transaction.id.hex(), recorded


def _key(found: dict[str, Any]) -> str:
    return object_key(found["process_type"], found["type"], found["id"])


def _name(found: dict[str, Any]) -> dict[str, Any]:
    return {"process_type": found["process_type"], "type": found["type"], "id": found["id"]}


def _record(certified: CertifiedValue) -> tuple[int, bytes]:
    count, head = codec.sequence(codec.decode(certified.value or b""), "record", limit=2)
    return count, head


def _too_large(detail: str) -> Problem:
    text = f"{detail}; page the items without proof, and prove the object's record by itself"
    return Problem(422, "history_too_large", text)
