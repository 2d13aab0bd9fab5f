"""Public participation: what people say about proposed policies and standards, counted without naming them.

contracts/participation/README.md.
"""
