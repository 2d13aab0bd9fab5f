"""A deterministic world around the real node: a seed goes in, a verdict comes out. Not shipped."""
