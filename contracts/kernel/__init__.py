"""What every contract builds on. Imports ledger only."""
