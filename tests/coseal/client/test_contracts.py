"""Installed contracts of others are chosen by name for a genesis; what a genesis admits and is lacking is said."""

from __future__ import annotations

import pytest

from coseal.client import contracts
from coseal.contracts.installed import Installed
from coseal.errors import CosealError
from tests.support.others import TALLIES, TALLY_1, TALLY_2


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "installed", lambda: Installed(TALLIES, ("x: cannot be offered",)))


def test_a_name_means_its_newest_version_and_may_say_another() -> None:
    assert contracts.chosen(["tally"]) == (TALLY_2,)
    assert contracts.chosen(["tally-1"]) == (TALLY_1,)
    assert contracts.chosen([]) == ()


@pytest.mark.parametrize("name", ["nosuch", "tally-3", ""])
def test_what_is_not_installed_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(CosealError) as refused:
        contracts.chosen([name])
    assert refused.value.hint == "there are: tally-1, tally-2; x: cannot be offered"


def test_a_genesis_that_needs_what_is_lacking_is_refused_with_what_to_install() -> None:
    contracts.require_installed("harbour", (TALLY_1, TALLY_2))
    with pytest.raises(
        CosealError, match=f"harbour admits contract tally version 2 with SHA-256 {'33' * 32}, which is not"
    ):
        contracts.require_installed("harbour", (TALLY_2._replace(sha256="33" * 32),))


def test_lists_and_kinds_of_events_are_those_of_what_is_installed_too() -> None:
    assert "tally.added" in contracts.lists()
    assert contracts.event_kinds()[-1] == "tally.large"
