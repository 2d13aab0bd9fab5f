"""Connecting to a chain: whose key, which genesis, and whether the nodes are of that chain.

Law: the genesis comes from a local file, or from a node if its hash is the chain id that was given; never from a
node because it says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from coseal.client import asynchronous, keys
from coseal.client import blocking as client_module
from coseal.client.asynchronous import AsyncClient
from coseal.client.blocking import Client
from coseal.client.exchange import Ask, Exchange, document_of
from coseal.client.genesis import read_genesis
from coseal.client.session import Session
from coseal.contracts.membership.state import operator_key
from coseal.errors import BadAnswer, CosealError, Unreachable, WrongChain, WrongKey
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Signer

_CHAIN_ID: Final = re.compile("[0-9a-f]{64}")
_DEFAULT_FOLDER: Final = Path("coseal-net")
_ASK_MEMBER: Final = "get the genesis file, or the chain id, from a member you trust"


def connect(
    url: str | Sequence[str],
    *,
    key: Path | str | Signer | None = None,
    sender: str | None = None,
    passphrase: str | bytes | None = None,
    genesis: Genesis | Path | str | bytes | None = None,
    token: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Client:
    """Return a client of the chain, having asked the node whether it is of that chain and knows the key.

    ``url``: a node, or several; when one fails, lags or lies, the next is asked.
    ``key``: a PEM file (PKCS#8, perhaps encrypted), or anything that signs. Without it the client only reads.
    ``sender``: MEMBER/USER the key is of; needed only if the genesis does not name the key.
    ``passphrase``: of the key file; else COSEAL_KEY_PASSPHRASE or the file COSEAL_KEY_PASSPHRASE_FILE.
    ``genesis``: what is trusted: a file, its bytes, or the chain id in 64 hexadecimal digits (the document is then
    fetched and compared). Without it: COSEAL_GENESIS, the network folder in which the key lies, ``coseal-net``.
    ``token``: for chains without public reads.

    Raises ``WrongChain`` (a node of another chain, a genesis that is old or was changed), ``WrongKey``,
    ``Unreachable`` when no node answers, ``CosealError`` for what cannot be used.

    >>> with coseal.connect(url, key=key, genesis=genesis) as client:
    ...     client.sender
    'regulator/admin'
    """
    urls, signer = _urls(url), _signer(key, passphrase)
    if isinstance(genesis, str) and _CHAIN_ID.fullmatch(genesis):
        with client_module.http_client(urls, token, transport) as http:
            genesis = client_module.carry(http, _fetched(urls, genesis))
    trusted = trusted_genesis(genesis, key)
    who = _sender_of(trusted, signer, sender)
    client = Client(urls, trusted, signer=signer, sender=who, token=token, transport=transport)
    try:
        client.run(introduced(client.session, signer))
    except BaseException:
        client.close()
        raise
    return client


async def connect_async(
    url: str | Sequence[str],
    *,
    key: Path | str | Signer | None = None,
    sender: str | None = None,
    passphrase: str | bytes | None = None,
    genesis: Genesis | Path | str | bytes | None = None,
    token: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncClient:
    """Return an asynchronous client of the chain; arguments and errors are those of ``connect``.

    >>> async def sender():
    ...     async with await coseal.connect_async(url, key=key, genesis=genesis) as client:
    ...         return client.sender
    >>> asyncio.run(sender())
    'regulator/admin'
    """
    urls, signer = _urls(url), _signer(key, passphrase)
    if isinstance(genesis, str) and _CHAIN_ID.fullmatch(genesis):
        async with asynchronous.http_client(urls, token, transport) as http:
            genesis = await asynchronous.carry(http, _fetched(urls, genesis))
    trusted = trusted_genesis(genesis, key)
    who = _sender_of(trusted, signer, sender)
    client = AsyncClient(urls, trusted, signer=signer, sender=who, token=token, transport=transport)
    try:
        await client.run(introduced(client.session, signer))
    except BaseException:
        await client.close()
        raise
    return client


def _urls(url: str | Sequence[str]) -> list[str]:
    urls = [url] if isinstance(url, str) else list(url)
    for one in urls:
        if not one.startswith(("http://", "https://")):
            raise CosealError(f"{one}: expected http://HOST:PORT or https://HOST:PORT")
    if not urls:
        raise CosealError("no node to ask", "give the URL of one or several nodes")
    return urls


def _signer(key: Path | str | Signer | None, passphrase: str | bytes | None) -> Signer | None:
    if not isinstance(key, (str, Path)):
        return key
    given = passphrase.encode() if isinstance(passphrase, str) else passphrase
    return keys.read_signer(Path(key), given if given is not None else keys.environment_passphrase())


def trusted_genesis(genesis: Genesis | Path | str | bytes | None, key: Path | str | Signer | None = None) -> Genesis:
    """Return the genesis that is given, or that COSEAL_GENESIS or the folder of a key file holds; see ``connect``."""
    if isinstance(genesis, Genesis):
        return genesis
    if isinstance(genesis, bytes):
        try:
            return Genesis.decode(genesis)
        except LedgerError as error:
            raise CosealError(f"these bytes are not a genesis document: {error.reason}", _ASK_MEMBER) from None
    if genesis is not None:
        return read_genesis(Path(genesis))
    named = os.environ.get("COSEAL_GENESIS")
    if named:
        return read_genesis(Path(named))
    folders = list(Path(key).resolve().parents)[:3] if isinstance(key, (str, Path)) else []
    for folder in (*folders, _DEFAULT_FOLDER):
        if (folder / "genesis.json").is_file():
            return read_genesis(folder / "genesis.json")
    raise CosealError("no genesis to trust", f"give genesis=, a file or the chain id: {_ASK_MEMBER}")


def _fetched(urls: Sequence[str], chain_id: str) -> Exchange[Genesis]:
    """Return the genesis that has this chain id, from the first node that gives one."""
    failed: CosealError = Unreachable("no node to ask")
    for url in urls:
        try:
            reply = yield Ask("GET", url.rstrip("/").removesuffix("/v1"), "/v1/genesis")
            found = Genesis.decode(reply.content)
        except Unreachable as error:
            failed = error
        except LedgerError as error:
            failed = BadAnswer(f"{url} gave no genesis document: {error.reason}", "is this the URL of a node?")
        else:
            if found.chain_id.hex() == chain_id:
                return found
            told = f"{url} gave the genesis of chain {found.chain_id.hex()}, expected {chain_id}"
            raise WrongChain(told, "ask a node of that chain, or check the chain id", node=url)
    raise failed


def _sender_of(genesis: Genesis, signer: Signer | None, sender: str | None) -> str | None:
    """Return MEMBER/USER of a key: as given, else as the genesis names it."""
    if signer is None:
        if sender is not None:
            raise CosealError(f"no key to sign as {sender}", "give key=, its PEM file")
        return None
    if sender is not None:
        name, slash, user = sender.partition("/")
        if not (name and slash and user):
            raise CosealError(f"sender {sender!r}: expected MEMBER/USER")
        return sender
    for member in genesis.members:
        for operator in member.operators:
            if operator.key == signer.public_key:
                return f"{member.id}/{operator.user}"
    raise WrongKey(
        f"the genesis names no operator with the key {signer.public_key.hex()}",
        "is it the key of this chain? If it was registered later, give sender='MEMBER/USER'",
    )


def introduced(session: Session, signer: Signer | None) -> Exchange[None]:
    """Check that the node that answers is of the chain, and that the key is the registered one of the sender."""
    expected = session.genesis.chain_id.hex()
    reply = yield from session.ask("GET", "/v1/status")
    status = document_of(reply)
    if status.get("chain_id") != expected:
        raise WrongChain(
            f"{reply.node} is of chain {str(status.get('chain_id'))[:64]}, the genesis of {expected}",
            f"ask a node of that chain; or the genesis is old or was changed: {_ASK_MEMBER}",
            node=reply.node,
        )
    if signer is None or session.sender is None or not status.get("height"):
        return
    registered: Any = yield from session.value(operator_key(session.sender))
    if registered is None:
        raise WrongKey(f"{session.sender} is not an operator of this chain", "give sender='MEMBER/USER' as registered")
    if registered["key"] not in (signer.public_key, signer.public_key.hex()):
        hint = "was it rotated? Use the newer key file"
        raise WrongKey(f"the key is not the one registered for {session.sender}", hint)
