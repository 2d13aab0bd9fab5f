"""Writing event logs: what the ledger holds of a process, in the formats others read.

Law: the same items give the same bytes; what a format cannot hold is counted, never dropped silently.
"""
