"""What `coseal doctor` looks at: the machine, a node's folder, and its way to the others.

Law: it changes nothing, except for a file of a few KiB that it writes and removes to time the disk. What it cannot see
it calls a warning, never good.
"""
