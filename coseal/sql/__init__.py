"""SQL on a user's own machine: an index of the chain, verified as it fills, in SQLite or PostgreSQL.

Law: it holds what the validators certified; it can be thrown away and is rebuilt from the blocks.
"""
