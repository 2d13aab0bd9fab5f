"""What a node decides, as a value: events in, effects out; no clock, no disk, no socket."""
