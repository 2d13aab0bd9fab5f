"""One height of the protocol as an abstract model: explored exhaustively, and held against what the real core does."""
