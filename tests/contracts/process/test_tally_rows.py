"""The rows of tallies say what the state says, corrections and many parties included."""

from __future__ import annotations

from random import Random

from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.process.tally import matched, read_tally
from coseal.contracts.process.types import normalised
from tests.contracts.process import test_corrected_rows, test_tally
from tests.contracts.process.test_tally import BUYER, ORDERS, SELLER, invoiced, placed, received, record

connection, orders = test_corrected_rows.connection, test_tally.orders
DECLARED = declared_tallies(normalised(ORDERS))["order_line"]


def test_rows_say_what_the_state_says(connection, orders):
    rng, lines = Random(7), [("order_line", f"{BUYER}/A1/{number}") for number in range(3)]
    recorded = {BUYER: [], SELLER: []}
    position = 0
    for _ in range(12):
        member = rng.choice([BUYER, SELLER])
        items, shown, first = [], [], len(recorded[member]) + 1
        for offset in range(rng.randint(1, 4)):
            make = invoiced if member == SELLER else rng.choice([placed, received])
            item = make(f"e{first + offset}", str(rng.randint(1, 9))) | {"objects": [list(rng.choice(lines))]}
            if recorded[member] and rng.random() < 0.3:
                target = rng.randrange(len(recorded[member]))
                hashed = item_hash(f"{member}/erp", target + 1, recorded[member][target]).hex()
                item["corrects"] = [target + 1, hashed]
                shown.append(recorded[member][target])
            items.append(item)
        record(orders, member, first, *items, **({"corrected": shown} if shown else {}))
        recorded[member] += items
        if rng.random() < 0.5:
            position = test_corrected_rows.write(connection, orders, position)
    test_corrected_rows.write(connection, orders, position)
    for line in lines:
        tally = read_tally(orders.executor.reader, "orders", *line)
        said = connection.execute("SELECT * FROM tallies WHERE type = ? AND id = ?", line).fetchall()
        assert {(row["member"], row["tally"]): [row["sum"], row["events"], row["inexact"]] for row in said} == {
            (member, name): figure for member, row in tally.members.items() for name, figure in row[3].items()
        }
        (row,) = connection.execute("SELECT * FROM matches WHERE type = ? AND id = ?", line).fetchall()
        match = matched(DECLARED, tally, BUYER, SELLER)
        assert (row["buyer"], row["seller"]) == (BUYER, SELLER)
        assert (row["verdict"], row["payable_quantity"], row["payable"], row["mode"]) == (
            match.verdict,
            match.payable_quantity,
            match.payable_amount,
            match.mode,
        )
