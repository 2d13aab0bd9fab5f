"""A network on this machine: its folder, its founding, its members and nodes, and the processes that run it.

Law: nodes are processes that are started, never imported; what changes the chain goes through the client library.
"""
