"""Recording a log: its type and source made known, then its items sent (``coseal.client.recording``).

Law: an item is recorded once however often this runs, and what is recorded already must be what the file holds.
"""

from __future__ import annotations

from typing import Any

from coseal.client.blocking import Client
from coseal.client.recording import BATCH_ITEMS, WINDOW, Progress, Recorded, Sending
from coseal.contracts.process.state import type_key
from coseal.contracts.process.types import definition_hash, normalised
from coseal.errors import BadAnswer
from coseal.formats.importers.log import Log

__all__ = ["BATCH_ITEMS", "Progress", "Recorded", "Recorder"]


class Recorder:
    """Records one log through one client, whose sender's member owns the source."""

    def __init__(self, client: Client, log: Log, *, batch_items: int = BATCH_ITEMS, window: int = WINDOW) -> None:
        self._client, self._log = client, log
        source_id: str = log.source["id"]
        self._sending = Sending(client.session, source_id, log.items, batch_items=batch_items, window=window)
        self._source, self._key = self._sending.source, self._sending.key

    def run(self, progress: Progress | None = None) -> Recorded:
        """Record what is missing; raise ``BadAnswer`` when something else is recorded, ``Refused`` by a contract."""
        self.prepare()
        return self._client.run(self._sending.run(progress or (lambda recorded, total: None)))

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
