"""Recording a log: its type and source made known, then its items sent (``coseal.client.recording``).

Law: an item is recorded once however often this runs, and what is recorded already must be what the file holds.
"""

from __future__ import annotations

from typing import Any

from coseal.client.blocking import Client
from coseal.client.recording import BATCH_ITEMS, WINDOW, Progress, Recorded, Sending
from coseal.contracts.process.cells import seals
from coseal.contracts.process.state import type_key
from coseal.contracts.process.types import definition_hash, normalised
from coseal.errors import BadAnswer, CosealError
from coseal.formats.importers.log import Log
from coseal.ledger import codec
from coseal.sealing.secrets import Secrets

__all__ = ["BATCH_ITEMS", "Progress", "Recorded", "Recorder"]


class Recorder:
    """Records one log through one client, whose sender's member owns the source."""

    def __init__(self, client: Client, log: Log, *, batch_items: int = BATCH_ITEMS, window: int = WINDOW) -> None:
        self._client, self._log, self._batch_items = client, log, batch_items
        source_id: str = log.source["id"]
        self._sending = Sending(client.session, source_id, log.items, batch_items=batch_items, window=window)
        self._source, self._key = self._sending.source, self._sending.key

    def run(self, progress: Progress | None = None) -> Recorded:
        """Record what is missing; raise ``BadAnswer`` when something else is recorded, ``Refused`` by a contract."""
        self.prepare()
        return self._client.run(self._sending.run(progress or (lambda recorded, total: None)))

    def seal(self, secrets: Secrets, vault: str, progress: Progress | None = None) -> Recorded:
        """Record what is missing, its sealed attributes in cells of an armed vault; raises as ``Vaults.record``.

        What is recorded already is passed over, not compared: its salts were drawn then.
        """
        if not seals(normalised(self._log.definition)):
            raise CosealError(
                f"{self._log.definition['id']} has no sealed attributes", "name them in the map, in its table [seal]"
            )
        self.prepare()
        before: Any = self._client.value(self._key)
        if before["sequence"] > len(self._log.items):
            raise BadAnswer(
                f"{self._source} holds {before['sequence']} items, the file has {len(self._log.items)}",
                "nothing was added; was the file or the map changed? Name another source in the map for a new log",
            )
        options = {"source": self._log.source["id"], "sequence": 1, "batch_items": self._batch_items}
        self._client.vaults(secrets).record(vault, self._log.items, progress=progress, **options)
        certified = self._client.state(self._key)
        value: Any = codec.decode(certified.value or b"\xc0")
        expected = len(self._log.items)
        if value["sequence"] != expected:
            raise BadAnswer(f"{self._source} holds {value['sequence']} items, expected {expected}")
        known, height = before["sequence"], certified.header.height
        added = expected - known
        return Recorded(self._source, value["process_type"], known, added, expected, value["head"], height)

    # Making the source known

    def prepare(self) -> None:
        """Make type and source known, unless they are; rules can then be adopted before anything is recorded."""
        self._define()
        self._register()

    def _define(self) -> None:
        """Define the process type, unless exactly this definition is in force."""
        type_id = self._log.definition["id"]
        current: Any = self._client.value(type_key(type_id))
        if current is None:
            self._client.submit_any("process", "define_type", self._log.definition).require_ok()
            return
        ours = normalised({**self._log.definition, "version": current["version"]})
        if current["definition"] != definition_hash(ours).hex():
            hint = "name another process_type in the map file"
            raise BadAnswer(f"process type {type_id} is defined otherwise on this chain", hint)

    def _register(self) -> None:
        """Register the source, unless it is there as we would have it."""
        current: Any = self._client.value(self._key)
        if current is None:
            self._client.submit_any("process", "register_source", self._log.source).require_ok()
            return
        for name in ("process_type", "mode", "zone_minutes"):
            if current.get(name) != self._log.source.get(name):
                there, here = current.get(name), self._log.source.get(name)
                hint = "name another source in the map file"
                raise BadAnswer(f"{self._source} is registered with {name} {there!r}, the file says {here!r}", hint)
