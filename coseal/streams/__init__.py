"""Streams out: what is committed, sent to other systems as CloudEvents 1.0, at least once and in order.

One job a module: ``outgoing`` makes the events of a block, ``wanted`` filters them, ``cursor`` remembers what was
acknowledged, ``delivery`` carries them over; ``webhook`` and ``jetstream`` are the receivers. docs/streams.md.
"""
