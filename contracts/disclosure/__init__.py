"""Disclosure: vaults whose keys custodians hold, so that sealed data opens by several constituencies or not at all.

Law: the owner chooses no custodian, and a vault is armed only when enough of them have compared their keys.
"""
