"""Rows: committed transactions as the rows of a relational index, the same for every database that holds them.

Law: the rows after block h follow from blocks 1..h alone. What is here decides what the rows are; where they are kept
is the business of whoever hands in a ``Database`` (a node's own index, an auditor's SQLite file or PostgreSQL).
"""
