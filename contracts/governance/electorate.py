"""Who has a vote: what is kept of it, so that nothing is counted again.

Law: whatever changes who has a vote calls ``changed`` in the same transaction or due thing.
"""

from __future__ import annotations

from coseal.contracts.kernel.action import View


def changed(view: View, member_id: str, time_ms: int) -> None:
    """Have what is kept of electorates follow a member whose standing changed at block time ``time_ms``.

    Votes are counted over the electorate of the moment and nothing is kept of it yet, so there is nothing to follow.
    """
