"""The native half accepts what the Python accepts: ``make native-check`` compares INPUTS of each kind.

Where the native half is not installed this is skipped; with INPUTS set that is a failure.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from hashlib import sha512
from itertools import product
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)

from coseal.ledger import codec, signing
from coseal.ledger.errors import Malformed
from coseal.ledger.native import CHECK, NATIVE, PYTHON, Core
from coseal.ledger.signing import PREIMAGE_BYTES, Ed25519Signer
from tests.supply import crates
from tests.supply.closure import ROOT
from tests.supply.disturbed import RAISED
from tests.supply.outcomes import TIMES, TOPICS

INPUTS = int(os.environ.get("INPUTS", "1000"))
P, L = signing._P, signing._L
Input: TypeAlias = tuple[bytes, bytes, bytes]
SMALL_ORDER = [  # every encoding of a point of small order, as ZIP 215 lists them: eight canonical ones and six others
    (y | sign << 255).to_bytes(32, "little") for y in sorted({*signing._SMALL_ORDER_Y, P, P + 1}) for sign in (0, 1)
]
TORSION = [point for point in SMALL_ORDER if int.from_bytes(point, "little") & signing._Y_MASK < P]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    if "INPUTS" in os.environ:
        return __import__("coseal_native")
    return pytest.importorskip("coseal_native", reason="the native half is not installed; make native-check builds it")


def compared(module: ModuleType, inputs: Iterator[Input] | list[Input]) -> int:
    """Return how many of the inputs both halves accept; fail at the first difference, one by one and many at once."""
    verifier, accepted, records = module.Native(), 0, []
    for key, message, signature in inputs:
        expected = signing.verify(key, message, signature)
        assert verifier.verify(key, message, signature) is expected, (key.hex(), message.hex(), signature.hex())
        accepted += expected
        if (len(key), len(message), len(signature)) == (32, PREIMAGE_BYTES, 64):
            records.append((key + message + signature, expected))
    for start in range(0, len(records), 64):
        chunk = records[start : start + 64]
        verdicts = verifier.many(b"".join(record for record, _ in chunk), PREIMAGE_BYTES)
        assert verdicts == bytes([expected for _, expected in chunk])
    return accepted


def signed(chance: random.Random, signers: list[Ed25519Signer]) -> Input:
    signer = chance.choice(signers)
    message = chance.randbytes(PREIMAGE_BYTES if chance.random() < 0.8 else chance.randrange(300))
    return signer.public_key, message, signer.sign(message)


def flipped(chance: random.Random, data: bytes) -> bytes:
    bit = chance.randrange(len(data) * 8) if data else 0
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(data))


def good(chance: random.Random, item: Input) -> Input:
    return item


def with_a_flipped_bit(chance: random.Random, item: Input) -> Input:
    place = chance.randrange(3)
    return tuple(flipped(chance, part) if number == place else part for number, part in enumerate(item))  # type: ignore[return-value]


def with_another_s(chance: random.Random, item: Input) -> Input:
    key, message, signature = item
    s = int.from_bytes(signature[32:], "little")
    other = chance.choice([s + L, s + 2 * L, s + 8 * L, L - s, s + 1, L - 1, L, L + 1, 0, 2**256 - 1]) % 2**256
    return key, message, signature[:32] + other.to_bytes(32, "little")


def with_another_point(chance: random.Random, item: Input) -> Input:
    key, message, signature = item
    y = chance.choice([chance.randrange(2**255), P - chance.randrange(20), P + chance.randrange(19)])
    point = chance.choice([*SMALL_ORDER, (y % 2**255 | chance.randrange(2) << 255).to_bytes(32, "little")])
    if chance.random() < 0.5:
        return point, message, signature
    return key, message, point + signature[32:]


def of_another_length(chance: random.Random, item: Input) -> Input:
    def cut(data: bytes) -> bytes:
        return chance.choice([data, data[: chance.randrange(len(data) + 1)], data + chance.randbytes(1)])

    return cut(item[0]), cut(item[1]), cut(item[2])


def of_random_bytes(chance: random.Random, item: Input) -> Input:
    return chance.choice([item[0], chance.randbytes(32)]), item[1], chance.randbytes(64)


KINDS: list[Callable[[random.Random, Input], Input]] = [
    good,
    with_a_flipped_bit,
    with_another_s,
    with_another_point,
    of_another_length,
    of_random_bytes,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_both_halves_give_the_same_verdicts(module: ModuleType, kind: Callable[[random.Random, Input], Input]) -> None:
    chance = random.Random(f"{kind.__name__} {INPUTS}")
    signers = [Ed25519Signer(chance.randbytes(32)) for _ in range(50)]
    accepted = compared(module, (kind(chance, signed(chance, signers)) for _ in range(INPUTS)))
    if kind is good:
        assert accepted == INPUTS


def test_the_cases_on_which_libraries_differ_are_judged_alike(module: ModuleType) -> None:
    cases = json.loads((ROOT / "tests" / "vectors" / "ed25519_speccheck.json").read_bytes())
    inputs = [tuple(bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature")) for case in cases]
    assert len(inputs) == 12
    assert compared(module, inputs) == 1


def test_no_pair_of_encodings_of_small_order_is_accepted(module: ModuleType) -> None:
    assert len(set(SMALL_ORDER)) == 14
    s = [bytes(32), (1).to_bytes(32, "little"), (L - 1).to_bytes(32, "little")]
    inputs = [(key, bytes(PREIMAGE_BYTES), r + end) for key, r, end in product(SMALL_ORDER, SMALL_ORDER, s)]
    assert compared(module, inputs) == 0


def test_signatures_with_torsion_are_accepted_where_it_cancels(module: ModuleType) -> None:
    chance = random.Random(INPUTS)
    count = max(150, INPUTS // 100)
    assert 0 < compared(module, [with_torsion(chance) for _ in range(count)]) < count


def with_torsion(chance: random.Random) -> Input:
    """Return a signature that the equation times eight accepts, of a key and R that may have a part of small order."""
    secret, nonce = (crypto_core_ed25519_scalar_reduce(chance.randbytes(64)) for _ in range(2))
    key = crypto_core_ed25519_add(crypto_scalarmult_ed25519_base_noclamp(secret), chance.choice(TORSION))
    r = crypto_core_ed25519_add(crypto_scalarmult_ed25519_base_noclamp(nonce), chance.choice(TORSION))
    message = chance.randbytes(PREIMAGE_BYTES)
    hashed = crypto_core_ed25519_scalar_reduce(sha512(r + key + message).digest())
    return key, message, r + crypto_core_ed25519_scalar_add(nonce, crypto_core_ed25519_scalar_mul(hashed, secret))


def test_no_key_or_r_of_small_order_is_accepted_where_the_equation_holds(module: ModuleType) -> None:
    chance = random.Random(INPUTS)
    assert compared(module, [with_small_order(chance) for _ in range(max(500, INPUTS // 20))]) == 0


def with_small_order(chance: random.Random) -> Input:
    """Return a signature of which the key or R is of small order; one in eight or more fulfils the equation."""
    message, secret = chance.randbytes(PREIMAGE_BYTES), crypto_core_ed25519_scalar_reduce(chance.randbytes(64))
    point = crypto_scalarmult_ed25519_base_noclamp(secret)
    if chance.random() < 0.5:
        return chance.choice(SMALL_ORDER), message, point + secret
    key, r = crypto_core_ed25519_add(point, chance.choice(TORSION)), chance.choice(TORSION)
    hashed = crypto_core_ed25519_scalar_reduce(sha512(r + key + message).digest())
    return key, message, r + crypto_core_ed25519_scalar_mul(hashed, secret)


# All that is decided


@pytest.mark.skipif("INPUTS" not in os.environ, reason="minutes: make native-check compares")
@pytest.mark.parametrize("topic", TOPICS)
def test_both_halves_come_to_the_same(module: ModuleType, topic: str) -> None:
    """Simulated runs, blocks of events under rules, and bad input, in processes that decode by either half."""
    (asked, *lines), (none, *expected) = outcomes(topic, NATIVE), outcomes(topic, PYTHON)
    assert len(expected) > 3
    assert [line for line in expected if RAISED in line] == []
    differ = [pair for pair in zip(lines, expected, strict=True) if pair[0] != pair[1]]
    assert not differ, "\n".join(f"native: {one}\npython: {other}" for one, other in differ[:5])
    assert int(none) == 0
    assert int(asked) > 0


def outcomes(topic: str, core: str) -> list[str]:
    """Return what a process that decodes by this core makes of a topic, after how often its native half decoded."""
    code = f"""
from coseal.ledger import codec
from coseal.ledger.native import choose
from coseal.node.start import software_version
from tests.supply.outcomes import TOPICS
core = choose({core!r}, software_version())
native = core._native
class Counted:
    decoded = 0
    def decode(self, data):
        value = native.decode(data)
        self.decoded += 1
        return value
counted = Counted()
if native is not None:
    core._native = counted
    codec.decode_by(core.decode)
lines = list(TOPICS[{topic!r}]())
assert core.fault is None, core.fault
print(counted.decoded, *lines, sep="\\n")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300 * TIMES, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# Decoding


def test_what_is_decoded_is_what_the_python_decodes(module: ModuleType) -> None:
    """Values at random, and what comes of their bytes when they are disturbed; repr tells True from 1."""
    chance, native = random.Random(INPUTS), module.Native()
    decoded = refused = 0
    for _ in range(INPUTS * 2):
        data = codec.encode(a_value(chance, chance.choice((0, 1, 2, 3, 17))))
        for each in (data, *(disturbed(chance, data) for _ in range(3))):
            try:
                expected = codec.decode_plain(each)
            except Malformed:
                refused += 1
                with pytest.raises(ValueError, match="not decoded"):
                    native.decode(each)
            else:
                decoded += 1
                assert repr(native.decode(each)) == repr(expected), each.hex()
    assert decoded > INPUTS * 2
    assert refused > INPUTS * 2


EDGES = [
    bound + step
    for power in (0, 5, 7, 8, 15, 16, 31, 32, 63)
    for bound in (2**power, -(2**power))
    for step in (-1, 0, 1)
]
TEXTS = ["", "a", "é", "語", "🦭", "\0", "\x7f", "\u0800", "\uffff"]


def a_value(chance: random.Random, depth: int) -> Any:
    """Return a value of all kinds and of lengths about those at which the form changes."""
    kind = chance.randrange(8 if depth else 5)
    if kind == 0:
        return chance.choice((None, True, False))
    if kind == 1:
        integer = chance.choice((*EDGES, 2**64 - 1, chance.randrange(-(2**63), 2**64)))
        return max(codec.INT_MIN, min(integer, codec.INT_MAX))
    if kind == 2:
        return chance.choice(TEXTS) * chance.choice((1, 2, 15, 16, 31, 32, 33, 255, 256, 257))
    if kind == 3:
        return chance.randbytes(
            chance.choice((0, 1, 32, 255, 256, 65_535, 65_536) if chance.random() < 0.1 else (0, 1, 32))
        )
    if kind == 4:
        return chance.randrange(-40, 300)
    if depth > 3:  # as deep as is allowed, and deeper, once it is disturbed
        return [a_value(chance, depth - 1)] if kind != 6 and depth > 4 else {"a": a_value(chance, 3)}
    length = chance.choice((0, 1, 2, 3, 15, 16, 17)) if depth == 1 else chance.randrange(5)
    items = [a_value(chance, depth - 1) for _ in range(length)]
    return (
        items
        if kind < 7
        else {f"{chance.choice(TEXTS)}{chance.choice(TEXTS)}{number}": item for number, item in enumerate(items)}
    )


HEADS = bytes(
    [0xC0, 0xC1, 0xC2, 0xC4, 0xC7, 0xCA, 0xCB, 0xCC, 0xCD, 0xCF, 0xD0, 0xD3, 0xD4, 0xD9, 0xDC, 0xDD, 0xDE, 0xDF, 0xE0]
)


def disturbed(chance: random.Random, data: bytes) -> bytes:
    """Return the bytes flipped, cut, longer, nested deeper, with a head of another form, or with parts exchanged."""
    place, kind = chance.randrange(len(data)), chance.randrange(7)
    if kind == 0:
        return flipped(chance, data)
    if kind == 1:
        return data[:place]
    if kind == 2:
        return data + chance.randbytes(1)
    if kind == 3:
        return b"\x91" * chance.randrange(1, 18) + data
    if kind == 4:
        return data[:place] + bytes([chance.choice(HEADS)]) + data[place + chance.randrange(2) :]
    if kind == 5:  # an integer in a longer form than it needs
        return bytes([0x92, 0xCC, chance.randrange(256)]) + data
    other = chance.randrange(len(data))
    first, last = sorted((place, other))
    return data[:first] + data[last:] + data[first:last]


LENGTHS = (0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 32_767, 32_768, 40_000, 65_535, 65_536)
FORMS = {  # the head of a length in few bits, if there is one and how much it holds, and those of 1, 2 and 4 bytes
    "text": (0xA0, 32, {1: 0xD9, 2: 0xDA, 4: 0xDB}),
    "bytes": (0, 0, {1: 0xC4, 2: 0xC5, 4: 0xC6}),
    "list": (0x90, 16, {2: 0xDC, 4: 0xDD}),
    "map": (0x80, 16, {2: 0xDE, 4: 0xDF}),
}


def test_of_every_length_one_form_is_decoded(module: ModuleType) -> None:
    native = module.Native()
    for kind, (short, most, long) in FORMS.items():
        for length in LENGTHS:
            heads = [bytes([head]) + length.to_bytes(size, "big") for size, head in long.items() if length < 256**size]
            heads += [bytes([short | length])] if length < most else []
            items = bytes(length)
            if kind == "map":
                items = b"".join(codec.encode(f"{number:05}") + b"\xc0" for number in range(length))
            said = [_decoded(native, head + items) for head in heads]
            assert said.count("refused") == len(heads) - 1, (kind, length)
            if kind == "text":  # the same forms of a key
                keyed = [_decoded(native, b"\x81" + head + items + b"\xc0") for head in heads]
                assert keyed.count("refused") == len(heads) - 1, length


def test_of_every_integer_one_form_is_decoded(module: ModuleType) -> None:
    native = module.Native()
    for value in sorted({*EDGES, *(bound - 1 for bound in EDGES), 2**64 - 1, -(2**63)}):
        forms = [bytes([value % 256])] if -32 <= value < 128 else []
        for power, (unsigned, signed) in enumerate(((0xCC, 0xD0), (0xCD, 0xD1), (0xCE, 0xD2), (0xCF, 0xD3))):
            size = 2**power
            forms += [bytes([unsigned]) + value.to_bytes(size, "big")] if 0 <= value < 256**size else []
            if -(256**size) // 2 <= value < 256**size // 2:
                forms.append(bytes([signed]) + value.to_bytes(size, "big", signed=True))
        said = [_decoded(native, form) for form in forms]
        assert [each for each in said if each != "refused"] == ([repr(value)] if forms else [])


def _decoded(native: Any, data: bytes) -> str:
    """Return what both halves say of the bytes, as text."""
    try:
        expected = repr(codec.decode_plain(data))
    except Malformed:
        with pytest.raises(ValueError, match="not decoded"):
            native.decode(data)
        return "refused"
    assert repr(native.decode(data)) == expected
    return expected


def test_lengths_that_are_only_claimed_are_refused(module: ModuleType) -> None:
    native = module.Native()
    for head in ("dcffff", "ddffffffff", "deffff", "dfffffffff", "c6ffffffff", "dbffffffff"):
        for data in (bytes.fromhex(head), bytes.fromhex(head) + bytes(100), bytes.fromhex(head) * 17):
            with pytest.raises(ValueError, match="not decoded"):
                native.decode(data)


def test_more_keys_than_are_remembered_are_judged_as_the_first(module: ModuleType) -> None:
    chance, verifier = random.Random(1), module.Native()
    first = signed(chance, [Ed25519Signer(bytes(32))])
    records = [signed(chance, [Ed25519Signer(number.to_bytes(32, "big"))]) for number in range(4_200)]
    assert verifier.verify(*first)
    assert all(verifier.verify(*record) for record in records)
    assert verifier.verify(*first)
    assert not verifier.verify(first[0], first[1], bytes(64))


def test_records_of_another_size_are_an_error_and_no_verdict(module: ModuleType) -> None:
    verifier = module.Native()
    assert verifier.many(b"", PREIMAGE_BYTES) == b""
    for size, message_bytes in ((183, PREIMAGE_BYTES), (185, PREIMAGE_BYTES), (96, 2**63)):
        with pytest.raises(ValueError, match="records of"):
            verifier.many(bytes(size), message_bytes)


def test_checking_both_finds_no_difference(module: ModuleType) -> None:
    chance = random.Random(2)
    core = Core(CHECK, module.Native(), module.__version__)
    key, message, signature = signed(chance, [Ed25519Signer(bytes(32))])
    assert core.verify(key, message, signature)
    assert not core.verify(key, message, bytes(64))
    assert core.verify_many(key + message + signature, len(message)) == [True]


# What it is made of


def test_the_native_half_has_the_version_of_the_product() -> None:
    cargo = tomllib.loads((ROOT / "native" / "Cargo.toml").read_text("utf-8"))
    product = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert cargo["package"]["version"] == product["project"]["version"]
    assert cargo["profile"]["release"] == {"overflow-checks": True, "lto": "thin", "panic": "unwind"}
    named = [entry if isinstance(entry, str) else entry["version"] for entry in cargo["dependencies"].values()]
    assert all(version.startswith("=") for version in named)


def test_every_crate_is_locked_by_its_hash_and_stands_in_the_notice() -> None:
    locked = crates.locked(ROOT / "native" / "Cargo.lock")
    assert len(locked) > 10
    assert all(len(crate.checksum) == 64 for crate in locked)
    notice = (ROOT / "native" / "NOTICE").read_text("utf-8")
    assert [crate.name for crate in locked if f"{crate.name} {crate.version}: " not in notice] == []
    lines = notice.splitlines()[-len(locked) :]
    assert [line for line in lines if not crates.is_permitted(line.partition(": ")[2])] == []


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo")
def test_the_notice_says_the_licences_that_the_crates_have() -> None:
    manifest = ROOT / "native" / "Cargo.toml"
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", str(manifest)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip("cargo does not have the crates, and cannot fetch them")
    packages: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    notice = (ROOT / "native" / "NOTICE").read_text("utf-8")
    wanted = [f"{one['name']} {one['version']}: {one['license']}" for one in packages if one["source"]]
    assert sorted(wanted) == sorted(notice.rpartition("\n\n")[2].splitlines())


@pytest.mark.parametrize(
    ("text", "permitted"),
    [
        ("MIT", True),
        ("MIT OR Apache-2.0", True),
        ("BSD-3-Clause", True),
        ("GPL-3.0 OR MIT", True),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0", False),
        ("MIT AND GPL-3.0", False),
        ("MPL-2.0", False),
        ("", False),
    ],
)
def test_a_licence_is_permitted_if_one_may_be_chosen_that_is(text: str, permitted: bool) -> None:
    assert crates.is_permitted(text) is permitted


def test_an_advisory_is_named_and_no_answer_is_not_called_passed() -> None:
    locked = [crates.Crate("one", "1.0.0", "0" * 64), crates.Crate("two", "2.0.0", "0" * 64)]
    assert crates.judge(locked, {"results": [{}, {}]}) == (0, ["native/Cargo.lock: 2 checked, no known vulnerability"])
    known = {"results": [{}, {"vulns": [{"id": "RUSTSEC-1"}]}]}
    assert crates.judge(locked, known) == (1, ["native/Cargo.lock: two 2.0.0: RUSTSEC-1"])
    for answer in (None, {}, {"results": [{}]}):
        assert crates.judge(locked, answer)[0] == 2
