"""Where the ledger meets the world: what decides is in ``core``, a value; around it the rooms of the I/O shell."""
