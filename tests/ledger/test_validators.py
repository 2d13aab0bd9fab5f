"""Quorums, leaders, and the sets nobody should run."""

from dataclasses import replace

import pytest

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.validators import (
    MAX_VALIDATORS,
    ValidatorSet,
    base_index,
    leader_index,
    max_faulty,
    quorum,
    require_valid,
    weak_quorum,
)

QUORUMS = {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5, 10: 7, 31: 21, 64: 43}


@pytest.mark.parametrize("n", QUORUMS)
def test_quorums_are_those_of_the_paper(n):
    assert quorum(n) == QUORUMS[n]


@pytest.mark.parametrize("n", range(1, MAX_VALIDATORS + 1))
def test_two_quorums_share_an_honest_validator_and_the_honest_can_decide(n):
    f, q = max_faulty(n), quorum(n)
    assert 2 * q - n >= f + 1  # safety
    assert n - f >= q  # liveness
    assert weak_quorum(n) == f + 1


def test_a_set_survives_its_encoding(make_validators):
    for n in (1, 4, 7, 64):
        validators = make_validators(n, epoch=3)
        decoded = ValidatorSet.decode(validators.encode())
        assert decoded == validators
        assert decoded.hash == validators.hash


def test_the_hash_covers_ids_members_roles_and_keys_but_not_the_epoch(make_validators):
    validators = make_validators(4)
    assert ValidatorSet(9, validators.validators).hash == validators.hash
    first, *rest = validators.validators
    for change in ({"id": "node-000"}, {"member": "other"}, {"role": "public"}, {"key": bytes(32)}):
        assert ValidatorSet(0, (replace(first, **change), *rest)).hash != validators.hash


def test_a_node_is_found_by_its_id(make_validators):
    validators = make_validators(4)
    assert [validators.index(seat.id) for seat in validators.validators] == [0, 1, 2, 3]
    assert validators.index("nobody") is None


def test_sets_nobody_should_run_are_refused(make_validators):
    seats = make_validators(4).validators
    seven = make_validators(7).validators
    small_order = (1).to_bytes(32, "little")
    bad = {
        "no validator": (),
        "65": make_validators(65).validators,
        "unsorted": seats[::-1],
        "twice": (seats[0], seats[0], *seats[1:]),
        "one key twice": (*seats[:3], replace(seats[3], key=seats[0].key)),
        "an unknown role": (*seats[:3], replace(seats[3], role="king")),
        "a key of small order": (*seats[:3], replace(seats[3], key=small_order)),
        "a member with more than f seats": (*seats[:3], replace(seats[3], member=seats[0].member)),
        "a role with a quorum": tuple(replace(seat, role="bank") for seat in seats[:3]) + seats[3:],
        "three of seven for one member": tuple(replace(seat, member="one") for seat in seven[:3]) + seven[3:],
    }
    for what, validators in bad.items():
        with pytest.raises(Malformed):
            require_valid(ValidatorSet(0, validators))
        with pytest.raises(Malformed):
            ValidatorSet.decode(ValidatorSet(0, validators).encode())
        assert what


def test_sets_at_the_limits_are_allowed(make_validators):
    seven = make_validators(7).validators
    require_valid(ValidatorSet(0, tuple(replace(seat, member="one") for seat in seven[:2]) + seven[2:]))
    for n in (1, 2, 3):
        require_valid(ValidatorSet(0, tuple(replace(seat, role="bank") for seat in seven[:n])))


@pytest.mark.parametrize(
    "rows", [None, [1], [["a", "b", "bank"]], [["a", "b", "bank", b"short"]], [[1, "b", "bank", 2]]]
)
def test_malformed_rows_are_refused(rows):

    with pytest.raises(Malformed):
        ValidatorSet.decode(codec.encode(["validators", 1, 0, rows]))


def test_a_leader_keeps_its_turn_for_a_tenure_and_rounds_move_it_on(make_validators):
    validators = make_validators(4)
    assert base_index(validators, None, 1, 16) == 0
    assert base_index(validators, "node-02", 15, 16) == 2
    assert base_index(validators, "node-02", 16, 16) == 3
    assert base_index(validators, "node-03", 32, 16) == 0
    assert [leader_index(validators, "node-02", 15, round, 16) for round in range(5)] == [2, 3, 0, 1, 2]
    assert leader_index(validators, None, 1, 2**32 - 1, 16) == 3


def test_a_proposer_that_left_is_followed_by_the_next_id_in_order(make_validators):
    seats = make_validators(5).validators
    without_two = ValidatorSet(1, (*seats[:2], *seats[3:]))
    assert without_two[base_index(without_two, "node-02", 15, 16)].id == "node-03"
    without_last = ValidatorSet(1, seats[:4])
    assert without_last[base_index(without_last, "node-04", 15, 16)].id == "node-00"
