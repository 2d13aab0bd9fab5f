"""What is installed beside this software: contracts of others, found, digested, checked and loaded.

Law: what runs are the very bytes that were digested; the pure part of ``contracts`` imports none of this, it is given
what was found (``Executor(others=...)``).
"""

from coseal.contracts.installed.loading import GROUP, Installed, installed

__all__ = ["GROUP", "Installed", "installed"]
