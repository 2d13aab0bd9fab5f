"""``python -m coseal`` is the ``coseal`` command."""

from coseal.cli import main

main()
