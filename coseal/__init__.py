"""Coseal for users: the ``coseal`` command and the Python API."""
