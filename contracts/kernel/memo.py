"""What was compiled from the state, kept between transactions; never a part of what is agreed."""

from __future__ import annotations

from typing import Any, Final

_MEMO_MAX: Final = 64


def remember(memo: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep the newest of what was compiled: what is forgotten is compiled again from the state."""
    if len(memo) >= _MEMO_MAX:
        del memo[next(iter(memo))]
    memo[key] = value
