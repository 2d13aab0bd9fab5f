"""Processes beside a node: signatures are checked and transactions previewed off its event loop."""
