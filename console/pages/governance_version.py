"""A protocol version to come: which validators have said that their software has it, and where it takes effect.

Law: it is worked out here from proven values, by the functions that the contract uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.html import Child, Html, el
from coseal.console.page import Page
from coseal.console.parts import member_link, notice, section, table, tag
from coseal.console.shown import Shown, joined
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.governance.state import UPGRADE_KEY, VERSION_KEY
from coseal.contracts.governance.versions import Support
from coseal.contracts.kernel.state import PROTOCOL_VERSION_KEY
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership.state import PENDING_KEY, VALIDATORS_KEY, node_key

_KEYS: Final = (
    UPGRADE_KEY,
    VERSION_KEY,
    PROTOCOL_VERSION_KEY,
    VALIDATORS_KEY,
    PENDING_KEY,
)


class _State:
    """Proven values as the contracts read them."""

    def __init__(self, shown: Mapping[str, Shown[Any]]) -> None:
        self._shown = shown

    def get(self, key: str) -> Any:
        """See ``kernel.action.Reader``."""
        return self._shown[key].value

    @property
    def standing(self) -> Shown[Any]:
        """What is shown of all of them."""
        return joined(*self._shown.values())

    @property
    def nodes(self) -> list[str]:
        """The keys of the nodes that validate, now or after the change that is under way."""
        sets = (membership_epochs.validators(self), membership_epochs.coming(self))
        return sorted({node_key(seat.id) for found in sets if found is not None for seat in found.validators})


async def coming(page: Page) -> Html | None:
    """Return a section about the version that is accepted and not in force yet; None if there is none."""
    if (await page.data.state(UPGRADE_KEY)).value is None:
        return None
    state = await _state(page)
    upgrade = governance_versions.upgrade(state, state.standing.height or 0)
    if upgrade is None:
        return None
    support = governance_versions.support(state, upgrade["version"])
    given = {**_figures(support), "version": upgrade["version"], "current": state.get(PROTOCOL_VERSION_KEY)}
    if upgrade["first_height"] is None:
        said = notice("wait", page.t("version.waits", **given, height=page.number(upgrade["height"])))
    else:
        said = notice("good", page.t("version.begins", **given, height=page.number(upgrade["first_height"])))
    return _section(page, state, support, upgrade["first_height"], said)


async def proposed(page: Page, version: int) -> Html:
    """Return a section about a version that is voted on."""
    state = await _state(page)
    support = governance_versions.support(state, version)
    words = page.t("version.proposed", **_figures(support), version=version)
    return _section(page, state, support, None, notice("good" if support.suffices else "wait", words))


async def _state(page: Page) -> _State:
    """Read what says who validates and what their software has."""
    state = _State(await _read(page, _KEYS))
    return _State(await _read(page, (*_KEYS, *state.nodes)))


async def _read(page: Page, keys: Sequence[str]) -> dict[str, Shown[Any]]:
    return dict(zip(keys, await asyncio.gather(*(page.data.exact(key) for key in keys)), strict=True))


def _figures(support: Support) -> dict[str, Any]:
    having, everyone = len(support.having), len(support.having) + len(support.lacking)
    return {"having": having, "all": everyone, "needed": support.needed}


def _section(page: Page, state: _State, support: Support, first_height: int | None, said: Html) -> Html:
    lacks = page.t("version.lacks")
    if first_height is not None:
        lacks = page.t("version.lacks.before", height=page.number(first_height))
    rows: list[list[Child]] = []
    for node in sorted((*support.having, *support.lacking)):
        has = node in support.having
        word = tag(page.t("version.has"), "good") if has else tag(lacks, "bad")
        rows.append([node, member_link(state.get(node_key(node))["member"]), word])
    listed = table(page, "version.title", ("version.node", "governance.member", "version.software"), rows)
    return section(page, "version.title", said, el("p", None, page.t("version.note")), listed, shown=state.standing)
