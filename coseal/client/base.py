"""What both clients have in common: whom they speak to and as whom, and what they believe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coseal.audit.epochs import Epochs
from coseal.client.session import Session
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Signer


class BaseClient:
    """A side of a session with nodes; what carries it out is a client's own."""

    def __init__(
        self, url: str | Sequence[str], genesis: Genesis, *, signer: Signer | None, sender: str | None
    ) -> None:
        urls = [url] if isinstance(url, str) else list(url)
        self.session = Session(urls, genesis, signer=signer, sender=sender)

    @property
    def url(self) -> str:
        """The node that is asked next."""
        return self.session.url

    @property
    def genesis(self) -> Genesis:
        """The trusted genesis."""
        return self.session.genesis

    @property
    def sender(self) -> str | None:
        """Who signs: MEMBER/USER."""
        return self.session.sender

    @property
    def member(self) -> str:
        """The member that signs; raises ``CosealError`` for a client that only reads."""
        return self.session.member

    @property
    def epochs(self) -> Epochs:
        """The validator sets believed so far."""
        return self.session.epochs

    @property
    def height(self) -> int:
        """The highest height verified so far: what is proven of the present is never older."""
        return self.session.height

    @property
    def distrusted(self) -> Mapping[str, str]:
        """The nodes set aside for what they said, and what that was: it does not hold, or is older than it may be."""
        return self.session.distrusted
