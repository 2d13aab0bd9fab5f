"""For those who write contracts of their own: a skeleton to begin with, a chain to try it on, and what is checked.

Law: a contract is tried by the code that nodes run; what cannot be seen is said, and nothing is believed of malice.
"""

from coseal.kit.trial import Trial

__all__ = ["Trial"]
