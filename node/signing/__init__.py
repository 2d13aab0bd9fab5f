"""A node's keys, and the process that may hold them: what is signed, for whom, and never twice."""
