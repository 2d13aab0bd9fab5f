"""Keys that an operator replaces while the node runs: a consensus key to come, a link certificate.

Law: a file is taken up only when it holds what the chain registers for this node, so putting it in place too early
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import structlog

from coseal.node.config import NodeConfig
from coseal.node.core.events import KeyGiven
from coseal.node.engine import EngineMachine
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem
from coseal.node.transport.network import Network

_log = structlog.get_logger("node")


class Renewal:
    """Looks after the key files of the node that ``machine`` is; ``give`` passes it an event."""

    def __init__(
        self, config: NodeConfig, machine: EngineMachine, links: Network, give: Callable[[KeyGiven], object]
    ) -> None:
        self._config, self._machine, self._links, self._give = config, machine, links, give

    def look(self) -> None:
        """See whether a file is there that the registry asks for (N30); cheap when it asks for none."""
        if self._config.signer is None and self._machine.missing_key is not None:
            self._consensus_key(self._machine.missing_key)
        pins = self._machine.pins
        own = next((pin.certificate for pin in pins if pin.node == self._config.node_id), None)
        if own is not None and own != self._links.shown:
            self._link_certificate(own)

    def _consensus_key(self, wanted: bytes) -> None:
        path = self._config.consensus_key_next
        if not path.exists():
            return
        try:
            signer = keys.load_signer(path, keys.passphrase())
        except KeyProblem as error:
            _log.error("consensus_key_next", reason=error.reason)
            return
        if signer.public_key == wanted:
            _log.info("key_given", key=wanted.hex())
            self._give(KeyGiven(signer))

    def _link_certificate(self, wanted: bytes) -> None:
        self._links.renew(wanted)
        if wanted != self._links.shown:
            text = f"peers expect the certificate with SHA-256 {sha256(wanted).hexdigest()}; put it in place"
            _log.warning("link_certificate", text=text)
