"""The demo: a story on the example data, told over the same functions that the commands use."""
