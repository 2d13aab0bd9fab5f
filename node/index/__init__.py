"""The SQL index of a node: written behind the commits, read by the HTTP API."""
