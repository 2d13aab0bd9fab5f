"""The expression language of rules: a bounded, deterministic part of CEL (Common Expression Language)."""
