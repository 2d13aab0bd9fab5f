"""What everyone must agree on: immutable values and the rules that make them valid.

Law: nothing here knows a clock, a peer or a disk; every function is a pure function of its arguments.
"""
