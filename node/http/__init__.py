"""The HTTP API of a node: routes by subject over ``Services``, which the runtime implements."""
