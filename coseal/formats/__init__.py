"""File formats: event logs that are imported, exports that are written, the archive of blocks.

Law: files in, values out, or the reverse: no client and no network is known here.
"""
