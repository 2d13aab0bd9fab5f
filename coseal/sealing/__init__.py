"""Encryption of sealed data, for those who hold keys: cells, wraps, envelopes (docs/spec/disclosure.md)."""
