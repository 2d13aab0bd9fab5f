"""Reading event logs, strictly: a log is understood whole, or refused with everything that is wrong with it.

Law: nothing is dropped or coerced silently; the same file and map give the same items in the same order.
"""
