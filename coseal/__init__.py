"""What a user touches: the ``coseal`` command and its client of a node's HTTP API.

Law: nothing here is a node; nodes are processes it starts (``python -m node``), and what they answer is verified.
"""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
