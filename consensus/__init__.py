"""How the order is agreed: PBFT over a chain of blocks, as a state machine.

Law: ``step`` never reads a clock, never awaits, never draws a random number, never sees a contract.
"""
