"""The demo: a story on the example data, narrated over the same functions that the commands use."""
