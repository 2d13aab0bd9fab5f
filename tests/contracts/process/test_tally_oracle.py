"""Tallies of real logs are the sums that DuckDB finds in the same files."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.process.tally import Fold, figure, read_tally
from coseal.contracts.process.types import normalised
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from tests.reference import reference
from tests.support.chain import Chain

FINES = Path(__file__).parents[3] / "examples/traffic-fines"
FINE_TALLIES = {
    "fine": {
        "fined": [{"on": kind, "add": "amount", "scale": 2} for kind in ("Create Fine", "Add penalty")],
        "paid": [{"on": "Payment", "add": "paymentamount", "scale": 2}],
        "payments": [{"on": "Payment", "add": 1}],
    }
}
FINE_SQL = """
select case_id,
  coalesce(sum(amount::decimal(18, 2)) filter (where activity in ('Create Fine', 'Add penalty')), 0) * 100,
  coalesce(sum(paymentamount::decimal(18, 2)) filter (where activity = 'Payment'), 0) * 100,
  count(*) filter (where activity = 'Payment')
from read_csv(?, all_varchar = true, header = true) group by 1
"""


def folded(
    definition: Mapping[str, Any], items: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the sums of one member over a log, by object."""
    fold = Fold(declared_tallies(definition))
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for sequence, item in enumerate(items, 1):
        if "event" in item:
            for name, tally in fold.add("x/log", sequence, item, objects_of(item)).items():
                found[name] = tally.members["x"][3]
    return found


def asked(sql: str, *values: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(sql, list(values)).fetchall()


def fines() -> tuple[dict[str, Any], list[Mapping[str, Any]], dict[str, tuple[int, ...]]]:
    path = FINES / "traffic-fines.csv.gz"
    log = read_log(path, load_mapping(FINES / "traffic-fines.toml", path, None))
    definition = {**log.definition, "tallies": FINE_TALLIES}
    sums = {case: tuple(int(each) for each in row) for case, *row in asked(FINE_SQL, str(path))}
    return definition, list(log.items), sums


def figures(sums: Mapping[str, Any], *names: str) -> tuple[int | None, ...]:
    return tuple(figure(sums, name) if name in sums else 0 for name in names)


def test_the_tallies_of_all_fines_are_what_duckdb_sums() -> None:
    definition, items, sums = fines()
    found = folded(normalised(definition), items)
    assert len(sums) == 10_000
    for case, expected in sums.items():
        assert figures(found.get(("fine", case), {}), "fined", "paid", "payments") == expected, case


@pytest.mark.parametrize("sizes", [(1_000,), (1, 7, 250)])
def test_a_chain_has_the_same_sums_however_its_batches_are_cut(sizes: tuple[int, ...]) -> None:
    definition, items, sums = fines()
    events = [item for item in items if "event" in item][:3_000]
    whole = {case for _, case in (objects_of(item)[0] for item in events)}
    whole -= {case for item in items[len(events) :] for _, case in objects_of(item) if "event" in item}
    chain = Chain()
    assert chain.submit("enterprise-a/admin", "process.define_type", **definition).ok
    kind = definition["id"]
    chain.submit("enterprise-a/admin", "process.register_source", id="log", process_type=kind, mode="historical")
    sequence, number = 1, 0
    while sequence <= len(events):
        batch = [dict(item) for item in events[sequence - 1 : sequence - 1 + sizes[number % len(sizes)]]]
        receipt = chain.submit("enterprise-a/admin", "process.record", source="log", sequence=sequence, items=batch)
        assert receipt.ok, receipt.detail
        sequence, number = sequence + len(batch), number + 1
    assert len(whole) > 500
    for case in whole:
        tally = read_tally(chain.executor.reader, kind, "fine", case)
        assert figures(tally.members["enterprise-a"][3], "fined", "paid", "payments") == sums[case]


def test_what_was_picked_packed_and_paid_by_order_is_what_duckdb_counts(tmp_path: Path) -> None:
    path = reference("ocel2", "order-management.sqlite")
    counted = {"picked": "pick item", "placed": "place order", "paid": "pay order", "reminded": "payment reminder"}
    log = read_log(path, load_mapping(None, path, "+01:00"))
    tallies = {"orders": {name: [{"on": kind, "add": 1}] for name, kind in counted.items()}}
    found = folded(normalised({**log.definition, "tallies": tallies}), log.items)
    rows = tmp_path / "rows.csv"
    with sqlite3.connect(path) as connection, rows.open("w", encoding="utf-8", newline="") as file:
        joined = connection.execute(
            "SELECT DISTINCT o.ocel_id, e.ocel_id, e.ocel_type FROM event_object x"
            " JOIN object o ON o.ocel_id = x.ocel_object_id AND o.ocel_type = 'orders'"
            " JOIN event e ON e.ocel_id = x.ocel_event_id"
        )
        csv.writer(file).writerows(joined)
    filters = ", ".join(f"count(*) filter (where kind = '{kind}')" for kind in counted.values())
    named = "read_csv(?, header = false, all_varchar = true, names = ['id', 'event', 'kind'])"
    answers = asked(f"select id, {filters} from {named} group by id", str(rows))
    assert len(answers) == 2_000
    for order, *expected in answers:
        assert figures(found.get(("orders", order), {}), *counted) == tuple(expected), order


CLEARED = "Record Invoice Receipt", "Cancel Invoice Receipt"
RECEIVED = "Record Goods Receipt", "Cancel Goods Receipt"
PURCHASES_SQL = """
select "{case}",
  sum(case "{kind}" when 'Record Invoice Receipt' then 1 when 'Cancel Invoice Receipt' then -1 else 0 end),
  sum(case "{kind}" when 'Record Goods Receipt' then 1 when 'Cancel Goods Receipt' then -1 else 0 end)
from read_csv(?, all_varchar = true, header = true, encoding = 'latin-1') group by 1
"""


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("excerpt_3_cases.csv", ("case", "activity")),
        ("BPI_Challenge_2019.csv", ("case concept:name", "event concept:name")),
    ],
)
def test_receipts_of_purchases_net_of_what_was_cancelled_are_what_duckdb_sums(
    name: str, columns: tuple[str, str]
) -> None:
    path = reference("trade", "bpi2019", name)
    case_column, kind_column = columns
    tallies = {
        "item": {
            tally: [{"on": done, "add": 1}, {"on": undone, "add": 1, "sign": -1}]
            for tally, (done, undone) in (("invoices", CLEARED), ("receipts", RECEIVED))
        }
    }
    kinds: dict[str, Any] = {kind: {} for kind in (*CLEARED, *RECEIVED)}
    definition = {"id": "p2p", "version": 1, "title": "P", "object_types": {"item": {}}, "event_types": kinds}
    with path.open(encoding="latin-1", newline="") as file:
        events = [
            {"event": str(number), "type": row[kind_column], "objects": [["item", row[case_column]]]}
            for number, row in enumerate(csv.DictReader(file))
            if row[kind_column] in kinds
        ]
    found = folded(normalised({**definition, "tallies": tallies}), events)
    answers = asked(PURCHASES_SQL.format(case=case_column, kind=kind_column), str(path))
    for case, invoices, receipts in answers:
        assert figures(found.get(("item", case), {}), "invoices", "receipts") == (invoices, receipts), case
    if name.startswith("excerpt"):
        assert len(answers) == 3
        assert all(invoices <= receipts for _, invoices, receipts in answers)
