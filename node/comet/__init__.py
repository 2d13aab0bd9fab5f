"""CometBFT beside the node: the socket on which it asks, its RPC, its files, the child process."""
