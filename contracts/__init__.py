"""What a transaction means: pure functions over a view of the state.

Law: an outcome depends on the state, the transaction and the block header only; no float, no order of a set or
hash, no clock but the block's time, no unbounded scan.
"""
