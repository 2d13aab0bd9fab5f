"""The machine below a node: Python, libraries, OpenSSL, signatures, open files, the kernel's clock."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import resource
import ssl
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from coseal import __version__
from coseal.doctor.line import Line, bad, ok, warn
from coseal.doctor.speed import NEEDED_STEPS_A_MS, steps_a_ms
from coseal.ledger import native
from coseal.ledger.engines import COMETBFT_VERSION
from coseal.ledger.genesis import COMETBFT_NAME
from coseal.ledger.signing import Ed25519Signer, verify
from coseal.network.engines import engine_trouble

DESCRIPTORS: Final = 65_536
"""What a node asks for; it raises its soft limit itself, the hard one is the operator's."""
_FEW_DESCRIPTORS: Final = 4_096
_OLDEST_PYTHON: Final = (3, 11)
_OLDEST_OPENSSL: Final = (3, 0)
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


def examine() -> list[Line]:
    """Look at this machine."""
    version, build = sys.version_info[:3], platform.python_implementation()
    clock = kernel_clock()
    return [
        judge_python(build, version, sys.maxsize > 2**32, sys.flags.optimize),
        judge_core(os.environ.get(native.SETTING), __version__),
        _libraries(),
        judge_openssl(ssl.OPENSSL_VERSION, ssl.OPENSSL_VERSION_INFO[:2], ssl.HAS_TLSv1_3),
        _signatures(),
        judge_descriptors("", "this shell", resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        judge_kernel_clock(clock),
        judge_speed(steps_a_ms()),
    ]


def engine(node: str, name: str, binary: Path | None) -> list[Line]:
    """Look for CometBFT's binary if it orders the chain; ``binary``: where the node's configuration says it is."""
    if name != COMETBFT_NAME:
        return []
    trouble = engine_trouble(name, binary)
    if trouble is not None:
        return [bad(node, "engine", *trouble)]
    return [ok(node, "engine", f"CometBFT {COMETBFT_VERSION}, as released")]


def judge_speed(made: int) -> Line:
    """Judge how many steps of the budget this machine makes in a millisecond."""
    text = f"makes {made:,} steps a ms, {NEEDED_STEPS_A_MS:,} are needed"
    if made >= NEEDED_STEPS_A_MS:
        return ok("", "speed", text)
    todo = "use a faster processor core: a costly transaction takes this machine longer than others wait for its vote"
    return warn("", "speed", text, todo)


def judge_python(build: str, version: tuple[int, ...], wide: bool, optimize: int) -> Line:
    """Judge the interpreter. ``-O`` is no fault: nothing that matters is an assertion, and simulations run under it."""
    text = f"{build} {'.'.join(map(str, version))}, {64 if wide else 32} bit{', -O' if optimize else ''}"
    if version[:2] < _OLDEST_PYTHON:
        return bad("", "python", text, "install Python 3.11 or newer")
    if build != "CPython" or not wide:
        return warn("", "python", text, "only CPython of 64 bit is tested")
    return ok("", "python", text)


def judge_core(wanted: str | None, version: str) -> Line:
    """Say whether nodes that are started from here use the native half."""
    try:
        return ok("", "core", native.choose(wanted, version).name)
    except native.CoreProblem as problem:
        return bad("", "core", "no node starts", problem.reason)


def _libraries() -> Line:
    try:
        wanted = metadata.requires("coseal") or []
        found = {}
        for requirement in wanted:
            name = re.split(r"[^A-Za-z0-9._-]", requirement)[0]
            if ";" not in requirement:
                found[requirement] = _version_of(name)
        return judge_libraries(metadata.version("coseal"), found)
    except metadata.PackageNotFoundError:
        return warn("", "libraries", "coseal runs from a folder and is not installed", "install it, see Installing")


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def judge_libraries(version: str, found: dict[str, str | None]) -> Line:
    """Judge installed versions by requirement (``name>=1.2``); None: it is not there."""
    wrong = []
    for requirement, installed in found.items():
        name, _, least = requirement.partition(">=")
        if installed is None or _numbers(installed) < _numbers(least):
            wrong.append(f"{name} {installed or 'is missing'}, {least} or newer is needed")
    if wrong:
        return bad("", "libraries", "; ".join(wrong), "install from requirements.lock, see docs/operating.md")
    shown = [f"{name} {found[full]}" for full in found for name in (full.partition(">=")[0],) if name in _SHOWN]
    return ok("", "libraries", f"coseal {version}, {len(found)} libraries as required: {', '.join(shown)}")


_SHOWN: Final = ("cryptography", "pynacl", "lmdb", "msgpack", "uvloop")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def judge_openssl(text: str, version: tuple[int, ...], tls13: bool) -> Line:
    """Judge the OpenSSL that Python's TLS has."""
    if not tls13:
        return bad("", "openssl", f"{text} has no TLS 1.3", "links need it: use a Python with OpenSSL 3")
    if version < _OLDEST_OPENSSL:
        return warn("", "openssl", text, "it gets no security updates any more: use a Python with OpenSSL 3")
    return ok("", "openssl", text)


def _signatures() -> Line:
    """See on this very machine that both libraries make and refuse the same."""
    signer, message = Ed25519Signer(bytes(range(32))), b"coseal doctor"
    signature = signer.sign(message)
    other = Ed25519PublicKey.from_public_bytes(signer.public_key)
    try:
        other.verify(signature, message)
        agreed = verify(signer.public_key, message, signature) and not verify(signer.public_key, b"x", signature)
    except InvalidSignature:
        agreed = False
    if not agreed:
        todo = "do not run a node here: reinstall from requirements.lock, test the memory"
        return bad("", "signatures", "libsodium and OpenSSL disagree about a signature", todo)
    return ok("", "signatures", "libsodium and OpenSSL agree")


def judge_descriptors(node: str, whose: str, hard: int) -> Line:
    """Judge the hard limit of open files."""
    text = f"{'unlimited' if hard == resource.RLIM_INFINITY else hard} for {whose}"
    if hard == resource.RLIM_INFINITY or hard >= DESCRIPTORS:
        return ok(node, "open files", text)
    todo = f"LimitNOFILE={DESCRIPTORS} in the unit, or in /etc/security/limits.conf"
    return (bad if hard < _FEW_DESCRIPTORS else warn)(node, "open files", text, todo)


def kernel_clock() -> int | None:
    """Return what ``adjtimex(2)`` says of the clock, None where it cannot be asked. It changes nothing."""
    try:
        return int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return None


def judge_kernel_clock(state: int | None) -> Line:
    """Judge the state of the kernel's clock, one of ``adjtimex(2)``."""
    if state is None or state < 0:
        return warn("", "clock source", "the kernel does not say", "see that a time service runs (chrony)")
    if state == _TIME_ERROR:
        return warn("", "clock source", "nothing synchronises this clock", "run a time service (chrony, ntpd)")
    return ok("", "clock source", "synchronised, says the kernel")
