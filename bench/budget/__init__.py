"""Every kind of work of the contracts at its worst case, in steps of a fixed loop: ``python -m bench.budget``."""
