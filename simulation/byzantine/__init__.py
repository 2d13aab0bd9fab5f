"""Byzantine behaviours, one file each; any of them may combine in one node, at most f nodes have any."""
