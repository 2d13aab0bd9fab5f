"""The client library, which ``import coseal`` gives: one session with the nodes, and the clients that carry it out.

Law: no node is trusted: what a client returns as verified follows from the genesis. Knows no folder of a network.
"""
