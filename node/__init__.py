"""Where the ledger meets the world: a pure half (machine, mempool, sync, journal) and an I/O shell around it."""
