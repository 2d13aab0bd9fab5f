"""Items of process data held against their type before they are signed: everything that does not fit, at once.

Law: the type and the source are proven by the chain, and an item fits if the contract's own schema reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from coseal.client.arguments import MAX_FAULTS
from coseal.client.blocking import Client
from coseal.contracts.process.items import Unfit, schema_of
from coseal.contracts.process.state import source_key, type_key
from coseal.errors import BadArguments


def require_fit(client: Client, args: Mapping[str, Any]) -> None:
    """Raise ``BadArguments`` naming each item of a ``process.record`` that does not fit the type of its source.

    What else the chain may say of it, of the sequence or an object, is left to the chain; so is an unknown source.
    """
    source = client.value(source_key(f"{client.session.member}/{args['source']}"))
    definition = None if source is None else client.value(type_key(source["process_type"]))
    if source is None or definition is None:
        return
    schema = schema_of(definition, source.get("zone_minutes"))

    def faults() -> Iterator[str]:
        for index, item in enumerate(args["items"]):
            try:
                schema.read(item)
            except Unfit as error:
                yield f"items[{index}]{error}"

    found = list(islice(faults(), MAX_FAULTS + 1))
    if found[MAX_FAULTS:]:
        found[MAX_FAULTS] = f"and more: only the first {MAX_FAULTS} items are shown"
    if found:
        hint = f"nothing was signed; the type is {definition['id']}, version {definition['version']}"
        raise BadArguments("invalid_item", found, hint)
