"""What governance writes when a chain is founded: where its members vote, and the constitution of genesis, if any.

Law: a chain begins with no document that an amendment could not bring.
"""

from __future__ import annotations

from typing import Any

from coseal.contracts.governance import amendment, document, electorate, in_force
from coseal.contracts.kernel.action import View
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import Genesis


def install(view: View, genesis: Genesis) -> None:
    """Write the constitution and the electorates of ``genesis``; raise ``Malformed`` for a document that is unsafe."""
    given: Any = genesis.constitution
    if given is None:
        electorate.install(view, genesis, document.FOUNDING)
        return
    for fault in document.faults_of(given):  # Q16
        raise Malformed(f"genesis.constitution{fault}")
    constitution = document.constitution_of(given)
    electorate.install(view, genesis, constitution)
    refused = amendment.unsafe(constitution, electorate.sizes(view))
    if refused is not None:
        raise Malformed(f"genesis.constitution: {refused.detail}")
    in_force.enact(view, given, height=0, proposal="")
