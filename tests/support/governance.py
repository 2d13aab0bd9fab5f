"""A chain whose members register nodes, propose and vote."""

from __future__ import annotations

import json
from typing import Any

from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import decision_keys
from coseal.contracts.governance.state import NAME, ballot_key
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.registry import KINDS
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.signing import key_preimage
from tests.support.chain import Chain


def decision_document(chain: Chain, ballot_id: str, contract: str = NAME, **instead: Any) -> dict[str, Any]:
    """Return the document about a ballot as a node makes it; ``instead``: other fields from which keys follow."""
    reader, tip = chain.executor.reader, chain.blocks[-1]
    record: Any = reader.get(ballot_key(contract, ballot_id))
    keys = decision_keys.keys(contract, ballot_id, {**record, **instead}, reader.get(MEMBERS_KEY))
    proven = [
        CertifiedValue(key.encode(), *chain.state.prove(key.encode()), tip.block.header, tip.certificate)
        for key in keys.all
    ]
    return decision_keys.document(contract, ballot_id, keys, proven)


class World:
    """Members of ``chain`` that register nodes, propose and vote."""

    def __init__(self, chain, signer_of):
        self.chain, self.signer_of, self.count = chain, signer_of, 0

    @property
    def reader(self):
        return self.chain.executor.reader

    @property
    def validators(self):
        return self.chain.executor.validators

    def key(self, who):
        return self.signer_of(who).public_key.hex()

    def node(self, node_id, member="institute-a", ready=True):
        self.count += 1
        der = f"3004{self.count:08x}"
        keys = {"consensus_key": self.key(f"node {node_id}"), "link_certificate": der}
        added = self.chain.submit(f"{member}/admin", "membership.add_node", node=node_id, **keys)
        assert added.ok, added
        if ready:
            self.ready(node_id)
        return node_id

    def ready(self, node_id, height=None):
        self.chain.keys[f"node:{node_id}"] = self.signer_of(f"node {node_id}")
        height = self.chain.executor.height if height is None else height
        return self.chain.submit(f"node:{node_id}", "membership.ready", height=height)

    def propose(self, proposal_id, kind, subject, by="institute-a", **more):
        return self.chain.submit(
            f"{by}/admin", "governance.propose", id=proposal_id, kind=kind, subject=subject, **more
        )

    def vote(self, proposal_id, *members, choice="yes"):
        for member in members:
            receipt = self.chain.submit(f"{member}/admin", "governance.vote", ballot=proposal_id, choice=choice)
        return receipt

    def accept(self, proposal_id, kind, subject, by="institute-a", voters=("bank-a", "central-bank", "regulator")):
        """Propose and have a quorum vote yes; return the deciding vote's receipt."""
        proposed = self.propose(proposal_id, kind, subject, by)
        assert proposed.ok, proposed
        receipt, concerned = proposed, KINDS[kind].concerned(subject)
        for member in voters:
            if receipt.data["status"] == "open" and member not in (by, concerned):
                receipt = self.vote(proposal_id, member)
        return receipt

    def add(self, node_id, member="institute-a"):
        self.node(node_id, member)
        voters = [seat.member for seat in self.validators.validators]
        receipt = self.accept(f"add-{node_id}", "add_validator", {"node": node_id}, member, voters)
        assert receipt.data["status"] == "accepted", receipt
        self.chain.block()
        return receipt

    def proposal(self, proposal_id):
        found = governance.proposal(self.reader, proposal_id, KINDS)
        assert json.loads(json.dumps(found)) == found
        return found

    def rotation(self, node_id, new, chain_id=None, node=None):
        signer = self.signer_of(new)
        chain_id = self.chain.genesis.chain_id if chain_id is None else chain_id
        message = key_preimage(chain_id, node or node_id, signer.public_key)
        return {"node": node_id, "key": signer.public_key.hex(), "proof": signer.sign(message).hex()}
