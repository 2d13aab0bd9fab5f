"""What a node says of itself to those who run it: logs, metrics, traces, reports."""
