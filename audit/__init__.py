"""Whether to believe it: light client, offline verifier, replay.

Law: imports the ledger and, for replay, the contracts; never the node. Trusts the genesis and nothing else.
"""
