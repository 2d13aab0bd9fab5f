"""An enterprise's ERP exports its events: the ledger itself is the cursor, so nothing is lost or recorded twice.

    python examples/sdk/erp_export.py http://127.0.0.1:8600 enterprise-a.pem genesis.json erp.sqlite

The ERP numbers what happens in a table without gaps (an outbox, filled in the transaction that does the business):

    CREATE TABLE outbox (number INTEGER PRIMARY KEY, type TEXT, at TEXT, certificate TEXT, amount INTEGER, due TEXT)

Run it as often as you like, from cron or in a loop; kill it at any moment.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import coseal

TYPE = Path(__file__).parents[1] / "rules" / "receivables.type.json"
SOURCE = "erp"
CHUNK = 50_000


def register(client: coseal.Client) -> None:
    """Define what is recorded and say who records it, unless that was done before."""
    if client.value("process/type/receivables") is None:
        client.submit("process", "define_type", json.loads(TYPE.read_text())).require_ok()
    if client.value(f"process/source/{client.member}/{SOURCE}") is None:
        source = {"id": SOURCE, "process_type": "receivables", "mode": "live"}
        client.submit("process", "register_source", source).require_ok()


def event_of(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row of the outbox as the ledger takes it; amounts are in cents."""
    event = {
        "event": f"erp-{row['number']}",
        "type": row["type"],
        "time": row["at"],
        "objects": [["certificate", row["certificate"]]],
        "counterparty": "bank-a",
    }
    if row["amount"] is not None:
        event["attributes"] = {"amount": row["amount"], "payment_date": row["due"]}
    return event


def export(client: coseal.Client, database: Path) -> int:
    """Record what the ledger does not have yet; return how many events that were."""
    source = f"process/source/{client.member}/{SOURCE}"
    added = 0
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        while True:
            done = client.value(source)["sequence"]  # proven, not believed
            rows = connection.execute(
                "SELECT * FROM outbox WHERE number > ? ORDER BY number LIMIT ?", (done, CHUNK)
            ).fetchall()
            if not rows:
                return added
            recorded = client.record(map(event_of, rows), source=SOURCE, sequence=rows[0]["number"])
            added += recorded.added


def main(url: str, key: str, genesis: str, database: str) -> int:
    """Export once; 0 when everything is on the ledger, 1 when the data is refused, 2 when to try again later."""
    try:
        with coseal.connect(url.split(","), key=key, genesis=genesis) as client:
            register(client)
            print(f"{export(client, Path(database))} events recorded")
    except coseal.CosealError as error:
        print(error, file=sys.stderr)  # says what is wrong and what to do
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
