"""The policy contract: the register of policies, live and historical.

Law: live acts keep the guards or are refused; historical facts are recorded with what is odd about them.
contracts/policy/README.md.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.contract import Contract
from coseal.contracts.policy.acts import ACTIONS
from coseal.contracts.policy.lists import LISTS
from coseal.contracts.policy.recording import RECORD
from coseal.contracts.policy.rows import writer
from coseal.contracts.policy.state import KEYS, OPEN_KEYS
from coseal.contracts.policy.tables import TABLES

CONTRACT: Final[Contract] = Contract(
    name="policy",
    actions={**ACTIONS, "record": RECORD},
    lists=LISTS,
    tables=TABLES,
    rows=writer,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
