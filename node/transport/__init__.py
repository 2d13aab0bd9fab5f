"""Links to other nodes: pinned TLS, frames in and out, all bounded."""
