"""A node's data folder: block log, journal, state database, snapshots, and the thread that writes them."""
