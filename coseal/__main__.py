"""``python -m coseal``: the same as the ``coseal`` script."""

from coseal.cli import main

if __name__ == "__main__":
    main()
