"""Secrets are their owner's alone, are never replaced, and come back as they were saved."""

from pathlib import Path

import pytest

from coseal.errors import CosealError
from coseal.sealing.envelopes import SealingKey
from coseal.sealing.secrets import SeatSecrets, Secrets, VaultSecrets, beside

VAULT = VaultSecrets(b"c" * 32, "bank-a", "loans", "usual", (b"1" * 32, b"2" * 32))
SEAT = SeatSecrets(b"c" * 32, "bank-a", "loans", 2, (b"1" * 32,))


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return beside(tmp_path / "admin.pem")


def test_what_is_saved_comes_back_and_is_never_replaced(secrets: Secrets) -> None:
    key = SealingKey(b"k" * 32)
    secrets.save_sealing_key("custody", 10, key)
    secrets.save_sealing_key("custody", 2, SealingKey(b"j" * 32))
    secrets.save_vault(VAULT)
    secrets.save_seat(SEAT)
    assert list(secrets.sealing_keys("custody")) == [2, 10]
    assert secrets.sealing_keys("custody")[10].public == key.public
    assert secrets.sealing_keys("reader") == {}
    assert (secrets.vault("loans"), secrets.seat("bank-a", "loans")) == (VAULT, SEAT)
    for again in (
        lambda: secrets.save_sealing_key("custody", 2, key),
        lambda: secrets.save_vault(VAULT),
        lambda: secrets.save_seat(SEAT),
    ):
        with pytest.raises(CosealError, match="never replaced"):
            again()
    assert secrets.sealing_keys("custody")[2].seed == b"j" * 32


def test_keys_of_audiences_are_added_and_stay(secrets: Secrets) -> None:
    secrets.save_vault(VAULT)
    secrets.add_audience_key("loans", "readers", 1, b"a" * 32)
    secrets.add_audience_key("loans", "readers", 2, b"b" * 32)
    secrets.add_audience_key("loans", "readers", 2, b"b" * 32)
    with pytest.raises(CosealError, match="another key of version 2"):
        secrets.add_audience_key("loans", "readers", 2, b"c" * 32)
    assert secrets.vault("loans").audiences == {"readers": {1: b"a" * 32, 2: b"b" * 32}}


def test_files_are_of_their_owner_alone_and_nothing_unfinished_is_left(secrets: Secrets) -> None:
    secrets.save_vault(VAULT)
    secrets.add_audience_key("loans", "readers", 1, b"a" * 32)
    assert secrets.folder.stat().st_mode & 0o777 == 0o700
    assert [(path.name, path.stat().st_mode & 0o777) for path in secrets.folder.iterdir()] == [
        ("vault-loans.json", 0o600)
    ]
    (secrets.folder / "vault-loans.json").chmod(0o640)
    with pytest.raises(CosealError, match="others may read it"):
        secrets.vault("loans")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "1x", "x_y", "a\n", "x" * 65])
def test_a_name_stays_in_the_folder(secrets: Secrets, name: str) -> None:
    for use in (lambda: secrets.vault(name), lambda: secrets.seat(name, "loans"), lambda: secrets.seat("a", name)):
        with pytest.raises(CosealError, match="a name of a-z"):
            use()
    with pytest.raises(CosealError, match="no use"):
        secrets.sealing_keys(name)


def test_a_secret_that_is_missing_or_damaged_is_said_so_and_not_shown(secrets: Secrets) -> None:
    with pytest.raises(CosealError, match="no such secret"):
        secrets.vault("loans")
    secrets.save_vault(VAULT)
    (secrets.folder / "vault-loans.json").write_text('{"vault": 1}')
    with pytest.raises(CosealError, match="not what Coseal wrote"):
        secrets.vault("loans")
    assert "1111" not in repr(VAULT) + repr(SEAT)


def test_keys_of_audiences_of_others_are_kept_by_version(tmp_path: Path) -> None:
    secrets, chain = Secrets(tmp_path / "sealing"), bytes(32)
    assert secrets.granted_keys(chain, "bank-a", "loans") == {}
    secrets.add_granted_key(chain, "bank-a", "loans", ("readers", 1), b"1" * 32)
    secrets.add_granted_key(chain, "bank-a", "loans", ("readers", 2), b"2" * 32)
    secrets.add_granted_key(chain, "bank-a", "loans", ("readers", 1), b"1" * 32)
    kept = Secrets(tmp_path / "sealing").granted_keys(chain, "bank-a", "loans")
    assert kept == {("readers", 1): b"1" * 32, ("readers", 2): b"2" * 32}
    assert (tmp_path / "sealing" / "granted-bank-a_loans.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(CosealError, match="another key of version 1"):
        secrets.add_granted_key(chain, "bank-a", "loans", ("readers", 1), b"3" * 32)
    with pytest.raises(CosealError, match="another chain"):
        secrets.granted_keys(bytes(31) + b"1", "bank-a", "loans")
