"""Measurements of the product as users run it: real processes, TLS links, HTTP, fsync on. Not shipped."""
