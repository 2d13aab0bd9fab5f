"""A random walk over sequences of all contracts' actions, by ordinary members, with time and restarts."""
